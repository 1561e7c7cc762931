//! A rate in symbols a second: the customary ones, and how far two rates are apart.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use super::time::{Span, span_from_secs};

/// Rates that devices and adapters customarily use, slowest first.
///
/// 74880 is the boot rate of an ESP8266 with a 26 MHz crystal, 10400 the K-line, 31250 MIDI, 100000 SBUS, 250000 DMX512,
/// 416666 and 420000 CRSF.
pub const STANDARD_BAUDS: [u32; 36] = [
    300, 600, 1200, 1800, 2400, 4800, 7200, 9600, 10400, 14400, 19200, 28800, 31250, 38400, 56000, 57600,
    74880, 76800, 100_000, 115_200, 125_000, 128_000, 187_500, 230_400, 250_000, 256_000, 416_666, 420_000,
    460_800, 500_000, 576_000, 921_600, 1_000_000, 1_500_000, 2_000_000, 3_000_000,
];

/// How often a rate of [`STANDARD_BAUDS`] is met: some every day, some only beside a more common neighbour.
pub fn commonness(standard: u32) -> f64 {
    match standard {
        9600 | 115_200 => 3.0,
        2400 | 4800 | 19_200 | 38_400 | 57_600 | 230_400 | 460_800 | 921_600 => 2.0,
        56_000 => 0.1,
        76_800 | 128_000 | 256_000 | 416_666 | 420_000 | 187_500 => 0.4,
        _ => 1.0,
    }
}

/// Symbols a second, from 1 to 50 million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Baud(NonZeroU32);

impl Baud {
    pub const MAX: u32 = 50_000_000;

    pub fn new(rate: u32) -> Result<Baud, BaudError> {
        match NonZeroU32::new(rate) {
            Some(rate) if rate.get() <= Self::MAX => Ok(Baud(rate)),
            _ => Err(BaudError(rate.to_string())),
        }
    }

    /// The nearest whole rate; out of range is moved to the border.
    pub fn nearest(rate: f64) -> Baud {
        let rate = rate.round().clamp(1.0, f64::from(Self::MAX)) as u32;
        Baud(NonZeroU32::new(rate).unwrap_or(NonZeroU32::MIN))
    }

    pub fn get(self) -> u32 {
        self.0.get()
    }

    pub fn hz(self) -> f64 {
        f64::from(self.get())
    }

    /// How long one bit lasts.
    pub fn bit_time(self) -> Span {
        span_from_secs(1.0 / self.hz())
    }

    /// The standard rate within `tolerance` (0.025 is 2.5 %) of a measured one, nearest first.
    pub fn standard_near(measured: f64, tolerance: f64) -> Option<Baud> {
        STANDARD_BAUDS
            .into_iter()
            .map(|rate| (rate, (f64::from(rate) / measured).ln().abs()))
            .filter(|&(_, distance)| distance <= tolerance)
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(rate, _)| Baud::nearest(f64::from(rate)))
    }

    pub fn is_standard(self) -> bool {
        STANDARD_BAUDS.binary_search(&self.get()).is_ok()
    }

    /// Whether POSIX or Linux has a constant for it (termios.h, `B9600`): drivers that know no other rates know these.
    pub fn is_customary(self) -> bool {
        const NAMED: [u32; 24] = [
            300, 600, 1200, 1800, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800,
            500_000, 576_000, 921_600, 1_000_000, 1_152_000, 1_500_000, 2_000_000, 2_500_000, 3_000_000,
            3_500_000, 4_000_000,
        ];
        NAMED.binary_search(&self.get()).is_ok()
    }
}

impl fmt::Display for Baud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Baud {
    type Err = BaudError;

    /// Reads "115200", and "921.6k" or "1M" as people write them.
    fn from_str(text: &str) -> Result<Baud, BaudError> {
        let text = text.trim();
        let (digits, factor) = match text.char_indices().next_back() {
            Some((at, 'k' | 'K')) => (&text[..at], 1e3),
            Some((at, 'm' | 'M')) => (&text[..at], 1e6),
            _ => (text, 1.0),
        };
        let rate = digits.parse::<f64>().map_err(|_| BaudError(text.into()))? * factor;
        if !(1.0..=f64::from(Self::MAX)).contains(&rate) || rate.fract() != 0.0 {
            return Err(BaudError(text.into()));
        }
        Ok(Baud::nearest(rate))
    }
}

/// A text or number that is no rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a baud rate; expected a whole number from 1 to {max}, such as 9600, 115200 or 1M", max = Baud::MAX)]
pub struct BaudError(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_rates_are_in_order() {
        assert!(STANDARD_BAUDS.is_sorted());
    }

    #[test]
    fn rates_are_read_as_people_write_them() {
        assert_eq!("115200".parse(), Ok(Baud::nearest(115_200.0)));
        assert_eq!("1M".parse(), Ok(Baud::nearest(1e6)));
        assert_eq!("921.6k".parse(), Ok(Baud::nearest(921_600.0)));
        for wrong in ["", "0", "-9600", "9600.5", "fast", "51M", "NaN"] {
            assert!(wrong.parse::<Baud>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_measured_rate_finds_its_standard_one() {
        assert_eq!(Baud::standard_near(57_512.3, 0.025), Some(Baud::nearest(57_600.0)));
        assert_eq!(Baud::standard_near(345_678.0, 0.025), None);
    }
}
