//! Sets of bytes.

/// The bytes that can stand at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteSet([u64; 4]);

/// By bit, lowest first: the bytes in which it is 0.
const CLEAR: [ByteSet; 8] = {
    let mut clear = [ByteSet::NONE; 8];
    let mut bit = 0;
    while bit < 8 {
        let mut byte = 0;
        while byte < 256 {
            if byte >> bit & 1 == 0 {
                clear[bit].0[byte / 64] |= 1 << (byte % 64);
            }
            byte += 1;
        }
        bit += 1;
    }
    clear
};

impl ByteSet {
    pub(super) const ANY: ByteSet = ByteSet([u64::MAX; 4]);
    const NONE: ByteSet = ByteSet([0; 4]);
    pub(super) const DIGITS: ByteSet = ByteSet::between(b'0', b'9');
    pub(super) const HEX_DIGITS: ByteSet =
        ByteSet::DIGITS.or(ByteSet::between(b'A', b'F')).or(ByteSet::between(b'a', b'f'));

    pub(super) fn only(byte: u8) -> ByteSet {
        ByteSet::between(byte, byte)
    }

    pub(super) fn of(bytes: impl IntoIterator<Item = u8>) -> ByteSet {
        bytes.into_iter().fold(ByteSet::NONE, |set, byte| set.or(ByteSet::only(byte)))
    }

    /// The lowest bytes of all values in some ranges.
    pub(super) fn of_values(ranges: impl Iterator<Item = (i128, i128)>) -> ByteSet {
        ranges.fold(ByteSet::NONE, |set, (low, high)| {
            set.or(match (high - low, low as u8, high as u8) {
                (..0, ..) => ByteSet::NONE,
                (255.., ..) => ByteSet::ANY,
                (_, low, high) if low <= high => ByteSet::between(low, high),
                (_, low, high) => ByteSet::between(low, u8::MAX).or(ByteSet::between(0, high)),
            })
        })
    }

    /// The bytes of which the `width` bits above the lowest `shift` ones are one of these numbers.
    pub(super) fn of_bits(shift: usize, width: usize, numbers: impl Iterator<Item = u8>) -> ByteSet {
        let zero = CLEAR[shift..shift + width].iter().fold(ByteSet::ANY, |set, clear| set.and(*clear));
        numbers.fold(ByteSet::NONE, |set, number| set.or(zero.moved_up(usize::from(number) << shift)))
    }

    /// Both ends belong to it.
    const fn between(low: u8, high: u8) -> ByteSet {
        let mut words = [0; 4];
        let mut at = low as usize / 64;
        while at <= high as usize / 64 {
            let from = if at == low as usize / 64 { low % 64 } else { 0 };
            let to = if at == high as usize / 64 { high % 64 } else { 63 };
            words[at] = u64::MAX << from & u64::MAX >> (63 - to);
            at += 1;
        }
        ByteSet(words)
    }

    const fn or(self, other: ByteSet) -> ByteSet {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        ByteSet([a | e, b | f, c | g, d | h])
    }

    pub(super) fn and(self, other: ByteSet) -> ByteSet {
        ByteSet(std::array::from_fn(|word| self.0[word] & other.0[word]))
    }

    /// Every byte greater by that; what would be none any more is left out.
    fn moved_up(self, by: usize) -> ByteSet {
        let (words, bits) = (by / 64, by % 64);
        let word = |at: Option<usize>| at.and_then(|at| self.0.get(at)).copied().unwrap_or(0);
        ByteSet(std::array::from_fn(|at| {
            let (here, below) = (word(at.checked_sub(words)), word(at.checked_sub(words + 1)));
            here << bits | below.unbounded_shr(64 - bits as u32)
        }))
    }

    pub fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    pub fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    pub(super) fn is_disjoint(&self, other: &ByteSet) -> bool {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        a & e | b & f | c & g | d & h == 0
    }

    pub(super) fn is_within(&self, other: &ByteSet) -> bool {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        a & !e | b & !f | c & !g | d & !h == 0
    }

    pub(super) fn complement(&self) -> ByteSet {
        let [a, b, c, d] = self.0.map(u64::reverse_bits);
        ByteSet([d, c, b, a])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(set: ByteSet) -> Vec<u8> {
        (0..=u8::MAX).filter(|byte| set.contains(*byte)).collect()
    }

    #[test]
    fn a_set_of_values_has_the_lowest_byte_of_each() {
        for (low, high) in
            [(0, 0), (63, 64), (5, 200), (250, 260), (-3, 2), (0, 254), (0, 255), (-200, 100), (7, 6)]
        {
            let each: Vec<i128> = (low..=high).collect();
            let known: Vec<u8> =
                (0..=u8::MAX).filter(|byte| each.iter().any(|value| *value as u8 == *byte)).collect();
            assert_eq!(bytes(ByteSet::of_values([(low, high)].into_iter())), known, "{low}..{high}");
        }
    }

    #[test]
    fn a_set_of_bits_has_every_byte_with_one_of_the_numbers_there() {
        for width in 1..=8 {
            for shift in 0..=8 - width {
                let numbers = [0, 1, 3, 6].map(|number: u8| number & ((1u16 << width) - 1) as u8);
                let has = |byte: u8| numbers.contains(&(byte >> shift & ((1u16 << width) - 1) as u8));
                let known: Vec<u8> = (0..=u8::MAX).filter(|byte| has(*byte)).collect();
                assert_eq!(
                    bytes(ByteSet::of_bits(shift, width, numbers.into_iter())),
                    known,
                    "{width} at {shift}"
                );
            }
        }
    }

    #[test]
    fn the_complement_of_each_byte_is_in_the_complement() {
        let set = ByteSet::of([0, 0x68, 0x69, 0xF0]);
        assert_eq!(bytes(set.complement()), [0x0F, 0x96, 0x97, 0xFF]);
        assert_eq!(bytes(ByteSet::HEX_DIGITS), b"0123456789ABCDEFabcdef");
    }
}
