//! What a capture holds, whatever format it was written in.

use crate::line::{ControlLines, Instant, LineErrors, LineEvent, Settings, Span};

/// How a capture was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The receiver's settings at the start.
    pub settings: Settings,
    /// How exactly the receiver could report line errors.
    pub line_errors: LineErrors,
    /// How late an event can be stamped.
    pub uncertainty: Span,
}

/// One thing that was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    pub at: Instant,
    pub what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Seen(LineEvent),
    /// The receiver's settings from here on.
    Set(Settings),
    /// Control lines were moved.
    Lines(ControlLines),
}

impl Record {
    pub fn seen(event: LineEvent) -> Record {
        Record { at: event.at, what: What::Seen(event) }
    }

    pub fn set(at: Instant, settings: Settings) -> Record {
        Record { at, what: What::Set(settings) }
    }

    pub fn lines(at: Instant, lines: ControlLines) -> Record {
        Record { at, what: What::Lines(lines) }
    }

    pub fn event(&self) -> Option<&LineEvent> {
        match &self.what {
            What::Seen(event) => Some(event),
            What::Set(_) | What::Lines(_) => None,
        }
    }
}
