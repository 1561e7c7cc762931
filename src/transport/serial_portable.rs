//! A serial port through serialport alone, for systems other than Linux: bytes, settings and control lines, but no line errors.
//!
//! What the system could report of bad characters is not read here, and so nothing is claimed: line errors are "never".

use std::io::{ErrorKind, Read, Write};

use serialport::{SerialPort as Tty, StopBits as TtyStop};

use crate::line::{
    Baud, ControlLines, DataBits, Direction, Format, Instant, LineErrors, LineEvent, Parity, Settings, Span,
    StopBits,
};

use super::clock::{Clock, times_in};
use super::port::{Abilities, Formats, OnOpen, Port, PortError};
use super::sim::refused_polarity;

/// An open port of this machine.
pub struct SerialPort {
    name: String,
    tty: Box<dyn Tty>,
    clock: Clock,
    /// When the last character that was read was in.
    heard: Instant,
    settings: Settings,
}

/// Adapters hand bytes over late by as much; FTDI's timer is the latest.
const LATENCY: Span = Span::from_millis(16);

impl SerialPort {
    /// Opens a port at 9600 8N1.
    pub fn open(name: &str) -> Result<SerialPort, PortError> {
        // Beyond COM9, Windows wants the device prefix; it takes it for the others too.
        let path = if cfg!(windows) { format!(r"\\.\{name}") } else { name.to_owned() };
        let tty = serialport::new(path, 9600).open().map_err(|error| not_opened(name, &error))?;
        let settings = Settings::new(Baud::nearest(9600.0), Format::N8);
        Ok(SerialPort { name: name.into(), tty, clock: Clock::start(), heard: Instant::ZERO, settings })
    }

    fn apply(&mut self, wanted: Settings) -> serialport::Result<()> {
        use serialport::DataBits as Bits;
        self.tty.set_data_bits(match wanted.format.data {
            DataBits::Five => Bits::Five,
            DataBits::Six => Bits::Six,
            DataBits::Seven => Bits::Seven,
            DataBits::Eight | DataBits::Nine => Bits::Eight,
        })?;
        self.tty.set_parity(match wanted.format.parity {
            Parity::Even => serialport::Parity::Even,
            Parity::Odd => serialport::Parity::Odd,
            Parity::None | Parity::Mark | Parity::Space => serialport::Parity::None,
        })?;
        self.tty.set_stop_bits(if wanted.format.stop == StopBits::One { TtyStop::One } else { TtyStop::Two })
    }

    fn lost(&self, error: &std::io::Error) -> PortError {
        PortError::Vanished { port: self.name.clone(), reason: error.to_string() }
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
        let span = self.clock.until(until).max(Span::from_millis(1)); // Windows knows no shorter wait
        self.tty.set_timeout(span).map_err(|error| self.unsupported("wait", &error))?;
        let mut bytes = [0; 4096];
        match self.tty.read(&mut bytes) {
            Ok(count) => {
                let (now, character) = (self.clock.now(), self.settings.character_time());
                let bytes = bytes.get(..count).unwrap_or_default();
                let times = times_in(bytes.len(), now, character, self.heard);
                seen.extend(
                    bytes.iter().zip(times).map(|(byte, at)| LineEvent::byte(at, Direction::Rx, *byte)),
                );
                self.heard = seen.last().map_or(self.heard, |event| event.at);
                Ok(())
            }
            Err(error) => match error.kind() {
                ErrorKind::TimedOut | ErrorKind::WouldBlock | ErrorKind::Interrupted => Ok(()),
                _ => Err(self.lost(&error)),
            },
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        let on_line =
            self.settings.character_time().saturating_mul(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        let patience = on_line + Span::from_secs(1);
        self.tty.set_timeout(patience).map_err(|error| self.unsupported("wait", &error))?;
        let until = self.clock.now() + patience;
        let mut rest = bytes;
        while !rest.is_empty() && self.clock.now() < until {
            // Small pieces: a write that blocks in the driver then blocks for a short piece at most.
            let piece = rest.get(..256).unwrap_or(rest);
            match self.tty.write(piece) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
                Err(error) => return Err(self.lost(&error)),
            }
        }
        if rest.is_empty() {
            return Ok(());
        }
        Err(PortError::Timeout {
            port: self.name.clone(),
            done: bytes.len() - rest.len(),
            asked: bytes.len(),
            reason: "nothing takes them at the other end".into(),
        })
    }

    fn set(&mut self, wanted: Settings) -> Result<Settings, PortError> {
        if wanted.inverted || wanted.msb_first {
            return Err(refused_polarity(&self.name, wanted));
        }
        let format_refused = |reason: String| PortError::FormatRefused {
            port: self.name.clone(),
            format: wanted.format,
            reason,
        };
        if !Formats::UartWithoutMarkSpace.allow(wanted.format) {
            return Err(format_refused("five to eight data bits; parity none, even or odd".into()));
        }
        self.drain()?;
        let rate = wanted.baud.get();
        self.tty.set_baud_rate(rate).map_err(|error| PortError::BaudRefused {
            port: self.name.clone(),
            baud: wanted.baud,
            reason: error.to_string(),
        })?;
        if let Err(error) = self.apply(wanted) {
            return Err(PortError::FormatRefused {
                port: self.name.clone(),
                format: wanted.format,
                reason: error.to_string(),
            });
        }
        let really = self.tty.baud_rate().ok().and_then(|rate| Baud::new(rate).ok());
        self.settings = wanted.with_baud(really.unwrap_or(wanted.baud));
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
        self.tty.set_break().map_err(|error| self.unsupported("send a break", &error))?;
        self.clock.sleep_until(self.clock.now() + length);
        self.tty.clear_break().map_err(|error| self.unsupported("end a break", &error))
    }

    fn discard(&mut self) -> Result<(), PortError> {
        let cleared = self.tty.clear(serialport::ClearBuffer::Input);
        cleared.map_err(|error| self.unsupported("discard", &error))
    }

    fn drain(&mut self) -> Result<(), PortError> {
        let until = self.clock.now() + Span::from_secs(2);
        while self.clock.now() < until {
            match self.tty.bytes_to_write() {
                Ok(0) => return Ok(()),
                Ok(_) => self.clock.sleep_until(self.clock.now() + Span::from_millis(2)),
                Err(error) => {
                    return Err(PortError::Vanished { port: self.name.clone(), reason: error.to_string() });
                }
            }
        }
        Ok(())
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            line_errors: LineErrors::Never,
            means: "nothing: line errors are not read on this system",
            uncertainty: LATENCY,
            max_baud: None,
            formats: Formats::UartWithoutMarkSpace,
            control_lines: true,
            on_open: if cfg!(windows) { OnOpen::Dropped } else { OnOpen::Raised },
            driver: None,
            virtual_time: false,
        }
    }
}

fn not_opened(name: &str, error: &serialport::Error) -> PortError {
    use serialport::ErrorKind as Kind;
    let port = || name.to_owned();
    match error.kind {
        Kind::Io(ErrorKind::NotFound) => PortError::NotFound { port: port() },
        // Windows says "access denied" when somebody else has it open.
        Kind::Io(ErrorKind::PermissionDenied) if cfg!(windows) => {
            PortError::Busy { port: port(), holder: None }
        }
        Kind::Io(ErrorKind::PermissionDenied) => PortError::Permission { port: port(), group: None },
        Kind::NoDevice if cfg!(windows) && error.description.to_lowercase().contains("denied") => {
            PortError::Busy { port: port(), holder: None }
        }
        Kind::NoDevice if error.description.contains("lock") => {
            PortError::Busy { port: port(), holder: None }
        }
        Kind::NoDevice => PortError::NotFound { port: port() },
        Kind::InvalidInput => PortError::NotATty { port: port() },
        _ => PortError::io(name, "open", std::io::Error::other(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_not_there_is_named() {
        let error = SerialPort::open("/dev/ttyNOWHERE").err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some("there is no port /dev/ttyNOWHERE"));
    }
}
