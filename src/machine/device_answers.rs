//! How a device answers: what it does inside, what it says, how it refuses, and what it says by itself.

use std::sync::Arc;

use crate::line::{Direction, Settings, Span};
use crate::protocol::{Answer, ExchangeId, FrameId};

use super::device::{Device, Output, Repeating};
use super::effects::{Effects, Failure, PhaseChange};
use super::facts::Facts;
use super::hear::{Offer, go_past};
use super::program::{Effect, Instruction, Program};
use super::speak::{Speech, encode, encode_answer};
use super::thread::{Pending, Thread};
use super::view::Role;

/// Rounds of speaking without hearing: more than this is a table that talks for ever.
const MOST_WORDS: usize = 1_000;

/// A frame that was said, and the thread behind it.
struct Said {
    past: Thread,
    bytes: Vec<u8>,
}

impl Device {
    /// Speaks as long as it is its turn, then waits.
    pub(super) fn go_on(&mut self) {
        for _ in 0..MOST_WORDS {
            let threads = std::mem::take(&mut self.threads);
            let place = threads.first().cloned();
            self.threads = self.closure().of(threads);
            let Some(first) = self.threads.first().cloned() else {
                self.threads.extend(place); // a state in which nothing may begin
                return;
            };
            let speaks = self.program.step(first.pc).is_some_and(|step| step.direction == Direction::Rx);
            if speaks {
                let refuses = self.refuses || self.refuses_erasing && self.erases(&first);
                if refuses && self.refuse_instead() {
                    self.refuses_erasing = false;
                    return;
                }
                let before = first.pending.clone();
                match self.say(first) {
                    Some(Said { past, bytes }) => self.follow_own(past, &before, &bytes),
                    None => return,
                }
                continue;
            }
            self.wait();
            return;
        }
    }

    fn erases(&self, thread: &Thread) -> bool {
        let erases = |pending: &Pending| {
            let Instruction::Effect(effect) = &self.program.code[pending.pc] else { return false };
            matches!(effect, Effect::Erase { .. } | Effect::EraseAll { .. } | Effect::ErasePages { .. })
        };
        thread.pending.iter().any(erases)
    }

    /// Goes on behind what was said, and on every other way on which the same would have been said: what the host says next tells
    /// which way it meant.
    fn follow_own(&mut self, past: Thread, before: &[Pending], bytes: &[u8]) {
        let mut others: Vec<Thread> =
            self.threads.iter().skip(1).filter(|thread| thread.pending == before).cloned().collect();
        others.iter_mut().for_each(|thread| thread.pending.clear());
        let own = Offer::of(self.ground(), bytes, true, Some(Direction::Rx));
        let answers = own.to(&others);
        let same = answers.accepted_frame.is_some_and(|accepted| accepted.len == bytes.len());
        self.threads = vec![past];
        self.threads.extend(answers.accepted.into_iter().filter(|_| same));
    }

    /// It is the host's turn: what has come to rest is done, and settings change.
    pub(super) fn wait(&mut self) {
        let Some(mut first) = self.threads.first().cloned() else { return };
        let effects = effects(&self.program, &self.facts, self.line);
        let changes = if first.rested {
            effects.commit(&mut first, &mut self.memory).unwrap_or_default()
        } else {
            effects.phases(&mut first, &self.memory)
        };
        self.change(&changes);
        let done = first.pending.clone();
        for thread in &mut self.threads {
            if thread.rested == first.rested {
                thread.pending.clone_from(&done);
            }
        }
    }

    pub(super) fn change(&mut self, changes: &[PhaseChange]) {
        // Keyed characters are heard as breaks, at the settings there are.
        let last = changes.iter().rfind(|change| !self.program.is_keyed(change.phase));
        if let Some(settings) = last.map(|change| change.settings).filter(|new| *new != self.settings) {
            self.settings = settings;
            self.outputs.push_back(Output::Set(settings));
        }
    }

    /// How long nobody speaks at settings that hold from now on.
    fn settle(&self, changes: &[PhaseChange]) -> Span {
        let phase =
            changes.last().and_then(|change| change.phase).map(|phase| &self.program.table.phases[phase]);
        let settle = phase.and_then(|phase| phase.settle.as_ref());
        settle.map_or(Span::ZERO, |settle| settle.at(self.settings))
    }

    /// Does what is pending and says the thread's frame; `None` when it was refused.
    fn say(&mut self, mut thread: Thread) -> Option<Said> {
        let committed = effects(&self.program, &self.facts, self.line).commit(&mut thread, &mut self.memory);
        let settle = match committed {
            Ok(changes) => {
                self.change(&changes);
                self.settle(&changes)
            }
            Err(failure) => {
                self.refuse_failure(failure);
                return None;
            }
        };
        let program = Arc::clone(&self.program);
        let Instruction::Message(step) = &program.code[thread.pc] else { return None };
        match encode(self.ground(), &thread, step) {
            Ok(Speech { bytes, values }) => {
                let after =
                    step.after.as_ref().map_or(Span::ZERO, |after| after.at(self.settings)).max(settle);
                self.said.extend_from_slice(&bytes);
                self.repeating = step.every.as_ref().map(|every| {
                    let every = every.at(self.settings);
                    Repeating { bytes: bytes.clone(), every, due: self.now + every }
                });
                self.outputs.push_back(Output::Send { bytes: bytes.clone(), after });
                go_past(self.ground(), &mut thread, step, &values);
                self.share(&thread);
                self.facts.turn(&program.names, values.iter().map(|(name, _)| name));
                Some(Said { past: thread, bytes })
            }
            Err(failure) => {
                self.refuse_failure(failure);
                None
            }
        }
    }

    /// Says the refusal; the conversation rests, or stays where it is.
    pub(super) fn refuse(&mut self, answer: &Answer, stays: bool) {
        let Some(first) = self.threads.first().cloned() else { return };
        // What the answer would have told cannot be told in the refusal either.
        let said = encode_answer(self.ground(), &first, answer)
            .or_else(|_| encode_answer(self.ground(), &self.resting(&first), answer));
        match said {
            Ok(bytes) => {
                self.said = bytes.clone();
                self.outputs.push_back(Output::Send { bytes, after: Span::ZERO });
            }
            Err(error) => tracing::debug!("the device cannot refuse: {error}"),
        }
        if !stays {
            self.threads = vec![self.resting(&first)];
            self.go_on();
        }
    }

    pub(super) fn refuse_failure(&mut self, failure: Failure) {
        let refusals = &self.program.table.refusals;
        let answer = match failure {
            Failure::Outside => refusals.outside.clone(),
            Failure::Damaged => refusals.damaged.clone().or(refusals.outside.clone()),
        };
        match answer {
            Some(answer) => self.refuse(&answer, false),
            None => {
                let rest = self.threads.first().map(|first| self.resting(first));
                self.threads = self.closure().of(rest);
            }
        }
    }

    /// A device that is made to refuse says so in place of its answer.
    pub(super) fn refuse_instead(&mut self) -> bool {
        let refusals = &self.program.table.refusals;
        let known = [&refusals.outside, &refusals.unknown, &refusals.state, &refusals.damaged];
        let frame = |frame: &FrameId| Answer { frame: *frame, binds: Vec::new() };
        let answer = known.into_iter().flatten().next().cloned();
        let Some(answer) = answer.or(refusals.frames.first().map(frame)) else { return false };
        let heard = !self.last_heard.is_empty();
        if heard {
            let rest = self.threads.first().map(|first| self.resting(first));
            let first = self.threads.first().cloned();
            if let Some(Ok(bytes)) = first.map(|first| encode_answer(self.ground(), &first, &answer)) {
                self.said = bytes.clone();
                self.outputs.push_back(Output::Send { bytes, after: Span::ZERO });
            }
            self.threads = self.closure().of(rest);
        }
        heard
    }

    /// The same frame once more: the same answer once more, and nothing is done again.
    pub(super) fn answer_again(&mut self) -> bool {
        let repeated = !self.last_heard.is_empty() && self.buffer.starts_with(&self.last_heard);
        if repeated {
            self.buffer.drain(..self.last_heard.len());
            self.enough = 0;
            if !self.said.is_empty() {
                self.outputs.push_back(Output::Send { bytes: self.said.clone(), after: Span::ZERO });
            }
        }
        repeated
    }

    pub(super) fn leave(&mut self) {
        self.left = true;
        self.repeating = None;
        self.outputs.push_back(Output::Leave);
    }

    pub(super) fn start_by_itself(&mut self, exchange: ExchangeId) {
        let Some(first) = self.threads.first() else { return };
        let states = first.states.and(self.program.may_begin[exchange.0]);
        if states.is_empty() {
            return;
        }
        let mut own = Thread::resting(&self.program, states, &first.place);
        own.pc = self.program.entries[exchange.0];
        self.go_on_aside(own);
    }

    /// Speaks in an exchange of its own as long as it is its turn there; then the host has to answer, or it is over.
    pub(super) fn go_on_aside(&mut self, mut own: Thread) {
        let began = own.states;
        for _ in 0..MOST_WORDS {
            let ways = self.closure().of([own]);
            let Some(next) = ways.first().cloned() else { return };
            if next.rested {
                if first_rests(&self.threads) && next.states != began {
                    self.threads = vec![next];
                    self.go_on();
                }
                return;
            }
            match self.program.step(next.pc).map(|step| step.direction) {
                Some(Direction::Rx) => {}
                Some(Direction::Tx) => {
                    self.aside = ways;
                    return;
                }
                None => return,
            }
            let Some(said) = self.say(next) else { return };
            own = said.past;
        }
    }

    /// What one exchange has said and heard counts for `last` and `asked` of the other one as well.
    pub(super) fn share(&mut self, thread: &Thread) {
        for other in self.threads.iter_mut().chain(&mut self.aside) {
            other.place.followed = thread.place.followed.clone();
        }
    }

    /// Frames that are sent again, and exchanges that the device starts by itself.
    pub(super) fn own_traffic(&mut self) {
        if self.left {
            return;
        }
        if let Some(repeating) = self.repeating.as_mut().filter(|repeating| repeating.due <= self.now) {
            repeating.due = self.now + repeating.every;
            let bytes = repeating.bytes.clone();
            self.outputs.push_back(Output::Send { bytes, after: Span::ZERO });
        }
        for index in 0..self.unsolicited.len() {
            let own = &mut self.unsolicited[index];
            if own.due > self.now {
                continue;
            }
            own.due = self.now + own.every;
            let exchange = own.exchange;
            self.start_by_itself(exchange);
        }
    }
}

fn effects<'a>(program: &'a Program, facts: &'a Facts, line: Settings) -> Effects<'a> {
    Effects { program, facts, role: Role::Device, line }
}

fn first_rests(threads: &[Thread]) -> bool {
    threads.first().is_none_or(|first| first.rested)
}
