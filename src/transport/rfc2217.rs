//! A port behind a terminal server, with its settings (RFC 2217).

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use crate::line::{
    Baud, ControlLines, Direction, Fault, Format, Instant, LineErrors, LineEvent, Seen, Settings, Span,
};

use super::clock::Clock;
use super::port::{Abilities, Formats, OnOpen, Port, PortError};
use super::sim::refused_polarity;
use super::tcp::stream;
use super::telnet::{self, Item, Telnet, put};

/// How long the server may take to answer.
const PATIENCE: Span = Span::from_secs(3);

/// Break, framing error, parity error, overrun: the bits of the line state that are asked for.
const STATES: [(u8, Fault); 4] =
    [(1 << 4, Fault::Break), (1 << 3, Fault::Framing), (1 << 2, Fault::Parity), (1 << 1, Fault::Overrun)];

/// A connection to a server that speaks RFC 2217.
pub struct Rfc2217Port {
    name: String,
    stream: TcpStream,
    clock: Clock,
    telnet: Telnet,
    settings: Settings,
    /// Seen while an answer was waited for.
    waiting: Vec<LineEvent>,
    /// The longest time between a question and its answer.
    round_trip: Span,
}

impl Rfc2217Port {
    /// Connects, and sets 9600 8N1.
    pub fn connect(host: &str, port: u16) -> Result<Rfc2217Port, PortError> {
        let name = format!("rfc2217://{host}:{port}");
        let stream = stream(&name, host, port)?;
        let settings = Settings::new(Baud::nearest(9600.0), Format::N8);
        let mut port = Rfc2217Port {
            name,
            stream,
            clock: Clock::start(),
            telnet: Telnet::default(),
            settings,
            waiting: Vec::new(),
            round_trip: Span::ZERO,
        };
        let mut hello = vec![Item::Will { option: telnet::COM_PORT, yes: true }];
        for option in [telnet::BINARY, telnet::NO_GO_AHEAD] {
            hello.extend([Item::Will { option, yes: true }, Item::Do { option, yes: true }]);
        }
        let agreed = |item: &Item| match item {
            Item::Do { option: telnet::COM_PORT, yes } => Some(*yes),
            _ => None,
        };
        if port.ask(&hello, agreed)? != Some(true) {
            return Err(
                port.unsupported("have its settings changed", "it does not speak RFC 2217; try tcp://")
            );
        }
        let mask = STATES.iter().fold(0, |mask, (bit, _)| mask | bit);
        port.put(&[Item::ComPort { command: telnet::LINE_STATE_MASK, value: vec![mask] }])?;
        port.set(settings)?;
        Ok(port)
    }

    fn put(&mut self, items: &[Item]) -> Result<(), PortError> {
        let mut bytes = Vec::new();
        items.iter().for_each(|item| put(item, &mut bytes));
        self.stream.write_all(&bytes).map_err(|error| self.gone(&error))
    }

    /// Sends a question and waits for the first item that `answer` takes for its answer; `None` when none comes in time.
    fn ask<T>(
        &mut self,
        question: &[Item],
        answer: impl Fn(&Item) -> Option<T>,
    ) -> Result<Option<T>, PortError> {
        let asked = self.clock.now();
        self.put(question)?;
        let mut found = None;
        while found.is_none() && self.clock.now() < asked + PATIENCE {
            for item in self.items(asked + PATIENCE)? {
                found = found.or_else(|| answer(&item));
                self.take(item)?;
            }
        }
        self.round_trip = self.round_trip.max(self.clock.now() - asked);
        Ok(found)
    }

    /// What the server has sent by `until`, at the first of it.
    fn items(&mut self, until: Instant) -> Result<Vec<Item>, PortError> {
        let span = self.clock.until(until).max(Span::from_micros(1)); // zero would mean for ever
        let mut bytes = [0; 4096];
        let read = self.stream.set_read_timeout(Some(span)).and_then(|()| self.stream.read(&mut bytes));
        let mut items = Vec::new();
        match read {
            Ok(0) => return Err(self.gone("the server closed the connection")),
            Ok(count) => self.telnet.take(bytes.get(..count).unwrap_or_default(), &mut items),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                _ => return Err(self.gone(&error)),
            },
        }
        Ok(items)
    }

    fn take(&mut self, item: Item) -> Result<(), PortError> {
        const LINE_STATE: u8 = telnet::ANSWER + telnet::LINE_STATE;
        let (at, direction) = (self.clock.now(), Direction::Rx);
        let agreed = |option| matches!(option, telnet::BINARY | telnet::NO_GO_AHEAD | telnet::COM_PORT);
        match item {
            Item::Data(byte) => self.waiting.push(LineEvent::byte(at, direction, byte)),
            // The server says that something happened, but not to which byte.
            Item::ComPort { command: LINE_STATE, value } => {
                let state = value.first().copied().unwrap_or(0);
                for (_, fault) in STATES.iter().filter(|(bit, _)| state & bit != 0) {
                    let seen = if *fault == Fault::Break { Seen::Break } else { Seen::Marker };
                    self.waiting.push(LineEvent { at, direction, seen, fault: Some(*fault) });
                }
            }
            Item::ComPort { .. } => {}
            Item::Will { option, yes: true } if !agreed(option) => {
                self.put(&[Item::Do { option, yes: false }])?
            }
            Item::Do { option, yes: true } if !agreed(option) => {
                self.put(&[Item::Will { option, yes: false }])?
            }
            Item::Will { .. } | Item::Do { .. } => {}
        }
        Ok(())
    }

    /// Sets one thing and returns what the server says it is now.
    fn command(&mut self, command: u8, value: Vec<u8>) -> Result<Option<Vec<u8>>, PortError> {
        self.ask(&[Item::ComPort { command, value }], |item| match item {
            Item::ComPort { command: answer, value } if *answer == command + telnet::ANSWER => {
                Some(value.clone())
            }
            _ => None,
        })
    }

    fn gone(&self, reason: impl ToString) -> PortError {
        PortError::Vanished { port: self.name.clone(), reason: reason.to_string() }
    }

    fn unsupported(&self, what: &'static str, reason: &str) -> PortError {
        PortError::Unsupported { port: self.name.clone(), what, reason: reason.into() }
    }

    fn control(&mut self, value: u8) -> Result<(), PortError> {
        self.command(telnet::SET_CONTROL, vec![value]).map(|_| ())
    }
}

impl Port for Rfc2217Port {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn read(&mut self, until: Instant, seen: &mut Vec<LineEvent>) -> Result<(), PortError> {
        if self.waiting.is_empty() {
            for item in self.items(until)? {
                self.take(item)?;
            }
        }
        seen.append(&mut self.waiting);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        let mut doubled = Vec::with_capacity(bytes.len());
        bytes.iter().for_each(|byte| put(&Item::Data(*byte), &mut doubled));
        self.stream.write_all(&doubled).map_err(|error| match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => PortError::Timeout {
                port: self.name.clone(),
                done: 0, // at the least: how much of it went out is not told
                asked: bytes.len(),
                reason: "the server takes no more".into(),
            },
            _ => self.gone(&error),
        })
    }

    fn set(&mut self, wanted: Settings) -> Result<Settings, PortError> {
        if wanted.inverted || wanted.msb_first {
            return Err(refused_polarity(&self.name, wanted));
        }
        let refused = |port: &Rfc2217Port, reason: &str| PortError::FormatRefused {
            port: port.name.clone(),
            format: wanted.format,
            reason: reason.into(),
        };
        let numbers = telnet::format_numbers(wanted.format)
            .ok_or_else(|| refused(self, "RFC 2217 has five to eight data bits"))?;
        let rate = self.command(telnet::SET_BAUD, wanted.baud.get().to_be_bytes().to_vec())?;
        let rate = rate.and_then(|value| value.try_into().ok()).map(u32::from_be_bytes);
        let Some(baud) = rate.and_then(|rate| Baud::new(rate).ok()) else {
            return Err(PortError::BaudRefused {
                port: self.name.clone(),
                baud: wanted.baud,
                reason: "the server does not confirm it".into(),
            });
        };
        for (command, number) in
            [telnet::SET_DATA, telnet::SET_PARITY, telnet::SET_STOP].into_iter().zip(numbers)
        {
            if self.command(command, vec![number])?.as_deref() != Some(&[number]) {
                return Err(refused(self, "the server sets another one"));
            }
        }
        self.settings = wanted.with_baud(baud);
        self.discard()?;
        Ok(self.settings)
    }

    fn settings(&self) -> Settings {
        self.settings
    }

    fn set_lines(&mut self, lines: ControlLines) -> Result<(), PortError> {
        if let Some(on) = lines.dtr {
            self.control(if on { telnet::DTR_ON } else { telnet::DTR_OFF })?;
        }
        if let Some(on) = lines.rts {
            self.control(if on { telnet::RTS_ON } else { telnet::RTS_OFF })?;
        }
        Ok(())
    }

    fn send_break(&mut self, length: Span) -> Result<(), PortError> {
        self.control(5)?;
        self.clock.sleep_until(self.clock.now() + length);
        self.control(6)
    }

    fn discard(&mut self) -> Result<(), PortError> {
        self.command(telnet::PURGE, vec![1])?; // the answer is behind everything that was on its way
        self.waiting.clear();
        Ok(())
    }

    fn drain(&mut self) -> Result<(), PortError> {
        Ok(()) // nothing tells when the server has sent it
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            line_errors: LineErrors::Counter,
            means: "the server's line state (RFC 2217), if it sends it",
            uncertainty: self.round_trip.max(Span::from_millis(20)),
            max_baud: None,
            formats: Formats::Uart,
            control_lines: true,
            on_open: OnOpen::Unknown,
            driver: None,
            virtual_time: false,
        }
    }
}
