//! A layout fused into few comparisons: whether bytes are a frame, and how long it is, without reading its fields.
//!
//! The first eight bytes are one masked comparison and pairs of equal bytes; then comes the length, then what stands
//! behind it, cheap tests before sums. What cannot be said so is left to the parser: the answer is [`Fit::Ask`].
//! Whatever this file says, the parser says as well; a property test holds the two against each other.

use super::checksum;
use super::envelope::LONGEST;
use super::expr::Scope;
use super::layout::Order;
use super::reading::Reading;
use super::text::Name;

mod comparison;
mod plain;
mod screen;
mod sieve;

pub(super) use comparison::{Around, Edge, Number, Sum, Test};
pub(super) use plain::{Plain, Relation, Taken};
pub use screen::{Prefix, Screen};
pub use sieve::Sieve;

/// What the bytes at the start of an input are to a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The frame, and this long.
    Whole(usize),
    /// Nothing speaks against it so far: the parser must say.
    Ask,
    /// It fits so far; at least so many more bytes are needed.
    More(usize),
    No,
}

impl Fit {
    /// All that was compared fits, and the frame's bytes are here.
    pub fn is_possible(self) -> bool {
        matches!(self, Fit::Whole(_) | Fit::Ask)
    }
}

/// A fused layout.
#[derive(Clone, Debug)]
pub struct Fused {
    pub(super) head: Masked,
    pub(super) twins: Twins,
    pub(super) length: Length,
    pub(super) tail: Masked,
    pub(super) check: Option<Check>,
    /// What the above cannot say, in the order of its cost.
    pub(super) tests: Vec<Test>,
    /// All this together says everything that the layout says.
    pub(super) certain: bool,
    /// The last byte, where it is always the same.
    pub(super) closing: Option<u8>,
    pub(super) places: Vec<(Name, Place)>,
    /// How the fields are read once the bytes are right.
    pub(super) plain: Option<Plain>,
    pub(super) shape: Shape,
    pub(super) preamble: Option<Box<Preamble>>,
}

/// A run of one byte that comes first, as often as there is one, and the frame behind it; that one begins with another byte.
#[derive(Clone, Debug)]
pub(super) struct Preamble {
    pub byte: u8,
    pub least: usize,
    pub most: usize,
    pub behind: Fused,
}

/// What of all this a layout uses. Common shapes have code of their own, without the questions that they do not ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Any,
    /// No tests but a plain `sum8`, and lengths without a division.
    Sum8,
    /// The same with a CRC.
    Crc,
}

const ANY: u8 = Shape::Any as u8;
const SUM8: u8 = Shape::Sum8 as u8;
const CRC: u8 = Shape::Crc as u8;

/// Bits of eight bytes, the first one lowest, that are always the same.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Masked {
    pub mask: u64,
    pub value: u64,
}

/// Bytes of the head that stand there twice, so many bits apart; what differs between the two is always the same.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Twins {
    pub apart: u8,
    pub mask: u64,
    pub differ: u64,
}

#[derive(Clone, Debug)]
pub(super) enum Length {
    Fixed(usize),
    Counted(Count),
    /// At least so long.
    Unknown(usize),
}

/// `fixed + (number × times + plus) / by`, where the division leaves no rest.
#[derive(Clone, Debug)]
pub(super) struct Count {
    /// Where the eight bytes begin that hold the number; most often they are the head.
    pub word: usize,
    pub number: Bits,
    pub times: i64,
    pub plus: i64,
    pub by: i64,
    pub fixed: usize,
    /// How many bytes the number and all before it take.
    pub known_after: usize,
}

/// Some bits of eight bytes, as an unsigned number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bits {
    /// The bytes are turned round first: the number's most significant byte comes first.
    pub turned: bool,
    pub shift: u8,
    pub mask: u64,
}

/// A sum over one stretch, that stands among the last eight bytes.
#[derive(Clone, Debug)]
pub(super) struct Check {
    pub sum: Sum,
    pub around: Around,
    pub from: usize,
    /// How far from the frame's end the stretch ends.
    pub to_end: usize,
    pub stands: Bits,
}

/// Where a field stands in its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub(super) from: Edge,
    pub(super) to: Edge,
}

impl Place {
    /// The place of nothing: no bytes in any frame.
    pub const NOWHERE: Place = Place { from: Edge::from_start(0), to: Edge::from_start(0) };

    /// The field's bytes in a whole frame.
    #[inline]
    pub fn of(self, frame: &[u8]) -> &[u8] {
        frame.get(self.from.of(frame.len())..self.to.of(frame.len())).unwrap_or_default()
    }
}

impl Fused {
    /// Which code of its own it can use.
    pub(super) fn shape(&self) -> Shape {
        let is_plain = |bits: Bits| !bits.turned;
        let length_is_simple = match &self.length {
            Length::Fixed(_) => true,
            Length::Counted(count) => count.word == 0 && count.by == 1 && is_plain(count.number),
            Length::Unknown(_) => false,
        };
        match &self.check {
            Some(Check { sum, around: Around::Plain, stands, .. })
                if self.certain && self.tests.is_empty() && length_is_simple && is_plain(*stands) =>
            {
                match sum {
                    Sum::Sum8 => Shape::Sum8,
                    Sum::Crc(_) => Shape::Crc,
                    _ => Shape::Any,
                }
            }
            _ => Shape::Any,
        }
    }

    /// What its first bytes hold it to.
    pub fn screen(&self) -> Screen {
        Screen::of(self)
    }

    /// Where a field stands, if that does not depend on what else the frame holds.
    pub fn place(&self, field: &str) -> Option<Place> {
        self.places.iter().find(|(name, _)| &**name == field).map(|(_, place)| *place)
    }

    /// Whether both read this field in the same way, or neither has it.
    pub fn reads_as(&self, other: &Fused, field: &str) -> bool {
        match (self.preamble.as_deref(), other.preamble.as_deref()) {
            (Some(one), Some(other)) => {
                (one.byte, one.most) == (other.byte, other.most) && one.behind.reads_as(&other.behind, field)
            }
            (None, None) => match (&self.plain, &other.plain) {
                (Some(one), Some(other)) => one.taken(field) == other.taken(field),
                _ => false,
            },
            _ => false,
        }
    }

    /// The frame at the start of `input`, where what is compared here and relations to what is known outside say all of it; or which
    /// byte such a relation is against.
    pub fn read(&self, input: &[u8], scope: &dyn Scope) -> Option<Result<Reading, usize>> {
        let plain = self.preamble.as_deref().map_or(self, |preamble| &preamble.behind).plain.as_ref();
        let fits = plain.is_some() && self.judge(input).is_possible();
        if fits { self.read_fitting(input, scope) } else { None }
    }

    /// The same of bytes that a glance found to be possible.
    pub fn read_fitting(&self, input: &[u8], scope: &dyn Scope) -> Option<Result<Reading, usize>> {
        if let Some(preamble) = self.preamble.as_deref() {
            let run = preamble.run(input);
            return Some(match preamble.behind.read_behind(&input[run..], scope)? {
                Ok(reading) => Ok(Reading { len: run + reading.len, ..reading }),
                Err(at) => Err(run + at),
            });
        }
        self.read_behind(input, scope)
    }

    /// The same of bytes that fit.
    fn read_behind(&self, input: &[u8], scope: &dyn Scope) -> Option<Result<Reading, usize>> {
        let length = match &self.length {
            Length::Fixed(length) => *length,
            Length::Counted(count) => count.total::<ANY>(screen::eight(input.get(count.word..)?).0)?,
            Length::Unknown(_) => return None,
        };
        self.plain.as_ref()?.read(input.get(..length)?, scope)
    }

    /// Whether the frame's sums are right for these bytes, from its first to its last, whatever else is wrong with them; `None` where it has none.
    pub fn sums_hold(&self, bytes: &[u8]) -> Option<bool> {
        if let Some(preamble) = self.preamble.as_deref() {
            return preamble.behind.sums_hold(&bytes[preamble.run(bytes)..]);
        }
        let mut sums = self.tests.iter().filter(|test| matches!(test, Test::Sum { .. })).peekable();
        if self.check.is_none() && sums.peek().is_none() {
            return None;
        }
        let mut tail = [0; 8];
        tail.iter_mut().rev().zip(bytes.iter().rev()).for_each(|(to, from)| *to = *from);
        let tail = u64::from_le_bytes(tail);
        let holds =
            |check: &Check| bytes.len() >= check.from + check.to_end && check.holds::<ANY>(bytes, tail);
        Some(self.check.as_ref().is_none_or(holds) && sums.all(|test| test.holds(bytes)))
    }

    /// The byte that such a frame ends with, where that is always the same one.
    pub fn closing(&self) -> Option<u8> {
        self.closing
    }

    /// Whether the frame begins at the start of `input`.
    #[inline(always)]
    pub fn judge(&self, input: &[u8]) -> Fit {
        let Some(&head) = input.first_chunk() else { return self.judge_short(input) };
        let word = u64::from_le_bytes(head);
        if !self.head.fits(word) || !self.twins.fit(word, u64::MAX) {
            return Fit::No;
        }
        match self.shape {
            Shape::Any => self.judge_behind_head::<ANY>(input, word),
            Shape::Sum8 => self.judge_behind_head::<SUM8>(input, word),
            Shape::Crc => self.judge_behind_head::<CRC>(input, word),
        }
    }

    /// The same when there are fewer bytes than a head has.
    #[inline(never)]
    fn judge_short(&self, input: &[u8]) -> Fit {
        let (word, known) = screen::eight(input);
        let head = Masked { mask: self.head.mask & known, value: self.head.value & known };
        if !head.fits(word) || !self.twins.fit(word, known) {
            return Fit::No;
        }
        match &self.length {
            Length::Counted(count) if input.len() < count.known_after => {
                self.more(input, count.least() - input.len())
            }
            _ => self.judge_behind_head::<ANY>(input, word),
        }
    }

    #[inline(always)]
    fn judge_behind_head<const SHAPE: u8>(&self, input: &[u8], head: u64) -> Fit {
        let length = match &self.length {
            Length::Counted(count) => {
                let word = match count.word {
                    at if SHAPE == ANY && at > 0 => match input.get(at..).and_then(<[u8]>::first_chunk) {
                        Some(&word) => u64::from_le_bytes(word),
                        None => return self.more(input, count.least() - input.len()),
                    },
                    _ => head,
                };
                match count.total::<SHAPE>(word) {
                    Some(length) => length,
                    None => return Fit::No,
                }
            }
            Length::Fixed(length) => *length,
            Length::Unknown(least) => return self.judge_open(input, *least),
        };
        let Some(frame) = input.get(..length) else { return self.more(input, length - input.len()) };
        // The last eight bytes; a shorter frame is moved up to their end. Lengths of seven to nine bytes come in any order: no branch.
        let missing = 8 * 8usize.saturating_sub(length) as u32;
        let tail = match input.get(length.saturating_sub(8)..).and_then(<[u8]>::first_chunk) {
            Some(&tail) => u64::from_le_bytes(tail).unbounded_shl(missing),
            None => head.unbounded_shl(missing),
        };
        let fits = self.tail.fits(tail)
            && self.check.as_ref().is_none_or(|check| check.holds::<SHAPE>(frame, tail))
            && (SHAPE != ANY || self.tests.iter().all(|test| test.holds(frame)));
        match fits {
            false => Fit::No,
            true if SHAPE != ANY || self.certain => Fit::Whole(length),
            true => Fit::Ask,
        }
    }
}

impl Fused {
    /// The same where nothing here tells how long the frame is.
    #[inline(never)]
    fn judge_open(&self, input: &[u8], least: usize) -> Fit {
        match &self.preamble {
            Some(preamble) => preamble.judge(input),
            None if input.len() < least => self.more(input, least - input.len()),
            None if self.begins_well(input) => Fit::Ask,
            None => Fit::No,
        }
    }

    /// So many bytes are missing, unless those that are here are wrong already.
    #[inline(never)]
    fn more(&self, input: &[u8], missing: usize) -> Fit {
        if self.begins_well(input) { Fit::More(missing) } else { Fit::No }
    }

    /// What stands at places counted from the start fits, as far as it is here.
    fn begins_well(&self, input: &[u8]) -> bool {
        self.tests.iter().all(|test| match test.needs() {
            Some(needs) if needs <= input.len() => test.holds(input),
            _ => true,
        })
    }
}

impl Preamble {
    /// How often its byte stands at the start.
    fn run(&self, input: &[u8]) -> usize {
        input.iter().take(self.most).take_while(|byte| **byte == self.byte).count()
    }

    fn judge(&self, input: &[u8]) -> Fit {
        let run = self.run(input);
        let missing = self.least.saturating_sub(run);
        if run == input.len() {
            return Fit::More(missing + self.behind.length.least());
        }
        if missing > 0 {
            return Fit::No;
        }
        match self.behind.judge(&input[run..]) {
            Fit::Whole(length) => Fit::Whole(run + length),
            told => told,
        }
    }
}

impl Masked {
    #[inline(always)]
    fn fits(self, word: u64) -> bool {
        (word ^ self.value) & self.mask == 0
    }

    /// Asks for these bits of the byte at `index`.
    pub fn ask(&mut self, index: usize, mask: u8, value: u8) {
        self.mask |= u64::from(mask) << (8 * index);
        self.value |= u64::from(value) << (8 * index);
    }
}

impl Twins {
    #[inline(always)]
    fn fit(self, word: u64, known: u64) -> bool {
        let mask = self.mask & known & (known >> self.apart);
        (word ^ (word >> self.apart) ^ self.differ) & mask == 0
    }

    /// Takes a pair of bytes, if it is as far apart as those that are here.
    pub fn take(&mut self, one: usize, other: usize, differ: u8) -> bool {
        let apart = 8 * (other - one) as u8;
        let fits = self.mask == 0 || self.apart == apart;
        if fits {
            self.apart = apart;
            self.mask |= 0xFF << (8 * one);
            self.differ |= u64::from(differ) << (8 * one);
        }
        fits
    }
}

impl Length {
    /// No frame is shorter.
    fn least(&self) -> usize {
        match self {
            Length::Fixed(length) => *length,
            Length::Counted(count) => count.least(),
            Length::Unknown(least) => *least,
        }
        .max(1)
    }
}

impl Count {
    /// No frame is shorter, and with so many bytes its length is known.
    fn least(&self) -> usize {
        self.known_after.max(self.fixed)
    }

    #[inline(always)]
    fn total<const SHAPE: u8>(&self, word: u64) -> Option<usize> {
        let sum = self.number.of::<SHAPE>(word) as i64 * self.times + self.plus;
        let counted = if SHAPE != ANY || self.by == 1 {
            sum
        } else if sum % self.by == 0 {
            sum / self.by
        } else {
            return None;
        };
        (0..=LONGEST as i64).contains(&counted).then(|| self.fixed + counted as usize)
    }
}

impl Bits {
    /// The number of so many bytes that begins at byte `index` of the word.
    pub fn at(index: usize, number: &Number) -> Bits {
        let turned = number.order == Order::Big && number.bytes > 1;
        let bytes = usize::from(number.bytes);
        let below = if turned { 8 - index - bytes } else { index };
        Bits { turned, shift: 8 * below as u8 + number.shift, mask: number.mask }
    }

    #[inline(always)]
    fn of<const SHAPE: u8>(self, word: u64) -> u64 {
        let word = if SHAPE == ANY && self.turned { word.swap_bytes() } else { word };
        (word >> self.shift) & self.mask
    }
}

impl Check {
    #[inline(always)]
    fn holds<const SHAPE: u8>(&self, frame: &[u8], tail: u64) -> bool {
        let Some(span) = frame.get(self.from..frame.len() - self.to_end) else { return false };
        let stands = self.stands.of::<SHAPE>(tail);
        match &self.sum {
            _ if SHAPE == SUM8 => u64::from(checksum::sum8_of(span)) == stands,
            Sum::Crc(algorithm) if SHAPE == CRC => algorithm.compute(&[span]) == stands,
            sum => self.around.apply(sum.of_one(span), self.stands.mask) == Some(stands),
        }
    }
}

#[cfg(test)]
mod tests;
