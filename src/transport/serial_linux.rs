//! A serial port of a Linux machine, with every line error read in place.
//!
//! serialport opens and locks the port; its own input flags would hide or falsify bad bytes (`IGNPAR` drops them, `INPCK` alone turns
//! them into 00), so the flags are taken over on a descriptor of our own, which also never blocks in a write.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{
    ControlModes, InputModes, LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr,
    tcsetattr,
};
use serialport::{SerialPort as _, TTYPort};

use crate::line::{
    Baud, ControlLines, DataBits, Direction, Fault, Format, Instant, LineErrors, LineEvent, Parity, Seen,
    Settings, Span, StopBits,
};

use super::clock::{Clock, times_in};
use super::driver_calls::{Counters, counters, set_low_latency};
use super::drivers::{self, Facts};
use super::parmrk::{Marked, Parmrk};
use super::port::{Abilities, Formats, OnOpen, Port, PortError};
use super::sim::refused_polarity;
use super::sysfs;

/// An open port. Dropping it puts the settings back as they were found.
pub struct SerialPort {
    name: String,
    fd: OwnedFd,
    /// Holds the lock, and moves the control lines.
    tty: TTYPort,
    found: Termios,
    /// The low-latency flag as it was found, where there is one.
    found_low_latency: Option<bool>,
    clock: Clock,
    settings: Settings,
    marks: Parmrk,
    /// When the last character that was read was in.
    heard: Instant,
    counted: Option<Counters>,
    driver: Option<String>,
    facts: Facts,
    /// A pseudo-terminal: no line, no control lines, no character format.
    pty: bool,
    /// A simulated driver at the other end writes marks of its own.
    external: bool,
    marks_seen: bool,
    buffer: Vec<u8>,
}

/// So many bytes are read at once at the most: what the line discipline holds.
const MOST: usize = 4096;

/// How long a write may wait beyond the time that its bytes take on the line.
const WRITE_PATIENCE: Span = Span::from_secs(1);

impl SerialPort {
    /// Opens a port for nobody else to open, at 9600 8N1. DTR and RTS are not touched, but Linux raises both by itself.
    pub fn open(name: &str) -> Result<SerialPort, PortError> {
        let path = Path::new(name);
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| not_opened(name, errno))?;
        let found = tcgetattr(&fd).map_err(|_| PortError::NotATty { port: name.into() })?;
        let tty = serialport::new(name, 9600).open_native().map_err(|error| not_locked(name, &error))?;
        let driver = sysfs::driver(path);
        let pty = driver.is_none() && counters(&fd).is_err() && is_pty(path);
        let external = found.local_modes.contains(LocalModes::EXTPROC);
        let found_low_latency = if pty { None } else { set_low_latency(&fd, true).ok() };
        let known = driver.as_deref().and_then(drivers::facts);
        let mut facts = known.unwrap_or(if pty { drivers::PTY } else { drivers::UNKNOWN });
        if let Some(timer) = sysfs::latency_timer(path) {
            facts.latency = Span::from_millis(timer);
        }
        if pty && external {
            facts.line_errors = LineErrors::PerByte;
        }
        let settings = Settings::new(Baud::nearest(9600.0), Format::N8);
        let mut port = SerialPort {
            name: name.into(),
            counted: counters(&fd).ok(),
            fd,
            tty,
            found,
            found_low_latency,
            clock: Clock::start(),
            settings,
            marks: Parmrk::default(),
            heard: Instant::ZERO,
            driver,
            facts,
            pty,
            external,
            marks_seen: false,
            buffer: vec![0; MOST],
        };
        if known.is_none() && !pty && port.counted.is_some() {
            port.facts.line_errors = LineErrors::Counter;
        }
        port.settings = port.apply(settings)?;
        port.discard()?;
        Ok(port)
    }

    /// The device that was opened, as it was named.
    pub fn path(&self) -> &str {
        &self.name
    }

    /// Sets baud and format, and reads back what came of it.
    fn apply(&mut self, wanted: Settings) -> Result<Settings, PortError> {
        let refused =
            |reason: String| PortError::BaudRefused { port: self.name.clone(), baud: wanted.baud, reason };
        let before = tcgetattr(&self.fd).map_err(|errno| self.lost("read its settings", errno))?;
        let mut modes = before.clone();
        modes.input_modes.remove(
            InputModes::IGNPAR
                | InputModes::IGNBRK
                | InputModes::BRKINT
                | InputModes::ISTRIP
                | InputModes::IXON
                | InputModes::IXOFF,
        );
        modes.input_modes.insert(InputModes::PARMRK | InputModes::INPCK);
        let format_bits = ControlModes::CSIZE
            | ControlModes::PARENB
            | ControlModes::PARODD
            | ControlModes::CMSPAR
            | ControlModes::CSTOPB;
        // Without HUPCL closing the port does not drop DTR, and the next opening does not reset the board again.
        modes.control_modes.remove(format_bits | ControlModes::HUPCL | ControlModes::CRTSCTS);
        modes.control_modes.insert(control_modes(wanted.format) | ControlModes::CREAD | ControlModes::CLOCAL);
        modes.set_speed(wanted.baud.get()).map_err(|errno| refused(io::Error::from(errno).to_string()))?;
        if let Err(errno) = tcsetattr(&self.fd, OptionalActions::Now, &modes) {
            return Err(if errno == Errno::INVAL {
                refused("the driver says: invalid argument".into())
            } else {
                self.lost("change its settings", errno)
            });
        }
        let set = tcgetattr(&self.fd).map_err(|errno| self.lost("read its settings back", errno))?;
        if !self.pty && set.control_modes & format_bits != control_modes(wanted.format) {
            tcsetattr(&self.fd, OptionalActions::Now, &before)
                .map_err(|e| self.lost("restore its settings", e))?;
            return Err(PortError::FormatRefused {
                port: self.name.clone(),
                format: wanted.format,
                reason: "the driver keeps another format".into(),
            });
        }
        let baud =
            Baud::new(set.output_speed()).map_err(|_| refused("the driver reads back no rate".into()))?;
        Ok(wanted.with_baud(baud))
    }

    /// Waits until the port can be read or written, or until `until`.
    fn wait(&self, what: PollFlags, until: Instant) -> Result<PollFlags, PortError> {
        let span = self.clock.until(until);
        let seconds = i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        let timeout = Timespec { tv_sec: seconds, tv_nsec: span.subsec_nanos().into() };
        let mut fds = [PollFd::new(&self.fd, what)];
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) => Ok(fds[0].revents()),
            Err(Errno::INTR) => Ok(PollFlags::empty()),
            Err(errno) => Err(self.lost("wait", errno)),
        }
    }

    /// Line events out of one read: marks taken out, faults named as far as they can be, times filled in backwards.
    fn events(&mut self, bytes: &[u8], now: Instant, seen: &mut Vec<LineEvent>) {
        let mut marked = Vec::with_capacity(bytes.len());
        self.marks.take(bytes, &mut marked);
        let delta = self.count();
        let character = self.settings.character_time();
        let kind = fault_kind(self.settings.format.parity, delta);
        let lost = delta.is_some_and(|delta| delta.overrun > 0 || delta.buf_overrun > 0);
        let times = times_in(marked.len(), now, character, self.heard);
        for (place, (what, at)) in marked.into_iter().zip(times).enumerate() {
            let (what, fault) = match what {
                Marked::Good(byte) => (Seen::Byte(byte), None),
                Marked::Bad(byte) => (Seen::Byte(byte), Some(kind)),
                Marked::BreakOrBadNul if is_break(self.settings.format.parity, delta) => {
                    (Seen::Break, Some(Fault::Break))
                }
                Marked::BreakOrBadNul => (Seen::Byte(0), Some(kind)),
            };
            self.marks_seen |= fault.is_some();
            let fault = fault.or((place == 0 && lost).then_some(Fault::Overrun));
            self.heard = at;
            seen.push(LineEvent { at, direction: Direction::Rx, seen: what, fault });
        }
    }

    /// What the driver counted since the last look; `None` where it does not count.
    fn count(&mut self) -> Option<Counters> {
        let before = self.counted?;
        let now = counters(&self.fd).ok()?;
        self.counted = Some(now);
        Some(now.since(before))
    }

    fn lost(&self, what: &'static str, errno: Errno) -> PortError {
        match errno {
            Errno::IO | Errno::NXIO | Errno::NODEV | Errno::PIPE | Errno::NOENT => {
                self.vanished(io::Error::from(errno).to_string())
            }
            _ => PortError::io(&self.name, what, errno),
        }
    }

    fn vanished(&self, reason: String) -> PortError {
        PortError::Vanished { port: self.name.clone(), reason }
    }

    fn unsupported(&self, what: &'static str, reason: &serialport::Error) -> PortError {
        PortError::Unsupported { port: self.name.clone(), what, reason: reason.to_string() }
    }
}

impl Port for SerialPort {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn read(&mut self, until: Instant, seen: &mut Vec<LineEvent>) -> Result<(), PortError> {
        let ready = self.wait(PollFlags::IN, until)?;
        if ready.is_empty() {
            return Ok(());
        }
        match rustix::io::read(&self.fd, &mut self.buffer[..]) {
            Ok(0) => Err(self.vanished("it was hung up".into())),
            Ok(count) => {
                let now = self.clock.now();
                let buffer = std::mem::take(&mut self.buffer);
                self.events(buffer.get(..count).unwrap_or_default(), now, seen);
                self.buffer = buffer;
                Ok(())
            }
            Err(Errno::AGAIN) if ready.intersects(PollFlags::HUP | PollFlags::ERR) => {
                Err(self.vanished("it was hung up".into()))
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(()),
            Err(errno) => Err(self.lost("read", errno)),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        let on_line =
            self.settings.character_time().saturating_mul(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        let until = self.clock.now() + on_line + WRITE_PATIENCE;
        let mut rest = bytes;
        while !rest.is_empty() {
            match rustix::io::write(&self.fd, rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if self.clock.now() < until => {
                    self.wait(PollFlags::OUT, until)?;
                }
                Err(Errno::AGAIN) => {
                    return Err(PortError::Timeout {
                        port: self.name.clone(),
                        done: bytes.len() - rest.len(),
                        asked: bytes.len(),
                        reason: "nothing takes them at the other end".into(),
                    });
                }
                Err(errno) => return Err(self.lost("write", errno)),
            }
        }
        Ok(())
    }

    fn set(&mut self, settings: Settings) -> Result<Settings, PortError> {
        if settings.inverted || settings.msb_first {
            return Err(refused_polarity(&self.name, settings));
        }
        if !Formats::Uart.allow(settings.format) {
            return Err(PortError::FormatRefused {
                port: self.name.clone(),
                format: settings.format,
                reason: "Linux has five to eight data bits, and one or two stop bits".into(),
            });
        }
        self.drain()?;
        self.settings = self.apply(settings)?;
        // What the adapter still holds was received at the old rate.
        let settle = if self.pty { Span::ZERO } else { self.facts.latency + Span::from_millis(2) };
        self.clock.sleep_until(self.clock.now() + settle);
        self.discard()?;
        Ok(self.settings)
    }

    fn settings(&self) -> Settings {
        self.settings
    }

    fn set_lines(&mut self, lines: ControlLines) -> Result<(), PortError> {
        if let Some(on) = lines.dtr {
            self.tty.write_data_terminal_ready(on).map_err(|error| self.unsupported("move DTR", &error))?;
        }
        if let Some(on) = lines.rts {
            self.tty.write_request_to_send(on).map_err(|error| self.unsupported("move RTS", &error))?;
        }
        Ok(())
    }

    fn send_break(&mut self, length: Span) -> Result<(), PortError> {
        let begin = self.clock.now();
        self.tty.set_break().map_err(|error| self.unsupported("send a break", &error))?;
        self.clock.sleep_until(begin + length);
        self.tty.clear_break().map_err(|error| self.unsupported("end a break", &error))
    }

    fn discard(&mut self) -> Result<(), PortError> {
        tcflush(&self.fd, QueueSelector::IFlush).map_err(|errno| self.lost("discard", errno))?;
        self.marks.reset();
        self.count();
        Ok(())
    }

    fn drain(&mut self) -> Result<(), PortError> {
        // Not tcdrain: it waits for ever when nothing takes the bytes.
        let character = self.settings.character_time().max(Span::from_micros(50));
        let patience = self.clock.now() + WRITE_PATIENCE;
        let mut fewest = u32::MAX;
        let mut until = patience;
        loop {
            match self.tty.bytes_to_write() {
                Ok(0) => return Ok(()),
                Ok(left) => {
                    if left < fewest {
                        until = self.clock.now() + WRITE_PATIENCE; // it moves
                        fewest = left;
                    }
                    if self.clock.now() >= until {
                        return Err(PortError::Timeout {
                            port: self.name.clone(),
                            done: 0,
                            asked: left as usize,
                            reason: "they wait in the driver".into(),
                        });
                    }
                    let nap = character.saturating_mul(left).min(Span::from_millis(20));
                    self.clock.sleep_until(self.clock.now() + nap);
                }
                Err(error) => return Err(self.vanished(error.to_string())),
            }
        }
    }

    fn abilities(&self) -> Abilities {
        let (line_errors, means) = match (self.facts.line_errors, self.pty, self.counted) {
            // Marks from a driver that nobody has looked at: they may stand for a whole packet.
            (LineErrors::Never | LineErrors::Counter, false, _) if self.marks_seen => {
                (LineErrors::Packet, "marks in the data (PARMRK)")
            }
            (LineErrors::Never, true, _) if self.marks_seen => {
                (LineErrors::PerByte, "marks in the data (PARMRK)")
            }
            (LineErrors::Never, ..) => (LineErrors::Never, "nothing: the driver does not tell"),
            (LineErrors::Counter, ..) => (LineErrors::Counter, "the driver's counters (TIOCGICOUNT)"),
            (errors, _, Some(_)) => {
                (errors, "marks in the data (PARMRK) and the driver's counters (TIOCGICOUNT)")
            }
            (errors, _, None) => (errors, "marks in the data (PARMRK)"),
        };
        Abilities {
            line_errors,
            means,
            uncertainty: self.facts.latency.max(Span::from_millis(1)),
            max_baud: self.facts.fastest(),
            formats: if self.pty { Formats::NoEffect } else { Formats::Uart },
            control_lines: !self.pty,
            on_open: if self.pty { OnOpen::Untouched } else { OnOpen::Raised },
            driver: self.driver.clone().or_else(|| {
                self.pty.then(|| if self.external { "pty (simulated device)" } else { "pty" }.into())
            }),
            virtual_time: false,
        }
    }
}

impl Drop for SerialPort {
    fn drop(&mut self) {
        let mut found = self.found.clone();
        found.control_modes.remove(ControlModes::HUPCL); // or closing would drop DTR
        // A port that has vanished has no settings to put back.
        let _ = tcsetattr(&self.fd, OptionalActions::Now, &found);
        if self.found_low_latency == Some(false) {
            let _ = set_low_latency(&self.fd, false);
        }
    }
}

/// Which fault a mark stands for, by parity and by what the driver counted meanwhile.
fn fault_kind(parity: Parity, delta: Option<Counters>) -> Fault {
    match delta.map(|delta| (delta.frame > 0, delta.parity > 0)) {
        _ if parity == Parity::None => Fault::Framing,
        Some((true, false)) => Fault::Framing,
        Some((false, true)) => Fault::Parity,
        _ => Fault::FramingOrParity,
    }
}

/// Whether `FF 00 00` was a break. Without parity no other fault can make a 00 bad: its stop bit was low too, and that is a break.
fn is_break(parity: Parity, delta: Option<Counters>) -> bool {
    match delta {
        Some(delta) => delta.brk > 0 || parity == Parity::None,
        None => parity == Parity::None,
    }
}

fn control_modes(format: Format) -> ControlModes {
    let data = match format.data {
        DataBits::Five => ControlModes::CS5,
        DataBits::Six => ControlModes::CS6,
        DataBits::Seven => ControlModes::CS7,
        DataBits::Eight | DataBits::Nine => ControlModes::CS8,
    };
    let parity = match format.parity {
        Parity::None => ControlModes::empty(),
        Parity::Even => ControlModes::PARENB,
        Parity::Odd => ControlModes::PARENB | ControlModes::PARODD,
        Parity::Mark => ControlModes::PARENB | ControlModes::PARODD | ControlModes::CMSPAR,
        Parity::Space => ControlModes::PARENB | ControlModes::CMSPAR,
    };
    // With five data bits a 16550 sends one and a half stop bits when asked for two.
    let stop = if format.stop == StopBits::One { ControlModes::empty() } else { ControlModes::CSTOPB };
    data | parity | stop
}

fn is_pty(path: &Path) -> bool {
    std::fs::canonicalize(path).is_ok_and(|real| real.starts_with("/dev/pts"))
}

fn not_opened(name: &str, errno: Errno) -> PortError {
    let path = Path::new(name);
    match errno {
        Errno::NOENT | Errno::NOTDIR | Errno::NXIO | Errno::NODEV => {
            PortError::NotFound { port: name.into() }
        }
        Errno::ACCESS | Errno::PERM => PortError::Permission { port: name.into(), group: sysfs::group(path) },
        Errno::BUSY => PortError::Busy { port: name.into(), holder: sysfs::holder(path) },
        Errno::ISDIR => PortError::NotATty { port: name.into() },
        Errno::IO => PortError::NotFound { port: name.into() }, // a ttyS without hardware, a pty without master
        _ => PortError::io(name, "open", errno),
    }
}

fn not_locked(name: &str, error: &serialport::Error) -> PortError {
    match error.kind {
        serialport::ErrorKind::NoDevice => {
            PortError::Busy { port: name.into(), holder: sysfs::holder(Path::new(name)) }
        }
        serialport::ErrorKind::InvalidInput => PortError::NotATty { port: name.into() },
        _ => PortError::io(name, "open", io::Error::other(error.to_string())),
    }
}

#[cfg(test)]
mod tests;
