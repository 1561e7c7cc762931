//! Frames by their names, for whoever asks for nearly every one.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::protocol::model::{FrameId, Table};

pub(super) struct FrameIds<'t>(HashMap<&'t str, FrameId, FixedState>);

impl<'t> FrameIds<'t> {
    pub(super) fn of(table: &'t Table) -> FrameIds<'t> {
        FrameIds(table.frames_with_id().map(|(id, frame)| (&**frame.name(), id)).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<FrameId> {
        self.0.get(name).copied()
    }
}
