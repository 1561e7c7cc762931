//! A set of a few things, in order.

/// Copied at every branch of a talk, so it is one piece of memory.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Few<T>(Vec<T>);

impl<T> Default for Few<T> {
    fn default() -> Few<T> {
        Few(Vec::new())
    }
}

impl<T: Copy + Ord> Few<T> {
    pub(super) fn contains(&self, one: &T) -> bool {
        self.0.binary_search(one).is_ok()
    }

    pub(super) fn insert(&mut self, one: T) {
        if let Err(place) = self.0.binary_search(&one) {
            self.0.insert(place, one);
        }
    }

    pub(super) fn remove(&mut self, one: &T) {
        if let Ok(place) = self.0.binary_search(one) {
            self.0.remove(place);
        }
    }

    /// Takes all of another one, too.
    pub(super) fn join(&mut self, other: &Few<T>) {
        let Some(first) = other.0.first() else { return };
        let is_behind = self.0.last().is_none_or(|last| last < first);
        self.0.extend_from_slice(&other.0);
        if !is_behind {
            self.put_in_order();
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = T> {
        self.0.iter().copied()
    }

    fn put_in_order(&mut self) {
        self.0.sort_unstable();
        self.0.dedup();
    }
}

impl<T: Copy + Ord> Extend<T> for Few<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, more: I) {
        self.0.extend(more);
        self.put_in_order();
    }
}

impl<T: Copy + Ord> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(all: I) -> Few<T> {
        let mut few = Few(all.into_iter().collect());
        few.put_in_order();
        few
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_in_it_once_and_in_order() {
        let mut few: Few<usize> = [5, 1, 3, 1].into_iter().collect();
        few.insert(4);
        few.insert(3);
        few.remove(&1);
        assert_eq!(few, Few(vec![3, 4, 5]));
        few.join(&Few(vec![2, 4, 9]));
        few.join(&Few(vec![10, 11]));
        few.join(&Few::default());
        few.extend([1, 9]);
        assert_eq!(few.iter().collect::<Vec<_>>(), [1, 2, 3, 4, 5, 9, 10, 11]);
        assert!(few.contains(&9) && !few.contains(&8));
    }
}
