//! What follows from what was found: threads go on, items are told, and the way back after damage.
//!
//! Three rules keep one fault from becoming many flags. The *longest reading* of a damaged frame is taken. What cannot be read is
//! stepped over in every thread, which *forgets* what it cannot know, and the next index or offset on the wire tells it again. And
//! *both* are kept, those that stepped over and those that did not: the other side may not have understood the frame either.

use std::sync::Arc;

use crate::frame::Reading;
use crate::line::{Direction, Span};
use crate::protocol::FrameId;

use super::beside::{Beside, BesideKind};
use super::closure::step_over;
use super::effects::Effects;
use super::follower::{Asked, Channel, Follower, Stray};
use super::hear::{Offer, go_past_damaged};
use super::item::{Candidate, ItemKind, Part};
use super::look::Found;
use super::observer::Sides;
use super::scope::{Heard, side};
use super::thread::Thread;
use super::view::Role;
use super::waiting::{Closing, Taken};
use super::{join, meanings, unexpected};

/// Bytes looked at in search of frames before all that waits is taken for strange.
const MOST_LOOKED_AT: usize = 400_000;

/// Strange bytes are told in pieces of this size.
const MOST_STRANGE: usize = 1_024;

/// What the way to whoever records may take beyond what the line takes.
const LATENCY: Span = Span::from_millis(50);

impl Follower {
    /// Looks at what waits, as long as something of it is understood or given up.
    pub fn listen(&mut self, channel: usize, closing: Closing) {
        let mut looked_at = 0;
        while !self.channels[channel].heap.is_empty() {
            let waiting = self.channels[channel].heap.len();
            looked_at += waiting;
            let found = if looked_at > MOST_LOOKED_AT && waiting > MOST_STRANGE {
                Found::Nothing
            } else {
                self.look(channel, closing)
            };
            // Where bytes are only waited for, a silence means what it meant before.
            if closing != Closing::No || !matches!(found, Found::More(Some(_))) {
                self.disturb();
            }
            match found {
                Found::More(more) => return self.channels[channel].heap.wait_for(more, closing),
                Found::Skip => self.pass_over(channel),
                Found::Nothing => self.stray(channel, closing),
                found => {
                    self.end_stray(channel);
                    self.channels[channel].passed.clear();
                    self.take(channel, found);
                }
            }
        }
    }

    fn take(&mut self, channel: usize, found: Found) {
        match found {
            Found::Expected { accepted, threads, anew } => {
                if anew {
                    self.tell_silence();
                }
                let taken = self.channels[channel].heap.take(accepted.len);
                let worth = self.worth(accepted.frame, &accepted.values, accepted.len);
                self.count(accepted.direction, &taken, worth, accepted.alternatives);
                let exchange = self.exchange(self.program.exchange_at(accepted.pc));
                let heard = (accepted.frame, accepted.direction, &accepted.values);
                self.tell_frame(taken.clone(), heard, exchange, Part::Expected, Vec::new());
                let heard = Heard { frame: accepted.frame, values: accepted.values };
                self.go_on(threads, accepted.direction, heard, &taken);
            }
            Found::Repeat { len, direction } => {
                let taken = self.channels[channel].heap.take(len);
                self.score.frame(len, 8.0, 2, true);
                let Some(heard) = self.channels[side(direction)].heard.clone() else { return };
                self.tell_frame(
                    taken,
                    (heard.frame, direction, &heard.values),
                    None,
                    Part::Repeat,
                    Vec::new(),
                );
            }
            Found::Beside(beside) => self.take_beside(channel, beside),
            Found::Damaged { thread, reading, foreign } => {
                let part = if foreign { Part::Foreign } else { Part::Expected };
                self.take_damaged(channel, *thread, reading, part);
            }
            Found::Joined { frame, direction, reading } => {
                self.take_joined(channel, frame, direction, reading)
            }
            Found::More(_) | Found::Skip | Found::Nothing => {}
        }
    }

    fn take_beside(&mut self, channel: usize, beside: Beside) {
        let Beside { frame, direction, len, values, exchange, alternatives, kind } = beside;
        let taken = self.channels[channel].heap.take(len);
        let worth = self.worth(frame, &values, len);
        let repeated = self.last_beside == taken.0;
        self.last_beside = taken.0.clone();
        self.score.frame(len, worth, alternatives, repeated);
        let exchange = self.exchange(exchange);
        let part = match &kind {
            BesideKind::Unsolicited { .. } => Part::Unsolicited,
            BesideKind::Ignored => Part::Ignored,
            BesideKind::Refusal => {
                let within = self.within();
                Part::Refusal(meanings::of_frame(&self.program.table, frame, &values, &within))
            }
        };
        self.tell_frame(taken, (frame, direction, &values), exchange, part, Vec::new());
        match kind {
            BesideKind::Unsolicited { aside, moved } => {
                self.aside = aside;
                for thread in &mut self.threads {
                    thread.place.follow(&self.program.names, frame, direction, &values);
                }
                self.every.take();
                let first = self.threads.first();
                if let Some((states, first)) = moved.zip(first) {
                    let rest = Thread::resting(&self.program, states, &first.place);
                    self.goes_on_with(self.closure().of([rest]));
                    self.placed = true;
                }
            }
            BesideKind::Ignored => {}
            BesideKind::Refusal => {
                self.asked = None;
                let rest = self
                    .threads
                    .first()
                    .map(|first| Thread::resting(&self.program, first.states, &first.place));
                self.goes_on_with(self.closure().of(rest));
            }
        }
    }

    fn take_damaged(&mut self, channel: usize, mut past: Thread, reading: Reading, part: Part) {
        let Some(step) = self.program.step(past.pc).cloned() else { return };
        let values = reading.values;
        let taken = self.channels[channel].heap.take(reading.len);
        self.score.damaged();
        let exchange = self.exchange(self.program.exchange_at(past.pc));
        let heard = (step.frame, step.direction, &values);
        self.tell_frame(taken.clone(), heard, exchange, part, reading.wrong);
        go_past_damaged(self.ground(), &mut past, &step, &values);
        let mut threads = vec![past];
        threads.append(&mut self.threads);
        self.go_on(threads, step.direction, Heard { frame: step.frame, values }, &taken);
        self.channels[side(step.direction)].last.clear();
    }

    fn take_joined(&mut self, channel: usize, frame: FrameId, direction: Direction, reading: Reading) {
        let values = reading.values;
        let taken = self.channels[channel].heap.take(reading.len);
        let worth = self.worth(frame, &values, reading.len);
        self.count(direction, &taken, worth, 2 * self.program.table.frames.len());
        let states = self.threads.first().filter(|_| self.placed).map(|first| first.states);
        let threads = join::threads(self.ground(), frame, direction, &values, states.unwrap_or_default());
        let exchange = threads.first().and_then(|first| first.place.scope.exchange);
        let exchange = self.exchange(exchange);
        self.tell_frame(taken.clone(), (frame, direction, &values), exchange, Part::Found, Vec::new());
        let mut threads = threads;
        if self.placed {
            threads.append(&mut self.threads);
        }
        self.go_on(threads, direction, Heard { frame, values }, &taken);
    }

    fn count(&mut self, direction: Direction, taken: &Taken, worth: f64, alternatives: usize) {
        let repeated = self.channels[side(direction)].last == taken.0;
        self.score.frame(taken.0.len(), worth, alternatives, repeated);
    }

    /// The conversation goes on behind a frame: what the device did is done, and what comes next is waited for.
    fn go_on(&mut self, mut threads: Vec<Thread>, direction: Direction, heard: Heard, taken: &Taken) {
        let program = Arc::clone(&self.program);
        let effects =
            Effects { program: &program, facts: &self.facts, role: Role::Observer, line: self.line };
        if let Some(first) = threads.first_mut() {
            let _ = effects.commit(first, &mut self.memory); // an observer leaves out what it cannot tell
        }
        let others = threads.iter_mut().skip(1).filter(|thread| !thread.pending.is_empty());
        others.for_each(|thread| thread.pending.clear());
        let mut threads = self.closure().of(threads);
        let mut changes = Vec::new();
        for (index, thread) in threads.iter_mut().enumerate() {
            let changed = effects.phases(thread, &self.memory);
            if index == 0 {
                changes = changed;
            }
        }
        self.goes_on_with(threads);
        self.placed = !self.threads.is_empty();
        let channel = &mut self.channels[side(direction)];
        (channel.last, channel.heard) = (taken.0.clone(), Some(heard));
        for change in changes {
            if !program.is_keyed(change.phase) {
                self.on_settings(change.settings);
            }
            let phase = change.phase.map(|phase| program.table.phases[phase].name.clone());
            let phase = phase.unwrap_or_else(|| "line".into());
            let kind = ItemKind::Settings { phase, settings: change.settings };
            self.tell((Default::default(), taken.2, taken.2, Vec::new()), direction, kind);
        }
        self.asked = None;
        let both = matches!(self.sides, Sides::Both | Sides::Shared);
        let waits = self.threads.first().and_then(|first| program.step(first.pc));
        if let Some(step) =
            waits.filter(|step| both && direction == Direction::Tx && step.direction == Direction::Rx)
        {
            let reply = &program.table.line.reply.to;
            let window = step.within.as_ref().unwrap_or(reply).at(self.settings) + LATENCY + self.late;
            self.asked = Some(Asked { at: taken.2, window, told: false });
        }
    }

    /// The first byte that waits is one that the table passes over.
    fn pass_over(&mut self, channel: usize) {
        let Channel { heap, stray, passed, .. } = &mut self.channels[channel];
        let taken = heap.take(1);
        if stray.is_some() {
            return;
        }
        passed.push(taken);
        if passed.len() >= MOST_STRANGE {
            self.tell_passed(channel);
        }
    }

    /// Nothing came behind the bytes that were passed over: so nothing says that they mean nothing.
    pub fn tell_passed(&mut self, channel: usize) {
        let mut passed = std::mem::take(&mut self.channels[channel].passed).into_iter();
        let Some(first) = passed.next() else { return };
        let mut stray = self.strange_from(channel, &first, Vec::new());
        stray.add(first);
        passed.for_each(|taken| stray.add(taken));
        self.channels[channel].stray = Some(stray);
        self.end_stray(channel);
    }

    /// The first byte that waits is strange.
    fn stray(&mut self, channel: usize, closing: Closing) {
        let Channel { heap, stray, .. } = &mut self.channels[channel];
        if let Some(stray) = stray {
            stray.add(heap.take(1));
            if stray.bytes.len() >= MOST_STRANGE {
                self.end_stray(channel);
            }
            return;
        }
        self.tell_passed(channel);
        let from = self.from(channel);
        let described = if self.tells {
            let bytes = self.channels[channel].heap.bytes();
            let offer = Offer::of(self.ground(), bytes, closing.closed(), from);
            let threads = self.every_thread();
            unexpected::expected(&self.program, threads, from, &offer.to(threads).wrong)
        } else {
            Vec::new()
        };
        let taken = self.channels[channel].heap.take(1);
        let mut stray = self.strange_from(channel, &taken, described);
        stray.add(taken);
        self.channels[channel].stray = Some(stray);
        if self.placed {
            self.step_over(from);
        }
    }

    /// Strange bytes that begin with this one, which is not added yet.
    fn strange_from(&self, channel: usize, first: &Taken, expected: Vec<Candidate>) -> Stray {
        Stray {
            bytes: Vec::new(),
            from: first.1,
            at: first.2,
            faults: Vec::new(),
            expected,
            state: self.state().cloned(),
            direction: self.from(channel).unwrap_or(Direction::Rx),
            placed: self.placed,
            exchanges: self.within(),
        }
    }

    /// Every thread steps over the frame that could not be read, and is kept as it was behind that.
    fn step_over(&mut self, from: Option<Direction>) {
        let mut over = Vec::new();
        let mut spoke = None;
        for thread in self.every_thread().iter() {
            let Some(step) = self.program.step(thread.pc) else { continue };
            if from.is_none_or(|from| from == step.direction) {
                let mut thread = thread.clone();
                step_over(&mut thread, step.direction, step.frame);
                thread.pending.clear();
                thread.doubtful = true;
                over.push(thread);
                spoke.get_or_insert(step.direction);
            }
        }
        over.append(&mut self.threads);
        self.goes_on_with(self.closure().of(over));
        if let Some(from) = from {
            self.channels[side(from)].last.clear();
        }
        if let Some(spoke) = spoke {
            self.channels[side(spoke)].heard = None;
        }
    }
}

impl Stray {
    fn add(&mut self, (bytes, _, at, faults): Taken) {
        let before = self.bytes.len();
        self.faults.extend(faults.into_iter().map(|(place, fault)| (place + before, fault)));
        self.bytes.extend_from_slice(&bytes);
        self.at = at;
    }
}
