//! A set of small numbers: the places of things in a list.

/// Copied at every branch of a talk, and few tables need more than the first.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    first: u128,
    more: Vec<u128>,
}

const WIDTH: usize = u128::BITS as usize;

impl Numbers {
    pub(super) fn contains(&self, number: usize) -> bool {
        let (word, bit) = (number / WIDTH, 1 << (number % WIDTH));
        let word = if word == 0 { self.first } else { self.more.get(word - 1).copied().unwrap_or(0) };
        word & bit != 0
    }

    pub(super) fn insert(&mut self, number: usize) {
        *self.word(number / WIDTH) |= 1 << (number % WIDTH);
    }

    pub(super) fn remove(&mut self, number: usize) {
        if self.contains(number) {
            *self.word(number / WIDTH) &= !(1 << (number % WIDTH));
        }
    }

    /// Takes all of another one, too.
    pub(super) fn join(&mut self, other: &Numbers) {
        self.first |= other.first;
        for (index, bits) in other.more.iter().enumerate() {
            *self.word(index + 1) |= bits;
        }
    }

    /// In their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        let words = std::iter::once(&self.first).chain(&self.more);
        words.enumerate().flat_map(|(index, bits)| {
            let mut bits = *bits;
            std::iter::from_fn(move || {
                let number = (bits != 0).then(|| index * WIDTH + bits.trailing_zeros() as usize);
                bits &= bits.wrapping_sub(1);
                number
            })
        })
    }

    fn word(&mut self, index: usize) -> &mut u128 {
        if index == 0 {
            return &mut self.first;
        }
        if self.more.len() < index {
            self.more.resize(index, 0);
        }
        &mut self.more[index - 1]
    }
}

impl Extend<usize> for Numbers {
    fn extend<I: IntoIterator<Item = usize>>(&mut self, more: I) {
        more.into_iter().for_each(|number| self.insert(number));
    }
}

impl FromIterator<usize> for Numbers {
    fn from_iter<I: IntoIterator<Item = usize>>(all: I) -> Numbers {
        let mut numbers = Numbers::default();
        numbers.extend(all);
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_in_it_once_and_in_order() {
        let mut numbers: Numbers = [5, 300, 1, 3, 1].into_iter().collect();
        numbers.insert(4);
        numbers.insert(300);
        numbers.remove(1);
        numbers.remove(2000);
        numbers.join(&[2, 127, 128].into_iter().collect());
        numbers.join(&Numbers::default());
        assert_eq!(numbers.iter().collect::<Vec<_>>(), [2, 3, 4, 5, 127, 128, 300]);
        assert!(numbers.contains(300) && !numbers.contains(1) && !numbers.contains(2000));
    }
}
