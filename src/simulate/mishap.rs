//! Mishaps of a flash session: what a line does to characters, and what befalls a device. Seeded, and the same for every protocol.

use crate::line::{Direction, Fault, Format, Parity, Span};

use super::link::{Passing, Spoil};

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mishap {
    /// Bits of a character are turned over.
    Flip,
    /// A character is lost.
    Drop,
    /// A character arrives twice.
    Duplicate,
    /// A character that nobody sent arrives.
    Insert,
    /// A character, and everything behind it, arrives late.
    Delay,
    /// A pulse on the idle line: a character of one low run, often with a framing error.
    Glitch,
    /// The line is held at space.
    Break,
    /// The device starts anew.
    Reset,
    /// The device says no where it should erase.
    RefusedErase,
    /// The device has no power for a while; what it was writing is written in part.
    PowerLoss,
    /// Another chip than the one that is meant.
    WrongChip,
}

impl Mishap {
    /// What happens on the line, as often as characters pass.
    pub const OF_LINE: [Mishap; 7] = [
        Mishap::Flip,
        Mishap::Drop,
        Mishap::Duplicate,
        Mishap::Insert,
        Mishap::Delay,
        Mishap::Glitch,
        Mishap::Break,
    ];

    /// What happens to the device, once in a session.
    pub const OF_DEVICE: [Mishap; 4] =
        [Mishap::Reset, Mishap::RefusedErase, Mishap::PowerLoss, Mishap::WrongChip];

    pub fn name(self) -> &'static str {
        match self {
            Mishap::Flip => "flip",
            Mishap::Drop => "drop",
            Mishap::Duplicate => "duplicate",
            Mishap::Insert => "insert",
            Mishap::Delay => "delay",
            Mishap::Glitch => "glitch",
            Mishap::Break => "break",
            Mishap::Reset => "reset",
            Mishap::RefusedErase => "refused erase",
            Mishap::PowerLoss => "power loss",
            Mishap::WrongChip => "wrong chip",
        }
    }
}

/// A line on which one character in so many meets a mishap.
pub struct Mishaps {
    chance: fastrand::Rng,
    one_in: u32,
    format: Format,
    /// How many have happened, by their place in [`Mishap::OF_LINE`].
    pub counts: [usize; Mishap::OF_LINE.len()],
}

/// What a pulse on an idle line looks like: low for the start bit and the first bits, then high.
const GLITCHES: [u8; 8] = [0xFF, 0xFE, 0xFC, 0xF8, 0xF0, 0xE0, 0xC0, 0x80];

/// The longest delay.
const LATEST: u64 = 1_500;

impl Mishaps {
    pub fn new(seed: u64, one_in: u32, format: Format) -> Mishaps {
        Mishaps { chance: fastrand::Rng::with_seed(seed), one_in, format, counts: Default::default() }
    }

    pub fn total(&self) -> usize {
        self.counts.iter().sum()
    }

    /// For [`super::Link::spoilt_by`].
    pub fn spoil(&mut self) -> Spoil<'_> {
        Box::new(|_: Direction, _, byte| self.pass(byte))
    }

    fn pass(&mut self, byte: u8) -> Passing {
        if self.one_in == 0 || self.chance.u32(..self.one_in) > 0 {
            return Passing::As(byte);
        }
        let kind = self.chance.usize(..Mishap::OF_LINE.len());
        self.counts[kind] += 1;
        match Mishap::OF_LINE[kind] {
            Mishap::Flip => self.flip(byte),
            Mishap::Drop => Passing::Lost,
            Mishap::Duplicate => Passing::Behind { first: byte, fault: None, then: byte },
            Mishap::Insert => Passing::Behind { first: self.chance.u8(..), fault: None, then: byte },
            Mishap::Delay => Passing::Later(byte, Span::from_millis(self.chance.u64(1..LATEST))),
            Mishap::Glitch => {
                let first = GLITCHES[self.chance.usize(..GLITCHES.len())];
                let fault = self.chance.bool().then_some(Fault::Framing);
                Passing::Behind { first, fault, then: byte }
            }
            _ => Passing::BehindBreak(byte),
        }
    }

    /// One bit, or any number of them: where the format has a parity bit, it tells an odd number.
    fn flip(&mut self, byte: u8) -> Passing {
        let mask = if self.chance.bool() { 1 << self.chance.u8(..8) } else { self.chance.u8(1..) };
        let checked = matches!(self.format.parity, Parity::Even | Parity::Odd);
        match checked && mask.count_ones() % 2 == 1 {
            true => Passing::Faulty(byte ^ mask, Fault::Parity),
            false => Passing::As(byte ^ mask),
        }
    }
}
