//! How a host asks: one step of its run at a time, and again when no answer comes.

use std::sync::Arc;

use crate::frame::Name;
use crate::line::{Action, Direction, Instant, Settings, Span};

use super::effects::{Effects, PhaseChange};
use super::foresight::{Ahead, Next, Said};
use super::host::{Asked, Ending, Host, LATENCY, PATIENCE, Turn};
use super::item::{Framed, ItemKind, Part, Silence};
use super::meanings;
use super::program::{Instruction, Step};
use super::thread::Thread;
use super::view::Role;
use super::waiting::{Closing, Heap};

/// A device that wants the same once more oftener than this will never be content with it.
const MOST_AGAINS: u32 = 10;

/// No answer to an earlier try is waited for longer.
const LATEST: Span = Span::from_secs(1);

impl Host {
    /// One step of its own: says a frame, or finds that it has to wait, or that it is done.
    pub(super) fn go_on(&mut self) {
        let before = self.threads.first().cloned();
        let threads = std::mem::take(&mut self.threads);
        let Next { threads, said } = match std::mem::take(&mut self.ahead) {
            Ahead::Step(next) => next,
            _ => Next { threads: self.onwards(threads), said: None },
        };
        self.threads = threads;
        let Some(mut first) = self.threads.first().cloned() else {
            self.captured = before.unwrap_or_else(|| self.captured.clone());
            return self
                .end(Ending::Failed("the run finds no way on: a condition is not met or not known".into()));
        };
        let effects =
            Effects { program: &self.program, facts: &self.facts, role: Role::Host, line: self.line };
        let changes = effects.phases(&mut first, &self.memory);
        if first.agains > MOST_AGAINS {
            return self.end(Ending::Refused);
        }
        changes.iter().for_each(|change| self.change(change));
        self.threads[0] = first.clone();
        let program = Arc::clone(&self.program);
        match &program.code[first.pc] {
            Instruction::Message(step) if step.direction == Direction::Tx => self.say(first, step, said),
            Instruction::Message(step) => self.wait(step),
            _ => self.end(Ending::Done),
        }
    }

    pub(super) fn change(&mut self, change: &PhaseChange) {
        let table = Arc::clone(&self.program.table);
        let phase = change.phase.map(|phase| &table.phases[phase]);
        let name = phase.map_or_else(|| "line".into(), |phase| phase.name.clone());
        self.keyed = phase.filter(|phase| phase.keyed).map(|_| change.settings);
        if let Some(phase) = phase {
            self.outbox.script(&phase.script, self.settings);
        }
        if self.keyed.is_none() && change.settings != self.settings {
            self.settings = change.settings;
            self.heap.at(change.settings);
            self.outbox.push(Action::Set(change.settings));
        }
        if let Some(settle) = phase.and_then(|phase| phase.settle.as_ref()) {
            self.outbox.wait(settle.at(change.settings));
        }
        let kind = ItemKind::Settings { phase: name, settings: change.settings };
        self.tell(self.now, self.now, Direction::Tx, Vec::new().into(), kind);
    }

    fn say(&mut self, thread: Thread, step: &Step, ready: Option<Said>) {
        let said = match ready.map_or_else(|| self.speak(&self.threads, &thread, step), Ok) {
            Ok(said) => said,
            Err(error) => return self.end(Ending::Failed(error.to_string())),
        };
        // Two frames on end are two only with the gap between them.
        let gap = self.program.table.line.gap.as_ref().filter(|_| !self.asked.is_empty());
        let gap = gap.map_or(Span::ZERO, |gap| gap.at(self.settings) + self.settings.character_time());
        let after = step.after.as_ref().map_or(Span::ZERO, |after| after.at(self.settings));
        let second = if std::mem::take(&mut self.doubled) { self.second_answer() } else { Span::ZERO };
        self.outbox.wait(after.max(gap).max(second));
        self.send(&said.bytes);
        let framed = Framed {
            frame: self.program.frame(step.frame).name().clone(),
            values: said.values.clone(),
            exchange: self.exchange(thread.pc),
            part: Part::Expected,
            wrong: Vec::new(),
        };
        self.asked.push(Asked { framed: framed.clone(), bytes: said.bytes.clone(), settings: self.settings });
        self.repeating = step.every.as_ref().map(|every| {
            let every = every.at(self.settings);
            (said.bytes.clone(), every, self.now + every)
        });
        self.tell_said(self.now, said.bytes.clone(), self.settings, framed);
        self.threads = said.threads;
        self.ahead = Ahead::Step(Next { threads: said.onwards, said: None });
    }

    /// Tells what is said from `from` on; when its last byte is out.
    pub(super) fn tell_said(
        &mut self,
        from: Instant,
        bytes: Vec<u8>,
        settings: Settings,
        framed: Framed,
    ) -> Instant {
        let character = settings.character_time();
        let end = from + character * u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.tell((from + character).min(end), end, Direction::Tx, bytes.into(), ItemKind::Frame(framed));
        end
    }

    /// How long the answer to the first of two tries may still be coming. It must not be taken for the answer to what is asked next.
    fn second_answer(&mut self) -> Span {
        let table = &self.program.table;
        let wait = table.line.reply.to.at(self.settings).min(LATEST);
        // A device that leaves when nothing comes must not be kept waiting.
        let wait =
            table.device.silence.as_ref().map_or(wait, |(after, _)| wait.min(after.at(self.settings) / 4));
        self.deaf_until = self.now + wait;
        self.heap = Heap::new(self.program.table.line.gap.clone(), PATIENCE, self.settings);
        wait
    }

    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.result.sent += bytes.len();
        if let Some(echo) = &mut self.echo {
            echo.expect(bytes);
        }
        match self.keyed {
            Some(slow) => bytes.iter().for_each(|byte| self.outbox.key(*byte, slow)),
            None => self.outbox.push(Action::Send(bytes.to_vec())),
        }
    }

    /// It is the device's turn. How long, is known when everything has left.
    pub(super) fn wait(&mut self, step: &Step) {
        let window = match (&step.within, &step.every) {
            (Some(within), _) => within.at(self.settings),
            (None, Some(every)) => every.at(self.settings) * 4,
            (None, None) => self.program.table.line.reply.to.at(self.settings),
        };
        let free = |thread: &Thread| match self.program.step(thread.pc) {
            Some(step) => step.direction == Direction::Tx,
            None => true,
        };
        let soft = self.threads.iter().skip(1).any(free);
        self.turn = Turn::Device { window: window + LATENCY, since: None, soft };
        self.ahead = Ahead::Due;
        self.listen(Closing::No);
    }

    pub(super) fn silence(&mut self, since: Instant, soft: bool) {
        if soft {
            let program = Arc::clone(&self.program);
            let free = |thread: &Thread| match program.step(thread.pc) {
                Some(step) => step.direction == Direction::Tx,
                None => true,
            };
            self.threads.retain(free);
            self.threads.truncate(1);
            self.asked.clear();
            self.turn = Turn::Own;
            return;
        }
        let last = self.tried >= self.tries || self.asked.is_empty();
        let steps = self.threads.iter().filter_map(|thread| self.program.step(thread.pc));
        let mut expected: Vec<Name> = Vec::new();
        for step in steps.filter(|step| step.direction == Direction::Rx) {
            let name = self.program.frame(step.frame).name();
            if !expected.contains(name) {
                expected.push(name.clone());
            }
        }
        let silence = Silence {
            waited: self.now.since(since),
            after: self.asked.last().map(|asked| asked.framed.frame.clone()),
            expected,
            exchange: self.threads.first().and_then(|first| self.exchange(first.pc)),
            said: meanings::of_silence(&self.program.table, &self.waits_in()),
        };
        if last || self.tried == 1 {
            self.tell(since, self.now, Direction::Rx, Vec::new().into(), ItemKind::Silence(silence));
        }
        self.try_again(Ending::NoAnswer);
    }

    pub(super) fn try_again(&mut self, ending: Ending) {
        if self.tried >= self.tries || self.asked.is_empty() {
            return self.end(ending);
        }
        self.tried += 1;
        self.repeats += 1;
        // A device that did not hear the question has not changed its settings either.
        let now = self.settings;
        let mut last = now;
        let mut from = self.now;
        for asked in self.asked.clone() {
            if asked.settings != last && self.keyed.is_none() {
                last = asked.settings;
                self.outbox.push(Action::Set(last));
            }
            self.send(&asked.bytes);
            let again = Framed { part: Part::Repeat, ..asked.framed };
            from = self.tell_said(from, asked.bytes, asked.settings, again);
        }
        if last != now {
            self.outbox.push(Action::Set(now));
        }
        let program = Arc::clone(&self.program);
        let step = self.threads.first().and_then(|first| program.step(first.pc));
        match step {
            Some(step) => self.wait(step),
            None => self.end(ending),
        }
    }

    pub(super) fn end(&mut self, ending: Ending) {
        if let Some(first) = self.threads.first() {
            self.captured = first.clone();
        }
        self.result.ending = Some(ending);
        self.repeating = None;
        self.turn = Turn::Over;
        self.outbox.push(Action::Done);
    }
}
