//! A capture, played as if it were live, in virtual time.
//!
//! As long as nobody sets anything, it plays from end to end. A task that sets a rate is given the listens that were recorded at that
//! rate, one after the other, so a recorded search can be searched again.

use crate::capture::{Header, Record, What};
use crate::line::{Baud, ControlLines, Instant, LineEvent, Settings, Span};

use super::port::{Abilities, Formats, OnOpen, Port, PortError};

/// A listen at a rate this near to the one asked for is as good as the rate itself; its true rate is read back.
const NEAR: f64 = 0.03;

/// Longer than this behind the last record nothing is waited for.
const SILENCE: Span = Span::from_secs(600);

/// A recording as a port.
pub struct Replay {
    name: String,
    header: Header,
    records: Vec<Record>,
    /// The next record to play.
    next: usize,
    settings: Settings,
    /// Somebody has set the settings: a change that was recorded ends the listen.
    searching: bool,
    now: Instant,
    /// Which instant of the recording is played at which of the port's clock.
    offset: Offset,
}

#[derive(Clone, Copy, Default)]
struct Offset {
    clock: Instant,
    recorded: Instant,
}

impl Offset {
    fn played_at(self, recorded: Instant) -> Instant {
        self.clock + (recorded - self.recorded)
    }
}

impl Replay {
    /// `records` in the order in which they were written.
    pub fn new(name: impl Into<String>, header: Header, records: Vec<Record>) -> Replay {
        Replay {
            name: name.into(),
            header,
            records,
            next: 0,
            settings: header.settings,
            searching: false,
            now: Instant::ZERO,
            offset: Offset::default(),
        }
    }

    /// The place behind the best recorded change to `wanted`: the next one, or else the first one of all, exact before near.
    fn listen(&self, wanted: Settings) -> Option<(usize, Instant, Settings)> {
        let start = (0, self.records.first().map_or(Instant::ZERO, |first| first.at), self.header.settings);
        let changes = self.records.iter().enumerate().filter_map(|(place, record)| match record.what {
            What::Set(settings) => Some((place + 1, record.at, settings)),
            What::Seen(_) | What::Lines(_) => None,
        });
        let distance = |settings: Settings| (settings.baud.hz() / wanted.baud.hz()).ln().abs();
        std::iter::once(start)
            .chain(changes)
            .filter(|(_, _, settings)| {
                settings.with_baud(wanted.baud) == wanted && distance(*settings) <= NEAR
            })
            .min_by(|a, b| {
                let rank = |place: usize| (place < self.next, place);
                distance(a.2).total_cmp(&distance(b.2)).then(rank(a.0).cmp(&rank(b.0)))
            })
    }

    /// The fastest rate at which anything was recorded.
    fn fastest(&self) -> Option<Baud> {
        let changes = self.records.iter().filter_map(|record| match record.what {
            What::Set(settings) => Some(settings.baud),
            What::Seen(_) | What::Lines(_) => None,
        });
        changes.chain([self.header.settings.baud]).max()
    }

    fn unsupported(&self, what: &'static str) -> PortError {
        PortError::Unsupported { port: self.name.clone(), what, reason: "it is a recording".into() }
    }
}

impl Port for Replay {
    fn now(&self) -> Instant {
        self.now
    }

    fn read(&mut self, until: Instant, seen: &mut Vec<LineEvent>) -> Result<(), PortError> {
        let before = seen.len();
        while let Some(record) = self.records.get(self.next) {
            let at = self.offset.played_at(record.at).max(self.now);
            let ends_listen = self.searching && matches!(record.what, What::Set(_));
            if ends_listen || at > until {
                self.now = self.now.max(until);
                return Ok(());
            }
            if seen.len() > before && at > self.now {
                return Ok(());
            }
            self.now = at;
            self.next += 1;
            match record.what {
                What::Seen(event) => seen.push(LineEvent { at, ..event }),
                What::Set(settings) => {
                    self.settings = settings;
                    return Ok(()); // so that whoever listens hears of it before the next byte
                }
                What::Lines(_) => {}
            }
        }
        if seen.len() > before {
            return Ok(());
        }
        let last = self.records.last().map_or(Instant::ZERO, |last| self.offset.played_at(last.at));
        if !self.searching || until > last + SILENCE {
            return Err(PortError::EndOfRecording { port: self.name.clone() });
        }
        self.now = self.now.max(until);
        Ok(())
    }

    fn write(&mut self, _: &[u8]) -> Result<(), PortError> {
        Err(self.unsupported("send"))
    }

    fn set(&mut self, wanted: Settings) -> Result<Settings, PortError> {
        let Some((next, recorded, settings)) = self.listen(wanted) else {
            return Err(PortError::BaudRefused {
                port: self.name.clone(),
                baud: wanted.baud,
                reason: format!("nothing was recorded at {wanted}"),
            });
        };
        (self.searching, self.next, self.settings) = (true, next, settings);
        self.offset = Offset { clock: self.now, recorded };
        Ok(settings)
    }

    fn settings(&self) -> Settings {
        self.settings
    }

    fn set_lines(&mut self, _: ControlLines) -> Result<(), PortError> {
        Err(self.unsupported("move DTR and RTS"))
    }

    fn send_break(&mut self, _: Span) -> Result<(), PortError> {
        Err(self.unsupported("send a break"))
    }

    fn discard(&mut self) -> Result<(), PortError> {
        Ok(()) // what was discarded at the bench was not recorded
    }

    fn drain(&mut self) -> Result<(), PortError> {
        Ok(())
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            line_errors: self.header.line_errors,
            means: "as recorded",
            uncertainty: self.header.uncertainty,
            max_baud: self.fastest(),
            formats: Formats::All,
            control_lines: false,
            on_open: OnOpen::Untouched,
            driver: None,
            virtual_time: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{Direction, Format, LineErrors};

    fn at(rate: f64) -> Settings {
        Settings::new(Baud::nearest(rate), Format::N8)
    }

    fn byte(secs: f64, byte: u8) -> Record {
        Record::seen(LineEvent::byte(Instant::from_secs(secs), Direction::Rx, byte))
    }

    fn recording() -> Replay {
        let header =
            Header { settings: at(9600.0), line_errors: LineErrors::PerByte, uncertainty: Span::ZERO };
        let change = |secs, rate| Record::set(Instant::from_secs(secs), at(rate));
        let records = vec![
            byte(0.1, 1),
            change(1.0, 115_200.0),
            byte(1.2, 2),
            byte(1.3, 3),
            change(2.0, 57_600.0),
            byte(2.1, 4),
        ];
        Replay::new("replay://search.jsonl", header, records)
    }

    fn bytes_until(port: &mut Replay, secs: f64) -> Vec<u8> {
        let (mut seen, until) = (Vec::new(), Instant::from_secs(secs));
        while port.now() < until && port.read(until, &mut seen).is_ok() {}
        seen.iter().filter_map(LineEvent::value).collect()
    }

    #[test]
    fn a_recording_that_nobody_steers_plays_to_its_end() {
        let mut port = recording();
        assert_eq!(bytes_until(&mut port, 9.0), [1, 2, 3, 4]);
        assert_eq!(port.settings(), at(57_600.0));
        let end = port.read(Instant::from_secs(10.0), &mut Vec::new());
        assert!(matches!(end, Err(PortError::EndOfRecording { .. })));
    }

    #[test]
    fn a_search_gets_the_listens_that_were_recorded_at_its_rates_in_any_order() {
        let mut port = recording();
        assert_eq!(port.set(at(57_000.0)).unwrap(), at(57_600.0));
        assert_eq!(bytes_until(&mut port, 0.5), [4]);
        assert_eq!(port.set(at(115_200.0)).unwrap(), at(115_200.0));
        assert_eq!(bytes_until(&mut port, 5.0), [2, 3]);
        assert_eq!(port.now(), Instant::from_secs(5.0));
        assert!(matches!(port.set(at(300.0)), Err(PortError::BaudRefused { .. })));
    }

    #[test]
    fn a_recording_cannot_be_sent_to() {
        let error = recording().write(b"x").unwrap_err().to_string();
        assert_eq!(error, "replay://search.jsonl cannot send (it is a recording)");
    }
}
