//! A port around a port that records what passes: what is received and sent, changes of settings, control lines.

use crate::capture::{Header, Record};
use crate::line::{ControlLines, Direction, Fault, Instant, LineEvent, Seen, Settings, Span};

use super::port::{Abilities, Port, PortError};

/// Hands each record to `record` as it happens.
pub struct Tap<P, F> {
    port: P,
    record: F,
    /// When the last byte that was handed over for sending will have left.
    sent: Instant,
}

impl<P: Port, F: FnMut(&Record)> Tap<P, F> {
    pub fn around(port: P, record: F) -> Tap<P, F> {
        Tap { port, record, sent: Instant::ZERO }
    }

    /// The header for a capture that begins now.
    pub fn header(&self) -> Header {
        let Abilities { line_errors, uncertainty, .. } = self.port.abilities();
        Header { settings: self.port.settings(), line_errors, uncertainty }
    }

    pub fn into_inner(self) -> P {
        self.port
    }
}

impl<P: Port, F: FnMut(&Record)> Port for Tap<P, F> {
    fn now(&self) -> Instant {
        self.port.now()
    }

    fn read(&mut self, until: Instant, seen: &mut Vec<LineEvent>) -> Result<(), PortError> {
        let before = seen.len();
        let settings = self.port.settings();
        let read = self.port.read(until, seen);
        if self.port.settings() != settings {
            (self.record)(&Record::set(self.port.now(), self.port.settings()));
        }
        for event in seen.iter().skip(before) {
            (self.record)(&Record::seen(*event));
        }
        read
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        let character = self.port.settings().character_time();
        self.sent = self.sent.max(self.port.now());
        let written = self.port.write(bytes);
        let done = match &written {
            Ok(()) => bytes.len(),
            Err(PortError::Timeout { done, .. }) => *done,
            Err(_) => 0,
        };
        for byte in bytes.iter().take(done) {
            self.sent += character;
            (self.record)(&Record::seen(LineEvent::byte(self.sent, Direction::Tx, *byte)));
        }
        written
    }

    fn set(&mut self, settings: Settings) -> Result<Settings, PortError> {
        let settings = self.port.set(settings)?;
        (self.record)(&Record::set(self.port.now(), settings));
        Ok(settings)
    }

    fn settings(&self) -> Settings {
        self.port.settings()
    }

    fn set_lines(&mut self, lines: ControlLines) -> Result<(), PortError> {
        self.port.set_lines(lines)?;
        (self.record)(&Record::lines(self.port.now(), lines));
        Ok(())
    }

    fn send_break(&mut self, length: Span) -> Result<(), PortError> {
        self.port.send_break(length)?;
        let (at, direction) = (self.port.now(), Direction::Tx);
        let event = LineEvent { at, direction, seen: Seen::Break, fault: Some(Fault::Break) };
        (self.record)(&Record::seen(event));
        Ok(())
    }

    fn discard(&mut self) -> Result<(), PortError> {
        self.port.discard()
    }

    fn drain(&mut self) -> Result<(), PortError> {
        self.port.drain()
    }

    fn abilities(&self) -> Abilities {
        self.port.abilities()
    }
}
