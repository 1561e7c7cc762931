//! What a role wants done on the line, with the waits between; and when the line is free again.

use std::collections::VecDeque;

use crate::line::{Action, ControlLines, Instant, Settings, Span, span_from_secs};
use crate::protocol::ScriptStep;

/// Actions in order of time.
#[derive(Debug, Default)]
pub struct Outbox {
    acts: VecDeque<Act>,
    now: Instant,
    /// When everything that was sent has left.
    free_at: Instant,
    /// Nothing goes out before.
    resume_at: Instant,
}

#[derive(Debug)]
enum Act {
    Do(Action),
    Wait(Span),
}

impl Outbox {
    /// The next thing to do, behind everything before.
    pub fn push(&mut self, action: Action) {
        self.acts.push_back(Act::Do(action));
    }

    /// Silence after everything before has left.
    pub fn wait(&mut self, span: Span) {
        if !span.is_zero() {
            self.acts.push_back(Act::Wait(span));
        }
    }

    /// A wake-up pattern: control lines, breaks, waits, other rates than the one of `line`, which holds again behind it.
    pub fn script(&mut self, steps: &[ScriptStep], line: Settings) {
        let mut space = false;
        let mut settings = line;
        for step in steps {
            match *step {
                ScriptStep::Dtr(on) => {
                    self.push(Action::Lines(ControlLines { dtr: Some(on), rts: None }));
                }
                ScriptStep::Rts(on) => {
                    self.push(Action::Lines(ControlLines { dtr: None, rts: Some(on) }));
                }
                ScriptStep::Rate(baud) => {
                    settings = line.with_baud(baud);
                    self.push(Action::Set(settings));
                }
                ScriptStep::Close => self.push(Action::Close),
                ScriptStep::Open(secs) => self.push(Action::Open(span_from_secs(secs))),
                ScriptStep::Break(on) => space = on,
                ScriptStep::Wait(secs) if space => self.push(Action::Break(span_from_secs(secs))),
                ScriptStep::Wait(secs) => self.wait(span_from_secs(secs)),
            }
        }
        if settings != line {
            self.push(Action::Set(line));
        }
    }

    /// A character by breaks: for a port that cannot be set that slow.
    pub fn key(&mut self, byte: u8, slow: Settings) {
        let data = slow.format.data.count();
        let mut space = 1; // the start bit
        let mut mark = 0;
        for bit in 0..data {
            if byte >> bit & 1 == 0 {
                self.key_run(&mut space, &mut mark, slow);
                space += 1;
            } else {
                mark += 1;
            }
        }
        mark += 1; // the stop bit
        self.key_run(&mut space, &mut mark, slow);
    }

    fn key_run(&mut self, space: &mut u32, mark: &mut u32, slow: Settings) {
        if *mark == 0 {
            return;
        }
        self.push(Action::Break(slow.bits(f64::from(std::mem::take(space)))));
        self.wait(slow.bits(f64::from(std::mem::take(mark))));
    }

    pub fn on_time(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    /// What is due now; `settings` say how long it takes.
    pub fn next(&mut self, settings: Settings) -> Option<Action> {
        loop {
            if self.resume_at > self.now {
                return None;
            }
            match self.acts.pop_front()? {
                Act::Wait(span) => self.resume_at = self.free_at.max(self.now) + span,
                Act::Do(action) => {
                    let takes = match &action {
                        Action::Send(bytes) => {
                            let count = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                            settings.character_time().saturating_mul(count)
                        }
                        Action::Break(span) => *span,
                        _ => Span::ZERO,
                    };
                    self.free_at = self.free_at.max(self.now) + takes;
                    return Some(action);
                }
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.acts.is_empty()
    }

    /// When the line is free, once everything is out.
    pub fn free_at(&self) -> Instant {
        self.free_at.max(self.resume_at)
    }

    /// When the next thing is due.
    pub fn deadline(&self) -> Option<Instant> {
        (!self.acts.is_empty()).then_some(self.resume_at)
    }
}
