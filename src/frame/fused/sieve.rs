//! Many frames sorted by one of their first bytes: those that it rules out are not even held against the others.

use super::super::Frame;
use super::screen::{Front, Prefix, Screen};
use super::{Fused, Test};

/// Frames, by number, sorted by what their first bytes must be.
#[derive(Clone, Debug, Default)]
pub struct Sieve(Vec<Sorted>);

/// Those that come behind a run of the same byte, or behind none.
#[derive(Clone, Debug)]
struct Sorted {
    preamble: Option<u8>,
    all: Few,
    /// The places that sort best; the last is the best and needs the most bytes.
    places: Vec<Place>,
}

/// For each value of the byte at `at` the frames that can have it there.
#[derive(Clone, Debug)]
struct Place {
    at: usize,
    left: Vec<Few>,
}

/// Frames by number; those come first of which few bytes tell whether they lack any.
#[derive(Clone, Debug)]
struct Few {
    frames: Vec<usize>,
    /// For each and all behind it: with fewer bytes than the first of these each that is not ruled out lacks some, of the second at the least.
    short: Vec<(usize, usize)>,
}

/// Frames that one byte does not rule out.
#[derive(Clone, Copy, Debug)]
pub struct Left<'a> {
    pub frames: &'a [usize],
    short: &'a [(usize, usize)],
    /// So many bytes are here.
    len: usize,
}

impl Left<'_> {
    /// So many bytes at the least lacks each of them from this place on that nothing rules out; `None` where one may lack none.
    pub fn lacking_from(&self, place: usize) -> Option<usize> {
        let (below, least) = *self.short.get(place)?;
        (self.len < below).then(|| least - self.len)
    }
}

/// A frame's number, and what is known of its bytes; nothing of one in an envelope.
type Numbered<'a> = (usize, Option<&'a Fused>);

impl Sieve {
    /// Frames are numbered in this order.
    pub fn of<'a>(frames: impl IntoIterator<Item = &'a Frame>) -> Sieve {
        let fused = |frame: &'a Frame| frame.envelope().is_none().then(|| frame.fused());
        let frames: Vec<Numbered<'_>> = frames.into_iter().map(fused).enumerate().collect();
        let mut preambles: Vec<Option<u8>> = frames.iter().map(preamble).collect();
        preambles.sort_unstable();
        preambles.dedup();
        let sorted = |behind| {
            let frames: Vec<_> = frames.iter().copied().filter(|frame| preamble(frame) == behind).collect();
            Sorted::of(behind, &frames)
        };
        Sieve(preambles.into_iter().map(sorted).collect())
    }

    /// The frames that one byte of the prefix does not rule out, those behind the same preamble together.
    pub fn left<'a>(&'a self, prefix: &'a Prefix<'_>) -> impl Iterator<Item = Left<'a>> {
        self.0.iter().map(|sorted| sorted.left(prefix.behind(sorted.preamble)))
    }
}

fn preamble((_, fused): &Numbered<'_>) -> Option<u8> {
    fused.and_then(|fused| fused.preamble.as_deref()).map(|preamble| preamble.byte)
}

/// The frame without its preamble.
fn own(fused: &Fused) -> &Fused {
    fused.preamble.as_deref().map_or(fused, |preamble| &preamble.behind)
}

/// Which bits of the byte at this place, one of the first sixteen behind any preamble, are always the same, and their values.
fn masked(fused: &Fused, at: usize) -> (u8, u8) {
    let of = |word: u64| word.to_le_bytes().get(at).copied().unwrap_or(0);
    (of(fused.head.mask), of(fused.head.value))
}

/// What else that byte alone is held to.
fn tests(fused: &Fused, at: usize) -> impl Iterator<Item = &Test> {
    fused.tests.iter().filter(move |test| match test {
        Test::Byte { at: place, .. } => place.start() == Some(at),
        Test::Among { number, .. } => number.at.start() == Some(at) && number.bytes == 1,
        Test::Same { .. } | Test::Sum { .. } => false,
    })
}

/// Whether it is held to anything.
fn is_held((_, fused): &Numbered<'_>, at: usize) -> bool {
    fused.map(own).is_some_and(|fused| masked(fused, at).0 != 0 || tests(fused, at).next().is_some())
}

/// Whether this byte can stand there.
fn allows((_, fused): &Numbered<'_>, at: usize, byte: u8) -> bool {
    let Some(fused) = fused.map(own) else { return true };
    let (mask, value) = masked(fused, at);
    (byte ^ value) & mask == 0
        && tests(fused, at).all(|test| match test {
            Test::Byte { mask, value, .. } => byte & mask == *value,
            Test::Among { number, ranges } => {
                let number = u64::from(byte) >> number.shift & number.mask;
                ranges.iter().any(|range| range.contains(&number))
            }
            Test::Same { .. } | Test::Sum { .. } => true,
        })
}

impl Sorted {
    fn of(preamble: Option<u8>, frames: &[Numbered<'_>]) -> Sorted {
        let mut places = Vec::new();
        let mut least = 256 * frames.len();
        for at in 0..Front::MOST {
            let (held, free): (Vec<_>, Vec<_>) = frames.iter().partition(|frame| is_held(frame, at));
            if held.is_empty() {
                continue;
            }
            let allowed =
                |frame: &&Numbered<'_>| (0..=u8::MAX).filter(|byte| allows(frame, at, *byte)).count();
            let count = 256 * free.len() + held.iter().map(allowed).sum::<usize>();
            if count < least {
                least = count;
                let can = |byte: u8| frames.iter().filter(move |frame| allows(frame, at, byte));
                let left = (0..=u8::MAX).map(|byte| Few::of(can(byte))).collect();
                places.push(Place { at, left });
            }
        }
        Sorted { preamble, all: Few::of(frames.iter()), places }
    }

    fn left(&self, front: &Front) -> Left<'_> {
        let place = self.places.iter().rev().find(|place| place.at < front.len());
        let few = place.map_or(&self.all, |place| &place.left[usize::from(front.byte(place.at))]);
        Left { frames: &few.frames, short: &few.short, len: front.len() }
    }
}

impl Few {
    fn of<'a>(frames: impl Iterator<Item = &'a Numbered<'a>>) -> Few {
        let short = |fused: Option<&Fused>| fused.map_or((0, 0), |fused| Screen::of(fused).short());
        let mut few: Vec<_> = frames.map(|(number, fused)| (*number, short(*fused))).collect();
        few.sort_by_key(|(_, (below, _))| *below);
        let mut least = usize::MAX;
        for (_, short) in few.iter_mut().rev() {
            least = least.min(short.1);
            short.1 = least;
        }
        let (frames, short) = few.into_iter().unzip();
        Few { frames, short }
    }
}
