//! What is compared of a frame: bytes and numbers at places counted from either end, bytes that stand twice, sums.

use std::ops::RangeInclusive;

use super::super::checksum::{self, Algorithm};
use super::super::layout::Order;

/// A place in a frame, counted from its start or from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::frame) struct Edge {
    offset: usize,
    /// All ones where it is counted from the end: the length is added without a branch.
    from_end: usize,
}

/// Some bits of some bytes, as an unsigned number.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::frame) struct Number {
    pub at: Edge,
    pub bytes: u8,
    pub order: Order,
    pub shift: u8,
    pub mask: u64,
}

#[derive(Clone, Debug)]
pub(in crate::frame) enum Test {
    Byte {
        at: Edge,
        mask: u8,
        value: u8,
    },
    /// Bytes that stand here once more, differing in these bits.
    Same {
        at: Edge,
        of: Edge,
        size: usize,
        differ: u8,
    },
    Among {
        number: Number,
        ranges: Vec<RangeInclusive<u64>>,
    },
    Sum {
        number: Number,
        sum: Sum,
        around: Around,
        spans: Vec<(Edge, Edge)>,
    },
}

#[derive(Clone, Debug)]
pub(in crate::frame) enum Sum {
    /// The whole sum, and which of its bits are compared.
    Masked(u64),
    Sum8,
    Xor8,
    Lrc,
    CarrySum8,
    Crc(Algorithm),
}

/// What is done to a sum before it is compared.
#[derive(Clone, Copy, Debug)]
pub(in crate::frame) enum Around {
    Plain,
    Xor(u64),
    /// This number less the sum.
    From(u64),
}

impl Edge {
    /// The same place in a frame of always that length.
    pub fn fixed(self, length: Option<usize>) -> Edge {
        match length {
            Some(length) => Edge::from_end(length - self.of(length)),
            None => self,
        }
    }

    /// How far it is from the start.
    pub fn start(self) -> Option<usize> {
        (self.from_end == 0).then_some(self.offset)
    }

    /// How far it is from the end.
    pub fn end(self) -> Option<usize> {
        (self.from_end != 0).then_some(self.offset.wrapping_neg())
    }

    pub const fn from_start(offset: usize) -> Edge {
        Edge { offset, from_end: 0 }
    }

    pub fn from_end(distance: usize) -> Edge {
        Edge { offset: distance.wrapping_neg(), from_end: usize::MAX }
    }

    /// Where it is in a frame of that length.
    #[inline]
    pub fn of(self, length: usize) -> usize {
        (length & self.from_end).wrapping_add(self.offset)
    }
}

impl Number {
    #[inline]
    pub fn read(&self, input: &[u8], length: usize) -> Option<u64> {
        let at = self.at.of(length);
        let wire = match self.bytes {
            1 => u64::from(*input.get(at)?),
            2 => {
                let pair = input.get(at..)?.first_chunk()?;
                match self.order {
                    Order::Little => u16::from_le_bytes(*pair).into(),
                    Order::Big => u16::from_be_bytes(*pair).into(),
                }
            }
            bytes => {
                let wire = input.get(at..at + usize::from(bytes))?;
                let push = |so_far: u64, &byte: &u8| so_far << 8 | u64::from(byte);
                match self.order {
                    Order::Little => wire.iter().rev().fold(0, push),
                    Order::Big => wire.iter().fold(0, push),
                }
            }
        };
        Some(wire >> self.shift & self.mask)
    }

    /// The same where this was added to each byte.
    pub fn read_shifted(&self, frame: &[u8], shift: u8) -> Option<u64> {
        if shift == 0 {
            return self.read(frame, frame.len());
        }
        let at = self.at.of(frame.len());
        let mut bytes = [0; 8];
        let bytes = bytes.get_mut(..usize::from(self.bytes))?;
        let wire = frame.get(at..)?.get(..bytes.len())?;
        bytes.iter_mut().zip(wire).for_each(|(to, from)| *to = from.wrapping_sub(shift));
        Number { at: Edge::from_start(0), ..self.clone() }.read(bytes, bytes.len())
    }
}

impl Test {
    #[inline]
    pub fn holds(&self, frame: &[u8]) -> bool {
        let length = frame.len();
        match self {
            Test::Byte { at, mask, value } => {
                frame.get(at.of(length)).is_some_and(|byte| byte & mask == *value)
            }
            Test::Same { at, of, size, differ } => {
                let piece = |edge: Edge| frame.get(edge.of(length)..)?.get(..*size);
                let [Some(one), Some(other)] = [*at, *of].map(piece) else { return false };
                one.iter().zip(other).all(|(one, other)| one ^ other == *differ)
            }
            Test::Among { number, ranges } => number
                .read(frame, length)
                .is_some_and(|number| ranges.iter().any(|range| range.contains(&number))),
            Test::Sum { number, sum, around, spans } => {
                let stands = number.read(frame, length);
                stands.is_some()
                    && stands == sum.over(frame, spans).and_then(|sum| around.apply(sum, number.mask))
            }
        }
    }

    /// How many bytes it looks at, if their places are counted from the start and it is cheap.
    pub fn needs(&self) -> Option<usize> {
        match self {
            Test::Byte { at, .. } => at.start().map(|at| at + 1),
            Test::Among { number, .. } => number.at.start().map(|at| at + usize::from(number.bytes)),
            Test::Same { .. } | Test::Sum { .. } => None,
        }
    }

    /// What is cheap and decides much comes first.
    pub fn cost(&self) -> usize {
        match self {
            Test::Byte { .. } => 0,
            Test::Among { .. } => 2,
            Test::Same { .. } => 3,
            Test::Sum { .. } => 4,
        }
    }
}

impl Sum {
    #[inline]
    pub fn over(&self, frame: &[u8], spans: &[(Edge, Edge)]) -> Option<u64> {
        let piece = |&(from, to): &(Edge, Edge)| frame.get(from.of(frame.len())..to.of(frame.len()));
        if let [span] = spans {
            return Some(self.of(&[piece(span)?]));
        }
        let pieces: Option<Vec<&[u8]>> = spans.iter().map(piece).collect();
        Some(self.of(&pieces?))
    }

    /// The two sums that short frames have are computed here and now, the others by a call.
    #[inline(always)]
    pub fn of_one(&self, span: &[u8]) -> u64 {
        match self {
            Sum::Sum8 => checksum::sum8_of(span).into(),
            Sum::Xor8 => checksum::xor8_of(span).into(),
            Sum::Crc(algorithm) => algorithm.compute(&[span]),
            _ => self.of(&[span]),
        }
    }

    #[inline(never)]
    pub fn of(&self, pieces: &[&[u8]]) -> u64 {
        match self {
            Sum::Masked(mask) => checksum::sum(pieces) & mask,
            Sum::Sum8 => checksum::sum8(pieces).into(),
            Sum::Xor8 => checksum::xor8(pieces).into(),
            Sum::Lrc => checksum::lrc(pieces).into(),
            Sum::CarrySum8 => checksum::carry_sum8(pieces).into(),
            Sum::Crc(algorithm) => algorithm.compute(pieces),
        }
    }
}

impl Around {
    #[inline(always)]
    pub fn apply(self, sum: u64, mask: u64) -> Option<u64> {
        match self {
            Around::Plain => Some(sum),
            Around::Xor(with) => Some(sum ^ with),
            // Below nothing a number goes once round, as far as it is wide.
            Around::From(number) => match number.checked_sub(sum) {
                Some(left) => Some(left),
                None => (sum - number - 1 <= mask).then(|| number.wrapping_sub(sum) & mask),
            },
        }
    }
}
