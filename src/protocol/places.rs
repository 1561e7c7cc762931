//! Where the parts of a table stand in its file, for what is only found out when the whole table is known.

use std::ops::Range;

use super::flash::FlashRun;

/// A named part: its name, and the string of its layout or talk with its quotes.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    pub(super) name: Range<usize>,
    /// The name once more where there is no string.
    pub(super) text: Range<usize>,
}

/// The parts of a table, in the order of the table's own lists.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    pub(super) frames: Vec<Place>,
    pub(super) exchanges: Vec<Place>,
    pub(super) states: Vec<Place>,
    pub(super) vectors: Vec<Place>,
    pub(super) meanings: Vec<Place>,
    pub(super) handshake: Place,
    pub(super) poll: Place,
    pub(super) probe: Place,
    /// `[flash]` by run.
    pub(super) flash: Vec<(FlashRun, Place)>,
    /// `[refusals]` by key.
    pub(super) refusals: Vec<(&'static str, Place)>,
}
