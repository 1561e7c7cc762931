//! How a host hears: the answer, what may come beside it, and what is neither.

use std::sync::Arc;

use crate::frame::{Name, Outcome, Value, Values};
use crate::line::Direction;
use crate::protocol::{Answer, FrameId};

use super::aside::Took;
use super::foresight::Ahead;
use super::hear::Accepted;
use super::host::{Ending, Host, Turn};
use super::item::{Framed, ItemKind, Part};
use super::needed::Needed;
use super::speak::speech;
use super::states::States;
use super::thread::Thread;
use super::waiting::Closing;
use super::{meanings, unexpected};

/// More words in a row than any exchange has that a device begins.
const MOST_WORDS_ASIDE: usize = 16;

impl Host {
    /// Looks at what was heard, as long as something of it is understood.
    pub(super) fn listen(&mut self, closing: Closing) {
        while matches!(self.turn, Turn::Device { .. }) && !self.heap.is_empty() {
            if let Some((accepted, threads)) = self.heard_foreseen(closing) {
                self.heard(accepted, threads);
                continue;
            }
            let bytes = self.heap.bytes().to_vec();
            let offer = self.offer(&bytes, closing.closed());
            let answers = offer.to(&self.threads);
            let is_said_beside =
                |accepted: &Accepted| offer.special_case(accepted, self.threads.first()).is_some();
            if let Some(accepted) = answers.accepted_frame.filter(|accepted| !is_said_beside(accepted)) {
                self.heard(accepted, answers.accepted);
                continue;
            }
            if answers.more.0.is_none() && self.program.table.line.skip.contains(&bytes[0]) {
                self.heap.take(1);
                continue;
            }
            if answers.more.0.is_some() && closing != Closing::Yes {
                self.heap.wait_for(answers.more.0, closing);
                return;
            }
            let mut more = answers.more;
            match self.hear_aside(&bytes, closing) {
                Aid::Took => continue,
                Aid::More(n) => more.by(n),
                Aid::Nothing => {}
            }
            if closing != Closing::Yes {
                self.heap.wait_for(more.0, closing);
                return;
            }
            return self.not_understood(&bytes, &answers.wrong);
        }
    }

    pub(super) fn heard(&mut self, accepted: Accepted, threads: Vec<Thread>) {
        let (bytes, from, at, faults) = self.heap.take(accepted.len);
        let framed = Framed {
            frame: self.program.frame(accepted.frame).name().clone(),
            values: accepted.values.clone(),
            exchange: self.exchange(accepted.pc),
            part: Part::Expected,
            wrong: Vec::new(),
        };
        self.tell(from, at, Direction::Rx, bytes.clone(), ItemKind::Frame(framed));
        if let Some(item) = self.result.items.last_mut() {
            item.faults = faults;
        }
        self.last_heard = bytes.to_vec();
        self.threads = threads;
        self.asked.clear();
        self.doubled |= self.tried > 1;
        self.tried = 1;
        self.repeating = None;
        self.turn = Turn::Own;
    }

    /// What may come beside the answer: the device's own traffic, what means nothing, a refusal, an answer once more.
    fn hear_aside(&mut self, bytes: &[u8], closing: Closing) -> Aid {
        let program = Arc::clone(&self.program);
        let mut aside = std::mem::take(&mut self.aside);
        let states = States::all(program.table.states.len());
        let place = self.threads.first().map(|first| &first.place);
        let took = aside.hear(&self.offer(bytes, closing.closed()), states, place);
        self.aside = aside;
        let mut more = Needed::default();
        match took {
            Took::Frame { accepted, exchange, .. } => {
                let exchange = exchange.map(|id| program.exchange(id).name.clone());
                self.tell_frame(accepted.len, accepted.frame, &accepted.values, exchange, Part::Unsolicited);
                self.follow(accepted.frame, Direction::Rx, &accepted.values);
                self.answer_aside();
                return Aid::Took;
            }
            Took::More(n) => more.by(n),
            Took::Nothing => {}
        }
        let first = self.threads.first().cloned();
        let repeated = first.as_ref().map(|first| first.repeated.clone()).unwrap_or_default();
        let ignored = program.table.ignore.iter().chain(repeated.iter()).map(|frame| (*frame, false));
        let refusing = program.table.refusals.frames.iter().map(|frame| (*frame, true));
        for (frame, refuses) in refusing.chain(ignored) {
            match self.offer(bytes, closing.closed()).as_frame(frame, Direction::Rx, first.as_ref()) {
                Outcome::Complete(reading) if refuses => {
                    let within = self.waits_in();
                    let said = meanings::of_frame(&program.table, frame, &reading.values, &within);
                    let exchange = first.as_ref().and_then(|first| self.exchange(first.pc));
                    let damaged = self.means_damaged(frame, &reading.values);
                    self.tell_frame(reading.len, frame, &reading.values, exchange, Part::Refusal(said));
                    if damaged && self.tried < self.tries {
                        self.try_again(Ending::Refused);
                    } else {
                        self.end(Ending::Refused);
                    }
                    return Aid::Took;
                }
                Outcome::Complete(reading) => {
                    self.tell_frame(reading.len, frame, &reading.values, None, Part::Ignored);
                    self.restart_window();
                    return Aid::Took;
                }
                Outcome::More(n) => more.by(n),
                Outcome::Wrong(_) => {}
            }
        }
        if self.tried > 1 && !self.last_heard.is_empty() && bytes.starts_with(&self.last_heard) {
            self.heap.take(self.last_heard.len()); // the answer to an earlier try
            return Aid::Took;
        }
        more.0.map_or(Aid::Nothing, Aid::More)
    }

    /// Whether a refusal says that the question was damaged on its way, and nothing else: then it is asked again.
    fn means_damaged(&self, frame: FrameId, values: &Values) -> bool {
        let refusals = &self.program.table.refusals;
        let fixed = |answer: &Answer| {
            let binds = answer.binds.iter();
            binds.filter_map(|bind| Some((bind.name.clone(), bind.value.as_number()?))).collect::<Vec<_>>()
        };
        let Some(damaged) = refusals.damaged.as_ref().filter(|answer| answer.frame == frame) else {
            return false;
        };
        let says = fixed(damaged);
        let others = [&refusals.outside, &refusals.state, &refusals.unknown];
        let alike = |other: &Answer| other.frame == frame && fixed(other) == says;
        let fits = |(name, number): &(Name, i128)| values.get(name).and_then(Value::as_int) == Some(*number);
        !others.into_iter().flatten().any(alike) && says.iter().all(fits)
    }

    /// What passes beside the run counts for `last` and `asked` as well.
    pub(super) fn follow(&mut self, frame: FrameId, direction: Direction, values: &Values) {
        self.ahead = Ahead::Nothing;
        for thread in &mut self.threads {
            thread.place.follow(&self.program.names, frame, direction, values);
        }
    }

    /// Says what an exchange that the device began wants to hear. The run itself waits on.
    pub(super) fn answer_aside(&mut self) {
        let program = Arc::clone(&self.program);
        for _ in 0..MOST_WORDS_ASIDE {
            let Some(mut thread) = self.aside.asks(&program) else { return };
            let Some(step) = program.step(thread.pc) else { return };
            let Ok(speech) = speech(self.ground(), &thread, step) else { return };
            self.send(&speech.bytes);
            let framed = Framed {
                frame: program.frame(step.frame).name().clone(),
                values: speech.values.clone(),
                exchange: self.exchange(thread.pc),
                part: Part::Unsolicited,
                wrong: Vec::new(),
            };
            self.tell_said(self.now, speech.bytes, self.settings, framed);
            super::hear::go_past(self.ground(), &mut thread, step, &speech.values);
            self.follow(step.frame, Direction::Tx, &speech.values);
            let mut aside = std::mem::take(&mut self.aside);
            aside.go_on(self.ground(), thread);
            self.aside = aside;
            self.restart_window();
        }
    }

    pub(super) fn tell_frame(
        &mut self,
        len: usize,
        frame: crate::protocol::FrameId,
        values: &crate::frame::Values,
        exchange: Option<Name>,
        part: Part,
    ) {
        let (bytes, from, at, faults) = self.heap.take(len);
        let frame = self.program.frame(frame).name().clone();
        let framed = Framed { frame, values: values.clone(), exchange, part, wrong: Vec::new() };
        self.tell(from, at, Direction::Rx, bytes, ItemKind::Frame(framed));
        if let Some(item) = self.result.items.last_mut() {
            item.faults = faults;
        }
    }

    pub(super) fn restart_window(&mut self) {
        if let Turn::Device { since, .. } = &mut self.turn {
            *since = Some(self.now);
        }
    }

    /// The line is quiet and the bytes are no answer. An answer may stand behind stray bytes; else the question is asked again.
    pub(super) fn not_understood(&mut self, bytes: &[u8], wrong: &[super::hear::Wrong]) {
        let whole = |from: &usize| {
            let answers = self.offer(&bytes[*from..], true).to(&self.threads);
            answers.accepted_frame.is_some_and(|accepted| from + accepted.len == bytes.len())
        };
        let answer = (1..bytes.len().min(64)).find(whole);
        let stray = answer.unwrap_or(bytes.len());
        let described = unexpected::describe(&self.program, &bytes[..stray], &self.threads, wrong);
        let (bytes, from, at, faults) = self.heap.take(stray);
        self.tell(from, at, Direction::Rx, bytes, ItemKind::Unexpected(described));
        if let Some(item) = self.result.items.last_mut() {
            item.faults = faults;
        }
        if answer.is_some() {
            return self.listen(Closing::Yes);
        }
        self.try_again(Ending::Unexpected);
    }
}

/// What became of bytes that are no answer.
enum Aid {
    Took,
    More(usize),
    Nothing,
}
