//! What a device says by itself: exchanges that may come between any two steps of another one.

use std::borrow::Cow;

use crate::line::Direction;
use crate::protocol::{ExchangeId, FrameId};

use super::closure::Closure;
use super::hear::{Accepted, FrameSet, Offer};
use super::needed::Needed;
use super::program::Program;
use super::scope::Place;
use super::states::States;
use super::thread::Thread;
use super::view::Ground;

/// Exchanges that the device has started by itself and that are not over.
#[derive(Clone, Debug, Default)]
pub(super) struct Aside {
    running: Vec<Thread>,
}

/// What became of an offer.
pub(super) enum Took {
    Frame {
        accepted: Accepted,
        exchange: Option<ExchangeId>,
        /// The conversation rests here now, if the exchange says so.
        moved: Option<States>,
    },
    More(usize),
    Nothing,
}

impl Aside {
    /// Where it is the host's turn in an exchange that the device has begun.
    pub fn asks(&self, program: &Program) -> Option<Thread> {
        let first = self.running.first()?;
        program.step(first.pc).filter(|step| step.direction == Direction::Tx).map(|_| first.clone())
    }

    /// The host has spoken in it.
    pub fn go_on(&mut self, ground: Ground<'_>, said: Thread) {
        let mut next = Closure { ground, unheard: None, eager: true }.of([said]);
        next.retain(|thread| !thread.rested);
        self.running = next;
    }

    /// Offers bytes to what runs, and to what may begin in these states beside a conversation that stands at `place`.
    pub fn hear(&mut self, offer: &Offer<'_>, states: States, place: Option<&Place>) -> Took {
        let program = offer.ground.program;
        let closure = Closure { ground: offer.ground, unheard: None, eager: true };
        let nowhere = Place::default();
        let mut set = FrameSet::default();
        let mut more = Needed::default();
        let begin = |(exchange, frames): &(ExchangeId, Vec<FrameId>)| {
            let may = program.may_begin[exchange.0].and(states);
            if may.is_empty() || !offer.may_begin(frames, &mut set, &mut more) {
                return None;
            }
            let mut fresh = Thread::resting(program, may, place.unwrap_or(&nowhere));
            fresh.pc = program.entries[exchange.0];
            Some(fresh)
        };
        let begun = program.openings.of(program, None).unsolicited.iter().filter_map(begin);
        let fresh = closure.of(begun);
        let mut threads = std::mem::take(&mut self.running);
        let running = threads.len();
        threads.extend(fresh);
        let answers = offer.ask(threads.iter().map(Cow::Borrowed), set, more);
        let Some(accepted) = answers.accepted_frame else {
            threads.truncate(running);
            self.running = threads;
            return answers.more.0.map_or(Took::Nothing, Took::More);
        };
        let exchange = program.conversation_at(accepted.pc);
        let past = answers.accepted;
        let moves = past.first().map(|first| first.states);
        let mut next = closure.of(past);
        // An exchange that ends in another state takes the conversation there.
        let ends = next.first().is_none_or(|first| first.rested);
        let moved = next.first().filter(|_| ends).map(|first| first.states);
        let moved = moved.filter(|now| Some(*now) != moves && now.and(states) != *now);
        next.retain(|thread| !thread.rested);
        self.running = if ends { Vec::new() } else { next };
        Took::Frame { accepted, exchange, moved }
    }
}
