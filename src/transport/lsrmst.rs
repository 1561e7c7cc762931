//! Line errors that a Windows driver inserts into the data after `IOCTL_SERIAL_LSRMST_INSERT` (ntddser.h), taken out again.
//!
//! Behind the escape character stands what it means: 0 the escape character itself, 1 the line status register and the character it
//! belongs to, 2 the line status alone, 3 the modem status.

use crate::line::Fault;

/// The escape character that the driver is asked to use: not zero, no XON and no XOFF.
pub const ESCAPE: u8 = 0xEC;

/// Bits of the line status register of a 16550.
const OVERRUN: u8 = 0x02;
const PARITY: u8 = 0x04;
const FRAMING: u8 = 0x08;
const BREAK: u8 = 0x10;

/// What stood in the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Byte(u8, Option<Fault>),
    Break,
    /// Characters were lost before the next one.
    Lost,
}

/// Takes the insertions out of a stream, however it is cut into reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lsrmst {
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Plain,
    Escape,
    /// The line status comes next, and behind it the character when `data`.
    Status {
        data: bool,
    },
    /// The character that this line status belongs to comes next.
    Data {
        status: u8,
    },
    Modem,
}

impl Lsrmst {
    /// Appends what `bytes` say.
    pub fn take(&mut self, bytes: &[u8], out: &mut Vec<Told>) {
        for &byte in bytes {
            self.state = match (self.state, byte) {
                (State::Plain, ESCAPE) => State::Escape,
                (State::Plain, byte) => {
                    out.push(Told::Byte(byte, None));
                    State::Plain
                }
                (State::Escape, 0) => {
                    out.push(Told::Byte(ESCAPE, None));
                    State::Plain
                }
                (State::Escape, 1) => State::Status { data: true },
                (State::Escape, 2) => State::Status { data: false },
                (State::Escape, 3) => State::Modem,
                // No insertion after all: both are data.
                (State::Escape, byte) => {
                    out.extend([Told::Byte(ESCAPE, None), Told::Byte(byte, None)]);
                    State::Plain
                }
                (State::Status { data: true }, status) => State::Data { status },
                (State::Status { data: false }, status) => {
                    if status & BREAK != 0 {
                        out.push(Told::Break);
                    } else if status & OVERRUN != 0 {
                        out.push(Told::Lost);
                    }
                    State::Plain
                }
                (State::Data { status }, byte) => {
                    out.push(if status & BREAK != 0 && byte == 0 {
                        Told::Break
                    } else {
                        Told::Byte(byte, fault(status))
                    });
                    State::Plain
                }
                (State::Modem, _) => State::Plain,
            };
        }
    }

    /// Forgets an insertion that was begun: the queue behind it has been emptied.
    pub fn reset(&mut self) {
        self.state = State::Plain;
    }
}

/// The fault that a line status tells of its character; of several, the one that says most about the line.
fn fault(status: u8) -> Option<Fault> {
    let faults = [(FRAMING, Fault::Framing), (PARITY, Fault::Parity), (OVERRUN, Fault::Overrun)];
    faults.into_iter().find(|(bit, _)| status & bit != 0).map(|(_, fault)| fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn taken(bytes: &[u8]) -> Vec<Told> {
        let mut out = Vec::new();
        Lsrmst::default().take(bytes, &mut out);
        out
    }

    #[test]
    fn what_the_driver_inserts_is_told_apart() {
        use Told::{Break, Byte, Lost};
        let bytes = [
            0x68, ESCAPE, 0, ESCAPE, 1, 0x69, 0x41, ESCAPE, 1, 0x65, 0xEC, ESCAPE, 1, 0x79, 0, ESCAPE, 2,
            0x62, ESCAPE, 3, 0x11, 0x16,
        ];
        assert_eq!(
            taken(&bytes),
            [
                Byte(0x68, None),
                Byte(ESCAPE, None),
                Byte(0x41, Some(Fault::Framing)),
                Byte(0xEC, Some(Fault::Parity)),
                Break,
                Lost,
                Byte(0x16, None),
            ]
        );
    }

    #[test]
    fn an_insertion_that_the_queue_was_emptied_behind_is_forgotten() {
        let (mut decoder, mut out) = (Lsrmst::default(), Vec::new());
        decoder.take(&[ESCAPE, 1, 0x69], &mut out);
        decoder.reset();
        decoder.take(&[0x55], &mut out);
        assert_eq!(out, [Told::Byte(0x55, None)]);
    }

    fn told() -> impl Strategy<Value = Told> {
        (prop_oneof![Just(ESCAPE), Just(0), any::<u8>()], 0..6).prop_map(|(byte, kind)| match kind {
            0 => Told::Break,
            1 => Told::Lost,
            2 => Told::Byte(byte, Some(Fault::Framing)),
            3 => Told::Byte(byte, Some(Fault::Parity)),
            _ => Told::Byte(byte, None),
        })
    }

    /// As Serial.sys writes it.
    fn insert(told: Told, out: &mut Vec<u8>) {
        match told {
            Told::Byte(ESCAPE, None) => out.extend([ESCAPE, 0]),
            Told::Byte(byte, None) => out.push(byte),
            Told::Byte(byte, Some(Fault::Parity)) => out.extend([ESCAPE, 1, PARITY | 1, byte]),
            Told::Byte(byte, Some(_)) => out.extend([ESCAPE, 1, FRAMING | 1, byte]),
            Told::Break => out.extend([ESCAPE, 1, BREAK | FRAMING | 1, 0]),
            Told::Lost => out.extend([ESCAPE, 2, OVERRUN]),
        }
    }

    proptest! {
        #[test]
        fn what_a_driver_inserts_is_read_back_however_it_is_cut(
            sent in proptest::collection::vec(told(), 0..100),
            cuts in proptest::collection::vec(1_usize..5, 1..50),
        ) {
            let mut bytes = Vec::new();
            sent.iter().for_each(|told| insert(*told, &mut bytes));
            let (mut decoder, mut out, mut rest) = (Lsrmst::default(), Vec::new(), &bytes[..]);
            for cut in cuts.iter().cycle() {
                let (chunk, left) = rest.split_at((*cut).min(rest.len()));
                decoder.take(chunk, &mut out);
                rest = left;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(out, sent);
        }
    }
}
