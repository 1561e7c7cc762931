//! A thread: a place in the program with what is known there.

use std::sync::Arc;

use crate::protocol::{ExchangeId, FrameId};

use super::program::{Pc, Program};
use super::scope::{Place, Scope};
use super::states::States;

/// One way in which the conversation may have gone.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Thread {
    pub pc: Pc,
    pub place: Place,
    /// Where the conversation rests, as far as this thread knows.
    pub states: States,
    /// What the device does inside and which settings change, not done yet.
    pub pending: Arc<Vec<Pending>>,
    /// The line phase that the talk has gone through last; `None` is the first one.
    pub phase: Option<usize>,
    /// The last frame was damaged.
    pub doubtful: bool,
    /// It has come to rest since its last frame.
    pub rested: bool,
    /// Frames that their sender repeats until it is answered.
    pub repeated: Arc<Vec<FrameId>>,
    /// How often `again` has led back since a loop went on.
    pub agains: u32,
}

/// An effect or a phase that a thread has passed, with what was known there.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub pc: Pc,
    pub place: Place,
    /// It follows from a damaged frame: something happened, but not surely this.
    pub doubtful: bool,
}

/// Effects of the same place in the program are the same for whoever compares threads.
impl PartialEq for Pending {
    fn eq(&self, other: &Pending) -> bool {
        self.pc == other.pc
    }
}

impl Thread {
    pub fn at(pc: Pc, states: States) -> Thread {
        Thread {
            pc,
            place: Place::default(),
            states,
            pending: Arc::default(),
            phase: None,
            doubtful: false,
            rested: false,
            repeated: Arc::default(),
            agains: 0,
        }
    }

    /// A conversation that rests in these states, with what outlives exchanges.
    pub fn resting(program: &Program, states: States, place: &Place) -> Thread {
        let mut thread = Thread::at(program.rest, states);
        thread.place = Place { scope: Arc::default(), ..place.clone() };
        thread
    }

    /// From rest on to where an exchange begins.
    pub fn beginning(&self, program: &Program, exchange: ExchangeId) -> Thread {
        let mut begun = self.clone();
        begun.pc = program.entries[exchange.0];
        begun.states = self.states.and(program.may_begin[exchange.0]);
        begun.place.scope = Arc::default();
        begun.repeated = Arc::default();
        begun.rested = true;
        begun
    }

    pub fn scope(&mut self) -> &mut Scope {
        Arc::make_mut(&mut self.place.scope)
    }

    pub fn postpone(&mut self) {
        let pending = Pending { pc: self.pc, place: self.place.clone(), doubtful: self.doubtful };
        Arc::make_mut(&mut self.pending).push(pending);
    }
}
