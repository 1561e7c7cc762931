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

    fn close(&mut self) -> Result<(), PortError> {
        self.port.close()
    }

    fn open(&mut self, within: Span) -> Result<(), PortError> {
        self.port.open(within)
    }

    fn abilities(&self) -> Abilities {
        self.port.abilities()
    }
}

#[cfg(test)]
mod tests {
    use super::super::faulty::{Faulty, Spoil};
    use super::super::replay::Replay;
    use super::super::sim::{SimDevice, SimPort};
    use super::super::sim_options::SimOptions;
    use super::*;
    use crate::capture::{Reader, Writer};
    use crate::line::{Action, Baud, Format, Task};

    /// Says `hello` every ten milliseconds.
    struct Talker(Instant, Instant);

    impl Task for Talker {
        fn on_event(&mut self, _: &LineEvent) {}
        fn on_time(&mut self, now: Instant) {
            self.1 = now;
        }
        fn on_settings(&mut self, _: Instant, _: Settings) {}
        fn on_refused(&mut self, _: Instant, _: Settings, _: &str) {}
        fn next_action(&mut self) -> Option<Action> {
            (self.1 >= self.0).then(|| {
                self.0 = self.1 + Span::from_millis(10);
                Action::Send(b"hello".to_vec())
            })
        }
        fn deadline(&self) -> Option<Instant> {
            Some(self.0)
        }
    }

    fn talker() -> SimPort {
        let settings = at(57_600.0);
        let device = SimDevice { task: Box::new(Talker(Instant::ZERO, Instant::ZERO)), settings };
        SimPort::new("sim://talker", device, &SimOptions::default())
    }

    fn at(rate: f64) -> Settings {
        Settings::new(Baud::nearest(rate), Format::N8)
    }

    /// Listens for 30 ms at each of two rates.
    fn search(port: &mut dyn Port) -> Vec<Vec<LineEvent>> {
        let listen = |rate| {
            port.set(at(rate)).unwrap();
            let (mut seen, until) = (Vec::new(), port.now() + Span::from_millis(30));
            while port.now() < until {
                port.read(until, &mut seen).unwrap();
            }
            seen
        };
        [115_200.0, 57_600.0].map(listen).into()
    }

    #[test]
    fn a_recorded_search_can_be_written_read_and_searched_again() {
        let mut records = Vec::new();
        let mut tap = Tap::around(talker(), |record: &Record| records.push(*record));
        let header = tap.header();
        let live = search(&mut tap);
        drop(tap);
        assert!(live[0].iter().any(|event| event.fault.is_some()) && live[1].len() >= 10);
        let mut writer = Writer::new(Vec::new(), &header).unwrap();
        records.iter().for_each(|record| writer.write(record).unwrap());
        let text = writer.into_inner();
        let reader = Reader::new(&text[..]).unwrap();
        let (header, records) = (*reader.header(), reader.map(Result::unwrap).collect());
        assert_eq!(search(&mut Replay::new("replay://search.jsonl", header, records)), live);
    }

    #[test]
    fn what_is_sent_is_recorded_with_the_time_it_takes() {
        let mut records = Vec::new();
        let mut tap = Tap::around(talker(), |record: &Record| records.push(*record));
        tap.set(at(9600.0)).unwrap();
        let begin = tap.now();
        tap.write(b"ab").unwrap();
        drop(tap);
        let character = at(9600.0).character_time();
        let sent = |n: u32, byte| Record::seen(LineEvent::byte(begin + character * n, Direction::Tx, byte));
        assert_eq!(records, [Record::set(begin, at(9600.0)), sent(1, b'a'), sent(2, b'b')]);
    }

    #[test]
    fn a_spoiled_port_loses_what_it_should_and_the_same_each_time() {
        let heard = |dropped, seed| {
            let spoil = Spoil { dropped, ..Spoil::default() };
            let mut port = Faulty::around(talker(), spoil, seed);
            search(&mut port)[1].iter().filter_map(LineEvent::value).collect::<Vec<u8>>()
        };
        let whole = heard(0.0, 1);
        assert_eq!(&whole[..5], b"hello");
        let half = heard(0.5, 1);
        assert!(half.len() < whole.len() && !half.is_empty());
        assert_eq!(half, heard(0.5, 1));
        assert!(heard(1.0, 1).is_empty());
    }
}
