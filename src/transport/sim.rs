//! A simulated device behind a simulated wire, in virtual time; and the port that a host sees of it.
//!
//! Both directions go through the bit-level UART of `wire`, so each end hears what its own settings make of the other's edges. The
//! same line, driven by the wall clock, stands behind `simulate`'s pseudo-terminal and sockets.

use crate::line::{
    Action, Baud, ControlLines, Direction, Instant, LineErrors, LineEvent, Settings, Span, Task,
};
use crate::wire::{Adapter, Channel, Disturbance, Drift, Noise, Reports};

use super::clock::Clock;
use super::port::{Abilities, Formats, OnOpen, Port, PortError};
use super::sim_options::SimOptions;

/// A device to put at the far end of a simulated line.
///
/// The task is the device: it is fed what the device hears (bytes of direction `Tx`, host to device), its `Send` and `Break` go out on
/// the wire at the device's settings, its `Set` changes those settings, and after `Done` it is silent for ever.
pub struct SimDevice {
    pub task: Box<dyn Task>,
    /// The device's own settings, before the options change them.
    pub settings: Settings,
}

/// Two simulated directions of a line, the device at one end and an adapter at the other.
pub struct SimLine {
    task: Box<dyn Task>,
    /// Device to host.
    up: Channel,
    /// Host to device.
    down: Channel,
    adapter: Adapter,
    reports: Reports,
    noisy: bool,
    then: Option<(Baud, Instant)>,
    native: bool,
    /// How the host has moved DTR and RTS.
    lines: ControlLines,
    now: Instant,
    done: bool,
    /// The clock on the wall, and what it showed at instant zero of the line; `None` in virtual time.
    wall: Option<(Clock, Instant)>,
}

/// More actions than this at one instant are a device that has gone mad; the rest waits for the next step.
const MOST_ACTIONS: usize = 10_000;

impl SimLine {
    /// The host starts at `host`; the device's settings are those of `options`, or else its own.
    pub fn new(device: SimDevice, options: &SimOptions, host: Settings) -> SimLine {
        let settings = options.settings(device.settings);
        let drift = Drift { skew: options.skew, jitter: options.jitter, late_mark: options.late };
        let disturbance = Disturbance {
            glitches: options.noise,
            glitch_length: options.glitch_length(),
            ..Disturbance::default()
        };
        let noise = Noise::new(disturbance, options.seed ^ 0x00C0_FFEE);
        let adapter = Adapter { snaps: options.snaps, ..Adapter::with(options.errors, options.fastest) };
        let mut line = SimLine {
            task: device.task,
            up: Channel::new(settings, drift, noise, host, options.seed),
            down: Channel::new(host, Drift::default(), Noise::none(), settings, options.seed ^ 0xD0),
            reports: Reports::through(adapter.clone()),
            adapter,
            noisy: options.noise > 0.0,
            then: options.then.map(|(baud, after)| (baud, Instant::ZERO + after)),
            native: options.has_no_rate(),
            lines: ControlLines::default(),
            now: Instant::ZERO,
            done: false,
            wall: None,
        };
        if line.native {
            line.set_device(host);
        }
        line.task.on_settings(Instant::ZERO, line.device());
        line.act();
        line
    }

    pub fn now(&self) -> Instant {
        self.now
    }

    pub fn host(&self) -> Settings {
        self.up.receiver()
    }

    pub fn device(&self) -> Settings {
        self.up.sender()
    }

    /// From now on the line goes with this clock: what the host sends is on the wire no earlier than it was handed over.
    pub fn pace(&mut self, clock: Clock) {
        self.wall = Some((clock, self.now));
    }

    /// The time on the wall, as the line counts it; the line itself may lag behind until it is moved on.
    pub fn wall(&self) -> Instant {
        let at = |(clock, began): &(Clock, Instant)| *began + clock.now().since(Instant::ZERO);
        self.wall.as_ref().map_or(self.now, at).max(self.now)
    }

    /// Puts the host's bytes on the wire, from now or from when the host has sent what it was given before.
    pub fn send(&mut self, bytes: &[u8]) {
        let now = self.wall();
        self.down.send(bytes, now);
    }

    pub fn send_break(&mut self, length: Span) {
        self.down.send_break(length, self.now);
    }

    /// When the host has sent everything.
    pub fn sent_at(&self) -> Instant {
        self.down.free_at()
    }

    /// Changes the host's end; what the adapter really sets, or `None` when it refuses.
    pub fn set_host(&mut self, wanted: Settings) -> Option<Settings> {
        let settings = self.adapter.settle(wanted)?;
        self.up.set_receiver(self.now, settings);
        self.down.set_sender(settings);
        self.reports.discard();
        if self.native {
            self.set_device(settings);
        }
        self.tell_far_end();
        Some(settings)
    }

    /// The host moves DTR and RTS: what a board makes of that, its device knows.
    pub fn set_lines(&mut self, lines: ControlLines) {
        self.lines = self.lines.moved(lines);
        self.tell_far_end();
    }

    fn tell_far_end(&mut self) {
        if !self.done {
            self.task.on_far_end(self.now, self.host(), self.lines);
            self.act();
        }
    }

    fn set_device(&mut self, settings: Settings) {
        self.up.set_sender(settings);
        self.down.set_receiver(self.now, settings);
    }

    /// Throws away what the adapter has not handed over.
    pub fn discard(&mut self) {
        self.reports.discard();
    }

    /// Moves time on to `until`, or to the first event that the host sees if `first` is asked for; appends what it saw.
    pub fn advance(&mut self, until: Instant, first: bool, seen: &mut Vec<LineEvent>) {
        let before = seen.len();
        while self.now < until && !(first && seen.len() > before) {
            self.now = self.next_step(until);
            for event in self.down.receive(self.now) {
                if !self.done {
                    self.task.on_event(&LineEvent { direction: Direction::Tx, ..event });
                }
            }
            self.act();
            let heard = self.up.receive(self.now);
            seen.extend(self.reports.deliver(heard, self.now));
        }
    }

    /// When time should be moved on at the latest, for whoever drives the line by the wall clock.
    pub fn wakes(&self) -> Instant {
        self.next_step(self.now + Span::from_millis(50))
    }

    /// When the host will have heard the last character of what the device is sending, or the device wants to speak: a step over either
    /// would be waiting that is not on the line.
    pub fn presses(&self) -> Option<Instant> {
        let wakes = if self.done { None } else { self.task.deadline() };
        let heard = Some(self.up.free_at());
        wakes.into_iter().chain(heard).filter(|at| *at > self.now).min()
    }

    /// Half a character on while anything is on the wire; else straight to where something can happen.
    fn next_step(&self, until: Instant) -> Instant {
        let wakes = if self.done { None } else { self.task.deadline() };
        let then = self.then.map(|(_, at)| at);
        let next = [wakes, self.reports.due(), then].into_iter().flatten().fold(until, Instant::min);
        // Behind the last edge a receiver that is slower than the sender is still in its character.
        let tail = |channel: &Channel| channel.free_at() + channel.receiver().character_time() * 2;
        let busy = self.noisy || self.now < tail(&self.up) || self.now < tail(&self.down);
        let step = self.device().character_time().min(self.host().character_time() * 8) / 2;
        let next = if busy { next.min(self.now + step) } else { next };
        next.clamp(self.now + Span::from_nanos(1), until)
    }

    fn act(&mut self) {
        if let Some((baud, _)) = self.then.take_if(|(_, at)| *at <= self.now) {
            let settings = Settings { baud, ..self.device() };
            self.set_device(settings);
            self.task.on_settings(self.now, settings);
        }
        if self.done {
            return;
        }
        self.task.on_time(self.now);
        for _ in 0..MOST_ACTIONS {
            match self.task.next_action() {
                None => return,
                Some(Action::Send(bytes)) => {
                    self.up.send(&bytes, self.now);
                }
                Some(Action::Break(length)) => {
                    self.up.send_break(length, self.now);
                }
                Some(Action::Set(settings)) => {
                    if !self.native {
                        self.set_device(settings);
                    }
                    self.task.on_settings(self.now, settings);
                }
                Some(Action::Lines(_) | Action::Discard | Action::Close | Action::Open(_)) => {} // a device has no such lines and no adapter
                Some(Action::Done) => {
                    self.done = true;
                    return;
                }
            }
        }
    }
}

/// The host's end of a simulated line, as a port in virtual time.
pub struct SimPort {
    name: String,
    line: SimLine,
    errors: LineErrors,
    fastest: Baud,
    /// Seen while something else was waited for.
    waiting: Vec<LineEvent>,
}

impl SimPort {
    /// `name` is how messages call the port.
    pub fn new(name: impl Into<String>, device: SimDevice, options: &SimOptions) -> SimPort {
        let host = Settings::new(Baud::nearest(9600.0).min(options.fastest), crate::line::Format::N8);
        let line = SimLine::new(device, options, host);
        SimPort {
            name: name.into(),
            line,
            errors: options.errors,
            fastest: options.fastest,
            waiting: Vec::new(),
        }
    }
}

impl Port for SimPort {
    fn now(&self) -> Instant {
        self.line.now()
    }

    fn read(&mut self, until: Instant, seen: &mut Vec<LineEvent>) -> Result<(), PortError> {
        if self.waiting.is_empty() {
            self.line.advance(until, true, seen);
        } else {
            seen.append(&mut self.waiting);
        }
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.line.send(bytes);
        Ok(())
    }

    fn set(&mut self, settings: Settings) -> Result<Settings, PortError> {
        if settings.inverted || settings.msb_first {
            return Err(refused_polarity(&self.name, settings));
        }
        self.drain()?;
        self.waiting.clear();
        self.line.set_host(settings).ok_or_else(|| PortError::BaudRefused {
            port: self.name.clone(),
            baud: settings.baud,
            reason: format!("its fastest rate is {}", self.fastest),
        })
    }

    fn settings(&self) -> Settings {
        self.line.host()
    }

    fn set_lines(&mut self, lines: ControlLines) -> Result<(), PortError> {
        self.drain()?;
        self.line.set_lines(lines);
        Ok(())
    }

    fn send_break(&mut self, length: Span) -> Result<(), PortError> {
        self.line.send_break(length);
        self.drain()
    }

    fn discard(&mut self) -> Result<(), PortError> {
        self.waiting.clear();
        self.line.discard();
        Ok(())
    }

    fn drain(&mut self) -> Result<(), PortError> {
        let sent = self.line.sent_at();
        self.line.advance(sent, false, &mut self.waiting);
        Ok(())
    }

    fn abilities(&self) -> Abilities {
        let packets = self.errors == LineErrors::Packet;
        Abilities {
            line_errors: self.errors,
            means: "a simulated adapter",
            uncertainty: if packets { Span::from_millis(16) } else { Span::ZERO },
            max_baud: Some(self.fastest),
            formats: Formats::All,
            control_lines: true,
            on_open: OnOpen::Untouched,
            driver: None,
            virtual_time: true,
        }
    }
}

/// No UART of a computer inverts its line or turns its bits round.
pub(super) fn refused_polarity(port: &str, settings: Settings) -> PortError {
    let what = if settings.inverted { "invert the line" } else { "send the highest bit first" };
    PortError::Unsupported { port: port.into(), what, reason: "its UART has no such setting".into() }
}

#[cfg(test)]
mod tests;
