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
    /// Bytes before the first healthy frame.
    lead: usize,
}

/// What a byte costs that the table does not explain, and what a stretch of such bytes costs beside, in bits.
const STRAY_BYTE: f64 = 1.0;
const STRAY_STRETCH: f64 = 3.0;

/// What one stretch costs at most, in bits: more than a frame that fits by luck is worth, so that luck never pays; but one frame of
/// hundreds of bytes that was torn by a pause does not outweigh a dozen that came whole.
const STRAY_MOST: f64 = 40.0;

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
        if self.valid > 0 {
            return self.add(-(STRAY_STRETCH + STRAY_BYTE * bytes as f64).min(STRAY_MOST));
        }
        // Whoever joins in the middle of a frame hears the rest of it first. That costs no more than the choice of the place
        // at which the first frame begins: so many places could have been lucky.
        let before = lead_cost(self.lead);
        self.lead += bytes;
        self.add(before - lead_cost(self.lead));
    }

    fn add(&mut self, bits: f64) {
        self.log_weight += bits * std::f64::consts::LN_2;
    }
}

fn lead_cost(bytes: usize) -> f64 {
    if bytes == 0 { 0.0 } else { STRAY_STRETCH + (1.0 + bytes as f64).log2() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_frame_that_was_joined_in_its_middle_costs_little() {
        let (mut joined, mut astray) = (Score::default(), Score::default());
        joined.stray(400, false);
        joined.frame(30, 60.0, 4, false);
        astray.frame(30, 60.0, 4, false);
        astray.stray(400, false);
        assert!(joined.log_weight > astray.log_weight + 15.0, "{joined:?} {astray:?}");
    }

    #[test]
    fn frames_that_fit_by_luck_among_strange_bytes_never_pay() {
        let mut lucky = Score::default();
        for _ in 0..20 {
            lucky.frame(5, 32.0, 4, false);
            lucky.stray(200, false);
        }
        assert!(lucky.log_weight < 0.0, "{lucky:?}");
    }

    #[test]
    fn many_pieces_before_the_first_frame_cost_what_one_would() {
        let (mut pieces, mut whole) = (Score::default(), Score::default());
        (0..50).for_each(|_| pieces.stray(2, false));
        whole.stray(100, false);
        assert!((pieces.log_weight - whole.log_weight).abs() < 1e-9);
    }
}
