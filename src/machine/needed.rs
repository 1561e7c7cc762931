//! How long it is waited before one looks again.

use crate::frame::Fit;

/// How many more bytes are needed at the least, over several who ask.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Needed(pub Option<usize>);

impl Needed {
    pub fn by(&mut self, more: usize) {
        self.0 = Some(self.0.map_or(more, |known| known.min(more)));
    }

    /// Nothing where the frame may be here.
    pub fn unless_whole(&mut self, fit: Fit) -> Option<()> {
        match fit {
            Fit::Whole(_) | Fit::Ask => return None,
            Fit::More(more) => self.by(more),
            Fit::No => {}
        }
        Some(())
    }
}
