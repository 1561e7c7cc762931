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
