//! Everything that must agree on both ends of a line: baud, format, polarity and bit order.

use std::fmt;

use super::baud::Baud;
use super::format::Format;
use super::time::{Span, span_from_secs};

/// Baud, format, polarity and bit order together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    pub baud: Baud,
    pub format: Format,
    /// Mark and space are exchanged on the wire.
    pub inverted: bool,
    /// The most significant data bit is sent first.
    pub msb_first: bool,
}

impl Settings {
    /// The usual polarity and bit order.
    pub fn new(baud: Baud, format: Format) -> Settings {
        Settings { baud, format, inverted: false, msb_first: false }
    }

    pub fn with_baud(self, baud: Baud) -> Settings {
        Settings { baud, ..self }
    }

    pub fn with_format(self, format: Format) -> Settings {
        Settings { format, ..self }
    }

    /// How long a whole character lasts.
    pub fn character_time(self) -> Span {
        self.bits(self.format.bits())
    }

    /// How long `bits` bit times last.
    pub fn bits(self, bits: f64) -> Span {
        span_from_secs(bits / self.baud.hz())
    }
}

impl fmt::Display for Settings {
    /// "9600 8E1", with "inverted" and "MSB first" where they hold.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.baud, self.format)?;
        if self.inverted {
            f.write_str(" inverted")?;
        }
        if self.msb_first {
            f.write_str(" MSB first")?;
        }
        Ok(())
    }
}
