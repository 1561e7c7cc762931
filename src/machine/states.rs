//! A set of states: an observer that joins in the middle is in all of them at once.

use crate::protocol::StateId;

/// States of a table. Tables have fewer than 64; the ones behind share the last place, which only makes an observer less sure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct States(u64);

impl States {
    pub fn one(state: StateId) -> States {
        States(1 << state.0.min(63))
    }

    pub fn all(count: usize) -> States {
        States(if count >= 64 { u64::MAX } else { (1 << count) - 1 })
    }

    pub fn and(self, other: States) -> States {
        States(self.0 & other.0)
    }

    pub fn or(self, other: States) -> States {
        States(self.0 | other.0)
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn has(self, state: StateId) -> bool {
        !self.and(States::one(state)).is_empty()
    }

    /// The state, when it is only one.
    pub fn only(self) -> Option<StateId> {
        (self.0.count_ones() == 1).then(|| StateId(self.0.trailing_zeros() as usize))
    }
}
