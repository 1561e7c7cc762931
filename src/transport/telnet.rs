//! RFC 854 and RFC 2217: a serial port's settings inside a byte stream, taken apart and put together.

use crate::line::{DataBits, Format, Parity, StopBits};

const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const SB: u8 = 250;
const SE: u8 = 240;

/// Options that are agreed to: binary (RFC 856), no go-aheads (RFC 858), the serial port (RFC 2217).
pub const BINARY: u8 = 0;
pub const NO_GO_AHEAD: u8 = 3;
pub const COM_PORT: u8 = 44;

/// Commands of RFC 2217 as a client sends them; a server answers with 100 more.
pub const SET_BAUD: u8 = 1;
pub const SET_DATA: u8 = 2;
pub const SET_PARITY: u8 = 3;
pub const SET_STOP: u8 = 4;
pub const SET_CONTROL: u8 = 5;
/// What `SET_CONTROL` sets: DTR and RTS, on and off.
pub const DTR_ON: u8 = 8;
pub const DTR_OFF: u8 = 9;
pub const RTS_ON: u8 = 11;
pub const RTS_OFF: u8 = 12;
pub const LINE_STATE: u8 = 6;
pub const LINE_STATE_MASK: u8 = 10;
pub const PURGE: u8 = 12;
pub const ANSWER: u8 = 100;

/// What stood in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    Data(u8),
    /// The other end offers to use an option, or refuses to.
    Will {
        option: u8,
        yes: bool,
    },
    /// The other end asks us to use an option, or not to.
    Do {
        option: u8,
        yes: bool,
    },
    /// A command of the serial port with its bytes.
    ComPort {
        command: u8,
        value: Vec<u8>,
    },
}

/// Takes a telnet stream apart, however it is cut.
#[derive(Clone, Debug, Default)]
pub struct Telnet {
    state: State,
    inside: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Plain,
    Command,
    Option(u8),
    Inside,
    InsideCommand,
}

/// No subnegotiation of a serial port is longer; the rest of a longer one is dropped.
const LONGEST: usize = 256;

impl Telnet {
    pub fn take(&mut self, bytes: &[u8], out: &mut Vec<Item>) {
        for &byte in bytes {
            self.state = match (self.state, byte) {
                (State::Plain, IAC) => State::Command,
                (State::Plain, byte) => {
                    out.push(Item::Data(byte));
                    State::Plain
                }
                (State::Command, IAC) => {
                    out.push(Item::Data(IAC));
                    State::Plain
                }
                (State::Command, WILL..=DONT) => State::Option(byte),
                (State::Command, SB) => {
                    self.inside.clear();
                    State::Inside
                }
                (State::Command, _) => State::Plain,
                (State::Option(verb), option) => {
                    out.push(match verb {
                        WILL | WONT => Item::Will { option, yes: verb == WILL },
                        _ => Item::Do { option, yes: verb == DO },
                    });
                    State::Plain
                }
                (State::Inside, IAC) => State::InsideCommand,
                (State::InsideCommand, SE) => {
                    if let [COM_PORT, command, value @ ..] = &self.inside[..] {
                        out.push(Item::ComPort { command: *command, value: value.to_vec() });
                    }
                    State::Plain
                }
                (State::Inside | State::InsideCommand, byte) => {
                    if self.inside.len() < LONGEST {
                        self.inside.push(byte);
                    }
                    State::Inside
                }
            };
        }
    }
}

/// The bytes of one item.
pub fn put(item: &Item, out: &mut Vec<u8>) {
    let double =
        |byte: u8, out: &mut Vec<u8>| out.extend(std::iter::repeat_n(byte, 1 + usize::from(byte == IAC)));
    match item {
        Item::Data(byte) => double(*byte, out),
        Item::Will { option, yes } => out.extend([IAC, if *yes { WILL } else { WONT }, *option]),
        Item::Do { option, yes } => out.extend([IAC, if *yes { DO } else { DONT }, *option]),
        Item::ComPort { command, value } => {
            out.extend([IAC, SB, COM_PORT, *command]);
            value.iter().for_each(|byte| double(*byte, out));
            out.extend([IAC, SE]);
        }
    }
}

/// Data bits, parity and stop bits as RFC 2217 numbers them; `None` for nine data bits, which it does not have.
pub fn format_numbers(format: Format) -> Option<[u8; 3]> {
    let data = (format.data != DataBits::Nine).then_some(format.data.count() as u8)?;
    let parity = match format.parity {
        Parity::None => 1,
        Parity::Odd => 2,
        Parity::Even => 3,
        Parity::Mark => 4,
        Parity::Space => 5,
    };
    let stop = match format.stop {
        StopBits::One => 1,
        StopBits::Two => 2,
        StopBits::OneAndHalf => 3,
    };
    Some([data, parity, stop])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn item() -> impl Strategy<Value = Item> {
        let byte = || prop_oneof![Just(IAC), Just(SE), any::<u8>()];
        prop_oneof![
            byte().prop_map(Item::Data),
            (byte(), any::<bool>()).prop_map(|(option, yes)| Item::Will { option, yes }),
            (byte(), any::<bool>()).prop_map(|(option, yes)| Item::Do { option, yes }),
            (0..120_u8, proptest::collection::vec(byte(), 0..9))
                .prop_map(|(command, value)| Item::ComPort { command, value }),
        ]
    }

    proptest! {
        #[test]
        fn what_was_put_together_is_taken_apart_again_however_it_is_cut(
            items in proptest::collection::vec(item(), 0..40),
            cut in 1_usize..6,
        ) {
            let mut bytes = Vec::new();
            items.iter().for_each(|item| put(item, &mut bytes));
            let (mut telnet, mut out) = (Telnet::default(), Vec::new());
            bytes.chunks(cut).for_each(|chunk| telnet.take(chunk, &mut out));
            prop_assert_eq!(out, items);
        }
    }

    #[test]
    fn formats_have_the_numbers_of_the_standard() {
        assert_eq!(format_numbers(Format::E8), Some([8, 3, 1]));
        assert_eq!(format_numbers("7O2".parse().unwrap()), Some([7, 2, 2]));
        assert_eq!(format_numbers("9N1".parse().unwrap()), None);
    }
}
