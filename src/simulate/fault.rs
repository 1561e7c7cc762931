//! Faults that a simulated device can have: seeded, and the same for every protocol.

use crate::line::Span;

/// What is wrong with a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It hears, and never says a word.
    Silent,
    /// It refuses whatever it is asked.
    Refuse,
    /// One bit of every answer is wrong.
    WrongChecksum,
    /// Now and then a bit of an answer is wrong.
    Damage,
    /// Now and then an answer does not come.
    Drop,
    /// Answers come after their window.
    Late,
    /// Answers are random bytes.
    Garbage,
    /// Answers stop in the middle.
    Truncate,
    /// Now and then it starts anew, and says nothing of it.
    Reset,
    /// A stray 00 comes before every answer.
    Stray,
    /// Every answer comes twice.
    Twice,
    /// It sends back what it hears, and answers nothing: a line shorted to itself.
    Loopback,
    /// What it hears comes back before its answer, as from an RS-485 adapter that hears itself.
    Echo,
}

/// Every fault with its name and what it does.
pub const FAULTS: [(&str, Fault, &str); 13] = [
    ("silent", Fault::Silent, "never says a word"),
    ("refuse", Fault::Refuse, "refuses whatever it is asked"),
    ("wrong-checksum", Fault::WrongChecksum, "one bit of every answer is wrong"),
    ("damage", Fault::Damage, "one bit of one answer in four is wrong"),
    ("drop", Fault::Drop, "one answer in four does not come"),
    ("late", Fault::Late, "answers come after their window"),
    ("garbage", Fault::Garbage, "answers are random bytes"),
    ("truncate", Fault::Truncate, "answers stop in the middle"),
    ("reset", Fault::Reset, "starts anew at one answer in eight"),
    ("stray", Fault::Stray, "a 00 comes before every answer"),
    ("twice", Fault::Twice, "every answer comes twice"),
    ("loopback", Fault::Loopback, "sends back what it hears and answers nothing"),
    ("echo", Fault::Echo, "sends back what it hears, and then its answer"),
];

/// What a fault makes of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spoilt {
    Say { bytes: Vec<u8>, later: Span },
    Nothing,
    Reset,
}

impl Fault {
    pub fn named(name: &str) -> Option<Fault> {
        FAULTS.iter().find(|(known, ..)| *known == name).map(|(_, fault, _)| *fault)
    }

    /// What becomes of an answer; `window` is how long its host waits.
    pub fn spoil(self, mut bytes: Vec<u8>, window: Span, chance: &mut fastrand::Rng) -> Spoilt {
        let mut later = Span::ZERO;
        match self {
            Fault::Silent | Fault::Loopback => return Spoilt::Nothing,
            Fault::Refuse | Fault::Echo => {}
            Fault::WrongChecksum => flip(&mut bytes, chance),
            Fault::Damage if chance.u8(..4) == 0 => flip(&mut bytes, chance),
            Fault::Drop if chance.u8(..4) == 0 => return Spoilt::Nothing,
            Fault::Reset if chance.u8(..8) == 0 => return Spoilt::Reset,
            Fault::Damage | Fault::Drop | Fault::Reset => {}
            Fault::Late => later = window + window / 2,
            Fault::Garbage => bytes.iter_mut().for_each(|byte| *byte = chance.u8(..)),
            Fault::Truncate => bytes.truncate(bytes.len() / 2),
            Fault::Stray => bytes.insert(0, 0),
            Fault::Twice => bytes.extend_from_within(..),
        }
        Spoilt::Say { bytes, later }
    }
}

/// A bit in the middle: in a frame with a checksum neither its head nor its end.
fn flip(bytes: &mut [u8], chance: &mut fastrand::Rng) {
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1 << chance.u8(..8);
    }
}
