//! A line as it is built up: who speaks when, and what forces it.

use fastrand::Rng;
use hsdiag::diagnose::Cause;
use hsdiag::line::{Direction, LineErrors, Settings};

use super::conversation::Message;
use super::plan::{Character, Force, Origin, Plan};

/// Builds a plan message by message.
pub struct Builder {
    pub rng: Rng,
    pub plan: Plan,
    pub device: Settings,
    pub now: f64,
    /// Both directions are recorded.
    pub both: bool,
    /// Anything that lines do, not only what is usual.
    pub wide: bool,
    /// Mean gap between two bytes of a message, in bits.
    pub gap: f64,
    /// The most that lies between two messages, beside some characters, in seconds.
    pub leisure: f64,
    /// Bits that were changed before they were sent.
    pub flips: usize,
}

impl Builder {
    pub fn new(settings: Settings, errors: LineErrors, both: bool, wide: bool, mut rng: Rng) -> Builder {
        let plan = Plan {
            receiver: settings,
            changes: Vec::new(),
            errors,
            characters: Vec::new(),
            forces: Vec::new(),
            resting_low: false,
            sent: Vec::new(),
            skew: (rng.f64() - 0.5) * 0.024,
            jitter: rng.f64() * 0.02,
            late: if rng.f64() < 0.3 { (rng.f64() - 0.3) * 0.15 } else { 0.0 },
            overrun: Vec::new(),
            end: 0.0,
            seed: rng.u64(..),
        };
        let gap = if rng.f64() < 0.4 { 0.0 } else { rng.f64() * 2.0 };
        let now = 0.02 + rng.f64() * 0.2;
        let leisure = if wide && rng.f64() < 0.4 { 0.1 * rng.f64() } else { 0.004 };
        Builder { rng, plan, device: settings, now, both, wide, gap, leisure, flips: 0 }
    }

    pub fn character(&self) -> f64 {
        self.plan.receiver.character_time().as_secs_f64()
    }

    pub fn bit(&self) -> f64 {
        1.0 / self.plan.receiver.baud.hz()
    }

    /// A pause between messages.
    pub fn pause(&mut self) {
        self.now += self.character() * (4.0 + self.rng.f64() * 10.0) + self.rng.f64() * self.leisure;
    }

    pub fn long_pause(&mut self, secs: f64) {
        self.now += secs * (0.7 + 0.6 * self.rng.f64());
    }

    pub fn host(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.now += self.character();
            if self.both {
                self.plan.sent.push((self.now, *byte));
            }
        }
    }

    pub fn device(&mut self, bytes: &[u8]) {
        self.device_as(bytes, Origin::Device);
    }

    pub fn device_as(&mut self, bytes: &[u8], origin: Origin) {
        let length = self.device.character_time().as_secs_f64() / (1.0 + self.plan.skew);
        let bit = 1.0 / self.device.baud.hz();
        for byte in bytes {
            let character = Character { at: self.now, byte: *byte, settings: self.device, origin };
            self.plan.characters.push(character);
            let idle =
                if self.gap > 0.0 && self.rng.f64() < 0.3 { self.gap * self.rng.f64() * 2.0 } else { 0.0 };
            self.now += length + idle * bit;
        }
    }

    /// A clean exchange: who says it, says it.
    pub fn say(&mut self, message: &Message) {
        match message.direction {
            Direction::Tx => self.host(&message.bytes),
            Direction::Rx => self.device(&message.bytes),
        }
    }

    /// A pulse against the level that rests, from `at` on.
    pub fn pulse(&mut self, at: f64, bits: f64, of: Cause) {
        let to = at + bits * self.bit();
        let busy =
            self.plan.characters.iter().any(|c| c.at <= at && at <= c.at + 12.0 / c.settings.baud.hz());
        let mark = busy && self.rng.bool();
        self.plan.forces.push(Force { from: at, to, mark, of });
    }

    /// The line is pulled to space.
    pub fn force(&mut self, from: f64, to: f64, of: Cause) {
        self.plan.forces.push(Force { from, to, mark: false, of });
    }

    /// Random levels.
    pub fn floating(&mut self, from: f64, to: f64, mean_bits: f64, of: Cause) {
        let mut at = from;
        let mut mark = false;
        while at < to {
            let length = -(1.0 - self.rng.f64()).ln() * mean_bits * self.bit();
            self.plan.forces.push(Force { from: at, to: (at + length).min(to), mark, of });
            mark = !mark;
            at += length.max(1e-9);
        }
    }
}
