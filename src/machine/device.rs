//! The device: answers as the table lets a healthy device answer.
//!
//! It has no line and no clock: bytes and instants come in, what it says comes out. `simulate` makes a task of it.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::frame::{Name, Value};
use crate::line::{Direction, Instant, LineEvent, Seen, Settings, Span};
use crate::protocol::{Chip, ExchangeId, Quiet, Region, StateId, Table};

use super::closure::Closure;
use super::env::Env;
use super::facts::{Facts, Origin};
use super::hear::Offer;
use super::memory::Memory;
use super::program::Program;
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
    pub(super) program: Arc<Program>,
    pub(super) facts: Facts,
    pub(super) memory: Memory,
    /// The settings at the beginning.
    pub(super) line: Settings,
    pub(super) settings: Settings,
    pub(super) threads: Vec<Thread>,
    pub(super) now: Instant,
    pub(super) buffer: Vec<u8>,
    /// The receiver flagged one of the buffered characters.
    pub(super) damaged: bool,
    /// So many bytes must be there before it is worth looking again.
    pub(super) enough: usize,
    pub(super) heard_at: Option<Instant>,
    pub(super) last_heard: Vec<u8>,
    pub(super) said: Vec<u8>,
    pub(super) repeating: Option<Repeating>,
    pub(super) unsolicited: Vec<Unsolicited>,
    /// An exchange of its own that waits for the host's word.
    pub(super) aside: Vec<Thread>,
    pub(super) outputs: VecDeque<Output>,
    /// A character is being keyed by breaks; the last of them.
    pub(super) keyed: Option<Instant>,
    pub(super) refuses: bool,
    pub(super) refuses_erasing: bool,
    pub(super) left: bool,
}

/// A frame that is sent again and again until it is answered.
pub(super) struct Repeating {
    pub(super) bytes: Vec<u8>,
    pub(super) every: Span,
    pub(super) due: Instant,
}

/// An exchange that the device starts by itself.
pub(super) struct Unsolicited {
    pub(super) exchange: ExchangeId,
    pub(super) every: Span,
    pub(super) due: Instant,
}

/// Silence that ends what nobody understood, where the table has no gap.
const QUIET: Span = Span::from_millis(20);

/// The same where a frame has begun and is not whole: a host that is busy may pause within one.
const UNFINISHED: Span = Span::from_millis(200);

/// A keyed character is over when no break has come for so long: eight ones and a stop bit of 5 baud.
const KEYED: Span = Span::from_millis(1_900);

impl Device {
    /// A device in its first state. `env` lies over the table's parameters and over what the device knows.
    pub fn new(program: Arc<Program>, env: &Env, settings: Settings) -> Device {
        let table = Arc::clone(&program.table);
        let mut facts = Facts::of_device(&table, &program.names, env);
        let chip = chip(&table, &program, &facts);
        for (name, value) in chip.iter().flat_map(|chip| &chip.parameters) {
            if env.get(name).is_none() {
                facts.set(&program.names, name, value.clone(), Origin::Set);
            }
        }
        let memory = Memory::of(&regions(&table, chip));
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
            refuses_erasing: false,
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

    /// The same device with what another one has in its memory.
    pub fn with_memory(self, memory: Memory) -> Device {
        Device { memory, ..self }
    }

    /// Says no, once, where it should erase next; where the table knows no refusal, it erases.
    pub fn refuse_erasing(&mut self) {
        self.refuses_erasing = true;
    }

    /// What it was writing when power failed is written in part: so many bytes of it.
    pub fn tear(&mut self, of: usize) {
        self.memory.tear(of);
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

    pub(super) fn state_id(&self) -> Option<StateId> {
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

    pub(super) fn silence(&self) -> Option<(Span, Quiet)> {
        let (after, what) = self.program.table.device.silence.as_ref()?;
        Some((after.at(self.settings), *what)).filter(|_| !self.runs_application())
    }

    pub(super) fn quiet(&self) -> Span {
        let unfinished = !self.damaged && self.enough > self.buffer.len() && self.enough != usize::MAX;
        let quiet = if unfinished { UNFINISHED } else { QUIET };
        let gap = self.program.table.line.gap.as_ref();
        gap.map_or(quiet.max(self.settings.character_time() * 4), |gap| gap.at(self.settings))
    }

    pub(super) fn ground(&self) -> Ground<'_> {
        Ground { program: &self.program, facts: &self.facts, memory: Some(&self.memory), role: Role::Device }
    }

    pub(super) fn closure(&self) -> Closure<'_> {
        Closure { ground: self.ground(), unheard: None, eager: true }
    }

    pub(super) fn offer<'a>(&'a self, closed: bool) -> Offer<'a> {
        Offer::of(self.ground(), &self.buffer, closed, Some(Direction::Tx))
    }

    pub(super) fn resting(&self, thread: &Thread) -> Thread {
        Thread::resting(&self.program, thread.states, &thread.place)
    }
}

/// The chip that the device says it is, where the table knows it.
fn chip<'a>(table: &'a Table, program: &Program, facts: &Facts) -> Option<&'a Chip> {
    let place = Default::default();
    let ground = Ground { program, facts, memory: None, role: Role::Device };
    let view = View::new(ground, &place);
    let is = |chip: &&Chip| {
        let known = program.names.key_of(&chip.by).and_then(|key| view.find(key).ok().flatten());
        known.is_some_and(|(value, _): (Value, _)| value == chip.value)
    };
    table.chips.iter().find(is)
}

/// The memory of this chip, or that of the table.
fn regions(table: &Table, chip: Option<&Chip>) -> Vec<Region> {
    let mut regions = table.device.memory.clone();
    let Some(chip) = chip else { return regions };
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
