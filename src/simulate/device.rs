//! A table's device as a task for a simulated line.

use std::sync::Arc;

use crate::line::{
    Action, Baud, ControlLines, Direction, Format, Instant, LineEvent, Seen, Settings, Span, Task,
};
use crate::machine::{Device, Env, Outbox, Output, Program};
use crate::protocol::{ScriptStep, Table};

use super::application::Application;
use super::board::Board;
use super::fault::{Fault, Spoilt};

/// A device on its line: answers after a moment, has its fault, and becomes its application when it leaves.
pub struct DeviceTask {
    program: Arc<Program>,
    env: Env,
    fault: Option<Fault>,
    chance: fastrand::Rng,
    line: Settings,
    settings: Settings,
    device: Device,
    outbox: Outbox,
    application: Option<Application>,
    now: Instant,
    /// What was heard since it last spoke, for a line shorted to itself.
    heard: Vec<u8>,
    board: Board,
    /// It has no power until then.
    off_until: Option<Instant>,
}

/// How long a device thinks, where its table does not say.
const THINKS: Span = Span::from_millis(1);

/// The settings a table's line begins with.
pub fn settings(table: &Table) -> Settings {
    let baud = table.line.bauds.first().copied().unwrap_or(Baud::nearest(9600.0));
    let format = table.line.formats.first().copied().unwrap_or(Format::N8);
    Settings { baud, format, inverted: table.line.inverted, msb_first: table.line.msb_first }
}

impl DeviceTask {
    /// `app`: its application runs already.
    pub fn new(program: &Arc<Program>, env: &Env, fault: Option<Fault>, seed: u64, app: bool) -> DeviceTask {
        let line = settings(program.table());
        let mut task = DeviceTask {
            device: boot(program, env, fault, line),
            program: Arc::clone(program),
            env: env.clone(),
            fault,
            chance: fastrand::Rng::with_seed(seed),
            line,
            settings: line,
            outbox: Outbox::default(),
            application: None,
            now: Instant::ZERO,
            heard: Vec::new(),
            board: Board::wired(&program.table().reset.enter),
            off_until: None,
        };
        if app || task.device.runs_application() {
            task.leave();
        }
        task
    }

    /// The same device on a board that is wired otherwise than its table has it.
    pub fn wired(self, script: &[ScriptStep]) -> DeviceTask {
        DeviceTask { board: Board::wired(&[script.to_vec()]), ..self }
    }

    /// The device itself, with its memory.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Starts anew in its loader, as after a pulse on its reset line; what it holds for good stays.
    pub fn reset(&mut self, now: Instant) {
        self.now = self.now.max(now);
        let memory = self.device.memory().clone().without_power();
        self.device = boot(&self.program, &self.env, self.fault, self.line).with_memory(memory);
        self.application = None;
        self.off_until = None;
        self.outbox = Outbox::default();
        self.outbox.on_time(self.now);
        self.outbox.push(Action::Set(self.line));
    }

    /// Leaves its loader, as a board does whose watchdog or supply has reset it.
    pub fn start_application(&mut self, now: Instant) {
        self.reset(now);
        self.leave();
    }

    /// Loses power until then; of a write that it has not answered yet, only so many bytes got in.
    pub fn lose_power(&mut self, now: Instant, until: Instant, written: usize) {
        if !self.outbox.is_empty() {
            self.device.tear(written);
        }
        self.reset(now);
        self.off_until = Some(until);
    }

    /// Refuses, once, to erase.
    pub fn refuse_erasing(&mut self) {
        self.device.refuse_erasing();
    }

    fn is_off(&mut self) -> bool {
        if self.off_until.is_some_and(|until| until <= self.now) {
            self.off_until = None;
        }
        self.off_until.is_some()
    }

    fn leave(&mut self) {
        let device = &self.program.table().device;
        self.application = Some(Application::new(device.application.clone(), self.now));
        let baud = device.application_baud.unwrap_or(self.line.baud);
        if baud != self.settings.baud {
            self.outbox.push(Action::Set(self.line.with_baud(baud)));
        }
    }

    /// Carries out what the device decided.
    fn follow(&mut self) {
        while let Some(output) = self.device.next_output() {
            match output {
                Output::Send { bytes, after } => self.say(bytes, after),
                Output::Set(settings) => {
                    self.outbox.push(Action::Set(settings));
                }
                Output::Leave => self.leave(),
            }
        }
        if self.application.is_none() && self.device.runs_application() {
            self.leave();
        }
    }

    fn say(&mut self, bytes: Vec<u8>, after: Span) {
        let reply = &self.program.table().line.reply;
        let thinks = reply.from.at(self.settings).max(THINKS);
        let window = reply.to.at(self.settings);
        let spoilt = match self.fault {
            Some(fault) => fault.spoil(bytes, window, &mut self.chance),
            None => Spoilt::Say { bytes, later: Span::ZERO },
        };
        match spoilt {
            Spoilt::Say { bytes, later } => {
                let gap = self.program.table().line.gap.as_ref();
                let gap = gap.map_or(Span::ZERO, |gap| gap.at(self.settings));
                let waits = if self.outbox.is_empty() { thinks + after + later } else { after.max(gap) };
                self.outbox.wait(waits);
                self.outbox.push(Action::Send(bytes));
            }
            Spoilt::Nothing => {}
            Spoilt::Reset => self.reset(self.now),
        }
    }
}

fn boot(program: &Arc<Program>, env: &Env, fault: Option<Fault>, line: Settings) -> Device {
    let device = Device::new(Arc::clone(program), env, line);
    if fault == Some(Fault::Refuse) { device.refusing() } else { device }
}

impl Task for DeviceTask {
    fn on_event(&mut self, event: &LineEvent) {
        self.now = self.now.max(event.at);
        self.outbox.on_time(self.now);
        if self.is_off() || event.direction != Direction::Tx || self.application.is_some() {
            return;
        }
        if matches!(self.fault, Some(Fault::Loopback | Fault::Echo))
            && let Seen::Byte(byte) = event.seen
        {
            self.heard.push(byte);
        }
        self.device.on_event(event);
        self.follow();
    }

    fn on_time(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.outbox.on_time(self.now);
        if self.is_off() {
            return;
        }
        match &mut self.application {
            Some(application) => {
                if let Some(bytes) = application.due(self.now) {
                    self.outbox.push(Action::Send(bytes));
                }
            }
            None => {
                self.device.on_time(self.now);
                self.follow();
            }
        }
    }

    fn on_settings(&mut self, now: Instant, settings: Settings) {
        self.now = self.now.max(now);
        self.settings = settings;
        self.device.on_settings(settings);
        self.follow(); // a device that speaks first has something to say from the beginning
    }

    fn on_refused(&mut self, _: Instant, _: Settings, _: &str) {}

    fn on_far_end(&mut self, now: Instant, settings: Settings, lines: ControlLines) {
        if self.board.stands(now, settings, lines) {
            self.reset(now);
        }
    }

    fn next_action(&mut self) -> Option<Action> {
        if !self.heard.is_empty() {
            return Some(Action::Send(std::mem::take(&mut self.heard)));
        }
        self.outbox.next(self.settings)
    }

    fn deadline(&self) -> Option<Instant> {
        if let Some(until) = self.off_until {
            return Some(until);
        }
        let own = match &self.application {
            Some(application) => application.deadline(),
            None => self.device.deadline(),
        };
        own.into_iter().chain(self.outbox.deadline()).min()
    }
}
