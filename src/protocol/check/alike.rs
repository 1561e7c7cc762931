//! Frames that one side may send at one place, and that no byte tells apart.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::line::Direction;
use crate::protocol::model::{FrameId, Table};
use crate::protocol::shape::{Known, Prefix};

use super::flaw::{Flaw, Place};
use super::positions::{Position, Positions};
use super::same::may_be_equal;

pub(super) fn flaws(table: &Table, all: &[Positions]) -> Vec<Flaw> {
    let mut search = Search {
        table,
        compared: BTreeSet::new(),
        prefixes: BTreeMap::new(),
        told: BTreeSet::new(),
        found: Vec::new(),
    };
    for state in &table.states {
        let started = state.may.iter().filter_map(|id| all.get(id.0));
        let first = started.flat_map(|positions| positions.first.iter().map(|index| &positions.list[*index]));
        search.among(&first.collect::<Vec<_>>());
    }
    for positions in all {
        for next in &positions.follow {
            search.among(&next.iter().map(|index| &positions.list[*index]).collect::<Vec<_>>());
        }
    }
    search.found
}

struct Search<'t> {
    table: &'t Table,
    /// Frames with what the talk fixes in them, and the same of the other one.
    compared: BTreeSet<(FrameId, Known, FrameId, Known)>,
    prefixes: BTreeMap<(FrameId, Known), Rc<Prefix>>,
    told: BTreeSet<(FrameId, FrameId)>,
    found: Vec<Flaw>,
}

impl Search<'_> {
    /// Compares what may come at one place; what stands first wins.
    fn among(&mut self, place: &[&Position]) {
        for (index, later) in place.iter().enumerate() {
            for earlier in &place[..index] {
                if earlier.direction == later.direction && !earlier.guarded && !later.guarded {
                    self.pair(earlier, later);
                }
            }
            if later.direction == Direction::Rx {
                let refusals = self.table.refusals.frames.iter().chain(&self.table.ignore);
                for id in refusals.copied().collect::<Vec<_>>() {
                    self.pair_with_refusal(later, id);
                }
            }
        }
    }

    fn pair(&mut self, earlier: &Position, later: &Position) {
        self.compare((earlier.id, &earlier.fixed), (later.id, &later.fixed), later.place, Why::First);
    }

    /// A refusal is looked for when nothing else fits: it is lost where something else always does. Raw data fit everything,
    /// and nobody can help that.
    fn pair_with_refusal(&mut self, expected: &Position, refusal: FrameId) {
        if self.prefix(expected.id, &expected.fixed).says_something() {
            self.compare(
                (expected.id, &expected.fixed),
                (refusal, &Known::new()),
                expected.place,
                Why::Expected,
            );
        }
    }

    fn prefix(&mut self, id: FrameId, known: &Known) -> Rc<Prefix> {
        let frame = &self.table.frames[id.0];
        let new = || Rc::new(Prefix::of(frame, known));
        self.prefixes.entry((id, known.clone())).or_insert_with(new).clone()
    }

    fn compare(
        &mut self,
        (one, of_one): (FrameId, &Known),
        (other, of_other): (FrameId, &Known),
        at: Place,
        why: Why,
    ) {
        if one == other || self.told.contains(&(one.min(other), one.max(other))) {
            return;
        }
        if !self.compared.insert((one, of_one.clone(), other, of_other.clone())) {
            return;
        }
        let (wins, loses) = (self.prefix(one, of_one), self.prefix(other, of_other));
        let (a, b) = (&self.table.frames[one.0], &self.table.frames[other.0]);
        let ends_are_seen = why == Why::Expected || self.table.line.gap.is_some();
        let apart = wins.differs(&loses, ends_are_seen)
            || a.envelope() != b.envelope()
            // A special case before the general one is how it should be.
            || (why == Why::First && wins.is_narrower_than(&loses))
            || !may_be_equal(a.layout(), of_one, b.layout(), of_other);
        if apart {
            return;
        }
        self.told.insert((one.min(other), one.max(other)));
        let reason = match why {
            Why::First => "stands first",
            Why::Expected => "is expected here, and the refusal is never seen",
        };
        let (a, b) = (a.name(), b.name());
        let says = format!(
            "no byte tells `{a}` and `{b}` apart, and both may come here; `{a}` wins, as it {reason}"
        );
        let help = "give one of them a fixed value, or a set of values, that the other cannot have";
        self.found.push(Flaw::warning(at, says).with_help(help.to_string()));
    }
}

/// Why the first of two frames wins.
#[derive(Clone, Copy, PartialEq)]
enum Why {
    /// It is written before the other one.
    First,
    /// The other one is a refusal.
    Expected,
}
