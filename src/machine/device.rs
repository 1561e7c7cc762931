//! The device: answers as the table lets a healthy device answer.
//!
//! It has no line and no clock: bytes and instants come in, what it says comes out. `simulate` makes a task of it.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::frame::{Name, Outcome, Path, Scope, Value, Values};
use crate::line::{Direction, Instant, LineEvent, Seen, Settings, Span};
use crate::protocol::{Answer, ExchangeId, FrameId, Quiet, StateId, Table};

use super::closure::Closure;
use super::effects::{Effects, Failure, PhaseChange};
use super::env::Env;
use super::facts::Facts;
use super::hear::{Offer, go_past};
use super::memory::Memory;
use super::program::{Instruction, Program};
use super::speak::{Speech, encode, encode_answer};
use super::states::States;
use super::thread::Thread;
use super::view::{Ground, Role, View};

/// What a device does on its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Says this, so long after it decided to.
    Send { bytes: Vec<u8>, after: Span },
    /// Changes its settings, after everything before it has left.
    Set(Settings),
    /// Leaves for its application, or resets itself; it hears nothing more.
    Leave,
}

/// A device's mind.
pub struct Device {
    program: Arc<Program>,
    facts: Facts,
    memory: Memory,
    /// The settings at the beginning.
    line: Settings,
    settings: Settings,
    threads: Vec<Thread>,
    now: Instant,
    buffer: Vec<u8>,
    /// The receiver flagged one of the buffered characters.
    damaged: bool,
    /// So many bytes must be there before it is worth looking again.
    enough: usize,
    heard_at: Option<Instant>,
    last_heard: Vec<u8>,
    said: Vec<u8>,
    repeating: Option<Repeating>,
    unsolicited: Vec<Unsolicited>,
    /// An exchange of its own that waits for the host's word.
    aside: Vec<Thread>,
    outputs: VecDeque<Output>,
    /// A character is being keyed by breaks; the last of them.
    keyed: Option<Instant>,
    refuses: bool,
    left: bool,
}

/// A frame that is sent again and again until it is answered.
struct Repeating {
    bytes: Vec<u8>,
    every: Span,
    due: Instant,
}

/// An exchange that the device starts by itself.
struct Unsolicited {
    exchange: ExchangeId,
    every: Span,
    due: Instant,
}

/// Rounds of speaking without hearing: more than this is a table that talks for ever.
const MOST_WORDS: usize = 1_000;

/// Silence that ends what nobody understood, where the table has no gap.
const QUIET: Span = Span::from_millis(20);

/// A keyed character is over when no break has come for so long: eight ones and a stop bit of 5 baud.
const KEYED: Span = Span::from_millis(1_900);

impl Device {
    /// A device in its first state. `env` lies over the table's parameters and over what the device knows.
    pub fn new(program: Arc<Program>, env: &Env, settings: Settings) -> Device {
        let table = Arc::clone(&program.table);
        let facts = Facts::of_device(&table, &program.names, env);
        let memory = Memory::of(&regions(&table, &program, &facts));
        let mut device = Device {
            memory,
            facts,
            line: settings,
            settings,
            threads: Vec::new(),
            now: Instant::ZERO,
            buffer: Vec::new(),
            damaged: false,
            enough: 0,
            heard_at: None,
            last_heard: Vec::new(),
            said: Vec::new(),
            repeating: None,
            unsolicited: unsolicited(&table, settings),
            aside: Vec::new(),
            outputs: VecDeque::new(),
            keyed: None,
            refuses: false,
            left: false,
            program,
        };
        if !table.states.is_empty() {
            let first = States::one(StateId(0));
            device.threads = vec![Thread::resting(&device.program, first, &Default::default())];
            device.go_on();
        }
        device
    }

    /// A device that refuses whatever it is asked, where the table knows a refusal.
    pub fn refusing(mut self) -> Device {
        self.refuses = true;
        self
    }

    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Where the conversation rests.
    pub fn state(&self) -> Option<&Name> {
        Some(&self.program.table.states[self.state_id()?.0].name)
    }

    /// Whether its application runs in the state it is in.
    pub fn runs_application(&self) -> bool {
        self.state_id().is_some_and(|state| self.program.table.device.application_states.contains(&state))
    }

    fn state_id(&self) -> Option<StateId> {
        self.threads.first()?.states.only()
    }

    /// What comes next; to be carried out in order.
    pub fn next_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When it wants to be woken if nothing happens.
    pub fn deadline(&self) -> Option<Instant> {
        if self.left {
            return None;
        }
        let heard = self.heard_at;
        let quiet = heard.filter(|_| !self.buffer.is_empty()).map(|heard| heard + self.quiet());
        let silence = self.silence().zip(heard).map(|((span, _), heard)| heard + span);
        let repeat = self.repeating.as_ref().map(|repeating| repeating.due);
        let keyed = self.keyed.map(|last| last + KEYED);
        let own = self.unsolicited.iter().map(|own| own.due);
        // What it says right after power-up waits for nobody.
        let says = (!self.outputs.is_empty()).then_some(self.now);
        own.chain(says).chain(quiet).chain(keyed).chain(silence).chain(repeat).min()
    }

    /// Something is on the line: what the host sends is heard.
    pub fn on_event(&mut self, event: &LineEvent) {
        self.on_time(event.at);
        if event.direction != Direction::Tx || self.left {
            return;
        }
        match event.seen {
            Seen::Byte(byte) => {
                self.heard_at = Some(event.at);
                self.keyed = None;
                self.buffer.push(byte);
                self.damaged |= event.fault.is_some();
                if !self.damaged && self.buffer.len() >= self.enough {
                    self.listen(false);
                }
            }
            Seen::Break => {
                self.forget_buffer();
                self.key(event.at);
            }
            Seen::Marker => {}
        }
    }

    /// A break may be part of a keyed character, where one is waited for.
    fn key(&mut self, at: Instant) {
        if self.threads.iter().any(|thread| self.waits_keyed(thread)) {
            self.keyed = Some(at);
        }
    }

    fn waits_keyed(&self, thread: &Thread) -> bool {
        let hears = self.program.step(thread.pc).is_some_and(|step| step.direction == Direction::Tx);
        hears && self.program.is_keyed(thread.phase)
    }

    /// The keyed character is over. Which one it was, nobody could read.
    fn end_key(&mut self) {
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

    pub fn on_time(&mut self, now: Instant) {
        self.now = self.now.max(now);
        if self.keyed.is_some_and(|last| self.now.since(last) >= KEYED) {
            self.end_key();
        }
        let quiet = self.quiet();
        let Some(heard) = self.heard_at.filter(|_| !self.left) else { return self.own_traffic() };
        if !self.buffer.is_empty() && self.now.since(heard) >= quiet {
            self.listen(true);
        }
        if let Some((span, Quiet::Leave)) = self.silence()
            && self.now.since(heard) >= span
        {
            self.leave();
        }
        self.own_traffic();
    }

    pub fn on_settings(&mut self, settings: Settings) {
        self.settings = settings;
    }

    fn silence(&self) -> Option<(Span, Quiet)> {
        let (after, what) = self.program.table.device.silence.as_ref()?;
        Some((after.at(self.settings), *what)).filter(|_| !self.runs_application())
    }

    fn quiet(&self) -> Span {
        let gap = self.program.table.line.gap.as_ref();
        gap.map_or(QUIET.max(self.settings.character_time() * 4), |gap| gap.at(self.settings))
    }

    /// Frames that are sent again, and exchanges that the device starts by itself.
    fn own_traffic(&mut self) {
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

    fn start_by_itself(&mut self, exchange: ExchangeId) {
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
    fn go_on_aside(&mut self, mut own: Thread) {
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
            let Some(past) = self.say(next) else { return };
            own = past;
        }
    }

    /// What one exchange has said and heard counts for `last` and `asked` of the other one as well.
    fn share(&mut self, thread: &Thread) {
        for other in self.threads.iter_mut().chain(&mut self.aside) {
            other.place.followed = thread.place.followed.clone();
        }
    }

    /// The host's word in an exchange that the device has begun by itself.
    fn answered_aside(&mut self, closed: bool) -> bool {
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

    fn ground(&self) -> Ground<'_> {
        Ground { program: &self.program, facts: &self.facts, memory: Some(&self.memory), role: Role::Device }
    }

    fn closure(&self) -> Closure<'_> {
        Closure { ground: self.ground(), unheard: None }
    }

    fn offer<'a>(&'a self, closed: bool) -> Offer<'a> {
        Offer { ground: self.ground(), bytes: &self.buffer, closed, from: Some(Direction::Tx) }
    }

    /// Looks at what is buffered, as long as something of it is understood.
    fn listen(&mut self, closed: bool) {
        while !self.buffer.is_empty() && !self.left {
            if self.damaged {
                return self.not_understood();
            }
            let mut answers = self.offer(closed).to(&self.threads);
            let mut more = answers.more;
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
                more = answers.more;
            }
            if let Some(accepted) = answers.accepted_frame {
                if !self.hears(&accepted.values) {
                    self.buffer.drain(..accepted.len);
                    self.enough = 0;
                    continue;
                }
                self.last_heard = self.buffer.drain(..accepted.len).collect();
                self.said.clear();
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
    fn hears(&self, values: &Values) -> bool {
        let (Some(hears), Some(first)) = (&self.program.table.device.hears, self.threads.first()) else {
            return true;
        };
        let asks_of_it = hears.paths().iter().any(|(path, _)| values.get(&path.first).is_some());
        let frame =
            OfFrame { values, view: View::new(self.ground(), &first.place), table: &self.program.table };
        !asks_of_it || hears.eval_int(&frame).is_ok_and(|hears| hears != 0)
    }

    /// A frame for another device: not a word to it.
    fn overhear(&mut self, closed: bool, wrong: &[super::hear::Wrong]) {
        let len = wrong.iter().filter(|wrong| wrong.for_another).filter_map(|wrong| wrong.reading.as_ref());
        let len = len.map(|reading| reading.len).max().unwrap_or(self.buffer.len());
        self.buffer.drain(..len.min(self.buffer.len()));
        self.enough = 0;
        if !self.buffer.is_empty() {
            self.listen(closed);
        }
    }

    fn resting(&self, thread: &Thread) -> Thread {
        Thread::resting(&self.program, thread.states, &thread.place)
    }

    /// The same frame once more: the same answer once more, and nothing is done again.
    fn answer_again(&mut self) -> bool {
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

    fn forget_buffer(&mut self) {
        self.buffer.clear();
        self.damaged = false;
        self.enough = 0;
    }

    /// What nobody understood: a known frame at the wrong moment, a damaged one, or something else.
    fn not_understood(&mut self) {
        let refusals = &self.program.table.refusals;
        let frame = if self.damaged { None } else { self.known_frame() };
        if frame.as_ref().is_some_and(|values| !self.hears(values)) {
            return self.forget_buffer();
        }
        let known = frame.is_some();
        let broken = self.damaged || !known && self.is_damaged_frame();
        let mut stays = false;
        let answer = if known {
            refusals.state.clone().or(refusals.unknown.clone())
        } else if broken && refusals.damaged.is_some() {
            stays = true;
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
    fn known_frame(&self) -> Option<Values> {
        let offer = self.offer(true);
        let read = |frame: &FrameId| match offer.as_frame(*frame, Direction::Tx, self.threads.first()) {
            Outcome::Complete(reading) if reading.len == self.buffer.len() => Some(reading.values),
            _ => None,
        };
        self.program.said_by(Direction::Tx).iter().find_map(read)
    }

    fn is_damaged_frame(&self) -> bool {
        let damaged = self.offer(true).damaged(&self.threads);
        let whole = |(_, reading): (usize, crate::frame::Reading)| {
            reading.len > 1 && reading.len == self.buffer.len()
        };
        !damaged.differs && damaged.best.is_some_and(whole)
    }

    /// Says the refusal; the conversation rests, or stays where it is.
    fn refuse(&mut self, answer: &Answer, stays: bool) {
        let Some(first) = self.threads.first().cloned() else { return };
        if let Ok(bytes) = encode_answer(self.ground(), &first, answer) {
            self.said = bytes.clone();
            self.outputs.push_back(Output::Send { bytes, after: Span::ZERO });
        }
        if !stays {
            self.threads = vec![self.resting(&first)];
            self.go_on();
        }
    }

    fn refuse_failure(&mut self, failure: Failure) {
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

    fn leave(&mut self) {
        self.left = true;
        self.repeating = None;
        self.outputs.push_back(Output::Leave);
    }

    /// Speaks as long as it is its turn, then waits.
    fn go_on(&mut self) {
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
                if self.refuses && self.refuse_instead() {
                    return;
                }
                match self.say(first) {
                    Some(past) => self.threads = vec![past],
                    None => return,
                }
                continue;
            }
            self.wait();
            return;
        }
    }

    /// A device that is made to refuse says so in place of its answer.
    fn refuse_instead(&mut self) -> bool {
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

    /// It is the host's turn: what has come to rest is done, and settings change.
    fn wait(&mut self) {
        let Some(mut first) = self.threads.first().cloned() else { return };
        let effects = effects(&self.program, &self.facts, self.line);
        let changes = if first.rested {
            effects.commit(&mut first, &mut self.memory).unwrap_or_default()
        } else {
            effects.phases(&mut first, &self.memory)
        };
        self.change(&changes);
        let done = Arc::clone(&first.pending);
        for thread in &mut self.threads {
            if thread.rested == first.rested {
                thread.pending = Arc::clone(&done);
            }
        }
    }

    fn change(&mut self, changes: &[PhaseChange]) {
        // Keyed characters are heard as breaks, at the settings there are.
        let last = changes.iter().rfind(|change| !self.program.is_keyed(change.phase));
        if let Some(settings) = last.map(|change| change.settings).filter(|new| *new != self.settings) {
            self.settings = settings;
            self.outputs.push_back(Output::Set(settings));
        }
    }

    /// Does what is pending and says the thread's frame; `None` when it was refused.
    fn say(&mut self, mut thread: Thread) -> Option<Thread> {
        let committed = effects(&self.program, &self.facts, self.line).commit(&mut thread, &mut self.memory);
        match committed {
            Ok(changes) => self.change(&changes),
            Err(failure) => {
                self.refuse_failure(failure);
                return None;
            }
        }
        let program = Arc::clone(&self.program);
        let Instruction::Message(step) = &program.code[thread.pc] else { return None };
        match encode(self.ground(), &thread, step) {
            Ok(Speech { bytes, values }) => {
                let after = step.after.as_ref().map_or(Span::ZERO, |after| after.at(self.settings));
                self.said.extend_from_slice(&bytes);
                self.repeating = step.every.as_ref().map(|every| {
                    let every = every.at(self.settings);
                    Repeating { bytes: bytes.clone(), every, due: self.now + every }
                });
                self.outputs.push_back(Output::Send { bytes, after });
                go_past(self.ground(), &mut thread, step, &values);
                self.share(&thread);
                self.facts.turn(&program.names, values.0.iter().map(|(name, _)| name));
                Some(thread)
            }
            Err(failure) => {
                self.refuse_failure(failure);
                None
            }
        }
    }
}

/// The names of `hears`: the frame's fields, what the device knows; a field that this frame does not have reads as 0.
struct OfFrame<'a> {
    values: &'a Values,
    view: View<'a>,
    table: &'a Table,
}

impl Scope for OfFrame<'_> {
    fn look(&self, path: &Path) -> Option<Value> {
        let field = self.values.get(&path.first).filter(|_| path.rest.is_none()).cloned();
        let is_field = || self.table.frames.iter().any(|frame| frame.layout().names().contains(&path.first));
        field.or_else(|| self.view.look(path)).or_else(|| is_field().then_some(Value::Int(0)))
    }
}

fn effects<'a>(program: &'a Program, facts: &'a Facts, line: Settings) -> Effects<'a> {
    Effects { program, facts, role: Role::Device, line }
}

fn first_rests(threads: &[Thread]) -> bool {
    threads.first().is_none_or(|first| first.rested)
}

/// The memory of the chip that the device says it is, or that of the table.
fn regions(table: &Table, program: &Program, facts: &Facts) -> Vec<crate::protocol::Region> {
    let place = Default::default();
    let ground = Ground { program, facts, memory: None, role: Role::Device };
    let view = View::new(ground, &place);
    let is = |chip: &&crate::protocol::Chip| {
        let known = program.names.key_of(&chip.by).and_then(|key| view.find(key).ok().flatten());
        known.is_some_and(|(value, _): (Value, _)| value == chip.value)
    };
    let mut regions = table.device.memory.clone();
    let Some(chip) = table.chips.iter().find(is) else { return regions };
    for region in &chip.memory {
        match regions.iter_mut().find(|known| known.name == region.name) {
            // What the chip does not say (content, how it programs) stays as in the table.
            Some(known) => {
                known.base = region.base;
                known.size = region.size;
            }
            None => regions.push(region.clone()),
        }
    }
    regions
}

/// Exchanges that the device starts, spread over their periods so that they do not all come at once.
fn unsolicited(table: &Table, settings: Settings) -> Vec<Unsolicited> {
    let mut own: Vec<Unsolicited> = Vec::new();
    for (index, exchange) in table.exchanges.iter().enumerate() {
        let Some(every) = &exchange.unsolicited else { continue };
        let every = every.at(settings).max(Span::from_millis(1));
        own.push(Unsolicited { exchange: ExchangeId(index), every, due: Instant::ZERO });
    }
    let count = own.len() as u32;
    for (index, own) in own.iter_mut().enumerate() {
        own.due = Instant::ZERO + own.every * index as u32 / count;
    }
    own
}

#[cfg(test)]
#[path = "device_tests.rs"]
mod tests;
