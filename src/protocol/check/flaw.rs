//! A flaw, and the place in the table that it is about.

use crate::frame::At;
use crate::protocol::flash::FlashRun;
use crate::protocol::mistake::Severity;
use crate::protocol::model::{ExchangeId, FrameId, StateId};

/// Something wrong, or doubtful, that only the whole table shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    pub severity: Severity,
    pub place: Place,
    /// What is wrong.
    pub says: String,
    /// What to do.
    pub help: Option<String>,
}

/// A part of a table; whoever read it from a file knows which line that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The key of a frame.
    Frame(FrameId),
    /// The key of an exchange.
    Exchange(ExchangeId),
    /// Within the talk of an exchange.
    Talk(ExchangeId, At),
    State(StateId),
    /// Within `[handshake] run`.
    Handshake(At),
    /// Within `[poll] run`.
    Poll(At),
    /// Within `[probe] run`.
    Probe(At),
    /// Within a run of `[flash]`.
    Flash(FlashRun, At),
    /// A `[[vector]]`, counted from the first.
    Vector(usize),
}

impl Flaw {
    pub(super) fn error(place: Place, says: String) -> Flaw {
        Flaw { severity: Severity::Error, place, says, help: None }
    }

    pub(super) fn warning(place: Place, says: String) -> Flaw {
        Flaw { severity: Severity::Warning, place, says, help: None }
    }

    pub(super) fn with_help(self, help: impl Into<Option<String>>) -> Flaw {
        Flaw { help: help.into(), ..self }
    }
}
