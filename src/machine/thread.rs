//! A thread: a place in the program with what is known there.
//!
//! Where a talk goes on in several ways, threads differ in their place alone: what they know is shared until one of them learns more.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::protocol::{ExchangeId, FrameId};

use super::program::{Pc, Program};
use super::scope::{Place, Scope};
use super::states::States;

/// One way in which the conversation may have gone.
#[derive(Clone, Debug)]
pub(super) struct Thread {
    pub pc: Pc,
    course: Arc<Course>,
}

/// What a thread knows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Course {
    pub place: Place,
    /// Where the conversation rests, as far as this thread knows.
    pub states: States,
    /// What the device does inside and which settings change, not done yet.
    pub pending: Vec<Pending>,
    /// The line phase that the talk has gone through last; `None` is the first one.
    pub phase: Option<usize>,
    /// The last frame was damaged.
    pub doubtful: bool,
    /// It has come to rest since its last frame.
    pub rested: bool,
    /// Frames that their sender repeats until it is answered.
    pub repeated: Vec<FrameId>,
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

impl Deref for Thread {
    type Target = Course;

    fn deref(&self) -> &Course {
        &self.course
    }
}

impl DerefMut for Thread {
    fn deref_mut(&mut self) -> &mut Course {
        Arc::make_mut(&mut self.course)
    }
}

impl PartialEq for Thread {
    fn eq(&self, other: &Thread) -> bool {
        self.pc == other.pc && (self.shares_with(other) || self.course == other.course)
    }
}

impl Thread {
    pub fn at(pc: Pc, states: States) -> Thread {
        Thread::with(pc, states, Place::default())
    }

    fn with(pc: Pc, states: States, place: Place) -> Thread {
        let course = Course {
            place,
            states,
            pending: Vec::new(),
            phase: None,
            doubtful: false,
            rested: false,
            repeated: Vec::new(),
            agains: 0,
        };
        Thread { pc, course: Arc::new(course) }
    }

    /// The same, elsewhere in the program.
    pub fn moved(&self, pc: Pc) -> Thread {
        Thread { pc, course: Arc::clone(&self.course) }
    }

    /// Neither has learnt anything since the other was made of it.
    pub fn shares_with(&self, other: &Thread) -> bool {
        Arc::ptr_eq(&self.course, &other.course)
    }

    /// What it knows, as a place in memory: threads of one place share it as long as one of them is there.
    pub fn course(&self) -> *const Course {
        Arc::as_ptr(&self.course)
    }

    /// A conversation that rests in these states, with what outlives exchanges.
    pub fn resting(program: &Program, states: States, place: &Place) -> Thread {
        Thread::with(program.rest, states, Place { scope: Scope::none(), ..place.clone() })
    }

    /// From rest on to where an exchange begins.
    pub fn beginning(&self, program: &Program, exchange: ExchangeId) -> Thread {
        let mut begun = self.clone();
        begun.pc = program.entries[exchange.0];
        let course = &mut *begun;
        course.states = self.states.and(program.may_begin[exchange.0]);
        course.place.scope = Scope::none();
        course.repeated = Vec::new();
        course.rested = true;
        begun
    }

    pub fn scope(&mut self) -> &mut Scope {
        Arc::make_mut(&mut self.place.scope)
    }

    pub fn postpone(&mut self) {
        let pending = Pending { pc: self.pc, place: self.place.clone(), doubtful: self.doubtful };
        self.pending.push(pending);
    }
}
