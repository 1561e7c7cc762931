//! What the file said and the table no longer tells.

use std::collections::BTreeSet;

use crate::frame::Name;

/// Names of frames with a part in the file that their compiled form does not show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Frames that others are `like`.
    pub bases: BTreeSet<Name>,
    /// Frames with `from`: they are there to be recognised, though no talk uses them.
    pub directed: BTreeSet<Name>,
}
