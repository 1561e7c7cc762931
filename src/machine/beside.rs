//! What may come beside what is due: a repeat, the device's own traffic, what means nothing, a refusal.

use crate::frame::{Fit, Outcome, Reading, Values};
use crate::line::Direction;
use crate::protocol::{ExchangeId, FrameId};

use super::aside::{Aside, Took};
use super::follower::Follower;
use super::hear::{Accepted, Offer};
use super::look::Found;
use super::needed::Needed;
use super::scope::side;
use super::states::States;
use super::thread::Thread;

/// A frame that may come at any time.
pub(super) struct Beside {
    pub frame: FrameId,
    pub direction: Direction,
    pub len: usize,
    pub values: Values,
    pub exchange: Option<ExchangeId>,
    /// How many different frames could have come here.
    pub alternatives: usize,
    pub kind: BesideKind,
}

pub(super) enum BesideKind {
    Unsolicited { aside: Aside, moved: Option<States> },
    Ignored,
    Refusal,
}

impl Follower {
    /// A repeat, the device's own traffic, what means nothing, a refusal.
    pub(super) fn beside(&self, offer: &Offer<'_>, needed: &mut Needed) -> Option<Found> {
        for direction in [Direction::Tx, Direction::Rx] {
            let last = &self.channels[side(direction)].last;
            if last.is_empty() || offer.from.is_some_and(|from| from != direction) || !self.placed {
                continue;
            }
            if offer.bytes.starts_with(&last[..]) {
                return Some(Found::Repeat { len: last.len(), direction });
            }
            if last.starts_with(offer.bytes) && !offer.closed {
                needed.by(last.len() - offer.bytes.len());
            }
        }
        if let Some(found) = self.unsolicited(offer, needed) {
            return Some(Found::Beside(found));
        }
        let first = self.threads.first().filter(|_| self.placed);
        let mut from_device = vec![];
        if offer.from != Some(Direction::Tx) {
            let refusals = &self.program.table.refusals.frames;
            // A refusal may begin as whatever else the device says by itself.
            from_device.extend(refusals.iter().map(|frame| (*frame, true)));
            from_device.extend(self.program.table.ignore.iter().map(|frame| (*frame, false)));
        }
        let from_device = from_device.into_iter().map(|(frame, refuses)| (frame, Direction::Rx, refuses));
        let repeated = first.map_or(&[][..], |first| &first.repeated);
        let again = repeated.iter().map(|frame| (*frame, offer.from.unwrap_or(Direction::Rx), false));
        for (frame, direction, refuses) in from_device.chain(again) {
            match offer.glance(frame) {
                Fit::No => continue,
                Fit::More(more) => {
                    needed.by(more);
                    continue;
                }
                Fit::Whole(_) | Fit::Ask => {}
            }
            match offer.as_frame(frame, direction, first) {
                Outcome::Complete(reading) => {
                    return Some(Found::Beside(self.told_beside(frame, direction, refuses, reading)));
                }
                Outcome::More(more) => needed.by(more),
                Outcome::Wrong(_) => {}
            }
        }
        None
    }

    /// The refusal, or what means nothing, in place of what is expected.
    pub(super) fn special_case(&self, offer: &Offer<'_>, accepted: &Accepted) -> Option<Beside> {
        let (frame, reading) = offer.special_case(accepted, self.threads.first())?;
        let refuses = self.program.table.refusals.frames.contains(&frame);
        Some(self.told_beside(frame, Direction::Rx, refuses, reading))
    }

    fn told_beside(&self, frame: FrameId, direction: Direction, refuses: bool, reading: Reading) -> Beside {
        let first = self.threads.first().filter(|_| refuses && self.placed);
        Beside {
            frame,
            direction,
            len: reading.len,
            values: reading.values,
            exchange: first.and_then(|first| self.program.exchange_at(first.pc)),
            alternatives: self.program.said_by(direction).len(),
            kind: if refuses { BesideKind::Refusal } else { BesideKind::Ignored },
        }
    }

    /// An exchange that the device starts by itself; the host answers in some of them.
    pub(super) fn unsolicited(&self, offer: &Offer<'_>, needed: &mut Needed) -> Option<Beside> {
        if !self.program.has_unsolicited {
            return None;
        }
        let first = self.threads.first().filter(|_| self.placed);
        let all = States::all(self.program.table.states.len());
        let mut aside = self.aside.clone();
        let place = first.map(|first| &first.place);
        match aside.hear(offer, first.map_or(all, |first| first.states), place) {
            Took::Frame { accepted, exchange, moved } => {
                let Accepted { len, frame, direction, values, alternatives, .. } = accepted;
                let kind = BesideKind::Unsolicited { aside, moved };
                Some(Beside { frame, direction, len, values, exchange, alternatives, kind })
            }
            Took::More(more) => {
                needed.by(more);
                None
            }
            Took::Nothing => None,
        }
    }
}

/// What is said beside has to spell out so many bits of what is expected: data of a byte or two may well be the same.
const SPELT_OUT: f64 = 16.0;

impl Offer<'_> {
    /// The refusal, or what means nothing, that the bytes are where what is expected leaves open what they say.
    #[cold]
    pub(super) fn special_case(
        &self,
        expected: &Accepted,
        first: Option<&Thread>,
    ) -> Option<(FrameId, Reading)> {
        let program = self.ground.program;
        let special = program.special_cases_of(expected.frame);
        if special.is_empty() || expected.direction != Direction::Rx {
            return None;
        }
        let worth = |frame, values: &Values| program.chance(frame).bits(values, expected.len);
        let least = worth(expected.frame, &expected.values) + SPELT_OUT;
        special.iter().find_map(|frame| match self.as_frame(*frame, Direction::Rx, first) {
            Outcome::Complete(reading)
                if reading.len == expected.len && worth(*frame, &reading.values) >= least =>
            {
                Some((*frame, reading))
            }
            _ => None,
        })
    }
}
