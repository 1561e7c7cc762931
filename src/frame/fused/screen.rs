//! Many frames against the same bytes: what their first bytes rule out costs no look at each of them.

use std::cell::OnceCell;

use super::{Fit, Fused, Length, Masked, Preamble, Test, Twins};

/// What a frame is held to by its first bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Screen {
    head: Masked,
    /// The eight bytes behind the head.
    next: Masked,
    twins: Twins,
    /// With fewer bytes than the first of these, the frame lacks what is missing of the second.
    short: (usize, usize),
    /// A run of this byte, at least so often and at most, comes first.
    preamble: Option<(u8, usize, usize)>,
}

/// The first bytes of an input, as frames are held against them.
#[derive(Clone, Debug)]
pub struct Prefix<'a> {
    input: &'a [u8],
    front: Front,
    /// How often the first byte stands at the start, and what stands behind it; once somebody has asked.
    run: OnceCell<(usize, Front)>,
}

/// Up to sixteen bytes, and which of their bits are there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Front {
    words: [u64; 2],
    known: [u64; 2],
    len: usize,
}

impl<'a> Prefix<'a> {
    pub fn of(input: &'a [u8]) -> Prefix<'a> {
        Prefix { input, front: Front::of(input), run: OnceCell::new() }
    }

    fn run(&self) -> (usize, &Front) {
        let (run, behind) = self.run.get_or_init(|| {
            let run = self.input.iter().take_while(|byte| **byte == self.input[0]).count();
            (run, Front::of(&self.input[run..]))
        });
        (*run, behind)
    }

    /// What a frame's own bytes are held against that comes behind a run of `preamble`.
    pub(super) fn behind(&self, preamble: Option<u8>) -> &Front {
        match preamble {
            Some(byte) if self.input.first() == Some(&byte) => self.run().1,
            _ => &self.front,
        }
    }
}

impl Front {
    /// So many bytes are known at most.
    pub const MOST: usize = 16;

    pub fn len(&self) -> usize {
        self.len
    }

    /// One of the known bytes.
    pub fn byte(&self, at: usize) -> u8 {
        self.words[at / 8].to_le_bytes()[at % 8]
    }

    fn of(input: &[u8]) -> Front {
        let (word, known) = eight(input);
        let (next, next_known) = input.get(8..).map_or((0, 0), eight);
        Front { words: [word, next], known: [known, next_known], len: input.len() }
    }
}

/// The first eight bytes, the first one lowest, and which of their bits are there.
#[inline]
pub(super) fn eight(input: &[u8]) -> (u64, u64) {
    if let Some(&front) = input.first_chunk() {
        return (u64::from_le_bytes(front), u64::MAX);
    }
    let len = input.len();
    let word = match (input.first_chunk(), input.last_chunk()) {
        // Two halves that may overlap: where they do, they are the same.
        (Some(&low), Some(&high)) => {
            u64::from(u32::from_le_bytes(low)) | u64::from(u32::from_le_bytes(high)) << (8 * (len - 4))
        }
        _ => input.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    (word, !(u64::MAX << (8 * len)))
}

impl Screen {
    pub(super) fn of(fused: &Fused) -> Screen {
        match fused.preamble.as_deref() {
            None => Screen::behind(fused),
            Some(Preamble { byte, least, most, behind }) => {
                Screen { preamble: Some((*byte, *least, *most)), ..Screen::behind(behind) }
            }
        }
    }

    fn behind(fused: &Fused) -> Screen {
        let least = fused.length.least();
        let mut below = match &fused.length {
            Length::Counted(count) => count.known_after,
            Length::Fixed(length) | Length::Unknown(length) => *length,
        };
        let mut next = Masked::default();
        for test in &fused.tests {
            match (test, test.needs()) {
                (Test::Byte { mask, value, .. }, Some(needs @ 9..=16)) => next.ask(needs - 9, *mask, *value),
                (_, Some(needs)) => below = below.min(needs),
                (_, None) => {}
            }
        }
        Screen { head: fused.head, next, twins: fused.twins, short: (below, least), preamble: None }
    }

    /// With fewer bytes than the first of these behind any preamble, the frame lacks what is missing of the second.
    pub(super) fn short(&self) -> (usize, usize) {
        self.short
    }

    /// What can be told of the frame without a look at it.
    #[inline(always)]
    pub fn tell(&self, prefix: &Prefix<'_>) -> Option<Fit> {
        let front = match self.preamble {
            None => &prefix.front,
            Some((byte, least, most)) => {
                let run = if prefix.input.first() == Some(&byte) { prefix.run().0 } else { 0 };
                let behind = prefix.behind(Some(byte));
                let missing = least.saturating_sub(run);
                if run > most {
                    return Some(Fit::No);
                }
                if behind.len == 0 {
                    return Some(Fit::More(missing + self.short.1));
                }
                if missing > 0 {
                    return Some(Fit::No);
                }
                behind
            }
        };
        let differs = |held: Masked, at: usize| (front.words[at] ^ held.value) & held.mask & front.known[at];
        if differs(self.head, 0) | differs(self.next, 1) != 0 {
            return Some(Fit::No);
        }
        if self.twins.mask != 0 && !self.twins.fit(front.words[0], front.known[0]) {
            return Some(Fit::No);
        }
        let (below, least) = self.short;
        (front.len < below).then(|| Fit::More(least - front.len))
    }
}
