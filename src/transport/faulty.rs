//! A port around a port that spoils what passes: lost, doubled and damaged bytes, seeded.

use crate::line::{ControlLines, Instant, LineEvent, Seen, Settings, Span};

use super::port::{Abilities, Port, PortError};

/// What is spoiled, as parts of all bytes in either direction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spoil {
    pub dropped: f64,
    pub doubled: f64,
    /// One bit is turned over, and no fault reported.
    pub flipped: f64,
}

/// Spoils the bytes of a port; the same seed spoils the same ones.
pub struct Faulty<P> {
    port: P,
    spoil: Spoil,
    rng: fastrand::Rng,
}

impl<P: Port> Faulty<P> {
    pub fn around(port: P, spoil: Spoil, seed: u64) -> Faulty<P> {
        Faulty { port, spoil, rng: fastrand::Rng::with_seed(seed) }
    }

    /// What becomes of a byte: it arrives so often, with this value.
    fn fate(&mut self, byte: u8) -> (usize, u8) {
        let Spoil { dropped, doubled, flipped } = self.spoil;
        let byte = if self.rng.f64() < flipped { byte ^ (1 << self.rng.u8(..8)) } else { byte };
        let chance = self.rng.f64();
        let copies = if chance < dropped {
            0
        } else if chance < dropped + doubled {
            2
        } else {
            1
        };
        (copies, byte)
    }
}

impl<P: Port> Port for Faulty<P> {
    fn now(&self) -> Instant {
        self.port.now()
    }

    fn read(&mut self, until: Instant, seen: &mut Vec<LineEvent>) -> Result<(), PortError> {
        let mut whole = Vec::new();
        let read = self.port.read(until, &mut whole);
        for event in whole {
            match event.seen {
                Seen::Byte(byte) => {
                    let (copies, byte) = self.fate(byte);
                    let spoiled = LineEvent { seen: Seen::Byte(byte), ..event };
                    seen.extend(std::iter::repeat_n(spoiled, copies));
                }
                Seen::Break | Seen::Marker => seen.push(event),
            }
        }
        read
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        let mut spoiled = Vec::with_capacity(bytes.len());
        for byte in bytes {
            let (copies, byte) = self.fate(*byte);
            spoiled.extend(std::iter::repeat_n(byte, copies));
        }
        self.port.write(&spoiled)
    }

    fn set(&mut self, settings: Settings) -> Result<Settings, PortError> {
        self.port.set(settings)
    }

    fn settings(&self) -> Settings {
        self.port.settings()
    }

    fn set_lines(&mut self, lines: ControlLines) -> Result<(), PortError> {
        self.port.set_lines(lines)
    }

    fn send_break(&mut self, length: Span) -> Result<(), PortError> {
        self.port.send_break(length)
    }

    fn discard(&mut self) -> Result<(), PortError> {
        self.port.discard()
    }

    fn close(&mut self) -> Result<(), PortError> {
        self.port.close()
    }

    fn open(&mut self, within: Span) -> Result<(), PortError> {
        self.port.open(within)
    }

    fn drain(&mut self) -> Result<(), PortError> {
        self.port.drain()
    }

    fn abilities(&self) -> Abilities {
        self.port.abilities()
    }
}
