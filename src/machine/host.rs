//! The host: plays a run against a device, sends what the table lets it send, and says where and why it ended.

use std::sync::Arc;

use crate::frame::{Name, Value};
use crate::line::{Action, Instant, LineEvent, Settings, Task};
use crate::protocol::{Table, Talk};

use super::env::Env;
use super::item::Item;

/// What a host is to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Run {
    /// The table's `[handshake]`.
    Handshake,
    /// The table's `[poll]`, once.
    Poll,
    /// The table's `[probe]`.
    Probe,
    /// The table's `[flash]`; needs `image` in the environment.
    Flash,
    /// Anything: calls, groups, guards.
    Talk(Talk),
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    Done,
    /// The device said no; the last item says what and why.
    Refused,
    /// Nothing came; the last item is the silence.
    NoAnswer,
    /// Something came that the table does not let come here; the last item is what.
    Unexpected,
    /// The run could not go on by itself: a frame that cannot be sent, settings that the port refuses.
    Failed(String),
}

/// What a run was.
#[derive(Clone, Debug, PartialEq)]
pub struct HostResult {
    /// `None`: it was interrupted.
    pub ending: Option<Ending>,
    /// Frames both ways, and everything that did not fit, in order.
    pub items: Vec<Item>,
    /// What was learnt of the device: kept names, and unknown names of the run that came to be known.
    pub captured: Vec<(Name, Value)>,
    pub sent: usize,
    pub heard: usize,
}

/// A host as a task.
pub struct Host {}

impl Host {
    /// `settings` are those the line begins with; `Err` says what the table lacks for this run.
    pub fn new(table: &Arc<Table>, run: &Run, env: &Env, settings: Settings) -> Result<Host, String> {
        let _ = (table, run, env, settings);
        todo!()
    }

    /// How often a question is sent before silence is the answer; 3 at first.
    pub fn with_tries(self, tries: u32) -> Host {
        let _ = tries;
        todo!()
    }

    /// What was found; can be asked at any time, also of a run that was interrupted.
    pub fn result(&self) -> HostResult {
        todo!()
    }

    /// Items since the last call, for whoever shows them as they come. They stay in the result.
    pub fn new_items(&mut self) -> &[Item] {
        todo!()
    }

    /// How far the innermost `each` over known data is: bytes done, bytes in all.
    pub fn progress(&self) -> Option<(Name, u64, u64)> {
        todo!()
    }
}

impl Task for Host {
    fn on_event(&mut self, _: &LineEvent) {
        todo!()
    }

    fn on_time(&mut self, _: Instant) {
        todo!()
    }

    fn on_settings(&mut self, _: Instant, _: Settings) {
        todo!()
    }

    fn on_refused(&mut self, _: Instant, _: Settings, _: &str) {
        todo!()
    }

    fn next_action(&mut self) -> Option<Action> {
        todo!()
    }

    fn deadline(&self) -> Option<Instant> {
        todo!()
    }
}
