//! How well a table explains what was heard, against chance.

/// Counted while an observer listens.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Bytes heard.
    pub bytes: usize,
    /// Bytes that belong to healthy frames.
    pub explained: usize,
    /// Healthy frames.
    pub valid: usize,
    /// Frames that begin well and end wrong.
    pub invalid: usize,
    /// Natural logarithm of how much better this table explains the bytes than chance does. Chance means bytes drawn at random;
    /// a lone `E5` is worth little, a long frame with a CRC much, and bytes that no frame explains cost something.
    pub log_weight: f64,
}

/// What a byte costs that the table does not explain, and what a stretch of such bytes costs beside, in bits.
const STRAY_BYTE: f64 = 1.0;
const STRAY_STRETCH: f64 = 3.0;

/// What a damaged frame costs, in bits: lines are seldom that bad.
const DAMAGED: f64 = 6.0;

impl Score {
    /// A healthy frame worth so many bits, one of so many that could have come.
    pub(super) fn frame(&mut self, len: usize, bits: f64, alternatives: usize, repeated: bool) {
        self.valid += 1;
        self.explained += len;
        let gain = bits - (alternatives.max(1) as f64).log2();
        // A frame that only repeats the one before says nothing new: a stuck line repeats as well.
        self.add(if repeated { gain.min(0.0) } else { gain });
    }

    pub(super) fn damaged(&mut self) {
        self.invalid += 1;
        self.add(-DAMAGED);
    }

    /// Bytes that nothing explains; `within` a conversation they are a frame that went wrong.
    pub(super) fn stray(&mut self, bytes: usize, within: bool) {
        self.invalid += usize::from(within);
        self.add(-STRAY_STRETCH - STRAY_BYTE * bytes as f64);
    }

    fn add(&mut self, bits: f64) {
        self.log_weight += bits * std::f64::consts::LN_2;
    }
}
