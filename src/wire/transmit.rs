//! Bytes and settings to a waveform: the sender's half of a UART, with the faults of real clocks and drivers.

use fastrand::Rng;

use crate::line::{Instant, Settings, Span};

use super::waveform::{Level, Waveform};

/// How a real sender departs from its settings.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Drift {
    /// The sender's clock is faster by this part: 0.01 is 1 %.
    pub skew: f64,
    /// Standard deviation of each edge, in bit times.
    pub jitter: f64,
    /// Every edge to mark comes later by this part of a bit time (open collector, long cable), earlier if negative.
    /// Spaces grow and marks shrink: the duty cycle shifts.
    pub late_mark: f64,
}

/// Turns characters into edges. One sender at a time owns a line; characters never overlap.
#[derive(Clone, Debug)]
pub struct Transmitter {
    settings: Settings,
    drift: Drift,
    rng: Rng,
    /// When the last character ended.
    free: f64,
}

impl Transmitter {
    pub fn new(settings: Settings, drift: Drift, seed: u64) -> Transmitter {
        Transmitter { settings, drift, rng: Rng::with_seed(seed), free: 0.0 }
    }

    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// New settings hold from the next character on.
    pub fn set(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// The level this sender rests at.
    pub fn resting(&self) -> Level {
        Level::of(!self.settings.inverted)
    }

    /// The sender's real bit time, in seconds.
    pub fn bit_secs(&self) -> f64 {
        1.0 / (self.settings.baud.hz() * (1.0 + self.drift.skew))
    }

    /// When the line is free for the next character.
    pub fn free_at(&self) -> Instant {
        Instant::from_secs(self.free)
    }

    /// Sends one character as soon as the line is free, not before `at`. Bits above the format's data bits are ignored.
    /// Returns when its last stop bit ends.
    pub fn send(&mut self, line: &mut Waveform, character: u16, at: Instant) -> Instant {
        let format = self.settings.format;
        let count = format.data.count();
        let data = character & format.data.mask();
        let bit_of = |index: u32| {
            let place = if self.settings.msb_first { count - 1 - index } else { index };
            data >> place & 1 == 1
        };
        let levels = std::iter::once(false).chain((0..count).map(bit_of)).chain(format.parity.bit(data));
        let levels: Vec<bool> = levels.chain([true]).collect();
        let bit = self.bit_secs();
        let start = self.free.max(at.secs());
        for (place, level) in levels.iter().enumerate() {
            self.edge(line, start + place as f64 * bit, *level);
        }
        self.free = start + format.bits() * bit;
        self.free_at()
    }

    /// Sends several characters back to back; returns when the last one ends.
    pub fn send_all(&mut self, line: &mut Waveform, bytes: &[u8], at: Instant) -> Instant {
        for byte in bytes {
            self.send(line, u16::from(*byte), at);
        }
        self.free_at()
    }

    /// Rests for so many bit times before the next character.
    pub fn rest(&mut self, bits: f64) {
        self.free += bits.max(0.0) * self.bit_secs();
    }

    /// Holds the line at space, then rests for one bit so that a receiver can find the next start bit.
    pub fn send_break(&mut self, line: &mut Waveform, length: Span, at: Instant) -> Instant {
        let start = self.free.max(at.secs());
        self.edge(line, start, false);
        self.edge(line, start + length.as_secs_f64(), true);
        self.free = start + length.as_secs_f64() + self.bit_secs();
        self.free_at()
    }

    fn edge(&mut self, line: &mut Waveform, secs: f64, mark: bool) {
        let level = Level::of(mark != self.settings.inverted);
        if line.last_level() == level {
            return;
        }
        let late = if mark { self.drift.late_mark } else { 0.0 };
        let off = if self.drift.jitter > 0.0 { self.drift.jitter * gaussian(&mut self.rng) } else { 0.0 };
        line.push(secs + (late + off) * self.bit_secs(), level);
    }
}

/// A normal deviate (Box and Muller).
fn gaussian(rng: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.f64()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{Baud, Format};

    fn sent(settings: &str, inverted: bool, bytes: &[u8]) -> Vec<f64> {
        let format: Format = settings.parse().unwrap();
        let settings = Settings { inverted, ..Settings::new(Baud::nearest(1000.0), format) };
        let mut sender = Transmitter::new(settings, Drift::default(), 1);
        let mut line = Waveform::resting(sender.resting());
        sender.send_all(&mut line, bytes, Instant::ZERO);
        line.edges().map(|edge| (edge.secs * 1000.0).round()).collect()
    }

    #[test]
    fn a_character_is_start_data_low_bit_first_parity_and_stop() {
        assert_eq!(sent("8N1", false, &[0x55]), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
        assert_eq!(sent("8E1", false, &[0x01]), [0.0, 1.0, 2.0, 9.0], "parity makes the weight even");
        assert_eq!(sent("8N1", true, &[0x00]), [0.0, 9.0]);
    }

    #[test]
    fn characters_follow_each_other_after_their_stop_bits() {
        assert_eq!(sent("8N1", false, &[0, 0]), [0.0, 9.0, 10.0, 19.0]);
        assert_eq!(sent("8N2", false, &[0, 0]), [0.0, 9.0, 11.0, 20.0]);
        assert_eq!(sent("5N1.5", false, &[0, 0])[2], 8.0, "7.5 bits, rounded");
    }
}
