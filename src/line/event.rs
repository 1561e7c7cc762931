//! What can be seen on a line: a byte or a break, from which side, when, and what the receiver reported of it.

use super::time::Instant;

/// Who sent it, as the host sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Received: from the device to the host.
    Rx,
    /// Sent: from the host to the device.
    Tx,
}

impl Direction {
    pub fn other(self) -> Direction {
        match self {
            Direction::Rx => Direction::Tx,
            Direction::Tx => Direction::Rx,
        }
    }
}

/// What the receiver reported of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    Framing,
    Parity,
    /// The driver flagged the character but cannot tell which of the two it was (PARMRK).
    FramingOrParity,
    /// Space for longer than a whole character.
    Break,
    /// Characters were lost before this one.
    Overrun,
}

/// What was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seen {
    Byte(u8),
    /// A break; it carries no data, whatever the driver delivered for it.
    Break,
    /// Something happened here that is not on the wire (a gap in the recording, a mark set by the user).
    Marker,
}

/// One thing seen on a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineEvent {
    /// When the character's last bit was in.
    pub at: Instant,
    pub direction: Direction,
    pub seen: Seen,
    pub fault: Option<Fault>,
}

impl LineEvent {
    pub fn byte(at: Instant, direction: Direction, byte: u8) -> LineEvent {
        LineEvent { at, direction, seen: Seen::Byte(byte), fault: None }
    }

    pub fn with_fault(self, fault: Fault) -> LineEvent {
        LineEvent { fault: Some(fault), ..self }
    }

    /// The byte, if it was one.
    pub fn value(&self) -> Option<u8> {
        match self.seen {
            Seen::Byte(byte) => Some(byte),
            Seen::Break | Seen::Marker => None,
        }
    }
}

/// How exactly a port can report line errors. "Not reported" is never the same as "did not happen".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineErrors {
    /// A fault belongs to the character that carries it.
    PerByte,
    /// A fault means: at least one character of this USB packet (FTDI: up to 62 bytes).
    Packet,
    /// Only counters since the last look.
    Counter,
    /// This port never tells.
    Never,
}

impl LineErrors {
    /// The word of the event-line header and of every report.
    pub fn word(self) -> &'static str {
        match self {
            LineErrors::PerByte => "per-byte",
            LineErrors::Packet => "packet",
            LineErrors::Counter => "counter",
            LineErrors::Never => "none",
        }
    }
}

/// The control lines the host drives; `None` leaves one as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ControlLines {
    pub dtr: Option<bool>,
    pub rts: Option<bool>,
}

impl ControlLines {
    /// These lines after others have been moved.
    pub fn moved(self, by: ControlLines) -> ControlLines {
        ControlLines { dtr: by.dtr.or(self.dtr), rts: by.rts.or(self.rts) }
    }
}
