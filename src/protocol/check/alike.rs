//! Frames that one side may send at one place, and that no byte tells apart.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use crate::line::Direction;
use crate::protocol::model::{FrameId, Table};
use crate::protocol::shape::{Ending, Known, Prefix};

use super::counted::lengths;
use super::flaw::{Flaw, Place};
use super::numbers::Numbers;
use super::positions::{Position, Positions};
use super::same::{Side, may_be_equal};
use super::special::is_special_case;

pub(super) fn flaws(table: &Table, all: &[Positions]) -> Vec<Flaw> {
    let mut search = Search {
        table,
        variants: Vec::new(),
        of_frame: vec![Vec::new(); table.frames.len()],
        told: BTreeSet::new(),
        found: Vec::new(),
    };
    for state in &table.states {
        let started = state.may.iter().filter_map(|id| all.get(id.0));
        let first = started.flat_map(|positions| positions.first.iter().map(|index| &positions.list[index]));
        search.among(&first.collect::<Vec<_>>());
    }
    for positions in all {
        for next in &positions.follow {
            search.among(&next.iter().map(|index| &positions.list[index]).collect::<Vec<_>>());
        }
    }
    search.found
}

/// A frame, and what the talk fixes in it.
struct Variant<'t> {
    frame: FrameId,
    fixed: &'t Known,
    prefix: OnceCell<Prefix>,
    ending: OnceCell<Ending>,
    /// Those that it was found to win against, or not, already.
    compared: Numbers,
}

/// A variant, counted from the first that was looked at.
type VariantId = usize;

/// Who loses no more than one of so many of its own frames is told apart by some byte all but always.
const WORTH_TELLING: f64 = 1.0 / 256.0;

struct Search<'t> {
    table: &'t Table,
    variants: Vec<Variant<'t>>,
    of_frame: Vec<Vec<VariantId>>,
    told: BTreeSet<(FrameId, FrameId)>,
    found: Vec<Flaw>,
}

impl<'t> Search<'t> {
    /// Compares what may come at one place; what stands first wins.
    fn among(&mut self, place: &[&'t Position]) {
        let variants: Vec<VariantId> =
            place.iter().map(|position| self.variant(position.id, &position.fixed)).collect();
        for (index, later) in place.iter().enumerate() {
            for (earlier, &variant) in place[..index].iter().zip(&variants) {
                if earlier.direction == later.direction && !earlier.guarded && !later.guarded {
                    self.compare(variant, variants[index], later.place, Why::First);
                }
            }
            if later.direction == Direction::Rx {
                self.compare_with_refusals(variants[index], later.place);
            }
        }
    }

    /// A refusal is looked for when nothing else fits: it is lost where something else always does. Raw data fit everything,
    /// and nobody can help that.
    fn compare_with_refusals(&mut self, expected: VariantId, at: Place) {
        if !self.prefix(expected).says_something() && !self.ending(expected).says_something() {
            return;
        }
        for refusal in self.table.refusals.frames.iter().chain(&self.table.ignore) {
            let refusal = self.variant(*refusal, const { &Known::new() });
            self.compare(expected, refusal, at, Why::Expected);
        }
    }

    fn variant(&mut self, frame: FrameId, fixed: &'t Known) -> VariantId {
        let known = self.of_frame[frame.0].iter().find(|id| self.variants[**id].fixed == fixed);
        known.copied().unwrap_or_else(|| {
            let id = self.variants.len();
            self.variants.push(Variant {
                frame,
                fixed,
                prefix: OnceCell::new(),
                ending: OnceCell::new(),
                compared: Numbers::default(),
            });
            self.of_frame[frame.0].push(id);
            id
        })
    }

    fn prefix(&self, id: VariantId) -> &Prefix {
        let Variant { frame, fixed, prefix, .. } = &self.variants[id];
        prefix.get_or_init(|| Prefix::of(&self.table.frames[frame.0], fixed))
    }

    fn ending(&self, id: VariantId) -> &Ending {
        let Variant { frame, fixed, ending, .. } = &self.variants[id];
        ending.get_or_init(|| Ending::of(&self.table.frames[frame.0], fixed))
    }

    fn compare(&mut self, wins: VariantId, loses: VariantId, at: Place, why: Why) {
        let [one, other] = [wins, loses].map(|id| self.variants[id].frame);
        let pair = (one.min(other), one.max(other));
        if one == other || self.variants[wins].compared.contains(loses) || self.told.contains(&pair) {
            return;
        }
        self.variants[wins].compared.insert(loses);
        let ends_differ = || self.ending(wins).differs(self.ending(loses));
        let ends_are_seen = why == Why::Expected || self.table.line.gap.is_some();
        let [a, b] = [one, other].map(|id| &self.table.frames[id.0]);
        if self.prefix(wins).differs(self.prefix(loses), ends_are_seen, ends_differ)
            || a.envelope() != b.envelope()
            // A special case before the general one is how it should be.
            || (why == Why::First && self.prefix(wins).is_narrower_than(self.prefix(loses)))
            || self.are_told_apart(wins, loses, why)
        {
            return;
        }
        self.told.insert(pair);
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

    /// The long look, at all that the layouts say.
    fn are_told_apart(&self, wins: VariantId, loses: VariantId, why: Why) -> bool {
        let [winner, loser] = [wins, loses].map(|id| self.side(id, self.variants[id].fixed));
        if !may_be_equal(winner, loser)
            || is_special_case(winner, loser)
            // Such a refusal is taken for what it is, whatever is expected.
            || (why == Why::Expected && is_special_case(loser, winner))
        {
            return true;
        }
        let known = [wins, loses].map(|id| {
            let Variant { frame, fixed, .. } = &self.variants[id];
            let mut known = lengths(self.table.frames[frame.0].layout());
            known.extend(fixed.iter().map(|(name, value)| (name.clone(), *value)));
            known
        });
        let [winner, loser] = [(wins, &known[0]), (loses, &known[1])].map(|(id, known)| self.side(id, known));
        let [first, second] = [(wins, &known[0]), (loses, &known[1])]
            .map(|(id, known)| Prefix::of(&self.table.frames[self.variants[id].frame.0], known));
        first.share_of(&second) <= WORTH_TELLING || !may_be_equal(winner, loser)
    }

    fn side<'s>(&'s self, id: VariantId, fixed: &'s Known) -> Side<'s> {
        Side { layout: self.table.frames[self.variants[id].frame.0].layout(), fixed }
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
