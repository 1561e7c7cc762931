//! A host that does not give up at the first failure: it lets the line come to rest, finds its way back to where commands begin, and
//! repeats the step of its run that failed.
//!
//! A step is a round of a loop that the run itself has, else a call of an exchange.

use crate::line::Span;
use crate::protocol::Talk;

use super::host::{Ending, Host, Turn};
use super::program::Pc;
use super::thread::Thread;

/// What a host needs to go back.
#[derive(Clone, Debug, Default)]
pub(super) struct Retreats {
    /// How often a step is repeated before its failure is the run's.
    most: u32,
    left: u32,
    /// Where the run begins that leads back, if the table has one.
    back: Option<Pc>,
    /// The threads as they were before the step.
    step: Vec<Thread>,
    /// Which step it is.
    begun: Option<Begun>,
    going_back: bool,
}

/// Rounds and calls that a run has begun, as a thread counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Begun {
    pub rounds: u32,
    pub calls: u32,
}

/// So long nothing may come before the line counts as at rest.
const REST: Span = Span::from_millis(150);

/// A device that never rests is not waited for longer than this.
const RESTLESS: Span = Span::from_secs(2);

impl Retreats {
    /// A run begins: there is no step yet.
    pub fn begin(&mut self) {
        self.left = self.most;
        self.step.clear();
        self.begun = None;
        self.going_back = false;
    }
}

impl Host {
    /// Repeats a step that failed up to `most` times; before that `back`, if there is one, is played.
    pub fn with_retreats(mut self, most: u32, back: Option<&Talk>) -> Result<Host, String> {
        let mut retreats = Retreats { most, left: most, ..Retreats::default() };
        if let Some(back) = back {
            let (program, start) = self.program.with_run(back)?;
            self.program = program.into();
            retreats.back = Some(start);
        }
        self.retreats = retreats;
        Ok(self)
    }

    /// Remembers where a step begins; `before` are the threads that lead to `first`.
    pub(super) fn note_step(&mut self, before: Vec<Thread>, first: &Thread) {
        let retreats = &mut self.retreats;
        if retreats.most == 0 || retreats.going_back {
            return;
        }
        let in_loop = first.run_rounds;
        let is_new = retreats.begun.is_none_or(|known| match in_loop {
            true => known.rounds != first.begun.rounds,
            false => known != first.begun,
        });
        if is_new {
            retreats.begun = Some(first.begun);
            retreats.step = before;
            retreats.left = retreats.most;
        }
    }

    /// Whether a failure is not the end: the line comes to rest first.
    pub(super) fn retreats_from(&mut self, ending: &Ending) -> bool {
        let is_trouble = matches!(ending, Ending::Refused | Ending::NoAnswer | Ending::Unexpected);
        if !is_trouble || self.retreats.left == 0 || self.retreats.step.is_empty() {
            return false;
        }
        self.retreats.left -= 1;
        self.forget_question();
        self.turn = Turn::Rest { since: self.now, until: self.now + REST };
        true
    }

    /// Something still comes.
    pub(super) fn is_restless(&mut self) {
        if let Turn::Rest { since, until } = &mut self.turn {
            *until = (self.now + REST).min(*since + RESTLESS);
        }
    }

    /// The line is at rest: on the way back, or at once to the step.
    pub(super) fn rested(&mut self) {
        self.turn = Turn::Own;
        let Some(back) = self.retreats.back else { return self.repeat_step() };
        self.retreats.going_back = true;
        let now_known = self.threads.first().unwrap_or(&self.captured).clone();
        let mut threads = self.retreats.step.clone();
        threads.truncate(1);
        for thread in &mut threads {
            thread.place.scope = thread.place.root();
            thread.pending = Default::default();
            thread.pc = back;
            thread.hears_what(&now_known);
        }
        self.threads = threads;
    }

    /// Whether the end of a run was only the end of the way back.
    pub(super) fn is_back(&mut self) -> bool {
        let is_back = std::mem::take(&mut self.retreats.going_back);
        if is_back {
            self.forget_question();
            self.repeat_step();
        }
        is_back
    }

    fn repeat_step(&mut self) {
        let now_known = self.threads.first().unwrap_or(&self.captured).clone();
        self.threads = self.retreats.step.clone();
        self.threads.iter_mut().for_each(|thread| thread.hears_what(&now_known));
    }
}
