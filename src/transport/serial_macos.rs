//! A serial port of a macOS machine (and of the BSDs, which lack only the call for odd rates). Written to the system's sources and
//! documentation; it has been type-checked and not run.
//!
//! Line errors stand in the data as on Linux (PARMRK, INPCK), but nothing counts them. A rate outside the old table is set by
//! `IOSSIOSPEED`, which every `tcsetattr` undoes and whose rate `tcsetattr` would refuse: so the flags are written with 9600 beside
//! them, and serialport sets the rate behind that.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{
    ControlModes, InputModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr,
};
use serialport::{SerialPort as _, TTYPort};

use crate::line::{
    Baud, ControlLines, DataBits, Direction, Fault, Format, Instant, LineErrors, LineEvent, Parity, Seen,
    Settings, Span, StopBits,
};

use super::clock::{Clock, times_in};
use super::parmrk::{Marked, Parmrk};
use super::port::{Abilities, Formats, OnOpen, Port, PortError};
use super::sim::refused_polarity;

/// An open port. Dropping it puts the settings back as they were found.
pub struct SerialPort {
    name: String,
    fd: OwnedFd,
    /// Holds the lock, sets the rate, and moves the control lines.
    tty: TTYPort,
    found: Termios,
    clock: Clock,
    settings: Settings,
    marks: Parmrk,
    marks_seen: bool,
    /// When the last character that was read was in.
    heard: Instant,
}

/// Adapters hand bytes over late by as much; FTDI's timer is the latest.
const LATENCY: Span = Span::from_millis(16);

/// How long a write may wait beyond the time that its bytes take on the line.
const WRITE_PATIENCE: Span = Span::from_secs(1);

impl SerialPort {
    /// Opens a port for nobody else to open, at 9600 8N1. Use the `cu` name: `tty` waits for a carrier.
    pub fn open(name: &str) -> Result<SerialPort, PortError> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::open(Path::new(name), flags, Mode::empty())
            .map_err(|errno| not_opened(name, errno))?;
        let found = tcgetattr(&fd).map_err(|_| PortError::NotATty { port: name.into() })?;
        let tty = serialport::new(name, 9600).open_native().map_err(|error| not_locked(name, &error))?;
        let settings = Settings::new(Baud::nearest(9600.0), Format::N8);
        let mut port = SerialPort {
            name: name.into(),
            fd,
            tty,
            found,
            clock: Clock::start(),
            settings,
            marks: Parmrk::default(),
            marks_seen: false,
            heard: Instant::ZERO,
        };
        port.settings = port.apply(settings)?;
        port.discard()?;
        Ok(port)
    }

    /// Sets format and flags, then the rate, and reads back what came of it.
    fn apply(&mut self, wanted: Settings) -> Result<Settings, PortError> {
        let rate_refused =
            |reason: String| PortError::BaudRefused { port: self.name.clone(), baud: wanted.baud, reason };
        let mut modes = tcgetattr(&self.fd).map_err(|errno| self.lost("read its settings", errno))?;
        modes.input_modes.remove(
            InputModes::IGNPAR
                | InputModes::IGNBRK
                | InputModes::BRKINT
                | InputModes::ISTRIP
                | InputModes::IXON
                | InputModes::IXOFF,
        );
        modes.input_modes.insert(InputModes::PARMRK | InputModes::INPCK);
        let format_bits =
            ControlModes::CSIZE | ControlModes::PARENB | ControlModes::PARODD | ControlModes::CSTOPB;
        modes.control_modes.remove(format_bits | ControlModes::HUPCL | ControlModes::CRTSCTS);
        modes.control_modes.insert(control_modes(wanted.format) | ControlModes::CREAD | ControlModes::CLOCAL);
        modes.set_speed(9600).map_err(|errno| self.lost("change its settings", errno))?;
        tcsetattr(&self.fd, OptionalActions::Now, &modes)
            .map_err(|errno| self.lost("change its settings", errno))?;
        self.tty.set_baud_rate(wanted.baud.get()).map_err(|error| rate_refused(error.to_string()))?;
        let set = tcgetattr(&self.fd).map_err(|errno| self.lost("read its settings back", errno))?;
        if set.control_modes & format_bits != control_modes(wanted.format) {
            return Err(PortError::FormatRefused {
                port: self.name.clone(),
                format: wanted.format,
                reason: "the driver keeps another format".into(),
            });
        }
        let rate = self.tty.baud_rate().map_err(|error| rate_refused(error.to_string()))?;
        let baud = Baud::new(rate).map_err(|_| rate_refused("the driver reads back no rate".into()))?;
        Ok(wanted.with_baud(baud))
    }

    /// Waits until the port can be read or written, or until `until`.
    fn wait(&self, what: PollFlags, until: Instant) -> Result<PollFlags, PortError> {
        let span = self.clock.until(until);
        let seconds = span.as_secs().try_into().unwrap_or(i32::MAX.into());
        let timeout = Timespec { tv_sec: seconds, tv_nsec: span.subsec_nanos().into() };
        let mut fds = [PollFd::new(&self.fd, what)];
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) => Ok(fds[0].revents()),
            Err(Errno::INTR) => Ok(PollFlags::empty()),
            Err(errno) => Err(self.lost("wait", errno)),
        }
    }

    /// Line events out of one read: marks taken out, times filled in backwards.
    fn events(&mut self, bytes: &[u8], seen: &mut Vec<LineEvent>) {
        let mut marked = Vec::with_capacity(bytes.len());
        self.marks.take(bytes, &mut marked);
        let (now, character) = (self.clock.now(), self.settings.character_time());
        let plain = self.settings.format.parity == Parity::None;
        let kind = if plain { Fault::Framing } else { Fault::FramingOrParity };
        for (what, at) in marked.iter().zip(times_in(marked.len(), now, character, self.heard)) {
            let (what, fault) = match *what {
                Marked::Good(byte) => (Seen::Byte(byte), None),
                Marked::Bad(byte) => (Seen::Byte(byte), Some(kind)),
                // Without parity no other fault can make a 00 bad: its stop bit was low too, and that is a break.
                Marked::BreakOrBadNul if plain => (Seen::Break, Some(Fault::Break)),
                Marked::BreakOrBadNul => (Seen::Byte(0), Some(kind)),
            };
            self.marks_seen |= fault.is_some();
            self.heard = at;
            seen.push(LineEvent { at, direction: Direction::Rx, seen: what, fault });
        }
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

    fn time_of(&self, bytes: usize) -> Span {
        self.settings.character_time().saturating_mul(u32::try_from(bytes).unwrap_or(u32::MAX))
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
        let mut bytes = [0; 4096];
        match rustix::io::read(&self.fd, &mut bytes) {
            Ok(0) => Err(self.vanished("it was hung up".into())),
            Ok(count) => {
                self.events(bytes.get(..count).unwrap_or_default(), seen);
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
        let until = self.clock.now() + self.time_of(bytes.len()) + WRITE_PATIENCE;
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

    fn set(&mut self, wanted: Settings) -> Result<Settings, PortError> {
        if wanted.inverted || wanted.msb_first {
            return Err(refused_polarity(&self.name, wanted));
        }
        if !Formats::UartWithoutMarkSpace.allow(wanted.format) {
            return Err(PortError::FormatRefused {
                port: self.name.clone(),
                format: wanted.format,
                reason: "five to eight data bits; parity none, even or odd".into(),
            });
        }
        self.drain()?;
        self.settings = self.apply(wanted)?;
        // What the adapter still holds was received at the old rate.
        self.clock.sleep_until(self.clock.now() + LATENCY + Span::from_millis(2));
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
        Ok(())
    }

    fn drain(&mut self) -> Result<(), PortError> {
        // Not tcdrain: it waits for ever when nothing takes the bytes.
        let (mut fewest, mut until) = (u32::MAX, self.clock.now() + WRITE_PATIENCE);
        loop {
            let left = self.tty.bytes_to_write().map_err(|error| self.vanished(error.to_string()))?;
            if left == 0 {
                return Ok(());
            }
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
            let nap = self.time_of(left as usize).clamp(Span::from_millis(1), Span::from_millis(20));
            self.clock.sleep_until(self.clock.now() + nap);
        }
    }

    fn abilities(&self) -> Abilities {
        // Which drivers send marks is not known: claimed once one was seen, and then for no less than a USB packet.
        let (line_errors, means) = if self.marks_seen {
            (LineErrors::Packet, "marks in the data (PARMRK)")
        } else {
            (LineErrors::Never, "nothing so far: the driver has not marked a byte")
        };
        Abilities {
            line_errors,
            means,
            uncertainty: LATENCY,
            max_baud: None,
            formats: Formats::UartWithoutMarkSpace,
            control_lines: true,
            on_open: OnOpen::Raised,
            driver: None,
            virtual_time: false,
        }
    }
}

impl Drop for SerialPort {
    fn drop(&mut self) {
        let mut found = self.found.clone();
        found.control_modes.remove(ControlModes::HUPCL); // or closing would drop DTR
        // The rate that was found may be one that tcsetattr refuses; a port that has vanished has no settings to put back.
        let rate = found.output_speed();
        if found.set_speed(9600).is_ok() && tcsetattr(&self.fd, OptionalActions::Now, &found).is_ok() {
            let _ = self.tty.set_baud_rate(rate);
        }
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
        Parity::Even => ControlModes::PARENB,
        Parity::Odd => ControlModes::PARENB | ControlModes::PARODD,
        Parity::None | Parity::Mark | Parity::Space => ControlModes::empty(),
    };
    let stop = if format.stop == StopBits::One { ControlModes::empty() } else { ControlModes::CSTOPB };
    data | parity | stop
}

fn not_opened(name: &str, errno: Errno) -> PortError {
    match errno {
        Errno::NOENT | Errno::NOTDIR | Errno::NXIO | Errno::NODEV => {
            PortError::NotFound { port: name.into() }
        }
        Errno::ACCESS | Errno::PERM => PortError::Permission { port: name.into(), group: None },
        Errno::BUSY => PortError::Busy { port: name.into(), holder: None },
        Errno::ISDIR => PortError::NotATty { port: name.into() },
        _ => PortError::io(name, "open", errno),
    }
}

fn not_locked(name: &str, error: &serialport::Error) -> PortError {
    match error.kind {
        serialport::ErrorKind::NoDevice => PortError::Busy { port: name.into(), holder: None },
        serialport::ErrorKind::InvalidInput => PortError::NotATty { port: name.into() },
        _ => PortError::io(name, "open", io::Error::other(error.to_string())),
    }
}
