//! The host: plays a run against a device, sends what the table lets it send, and says where and why it ended.

use std::sync::Arc;

use crate::frame::{Name, Value};
use crate::line::{Action, Direction, Instant, LineEvent, Seen, Settings, Span, Task};
use crate::protocol::{ExchangeId, Table, Talk};

use super::aside::{Aside, Took};
use super::closure::Closure;
use super::echo::Echo;
use super::effects::{Effects, PhaseChange};
use super::env::Env;
use super::facts::Facts;
use super::hear::{Accepted, Offer};
use super::item::{Framed, Item, ItemKind, Part, Silence};
use super::memory::Memory;
use super::names::Key;
use super::outbox::Outbox;
use super::program::{Instruction, Pc, Program, Step};
use super::scope::Known;
use super::speak::speech;
use super::states::States;
use super::thread::Thread;
use super::view::{Ground, Role};
use super::waiting::{Closing, Heap};
use super::{meanings, unexpected};

/// What a host is to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Run {
    /// The table's `[handshake]`.
    Handshake,
    /// The table's `[poll]`, once.
    Poll,
    /// The table's `[probe]`.
    Probe,
    /// The table's `[flash]`; needs `image` in the environment.
    Flash,
    /// Anything: calls, groups, guards.
    Talk(Talk),
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    Done,
    /// The device said no; the last item says what and why.
    Refused,
    /// Nothing came; the last item is the silence.
    NoAnswer,
    /// Something came that the table does not let come here; the last item is what.
    Unexpected,
    /// The run could not go on by itself: a frame that cannot be sent, settings that the port refuses.
    Failed(String),
}

/// What a run was.
#[derive(Clone, Debug, PartialEq)]
pub struct HostResult {
    /// `None`: it was interrupted.
    pub ending: Option<Ending>,
    /// Frames both ways, and everything that did not fit, in order.
    pub items: Vec<Item>,
    /// What was learnt of the device: kept names, and unknown names of the run that came to be known.
    pub captured: Vec<(Name, Value)>,
    /// Bytes sent and heard.
    pub sent: usize,
    pub heard: usize,
}

/// A host as a task.
pub struct Host {
    program: Arc<Program>,
    facts: Facts,
    /// A host has no device's memory; phases are computed without one.
    memory: Memory,
    line: Settings,
    settings: Settings,
    /// Characters are keyed by breaks at these settings.
    keyed: Option<Settings>,
    threads: Vec<Thread>,
    aside: Aside,
    outbox: Outbox,
    echo: Option<Echo>,
    heap: Heap,
    now: Instant,
    turn: Turn,
    /// What was sent since something was heard: it is sent again when no answer comes.
    asked: Vec<Asked>,
    tries: u32,
    tried: u32,
    last_heard: Vec<u8>,
    repeating: Option<(Vec<u8>, Span, Instant)>,
    result: HostResult,
    shown: usize,
    captured: Thread,
    /// Names that the user gave the run.
    given: Vec<Key>,
    /// Where the last run begins.
    start: Pc,
}

/// A frame that was sent.
#[derive(Clone, Debug)]
struct Asked {
    frame: Name,
    bytes: Vec<u8>,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Turn {
    Own,
    /// The device's: its window begins when everything has left. `soft`: if it is silent, the run goes on.
    Device {
        window: Span,
        since: Option<Instant>,
        soft: bool,
    },
    Over,
}

/// What an adapter may hold back before silence means that a frame is over.
const PATIENCE: Span = Span::from_millis(50);

/// More words in a row than any exchange has that a device begins.
const MOST_WORDS_ASIDE: usize = 16;

/// What the way between a program and its port may take beyond what the line takes.
const LATENCY: Span = Span::from_millis(50);

impl Host {
    /// `settings` are those the line begins with; `Err` says what the table lacks for this run.
    pub fn new(table: &Arc<Table>, run: &Run, env: &Env, settings: Settings) -> Result<Host, String> {
        let program = Program::compile(Arc::clone(table));
        Host::of(&program, run, env, settings)
    }

    /// The same, from a program that is compiled already.
    pub fn of(program: &Program, run: &Run, env: &Env, settings: Settings) -> Result<Host, String> {
        let table = Arc::clone(program.table());
        let (program, start) = program.with_run(talk(&table, run)?)?;
        let facts = Facts::of(&table, &program.names, env);
        let all = States::all(table.states.len());
        let mut thread = Thread::at(start, all);
        for (name, value) in env.iter().filter(|(name, _)| !facts.has(&program.names, name)) {
            if let Some(key) = program.names.key_of(name) {
                thread.scope().set_value(key, value.clone()); // the run's own: no exchange sees it unless it is passed on
            }
        }
        let given = thread.place.scope.values().map(|(key, _)| key).collect();
        let ending = HostResult { ending: None, items: Vec::new(), captured: Vec::new(), sent: 0, heard: 0 };
        Ok(Host {
            facts,
            memory: Memory::of(&[]),
            line: settings,
            settings,
            keyed: None,
            threads: vec![thread.clone()],
            given,
            aside: Aside::default(),
            outbox: Outbox::default(),
            echo: table.line.echo.then(Echo::default),
            heap: Heap::new(table.line.gap.clone(), PATIENCE),
            now: Instant::ZERO,
            turn: Turn::Own,
            asked: Vec::new(),
            tries: 3,
            tried: 1,
            last_heard: Vec::new(),
            repeating: None,
            result: ending,
            shown: 0,
            captured: thread,
            start,
            program: Arc::new(program),
        })
    }

    /// How often a question is sent before silence is the answer; 3 at first.
    pub fn with_tries(self, tries: u32) -> Host {
        Host { tries: tries.max(1), ..self }
    }

    /// The line gives back everything that is sent, whatever the table says.
    pub fn with_echo(self) -> Host {
        Host { echo: Some(Echo::default()), ..self }
    }

    /// A host whose run is over goes on with another, with everything it has learnt and counted.
    pub fn then(&mut self, run: &Run) -> Result<(), String> {
        let table = Arc::clone(self.program.table());
        let (program, start) = self.program.with_run(talk(&table, run)?)?;
        self.program = Arc::new(program);
        self.begin(start);
        Ok(())
    }

    /// A host whose run is over plays the last one once more.
    pub fn once_more(&mut self) {
        self.begin(self.start);
    }

    fn begin(&mut self, start: Pc) {
        self.start = start;
        let mut thread = self.threads.first().unwrap_or(&self.captured).clone();
        let mut root = Arc::clone(&thread.place.scope);
        while let Some(parent) = root.parent.clone() {
            root = parent;
        }
        thread.place.scope = root;
        thread.pc = start;
        thread.pending = Arc::default();
        self.threads = vec![thread];
        self.heap = Heap::new(self.program.table.line.gap.clone(), PATIENCE);
        self.outbox = Outbox::default();
        self.outbox.on_time(self.now);
        self.asked.clear();
        self.tried = 1;
        self.repeating = None;
        self.result.ending = None;
        self.turn = Turn::Own;
    }

    /// Forgets items that were asked for, so that a host that polls for ever stays small.
    pub fn forget_items(&mut self) {
        self.result.items.clear();
        self.shown = 0;
    }

    /// What was found; can be asked at any time, also of a run that was interrupted.
    pub fn result(&self) -> HostResult {
        let mut result = self.result.clone();
        let thread = self.threads.first().unwrap_or(&self.captured);
        let mut root = &thread.place.scope;
        while let Some(parent) = &root.parent {
            root = parent;
        }
        let names = &self.program.names;
        let own = root.values().map(|(key, value)| (key, value.clone()));
        let kept = thread.place.kept.iter().cloned();
        for (key, value) in kept.chain(own) {
            if names.is_plain(key) && !self.given.contains(&key) {
                result.captured.push((names.name(key).clone(), value));
            }
        }
        result
    }

    /// Items since the last call, for whoever shows them as they come. They stay in the result.
    pub fn new_items(&mut self) -> &[Item] {
        let from = std::mem::replace(&mut self.shown, self.result.items.len());
        &self.result.items[from..]
    }

    /// How far the run's loop over known data is: the data's name, bytes done, bytes in all.
    pub fn progress(&self) -> Option<(Name, u64, u64)> {
        let thread = self.threads.first()?;
        let mut scope = Some(&thread.place.scope);
        let mut found = None;
        while let Some(here) = scope {
            for state in &here.loops {
                let Instruction::Each(each) = &self.program.code[state.at] else { continue };
                if let Some(Known::Piece { data, .. }) = here.get(each.piece.name) {
                    let name = self.program.names.name(each.data).clone();
                    found = Some((name, state.offset, data.bytes.len() as u64));
                }
            }
            scope = here.parent.as_ref();
        }
        found
    }

    fn ground(&self) -> Ground<'_> {
        Ground { program: &self.program, facts: &self.facts, memory: None, role: Role::Host }
    }

    fn offer<'a>(&'a self, bytes: &'a [u8], closed: bool) -> Offer<'a> {
        Offer { ground: self.ground(), bytes, closed, from: Some(Direction::Rx) }
    }

    /// One step of its own: says a frame, or finds that it has to wait, or that it is done.
    fn go_on(&mut self) {
        let before = self.threads.first().cloned();
        let threads = std::mem::take(&mut self.threads);
        self.threads = Closure { ground: self.ground(), unheard: None }.of(threads);
        let Some(mut first) = self.threads.first().cloned() else {
            self.captured = before.unwrap_or_else(|| self.captured.clone());
            return self
                .end(Ending::Failed("the run finds no way on: a condition is not met or not known".into()));
        };
        let effects =
            Effects { program: &self.program, facts: &self.facts, role: Role::Host, line: self.line };
        let changes = effects.phases(&mut first, &self.memory);
        changes.iter().for_each(|change| self.change(change));
        self.threads[0] = first.clone();
        let program = Arc::clone(&self.program);
        match &program.code[first.pc] {
            Instruction::Message(step) if step.direction == Direction::Tx => self.say(first, step),
            Instruction::Message(step) => self.wait(step),
            _ => self.end(Ending::Done),
        }
    }

    fn change(&mut self, change: &PhaseChange) {
        let table = Arc::clone(&self.program.table);
        let phase = change.phase.map(|phase| &table.phases[phase]);
        let name = phase.map_or_else(|| "line".into(), |phase| phase.name.clone());
        self.keyed = phase.filter(|phase| phase.keyed).map(|_| change.settings);
        if let Some(phase) = phase {
            self.outbox.script(&phase.script);
        }
        if self.keyed.is_none() && change.settings != self.settings {
            self.settings = change.settings;
            self.outbox.push(Action::Set(change.settings));
        }
        if let Some(settle) = phase.and_then(|phase| phase.settle.as_ref()) {
            self.outbox.wait(settle.at(change.settings));
        }
        let kind = ItemKind::Settings { phase: name, settings: change.settings };
        self.tell(self.now, self.now, Direction::Tx, Vec::new().into(), kind);
    }

    fn say(&mut self, thread: Thread, step: &Step) {
        let speech = match speech(self.ground(), &thread, step) {
            Ok(speech) => speech,
            Err(error) => return self.end(Ending::Failed(error.to_string())),
        };
        // Two frames on end are two only with the gap between them.
        let gap = self.program.table.line.gap.as_ref().filter(|_| !self.asked.is_empty());
        let gap = gap.map_or(Span::ZERO, |gap| gap.at(self.settings) + self.settings.character_time());
        let after = step.after.as_ref().map_or(Span::ZERO, |after| after.at(self.settings));
        self.outbox.wait(after.max(gap));
        self.send(&speech.bytes);
        let name = self.program.frame(step.frame).name().clone();
        self.asked.push(Asked { frame: name.clone(), bytes: speech.bytes.clone() });
        self.repeating = step.every.as_ref().map(|every| {
            let every = every.at(self.settings);
            (speech.bytes.clone(), every, self.now + every)
        });
        let framed = Framed {
            frame: name,
            values: (*speech.values).clone(),
            exchange: self.exchange(thread.pc),
            part: Part::Expected,
            wrong: Vec::new(),
        };
        let takes = self.settings.character_time() * u32::try_from(speech.bytes.len()).unwrap_or(u32::MAX);
        let kind = ItemKind::Frame(framed);
        self.tell(self.now, self.now + takes, Direction::Tx, speech.bytes.clone().into(), kind);
        let bytes = speech.bytes;
        let own = Offer { from: Some(Direction::Tx), ..self.offer(&bytes, true) };
        // Every way on that these bytes fit is followed; the one that was meant comes first.
        let len = bytes.len();
        let mut ways = vec![thread.clone()];
        ways.extend(self.threads.iter().skip(1).cloned());
        let answers = own.to(&ways);
        let fits = answers.accepted_frame.is_some_and(|accepted| accepted.len == len);
        self.threads = if fits { answers.accepted } else { Vec::new() };
        if self.threads.first().is_none_or(|first| first.pc != thread.pc + 1) {
            let mut meant = thread;
            super::hear::go_past(self.ground(), &mut meant, step, &speech.values);
            self.threads.insert(0, meant);
        }
    }

    fn send(&mut self, bytes: &[u8]) {
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
    fn wait(&mut self, step: &Step) {
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
        self.listen(Closing::No);
    }

    fn exchange(&self, pc: usize) -> Option<Name> {
        self.program.exchange_at(pc).map(|id| self.program.exchange(id).name.clone())
    }

    fn waits_in(&self) -> Vec<ExchangeId> {
        self.threads.first().map_or_else(Vec::new, |first| self.program.exchanges_at(first.pc))
    }

    fn state(&self) -> Option<Name> {
        let state = self.threads.first()?.states.only()?;
        Some(self.program.table.states[state.0].name.clone())
    }

    fn tell(
        &mut self,
        from: Instant,
        at: Instant,
        direction: Direction,
        bytes: bytes::Bytes,
        kind: ItemKind,
    ) {
        let state = self.state();
        self.result.items.push(Item { from, at, direction, bytes, faults: Vec::new(), state, kind });
    }

    /// Looks at what was heard, as long as something of it is understood.
    fn listen(&mut self, closing: Closing) {
        while matches!(self.turn, Turn::Device { .. }) && !self.heap.is_empty() {
            let bytes = self.heap.bytes().to_vec();
            let answers = self.offer(&bytes, closing.closed()).to(&self.threads);
            if let Some(accepted) = answers.accepted_frame {
                self.heard(accepted, answers.accepted);
                continue;
            }
            if answers.more.is_none() && self.program.table.line.skip.contains(&bytes[0]) {
                self.heap.take(1);
                continue;
            }
            if answers.more.is_some() && closing != Closing::Yes {
                self.heap.wait_for(answers.more, closing);
                return;
            }
            let mut more = answers.more;
            match self.hear_aside(&bytes, closing) {
                Aid::Took => continue,
                Aid::More(n) => more = Some(more.map_or(n, |more| more.min(n))),
                Aid::Nothing => {}
            }
            if closing != Closing::Yes {
                self.heap.wait_for(more, closing);
                return;
            }
            return self.not_understood(&bytes, &answers.wrong);
        }
    }

    fn heard(&mut self, accepted: Accepted, threads: Vec<Thread>) {
        let (bytes, from, at, faults) = self.heap.take(accepted.len);
        let framed = Framed {
            frame: self.program.frame(accepted.frame).name().clone(),
            values: (*accepted.values).clone(),
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
        let mut more = None;
        match took {
            Took::Frame { accepted, exchange, .. } => {
                let exchange = exchange.map(|id| program.exchange(id).name.clone());
                self.tell_frame(accepted.len, accepted.frame, &accepted.values, exchange, Part::Unsolicited);
                self.follow(Direction::Rx, &accepted.values);
                self.answer_aside();
                return Aid::Took;
            }
            Took::More(n) => more = Some(n),
            Took::Nothing => {}
        }
        let first = self.threads.first().cloned();
        let repeated = first.as_ref().map(|first| Arc::clone(&first.repeated)).unwrap_or_default();
        let ignored = program.table.ignore.iter().chain(repeated.iter()).map(|frame| (*frame, false));
        let refusing = program.table.refusals.frames.iter().map(|frame| (*frame, true));
        for (frame, refuses) in ignored.chain(refusing) {
            use crate::frame::Outcome;
            match self.offer(bytes, closing.closed()).as_frame(frame, Direction::Rx, first.as_ref()) {
                Outcome::Complete(reading) if refuses => {
                    let within = self.waits_in();
                    let said = meanings::of_frame(&program.table, frame, &reading.values, &within);
                    let exchange = first.as_ref().and_then(|first| self.exchange(first.pc));
                    self.tell_frame(reading.len, frame, &reading.values, exchange, Part::Refusal(said));
                    self.end(Ending::Refused);
                    return Aid::Took;
                }
                Outcome::Complete(reading) => {
                    self.tell_frame(reading.len, frame, &reading.values, None, Part::Ignored);
                    self.restart_window();
                    return Aid::Took;
                }
                Outcome::More(n) => more = Some(more.map_or(n, |more: usize| more.min(n))),
                Outcome::Wrong(_) => {}
            }
        }
        if self.tried > 1 && !self.last_heard.is_empty() && bytes.starts_with(&self.last_heard) {
            self.heap.take(self.last_heard.len()); // the answer to an earlier try
            return Aid::Took;
        }
        more.map_or(Aid::Nothing, Aid::More)
    }

    /// What passes beside the run counts for `last` and `asked` as well.
    fn follow(&mut self, direction: Direction, values: &crate::frame::Values) {
        for thread in &mut self.threads {
            thread.place.follow(&self.program.names, direction, values);
        }
    }

    /// Says what an exchange that the device began wants to hear. The run itself waits on.
    fn answer_aside(&mut self) {
        let program = Arc::clone(&self.program);
        for _ in 0..MOST_WORDS_ASIDE {
            let Some(mut thread) = self.aside.asks(&program) else { return };
            let Some(step) = program.step(thread.pc) else { return };
            let Ok(speech) = speech(self.ground(), &thread, step) else { return };
            self.send(&speech.bytes);
            let framed = Framed {
                frame: program.frame(step.frame).name().clone(),
                values: (*speech.values).clone(),
                exchange: self.exchange(thread.pc),
                part: Part::Unsolicited,
                wrong: Vec::new(),
            };
            let kind = ItemKind::Frame(framed);
            self.tell(self.now, self.now, Direction::Tx, speech.bytes.into(), kind);
            super::hear::go_past(self.ground(), &mut thread, step, &speech.values);
            self.follow(Direction::Tx, &speech.values);
            let mut aside = std::mem::take(&mut self.aside);
            aside.go_on(self.ground(), thread);
            self.aside = aside;
            self.restart_window();
        }
    }

    fn tell_frame(
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

    fn restart_window(&mut self) {
        if let Turn::Device { since, .. } = &mut self.turn {
            *since = Some(self.now);
        }
    }

    /// The line is quiet and the bytes are no answer. An answer may stand behind stray bytes; else the question is asked again.
    fn not_understood(&mut self, bytes: &[u8], wrong: &[super::hear::Wrong]) {
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

    fn silence(&mut self, since: Instant, soft: bool) {
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
            after: self.asked.last().map(|asked| asked.frame.clone()),
            expected,
            exchange: self.threads.first().and_then(|first| self.exchange(first.pc)),
            said: meanings::of_silence(&self.program.table, &self.waits_in()),
        };
        if last || self.tried == 1 {
            self.tell(since, self.now, Direction::Rx, Vec::new().into(), ItemKind::Silence(silence));
        }
        self.try_again(Ending::NoAnswer);
    }

    fn try_again(&mut self, ending: Ending) {
        if self.tried >= self.tries || self.asked.is_empty() {
            return self.end(ending);
        }
        self.tried += 1;
        for asked in self.asked.clone() {
            self.send(&asked.bytes);
        }
        let program = Arc::clone(&self.program);
        let step = self.threads.first().and_then(|first| program.step(first.pc));
        match step {
            Some(step) => self.wait(step),
            None => self.end(ending),
        }
    }

    fn end(&mut self, ending: Ending) {
        if let Some(first) = self.threads.first() {
            self.captured = first.clone();
        }
        self.result.ending = Some(ending);
        self.repeating = None;
        self.turn = Turn::Over;
        self.outbox.push(Action::Done);
    }
}

/// The talk of a run.
fn talk<'a>(table: &'a Table, run: &'a Run) -> Result<&'a Talk, String> {
    let lacks = |what: &str| format!("table `{}` has no [{what}]", table.name);
    match run {
        Run::Handshake => table.handshake.as_ref().ok_or_else(|| lacks("handshake")),
        Run::Poll => table.poll.as_ref().map(|(talk, _)| talk).ok_or_else(|| lacks("poll")),
        Run::Probe => table.probe.as_ref().map(|probe| &probe.run).ok_or_else(|| lacks("probe")),
        Run::Flash => table.flash.as_ref().map(|flash| &flash.run).ok_or_else(|| lacks("flash")),
        Run::Talk(talk) => Ok(talk),
    }
}

/// What became of bytes that are no answer.
enum Aid {
    Took,
    More(usize),
    Nothing,
}

impl Task for Host {
    fn on_event(&mut self, event: &LineEvent) {
        self.on_time(event.at);
        if event.direction != Direction::Rx || self.turn == Turn::Over {
            return;
        }
        match event.seen {
            Seen::Byte(byte) => {
                if self.echo.as_mut().is_some_and(|echo| echo.takes(byte, event.at)) {
                    return;
                }
                self.result.heard += 1;
                self.heap.push(byte, event.at, event.fault);
                if self.heap.is_enough() {
                    self.listen(Closing::No);
                }
            }
            Seen::Break => self.tell(event.at, event.at, Direction::Rx, Vec::new().into(), ItemKind::Break),
            Seen::Marker => {}
        }
    }

    fn on_time(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.outbox.on_time(self.now);
        let Turn::Device { window, since, soft } = self.turn else { return };
        if !self.heap.is_empty() {
            let mut closing = self.heap.closing(self.now, self.settings);
            // A device that never pauses must still come to its answer.
            let overdue = |from: Option<Instant>| from.is_some_and(|from| self.now.since(from) > window);
            if overdue(since) && overdue(self.heap.since()) {
                closing = Closing::Yes;
            }
            if closing == Closing::Yes || closing == Closing::Gap && !self.heap.gap_is_known() {
                self.listen(closing);
            }
            return;
        }
        if let Some((bytes, every, due)) = self.repeating.clone()
            && due <= self.now
        {
            self.repeating = Some((bytes.clone(), every, self.now + every));
            self.send(&bytes);
        }
        if let Some(since) = since.filter(|since| self.now >= *since + window) {
            self.silence(since, soft);
        }
    }

    fn on_settings(&mut self, now: Instant, settings: Settings) {
        self.on_time(now);
        if self.keyed.is_none() {
            self.settings = Settings { baud: settings.baud, format: settings.format, ..self.settings };
        }
    }

    fn on_refused(&mut self, now: Instant, settings: Settings, reason: &str) {
        self.on_time(now);
        if self.turn != Turn::Over {
            self.end(Ending::Failed(format!("the port refuses {settings}: {reason}")));
        }
    }

    fn next_action(&mut self) -> Option<Action> {
        loop {
            if let Some(action) = self.outbox.next(self.settings) {
                return Some(action);
            }
            if !self.outbox.is_empty() {
                return None;
            }
            match &mut self.turn {
                Turn::Own => self.go_on(),
                Turn::Device { since, .. } => {
                    since.get_or_insert(self.outbox.free_at().max(self.now));
                    return None;
                }
                Turn::Over => return None,
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        if let Some(deadline) = self.outbox.deadline() {
            return Some(deadline);
        }
        let Turn::Device { window, since, .. } = self.turn else { return None };
        let until = since? + window;
        let quiet = self.heap.deadline(self.settings);
        let repeat = self.repeating.as_ref().map(|(_, _, due)| *due);
        match quiet {
            Some(quiet) => Some(quiet),
            None => Some(repeat.map_or(until, |due| due.min(until))),
        }
    }
}
