//! What is known of each byte of the device that an image is for: a map of ranges, as short as it can be.

/// What is known of a range of the device's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Nothing was done to it.
    Untouched,
    /// It was erased, or read and found erased.
    Erased,
    /// Something was done to it, and nobody knows how far that came.
    Doubtful,
    /// The device said that it is written.
    Written,
    /// It was read back and is not what the image says.
    Differs,
    /// It was read back, or checked by the device, and is what the image says.
    Verified,
}

impl State {
    pub const ALL: [State; 6] =
        [State::Untouched, State::Erased, State::Doubtful, State::Written, State::Differs, State::Verified];

    pub fn word(self) -> &'static str {
        match self {
            State::Untouched => "untouched",
            State::Erased => "erased",
            State::Doubtful => "doubtful",
            State::Written => "written",
            State::Differs => "differs",
            State::Verified => "verified",
        }
    }
}

/// A range in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    pub at: u64,
    pub size: u64,
    pub state: State,
}

impl Extent {
    fn end(&self) -> u64 {
        self.at + self.size
    }
}

/// The ranges that an image takes, in order of address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extents(Vec<Extent>);

impl Extents {
    /// Nothing was done to any of these ranges, which do not overlap.
    pub fn untouched(ranges: impl IntoIterator<Item = (u64, u64)>) -> Extents {
        let extent = |(at, size)| Extent { at, size, state: State::Untouched };
        let mut all: Vec<Extent> = ranges.into_iter().map(extent).filter(|extent| extent.size > 0).collect();
        all.sort_by_key(|extent| extent.at);
        Extents(all)
    }

    /// What is true from now on, for the part of this range that the image takes.
    pub fn set(&mut self, at: u64, size: u64, state: State) {
        let end = at.saturating_add(size);
        // Only what the range touches is looked at: a long flash sets one piece after another.
        let first = self.0.partition_point(|extent| extent.end() <= at);
        let last = self.0.partition_point(|extent| extent.at < end);
        if first >= last {
            return;
        }
        let mut new: Vec<Extent> = Vec::with_capacity(last - first + 2);
        for extent in &self.0[first..last] {
            let (from, to) = (extent.at.max(at), extent.end().min(end));
            let parts =
                [(extent.at, from, extent.state), (from, to, state), (to, extent.end(), extent.state)];
            for (from, to, state) in parts.into_iter().filter(|(from, to, _)| from < to) {
                join(&mut new, Extent { at: from, size: to - from, state });
            }
        }
        let (before, after) = (first.saturating_sub(1), (last + 1).min(self.0.len()));
        let mut around: Vec<Extent> = self.0[before..first].to_vec();
        new.into_iter().for_each(|extent| join(&mut around, extent));
        self.0[last..after].iter().for_each(|extent| join(&mut around, *extent));
        self.0.splice(before..after, around);
    }

    pub fn iter(&self) -> impl Iterator<Item = &Extent> {
        self.0.iter()
    }

    /// How many bytes are in this state.
    pub fn bytes(&self, state: State) -> u64 {
        self.0.iter().filter(|extent| extent.state == state).map(|extent| extent.size).sum()
    }

    pub fn all(&self, state: State) -> bool {
        self.0.iter().all(|extent| extent.state == state)
    }
}

fn join(all: &mut Vec<Extent>, extent: Extent) {
    match all.last_mut() {
        Some(last) if last.end() == extent.at && last.state == extent.state => last.size += extent.size,
        _ => all.push(extent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_range_is_cut_where_its_state_changes_and_joined_where_it_is_the_same_again() {
        let mut extents = Extents::untouched([(0x100, 0x40), (0x200, 0x10)]);
        extents.set(0x120, 0x200, State::Written);
        let shown = |extents: &Extents| extents.iter().map(|e| (e.at, e.size, e.state)).collect::<Vec<_>>();
        assert_eq!(
            shown(&extents),
            [(0x100, 0x20, State::Untouched), (0x120, 0x20, State::Written), (0x200, 0x10, State::Written)]
        );
        extents.set(0, u64::MAX, State::Verified);
        assert_eq!(shown(&extents), [(0x100, 0x40, State::Verified), (0x200, 0x10, State::Verified)]);
        assert_eq!((extents.bytes(State::Verified), extents.all(State::Verified)), (0x50, true));
    }

    proptest! {
        #[test]
        fn every_byte_is_in_the_state_it_was_set_to_last(sets in prop::collection::vec((0u64..60, 0u64..30, 0usize..6), 0..20)) {
            let mut extents = Extents::untouched([(5, 20), (30, 20)]);
            let mut bytes = [None; 100];
            (5..25).chain(30..50).for_each(|at| bytes[at] = Some(State::Untouched));
            for (at, size, state) in sets {
                extents.set(at, size, State::ALL[state]);
                for byte in &mut bytes[at as usize..(at + size) as usize] {
                    *byte = byte.map(|_| State::ALL[state]);
                }
            }
            for (at, expected) in bytes.iter().enumerate() {
                let found = extents.iter().find(|e| e.at <= at as u64 && (at as u64) < e.at + e.size);
                prop_assert_eq!(found.map(|e| e.state), *expected);
            }
        }
    }
}
