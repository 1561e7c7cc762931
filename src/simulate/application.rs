//! What runs on a device when its bootloader does not: it prints lines, or nothing.

use crate::line::{Instant, Span};

/// An application that prints its lines in turn, one a second.
pub(super) struct Application {
    lines: Vec<String>,
    next: usize,
    due: Instant,
}

/// How long it takes to start, and to the next line.
const STARTS: Span = Span::from_millis(100);
const EVERY: Span = Span::from_secs(1);

impl Application {
    pub fn new(lines: Vec<String>, now: Instant) -> Application {
        Application { lines, next: 0, due: now + STARTS }
    }

    /// The line that is due.
    pub fn due(&mut self, now: Instant) -> Option<Vec<u8>> {
        if self.lines.is_empty() || now < self.due {
            return None;
        }
        self.due = now + EVERY;
        let line = &self.lines[self.next % self.lines.len()];
        self.next += 1;
        Some(format!("{line}\r\n").into_bytes())
    }

    /// A mute application is never woken.
    pub fn deadline(&self) -> Option<Instant> {
        (!self.lines.is_empty()).then_some(self.due)
    }
}
