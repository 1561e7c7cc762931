//! The host: plays a run against a device, sends what the table lets it send, and says where and why it ended.

use std::borrow::Cow;
use std::sync::Arc;

use crate::frame::{Name, Value};
use crate::line::{Direction, Instant, Settings, Span};
use crate::protocol::{ExchangeId, Table, Talk};

use super::aside::Aside;
use super::echo::Echo;
use super::env::Env;
use super::facts::{Facts, Origin};
use super::foresight::Ahead;
use super::hear::Offer;
use super::item::{Framed, Item, ItemKind};
use super::memory::Memory;
use super::names::Key;
use super::outbox::Outbox;
use super::program::{Instruction, Pc, Program};
use super::scope::{Known, Scope};
use super::states::States;
use super::thread::Thread;
use super::view::{Ground, Role};
use super::waiting::Heap;

/// What a host is to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Run {
    /// The table's `[handshake]`.
    Handshake,
    /// The table's `[poll]`, once.
    Poll,
    /// The table's `[probe]`.
    Probe,
    /// The runs of the table's `[flash]` one after another; needs [`Env::with_image`].
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
    pub(super) program: Arc<Program>,
    pub(super) facts: Facts,
    /// A host has no device's memory; phases are computed without one.
    pub(super) memory: Memory,
    pub(super) line: Settings,
    pub(super) settings: Settings,
    /// Characters are keyed by breaks at these settings.
    pub(super) keyed: Option<Settings>,
    pub(super) threads: Vec<Thread>,
    pub(super) aside: Aside,
    pub(super) outbox: Outbox,
    pub(super) echo: Option<Echo>,
    pub(super) heap: Heap,
    pub(super) now: Instant,
    pub(super) turn: Turn,
    pub(super) ahead: Ahead,
    /// What was sent since something was heard: it is sent again when no answer comes.
    pub(super) asked: Vec<Asked>,
    pub(super) tries: u32,
    /// The last answer came after its question had been sent again: another one may be on its way.
    pub(super) doubled: bool,
    /// What comes before this is such an answer.
    pub(super) deaf_until: Instant,
    pub(super) tried: u32,
    /// Questions of this run that were sent again.
    pub(super) repeats: u32,
    pub(super) last_heard: Vec<u8>,
    pub(super) repeating: Option<(Vec<u8>, Span, Instant)>,
    pub(super) result: HostResult,
    pub(super) shown: usize,
    pub(super) captured: Thread,
    /// Names that the user gave the run.
    pub(super) given: Vec<Key>,
    /// Where the last run begins.
    pub(super) start: Pc,
}

/// A run that a host can play at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prepared(Pc);

/// A frame that was sent.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) framed: Framed,
    pub(super) bytes: Vec<u8>,
    /// The settings at which it was sent.
    pub(super) settings: Settings,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Turn {
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
pub(super) const PATIENCE: Span = Span::from_millis(50);

/// What the way between a program and its port may take beyond what the line takes.
pub(super) const LATENCY: Span = Span::from_millis(50);

impl Host {
    /// `settings` are those the line begins with; `Err` says what the table lacks for this run.
    pub fn new(table: &Arc<Table>, run: &Run, env: &Env, settings: Settings) -> Result<Host, String> {
        let program = Program::compile(Arc::clone(table));
        Host::of(&program, run, env, settings)
    }

    /// The same, from a program that is compiled already.
    pub fn of(program: &Program, run: &Run, env: &Env, settings: Settings) -> Result<Host, String> {
        let table = Arc::clone(program.table());
        let (program, start) = program.with_run(&*talk(&table, run)?)?;
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
            heap: Heap::new(table.line.gap.clone(), PATIENCE, settings),
            now: Instant::ZERO,
            turn: Turn::Own,
            ahead: Ahead::Nothing,
            asked: Vec::new(),
            tries: 3,
            doubled: false,
            deaf_until: Instant::ZERO,
            tried: 1,
            repeats: 0,
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
        let (program, start) = self.program.with_run(&*talk(&table, run)?)?;
        self.program = Arc::new(program);
        self.begin(start);
        Ok(())
    }

    /// Makes a run ready for [`Host::play`].
    pub fn prepare(&mut self, run: &Run) -> Result<Prepared, String> {
        let table = Arc::clone(self.program.table());
        let (program, start) = self.program.with_run(&*talk(&table, run)?)?;
        self.program = Arc::new(program);
        Ok(Prepared(start))
    }

    /// A host whose run is over, or has not begun, goes on with a prepared one. It knows what was kept, and what it is given;
    /// what an earlier run alone was about is forgotten.
    pub fn play(&mut self, run: Prepared, given: &Env) {
        self.begin(run.0);
        let thread = &mut self.threads[0];
        thread.place.scope = Scope::none();
        self.given.clear();
        for (name, value) in given.iter() {
            if let Some(key) = self.program.names.key_of(name) {
                thread.scope().set_value(key, value.clone());
                self.given.push(key);
            }
        }
    }

    /// Takes a value as the user's own, where the table has a parameter of this name.
    pub fn set(&mut self, name: &Name, value: Value) {
        if self.facts.has(&self.program.names, name) {
            self.facts.set(&self.program.names, name, value, Origin::Set);
        }
    }

    /// The value of a parameter, or of what the device told and is kept.
    pub fn known(&self, name: &str) -> Option<Value> {
        let key = self.program.names.key_of(&name.into())?;
        let thread = self.threads.first().unwrap_or(&self.captured);
        let kept = thread.place.kept.iter().find(|(known, _)| *known == key).map(|(_, value)| value);
        kept.or_else(|| self.facts.get(key).map(|fact| &fact.value)).cloned()
    }

    /// Forgets what the device told and where the conversation stood: the device begins anew.
    pub fn forget(&mut self) {
        let thread = Thread::at(self.start, States::all(self.program.table().states.len()));
        self.threads = vec![thread.clone()];
        self.captured = thread;
        self.aside = Aside::default();
        self.ahead = Ahead::Nothing;
        self.doubled = false;
    }

    /// A host whose run is over plays the last one once more.
    pub fn once_more(&mut self) {
        self.begin(self.start);
    }

    fn begin(&mut self, start: Pc) {
        self.start = start;
        let mut thread = self.threads.first().unwrap_or(&self.captured).clone();
        thread.place.scope = thread.place.root();
        thread.pc = start;
        thread.pending.clear();
        thread.agains = 0;
        self.repeats = 0;
        self.threads = vec![thread];
        self.forget_question();
        self.outbox = Outbox::default();
        self.outbox.on_time(self.now);
        self.result.ending = None;
        self.turn = Turn::Own;
    }

    /// What was asked and heard last is over.
    pub(super) fn forget_question(&mut self) {
        self.heap = Heap::new(self.program.table.line.gap.clone(), PATIENCE, self.settings);
        self.asked.clear();
        self.ahead = Ahead::Nothing;
        self.tried = 1;
        self.repeating = None;
    }

    /// Forgets items that were asked for, so that a host that polls for ever stays small.
    pub fn forget_items(&mut self) {
        self.result.items.clear();
        self.shown = 0;
    }

    /// How many questions of the run were sent again, as no answer came or none that was understood.
    pub fn repeats(&self) -> u32 {
        self.repeats
    }

    /// How many items there are, and takes them: for whoever keeps only the last ones.
    pub fn items(&self) -> usize {
        self.result.items.len()
    }

    pub fn take_items(&mut self) -> Vec<Item> {
        self.shown = 0;
        std::mem::take(&mut self.result.items)
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

    /// How far the run's outermost loop over data is: bytes done, and bytes in all where the data are known.
    pub fn progress(&self) -> Option<(u64, Option<u64>)> {
        let thread = self.threads.first().unwrap_or(&self.captured);
        let mut scope = Some(&thread.place.scope);
        let mut found = None;
        while let Some(here) = scope {
            for state in &here.loops {
                let Instruction::Each(each) = &self.program.code[state.at] else { continue };
                found = Some(match here.get(each.piece.name) {
                    Some(Known::Piece { data, .. }) => (state.offset, Some(data.bytes.len() as u64)),
                    _ => (state.gathered.len() as u64, None),
                });
            }
            scope = here.parent.as_ref();
        }
        found
    }

    pub(super) fn ground(&self) -> Ground<'_> {
        Ground { program: &self.program, facts: &self.facts, memory: None, role: Role::Host }
    }

    pub(super) fn offer<'a>(&'a self, bytes: &'a [u8], closed: bool) -> Offer<'a> {
        Offer::of(self.ground(), bytes, closed, Some(Direction::Rx))
    }

    pub(super) fn exchange(&self, pc: usize) -> Option<Name> {
        self.program.exchange_at(pc).map(|id| self.program.exchange(id).name.clone())
    }

    pub(super) fn waits_in(&self) -> Vec<ExchangeId> {
        self.threads.first().map_or_else(Vec::new, |first| self.program.exchanges_at(first.pc))
    }

    pub(super) fn state(&self) -> Option<Name> {
        let state = self.threads.first()?.states.only()?;
        Some(self.program.table.states[state.0].name.clone())
    }

    pub(super) fn tell(
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
}

/// The talk of a run.
fn talk<'a>(table: &'a Table, run: &'a Run) -> Result<Cow<'a, Talk>, String> {
    let lacks = |what: &str| format!("table `{}` has no [{what}]", table.name);
    let talk = match run {
        Run::Handshake => table.handshake.as_ref().ok_or_else(|| lacks("handshake"))?,
        Run::Poll => table.poll.as_ref().map(|(talk, _)| talk).ok_or_else(|| lacks("poll"))?,
        Run::Probe => table.probe.as_ref().map(|probe| &probe.run).ok_or_else(|| lacks("probe"))?,
        Run::Flash => {
            return Ok(Cow::Owned(table.flash.as_ref().ok_or_else(|| lacks("flash"))?.whole()));
        }
        Run::Talk(talk) => talk,
    };
    Ok(Cow::Borrowed(talk))
}
