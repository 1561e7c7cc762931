//! The shape of a character: data bits, parity, stop bits; written and read as "8E1".

use std::fmt;
use std::str::FromStr;

/// Data bits of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DataBits {
    Five = 5,
    Six = 6,
    Seven = 7,
    Eight = 8,
    Nine = 9,
}

impl DataBits {
    pub const ALL: [DataBits; 5] =
        [DataBits::Five, DataBits::Six, DataBits::Seven, DataBits::Eight, DataBits::Nine];

    pub fn count(self) -> u32 {
        self as u32
    }

    /// The bits of a character that carry data, as a mask: `0x7F` for seven.
    pub fn mask(self) -> u16 {
        (1 << self.count()) - 1
    }
}

/// The parity bit, if there is one: even and odd count ones; mark is always 1, space always 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Parity {
    None,
    Even,
    Odd,
    Mark,
    Space,
}

impl Parity {
    pub const ALL: [Parity; 5] = [Parity::None, Parity::Even, Parity::Odd, Parity::Mark, Parity::Space];

    /// The level of the parity bit (`true` is mark) behind `data`; `None` without parity.
    pub fn bit(self, data: u16) -> Option<bool> {
        match self {
            Parity::None => None,
            Parity::Even => Some(data.count_ones() % 2 == 1),
            Parity::Odd => Some(data.count_ones().is_multiple_of(2)),
            Parity::Mark => Some(true),
            Parity::Space => Some(false),
        }
    }

    fn letter(self) -> char {
        match self {
            Parity::None => 'N',
            Parity::Even => 'E',
            Parity::Odd => 'O',
            Parity::Mark => 'M',
            Parity::Space => 'S',
        }
    }
}

/// How long the line rests at mark behind a character, at the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StopBits {
    One,
    OneAndHalf,
    Two,
}

impl StopBits {
    /// In bit times.
    pub fn bits(self) -> f64 {
        match self {
            StopBits::One => 1.0,
            StopBits::OneAndHalf => 1.5,
            StopBits::Two => 2.0,
        }
    }
}

/// Data bits, parity and stop bits of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Format {
    pub data: DataBits,
    pub parity: Parity,
    pub stop: StopBits,
}

impl Format {
    pub const N8: Format = Format { data: DataBits::Eight, parity: Parity::None, stop: StopBits::One };
    pub const E8: Format = Format { data: DataBits::Eight, parity: Parity::Even, stop: StopBits::One };
    pub const O8: Format = Format { data: DataBits::Eight, parity: Parity::Odd, stop: StopBits::One };
    pub const N8_2: Format = Format { data: DataBits::Eight, parity: Parity::None, stop: StopBits::Two };
    pub const E7: Format = Format { data: DataBits::Seven, parity: Parity::Even, stop: StopBits::One };

    /// Bit times of a whole character: start bit, data, parity and stop bits.
    pub fn bits(self) -> f64 {
        1.0 + f64::from(self.data.count())
            + f64::from(u8::from(self.parity != Parity::None))
            + self.stop.bits()
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stop = match self.stop {
            StopBits::One => "1",
            StopBits::OneAndHalf => "1.5",
            StopBits::Two => "2",
        };
        write!(f, "{}{}{stop}", self.data.count(), self.parity.letter())
    }
}

impl FromStr for Format {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Format, FormatError> {
        let wrong = || FormatError(text.into());
        let text = text.trim();
        let mut letters = text.chars();
        let data = letters.next().and_then(|c| c.to_digit(10)).ok_or_else(wrong)?;
        let parity = letters.next().ok_or_else(wrong)?.to_ascii_uppercase();
        Ok(Format {
            data: DataBits::ALL.into_iter().find(|d| d.count() == data).ok_or_else(wrong)?,
            parity: Parity::ALL.into_iter().find(|p| p.letter() == parity).ok_or_else(wrong)?,
            stop: match letters.as_str() {
                "1" => StopBits::One,
                "1.5" => StopBits::OneAndHalf,
                "2" => StopBits::Two,
                _ => return Err(wrong()),
            },
        })
    }
}

impl serde::Serialize for Format {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// A text that is no format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a format; expected data bits (5 to 9), parity (N, E, O, M, S), stop bits (1, 1.5, 2), such as 8N1 or 7E1"
)]
pub struct FormatError(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_read_back_as_it_was_written() {
        for data in DataBits::ALL {
            for parity in Parity::ALL {
                for stop in [StopBits::One, StopBits::OneAndHalf, StopBits::Two] {
                    let format = Format { data, parity, stop };
                    assert_eq!(format.to_string().parse(), Ok(format));
                }
            }
        }
    }

    #[test]
    fn what_is_no_format_says_what_one_looks_like() {
        for wrong in ["", "8", "8E", "9X1", "4N1", "8N3", "8N1 ?", "eight"] {
            let error = wrong.parse::<Format>().expect_err(wrong).to_string();
            assert!(error.contains("8N1"), "{error}");
        }
    }

    #[test]
    fn the_delimiters_of_ft12_have_their_even_parity_bit_at_mark() {
        for byte in [0x10, 0x68, 0x16, 0xE5, 0xA2, 0xDC] {
            assert_eq!(Parity::Even.bit(byte), Some(true), "{byte:02X}");
        }
    }

    #[test]
    fn a_character_of_8e1_lasts_eleven_bits() {
        assert_eq!(Format::E8.bits(), 11.0);
    }
}
