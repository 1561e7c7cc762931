//! How a device hears: what is for it, what is for others, and what nobody understands.

use crate::frame::{Outcome, Path, Reading, Value, Values};
use crate::line::{Direction, Instant};
use crate::protocol::{FrameId, Quiet, Table};

use super::device::Device;
use super::scope::Heard;
use super::thread::Thread;
use super::view::View;

impl Device {
    /// Looks at what is buffered, as long as something of it is understood.
    pub(super) fn listen(&mut self, closed: bool) {
        while !self.buffer.is_empty() && !self.left {
            if self.damaged {
                return self.not_understood();
            }
            let mut answers = self.offer(closed).to(&self.threads);
            let mut more = answers.more.0;
            if answers.accepted.is_empty() && self.answered_aside(closed) {
                continue;
            }
            if answers.accepted.is_empty() && more.is_none() {
                if self.answer_again() {
                    continue;
                }
                if !closed && self.last_heard.starts_with(&self.buffer) {
                    self.enough = self.last_heard.len();
                    return;
                }
                // The host has given up what it was at, and begins anew.
                let rest = self.threads.first().map(|first| self.resting(first));
                let anew = self.closure().of(rest);
                answers = self.offer(closed).to(&anew);
                more = answers.more.0;
            }
            if let Some(accepted) = answers.accepted_frame {
                if !self.hears(&accepted.values) {
                    self.buffer.drain(..accepted.len);
                    self.enough = 0;
                    continue;
                }
                self.last_heard = self.buffer.drain(..accepted.len).collect();
                self.said.clear();
                self.memory.settle();
                self.repeating = None;
                self.enough = 0;
                self.threads = answers.accepted;
                if let Some(first) = self.threads.first().cloned() {
                    self.share(&first);
                }
                self.go_on();
                continue;
            }
            if answers.wrong.iter().any(|wrong| wrong.for_another) && more.is_none() {
                return self.overhear(closed, &answers.wrong);
            }
            if let Some(more) = more.filter(|_| !closed) {
                self.enough = self.buffer.len() + more;
                return;
            }
            if !closed {
                self.enough = usize::MAX;
                return;
            }
            return self.not_understood();
        }
    }

    /// Whether the frame is for this device, as the table's `hears` says; one that has none of its fields is.
    pub(super) fn hears(&self, values: &Values) -> bool {
        let (Some(hears), Some(first)) = (&self.program.table.device.hears, self.threads.first()) else {
            return true;
        };
        let asks_of_it = hears.paths().iter().any(|(path, _)| values.get(&path.first).is_some());
        let frame =
            OfFrame { values, view: View::new(self.ground(), &first.place), table: &self.program.table };
        !asks_of_it || hears.eval_int(&frame).is_ok_and(|hears| hears != 0)
    }

    /// A frame for another device: not a word to it.
    pub(super) fn overhear(&mut self, closed: bool, wrong: &[super::hear::Wrong]) {
        let len = wrong.iter().filter(|wrong| wrong.for_another).filter_map(|wrong| wrong.reading.as_ref());
        let len = len.map(|reading| reading.len).max().unwrap_or(self.buffer.len());
        self.buffer.drain(..len.min(self.buffer.len()));
        self.enough = 0;
        if !self.buffer.is_empty() {
            self.listen(closed);
        }
    }

    /// The host's word in an exchange that the device has begun by itself.
    pub(super) fn answered_aside(&mut self, closed: bool) -> bool {
        let answers = self.offer(closed).to(&self.aside);
        let (Some(accepted), Some(own)) = (answers.accepted_frame, answers.accepted.into_iter().next())
        else {
            return false;
        };
        self.buffer.drain(..accepted.len);
        self.enough = 0;
        self.aside.clear();
        self.share(&own);
        self.go_on_aside(own);
        true
    }

    pub(super) fn forget_buffer(&mut self) {
        self.buffer.clear();
        self.damaged = false;
        self.enough = 0;
    }

    /// What nobody understood: a known frame at the wrong moment, a damaged one, or something else.
    pub(super) fn not_understood(&mut self) {
        let refusals = &self.program.table.refusals;
        let frame = if self.damaged { None } else { self.known_frame() };
        if frame.as_ref().is_some_and(|heard| !self.hears(&heard.values)) {
            return self.forget_buffer();
        }
        if let Some(Heard { frame, values }) = &frame {
            // The refusal answers this frame, and not the one before it.
            for thread in &mut self.threads {
                thread.place.follow(&self.program.names, *frame, Direction::Tx, values);
            }
        }
        let known = frame.is_some();
        let broken = self.damaged || !known && self.is_damaged_frame();
        let mut stays = false;
        let answer = if known {
            refusals.state.clone().or(refusals.unknown.clone())
        } else if broken && refusals.damaged.is_some() {
            stays = !refusals.returns;
            refusals.damaged.clone()
        } else if self.damaged {
            None
        } else {
            refusals.unknown.clone()
        };
        self.forget_buffer();
        self.last_heard.clear();
        match answer {
            Some(answer) => self.refuse(&answer, stays),
            None if self.program.table.device.damaged == Quiet::Leave => self.leave(),
            None => {}
        }
    }

    /// The buffer as a frame that the host sends in some talk.
    pub(super) fn known_frame(&self) -> Option<Heard> {
        let offer = self.offer(true);
        let read = |frame: &FrameId| match offer.as_frame(*frame, Direction::Tx, self.threads.first()) {
            Outcome::Complete(Reading { len, values, .. }) if len == self.buffer.len() => {
                Some(Heard { frame: *frame, values })
            }
            _ => None,
        };
        self.program.said_by(Direction::Tx).iter().find_map(read)
    }

    pub(super) fn is_damaged_frame(&self) -> bool {
        let damaged = self.offer(true).damaged(&self.threads);
        let whole = |(_, reading): (usize, Reading)| reading.len > 1 && reading.len == self.buffer.len();
        !damaged.differs && damaged.best.is_some_and(whole)
    }

    /// A break may be part of a keyed character, where one is waited for.
    pub(super) fn key(&mut self, at: Instant) {
        if self.threads.iter().any(|thread| self.waits_keyed(thread)) {
            self.keyed = Some(at);
        }
    }

    pub(super) fn waits_keyed(&self, thread: &Thread) -> bool {
        let hears = self.program.step(thread.pc).is_some_and(|step| step.direction == Direction::Tx);
        hears && self.program.is_keyed(thread.phase)
    }

    /// The keyed character is over. Which one it was, nobody could read.
    pub(super) fn end_key(&mut self) {
        self.keyed = None;
        let mut threads: Vec<Thread> =
            self.threads.iter().filter(|thread| self.waits_keyed(thread)).cloned().collect();
        for thread in &mut threads {
            if let Some(step) = self.program.step(thread.pc) {
                super::closure::step_over(thread, step.direction, step.frame);
            }
            thread.rested = false;
        }
        if !threads.is_empty() {
            self.threads = threads;
            self.said.clear();
            self.go_on();
        }
    }
}

/// The names of `hears`: the frame's fields, what the device knows; a field that this frame does not have reads as 0.
struct OfFrame<'a> {
    values: &'a Values,
    view: View<'a>,
    table: &'a Table,
}

impl crate::frame::Scope for OfFrame<'_> {
    fn look(&self, path: &Path) -> Option<Value> {
        let field = self.values.get(&path.first).filter(|_| path.rest.is_none()).cloned();
        let is_field = || self.table.frames.iter().any(|frame| frame.layout().names().contains(&path.first));
        field.or_else(|| self.view.look(path)).or_else(|| is_field().then_some(Value::Int(0)))
    }
}
