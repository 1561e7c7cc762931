//! What happens to a line that no sender meant: glitches, bursts, floating, turnaround dips, lost and doubled characters. Seeded.

use fastrand::Rng;

use crate::line::{Instant, Span};

use super::waveform::{Level, Waveform};

/// How much of what happens. All rates are means of a Poisson process; nothing happens by default.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Disturbance {
    /// Single pulses a second, each to the other level.
    pub glitches: f64,
    /// Mean length of a single pulse.
    pub glitch_length: Span,
    /// Bursts a second: a stretch of random levels.
    pub bursts: f64,
    /// Mean length of a burst.
    pub burst_length: Span,
    /// The part of characters that never reach the line.
    pub dropped: f64,
    /// The part of characters that are sent twice.
    pub doubled: f64,
}

/// A disturbance with its seed; spoils a waveform stretch by stretch.
#[derive(Clone, Debug)]
pub struct Noise {
    disturbance: Disturbance,
    rng: Rng,
    /// Spoiled until here.
    done: f64,
    next_glitch: f64,
    next_burst: f64,
}

impl Noise {
    pub fn new(disturbance: Disturbance, seed: u64) -> Noise {
        let mut rng = Rng::with_seed(seed);
        let next_glitch = wait(&mut rng, disturbance.glitches);
        let next_burst = wait(&mut rng, disturbance.bursts);
        Noise { disturbance, rng, done: 0.0, next_glitch, next_burst }
    }

    pub fn none() -> Noise {
        Noise::new(Disturbance::default(), 0)
    }

    /// Spoils the line from where the last call ended to `until`. The line must be final up to there.
    pub fn spoil(&mut self, line: &mut Waveform, until: Instant) {
        let until = until.secs();
        while self.next_glitch < until {
            let length = self.length(self.disturbance.glitch_length);
            let from = self.next_glitch.max(self.done);
            line.force(from, (from + length).min(until), !line.level_at(from));
            self.next_glitch += wait(&mut self.rng, self.disturbance.glitches);
        }
        while self.next_burst < until {
            let from = self.next_burst.max(self.done);
            let length = self.length(self.disturbance.burst_length);
            self.float(line, from, (from + length).min(until), length / 20.0);
            self.next_burst += wait(&mut self.rng, self.disturbance.bursts);
        }
        self.done = self.done.max(until);
    }

    /// A line that nobody drives: random levels, each for `mean_pulse` on average.
    pub fn floating(&mut self, line: &mut Waveform, from: Instant, until: Instant, mean_pulse: Span) {
        self.float(line, from.secs(), until.secs(), mean_pulse.as_secs_f64());
    }

    /// How often a character is to be sent: 0 when it is lost, 2 when it is doubled.
    pub fn copies(&mut self) -> usize {
        if self.disturbance.dropped > 0.0 && self.rng.f64() < self.disturbance.dropped {
            return 0;
        }
        1 + usize::from(self.disturbance.doubled > 0.0 && self.rng.f64() < self.disturbance.doubled)
    }

    fn float(&mut self, line: &mut Waveform, from: f64, until: f64, mean_pulse: f64) {
        let mean_pulse = mean_pulse.max(1e-9);
        let mut at = from;
        while at < until {
            let end = (at + exponential(&mut self.rng, mean_pulse)).min(until);
            line.force(at, end, Level::of(self.rng.bool()));
            at = end.max(at.next_up());
        }
    }

    fn length(&mut self, mean: Span) -> f64 {
        exponential(&mut self.rng, mean.as_secs_f64())
    }
}

/// The receiver's output dips to space for `length` when an RS-485 driver lets go of the bus at `at`, before the bias takes over.
pub fn turnaround(line: &mut Waveform, at: Instant, length: Span) {
    line.force(at.secs(), at.secs() + length.as_secs_f64(), Level::Space);
}

fn wait(rng: &mut Rng, rate: f64) -> f64 {
    if rate > 0.0 { exponential(rng, 1.0 / rate) } else { f64::INFINITY }
}

fn exponential(rng: &mut Rng, mean: f64) -> f64 {
    -mean * (1.0 - rng.f64()).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoiled(cuts: usize) -> Waveform {
        let disturbance = Disturbance {
            glitches: 20.0,
            glitch_length: Span::from_micros(5),
            bursts: 1.0,
            burst_length: Span::from_micros(300),
            ..Disturbance::default()
        };
        let mut noise = Noise::new(disturbance, 7);
        let mut line = Waveform::resting(Level::Mark);
        for cut in 1..=cuts {
            noise.spoil(&mut line, Instant::from_secs(2.0 * cut as f64 / cuts as f64));
        }
        line
    }

    #[test]
    fn the_same_seed_spoils_the_same_way() {
        assert_eq!(spoiled(1), spoiled(1));
        let pulses = spoiled(1).edges().count();
        assert!((40..600).contains(&pulses), "{pulses}");
        assert!(spoiled(50).edges().count() > 40);
    }

    #[test]
    fn a_turnaround_dip_longer_than_half_a_bit_becomes_a_byte() {
        use super::super::receive::Receiver;
        use crate::line::{Baud, Format, Settings};
        for (baud, seen) in [(4800, vec![]), (19_200, vec![0xFE])] {
            let mut line = Waveform::resting(Level::Mark);
            turnaround(&mut line, Instant::from_secs(1.0), Span::from_micros(100));
            let settings = Settings::new(Baud::nearest(f64::from(baud)), Format::N8);
            let events = Receiver::new(settings, 1).receive(&line, Instant::from_secs(2.0));
            assert_eq!(events.iter().filter_map(|e| e.value()).collect::<Vec<_>>(), seen);
        }
    }
}
