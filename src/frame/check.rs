//! Mistakes that a frame shows by itself: names, order, bounds, circles.

use std::collections::BTreeSet;

use super::envelope::LONGEST;
use super::expr::{Expr, ExprKind, Path};
use super::layout::Layout;
use super::program::{Check, Leaf, LeafKind, Op, OpKind, Program, Seq, SlotId};
use super::spelling::did_you_mean;
use super::text::{At, Mistake, Name};

/// Up to so many names are compared each with each.
const FEW: usize = 32;

/// What stands behind bytes that have no length of their own, up to where their room ends.
#[derive(Clone, Copy)]
enum Behind {
    /// So wide as can be told before they are read.
    Known,
    /// Something else that takes what is left, too.
    TakesRest,
    /// Something whose width only shows when it is read.
    Unknown,
}

/// All mistakes of a frame, and whether it ends only by a gap.
pub fn frame(layout: &Layout, program: &Program) -> (Vec<Mistake>, bool) {
    let mut checker = Checker { program, places: places(layout), mistakes: Vec::new(), ends_by_gap: false };
    checker.seq(&program.body, Behind::Known, true);
    checker.twins();
    checker.circles();
    (checker.mistakes, checker.ends_by_gap)
}

/// Where each operation's slots were written; an operation without a slot has no place of its own.
fn places(layout: &Layout) -> At {
    let from = layout.items.first().map_or(0, |item| item.at.from);
    let to = layout.items.last().map_or(from, |item| item.at.to);
    At { from, to }
}

pub struct Checker<'a> {
    pub program: &'a Program,
    pub places: At,
    pub mistakes: Vec<Mistake>,
    pub ends_by_gap: bool,
}

impl<'a> Checker<'a> {
    pub fn tell(&mut self, at: At, says: String, help: Option<String>) {
        self.mistakes.push(Mistake { at, says, help });
    }

    fn at_of(&self, op: &Op) -> At {
        self.program
            .slots
            .get(op.slots.start)
            .filter(|_| !op.slots.is_empty())
            .map_or(self.places, |slot| slot.at)
    }

    /// `open`: only the end of the frame bounds this sequence.
    fn seq(&mut self, seq: &Seq, behind: Behind, open: bool) {
        for (place, op) in seq.ops.iter().enumerate() {
            let window =
                seq.windows.iter().filter(|w| (w.from..=w.to).contains(&place)).min_by_key(|w| w.to - w.from);
            let here = match window {
                // Nothing in it asks.
                _ if op.fixed.is_some() => Behind::Known,
                Some(window) => self.behind(&seq.ops[place + 1..=window.to], op, Behind::Known),
                None => self.behind(&seq.ops[place + 1..], op, behind),
            };
            self.op(op, here, open && window.is_none());
        }
    }

    /// What stands behind `op`: the operations after it, then what stands behind those.
    fn behind(&self, after: &[Op], op: &Op, outer: Behind) -> Behind {
        let is_ended = |next: &Op| matches!(next.kind, OpKind::Fill(_)) && op.is_ended_by_fill();
        let skipped = usize::from(after.first().is_some_and(is_ended));
        after.iter().skip(skipped).fold(outer, |behind, next| match behind {
            Behind::Known if next.takes_rest => Behind::TakesRest,
            Behind::Known if !self.is_told_before(next, op.slots.start) => Behind::Unknown,
            behind => behind,
        })
    }

    /// Whether the width of `op` follows from what was read before `slot`.
    fn is_told_before(&self, op: &Op, slot: SlotId) -> bool {
        let told = |expr: &Expr| {
            expr.all_paths(&mut |path| {
                path.rest.is_some() || self.program.slot(&path.first).is_none_or(|named| named < slot)
            })
        };
        let all = |seq: &Seq| seq.ops.iter().all(|op| self.is_told_before(op, slot));
        if op.fixed.is_some() {
            return true;
        }
        match &op.kind {
            OpKind::Literal(_) | OpKind::Bits { .. } | OpKind::Again { .. } => true,
            OpKind::Some { .. } | OpKind::Fill(_) => false,
            OpKind::Optional { body, when } => told(when) && all(body),
            OpKind::Repeat { body, count } => {
                count.as_ref().is_some_and(told) && body.ops.iter().all(|op| op.fixed.is_some())
            }
            OpKind::Leaf(leaf) => match &leaf.kind {
                LeafKind::Number { .. } => true,
                LeafKind::Sized { bytes: size, .. } | LeafKind::Hex(size) | LeafKind::Uu(size) => told(size),
                LeafKind::Bytes { size: Some(size), .. } | LeafKind::Part { size: Some(size), .. } => {
                    told(size)
                }
                LeafKind::Part { body, size: None } => all(body),
                LeafKind::Bytes { size: None, .. } | LeafKind::Dec | LeafKind::Cbor(_) => false,
            },
        }
    }

    fn op(&mut self, op: &Op, behind: Behind, open: bool) {
        let at = self.at_of(op);
        match &op.kind {
            OpKind::Literal(_) | OpKind::Some { .. } => {}
            OpKind::Fill(_) => self.rest(at, behind, open),
            OpKind::Bits { fields, .. } => {
                for bits in fields {
                    self.fits(&bits.check, bits.slot, u32::from(bits.width), false);
                    self.relation(&bits.check, bits.slot);
                    self.transform(bits.transform.as_ref().map(|transform| &transform.by), bits.slot);
                }
            }
            OpKind::Again { of, .. } => {
                if !self.is_of_whole_bytes(*of) {
                    let says = format!("{} does not fill whole bytes of its own", self.program.label(*of));
                    self.tell(self.program.slots[*of].at, says, None);
                }
            }
            OpKind::Optional { body, when } => {
                self.size(when, op.slots.start, false);
                self.seq(body, behind, open);
            }
            OpKind::Repeat { body, count } => {
                if let Some(count) = count {
                    self.size(count, op.slots.start, true);
                } else {
                    self.rest(at, behind, open);
                }
                if body.least.first().is_none_or(|least| *least == 0) {
                    let says = "a repeated part that may be empty never ends".into();
                    self.tell(at, says, Some("at least one byte of it must always be there".into()));
                }
                self.seq(body, Behind::Unknown, false);
            }
            OpKind::Leaf(leaf) => self.leaf(leaf, behind, open),
        }
    }

    fn is_of_whole_bytes(&self, slot: SlotId) -> bool {
        let mut whole = false;
        self.program.body.walk(&mut |op| {
            whole |= matches!(&op.kind, OpKind::Leaf(leaf) if leaf.slot == slot);
        });
        whole
    }

    fn leaf(&mut self, leaf: &Leaf, behind: Behind, open: bool) {
        let at = self.program.slots[leaf.slot].at;
        self.relation(&leaf.check, leaf.slot);
        self.transform(leaf.transform.as_ref().map(|transform| &transform.by), leaf.slot);
        match &leaf.kind {
            LeafKind::Number { bytes, signed, .. } => {
                if leaf.transform.is_none() {
                    self.fits(&leaf.check, leaf.slot, *bytes as u32 * 8, *signed);
                }
            }
            LeafKind::Dec => {}
            LeafKind::Sized { bytes: size, .. } => {
                self.size(size, leaf.slot, true);
                self.within(size, 8, "a number has at most 8 bytes");
            }
            LeafKind::Hex(size) => {
                self.size(size, leaf.slot, true);
                self.within(size, 16, "a number has at most 16 hex digits");
            }
            LeafKind::Uu(size) | LeafKind::Bytes { size: Some(size), .. } => self.size(size, leaf.slot, true),
            LeafKind::Bytes { size: None, until, .. } => {
                if until.as_ref().is_none_or(|mark| mark.fills) {
                    self.rest(at, behind, open);
                }
            }
            LeafKind::Part { body, size: Some(size) } => {
                self.size(size, leaf.slot, true);
                self.seq(body, Behind::Known, false);
            }
            LeafKind::Part { body, size: None } => self.seq(body, behind, open),
            LeafKind::Cbor(keys) => keys.iter().for_each(|key| self.relation(&key.check, key.slot)),
        }
    }

    /// Bytes without a length, a fill, a repeated part without a count.
    fn rest(&mut self, at: At, behind: Behind, open: bool) {
        self.ends_by_gap |= open;
        match behind {
            Behind::Known => {}
            Behind::TakesRest => self.tell(
                at,
                "two parts without a length share one room: nothing says where one ends".into(),
                Some("give one of them a length, or a literal behind it".into()),
            ),
            Behind::Unknown => self.tell(
                at,
                "nothing ends these bytes: how wide the rest is shows only when it is read".into(),
                Some("give them a length as in `bytes(n)`, or a literal behind them".into()),
            ),
        }
    }

    /// A length, a count or a condition: what it names has been read before.
    fn size(&mut self, expr: &Expr, here: SlotId, is_length: bool) {
        expr.walk(&mut |part| {
            let ExprKind::Path(Path { first, rest: None }) = &part.kind else { return };
            if self.program.slot(first).is_some_and(|slot| slot >= here) {
                let says = format!("`{first}` is read only after this");
                let help = Some("a length, a count or a flag comes before what it speaks of".into());
                self.tell(part.at, says, help);
            }
        });
        self.spans(expr, here);
        if is_length {
            self.within(expr, LONGEST as i128, &format!("a length or a count is 0 to {LONGEST}"));
        }
    }

    fn within(&mut self, expr: &Expr, most: i128, says: &str) {
        if expr.as_number().is_some_and(|number| !(0..=most).contains(&number)) {
            self.tell(expr.at, says.into(), None);
        }
    }

    fn transform(&mut self, by: Option<&Expr>, here: SlotId) {
        if let Some(by) = by {
            self.size(by, here, false);
        }
    }

    fn relation(&mut self, check: &Check, here: SlotId) {
        if let Check::Computed { expr, .. } = check {
            self.spans(expr, here);
        }
    }

    /// Every span names fields of this frame, in their order.
    fn spans(&mut self, expr: &Expr, here: SlotId) {
        let mut told = Vec::new();
        expr.walk(&mut |part| {
            let ExprKind::Span { from, to } = &part.kind else { return };
            let mut end = |name: &Option<Name>, otherwise| match name {
                None => Some(otherwise),
                Some(name) => {
                    let slot = self.program.slot(name);
                    if slot.is_none() {
                        let names = self.program.slots.iter().filter_map(|slot| slot.name.as_deref());
                        let help = did_you_mean(name, names);
                        let says = format!("nothing in this frame is called `{name}`");
                        told.push(Mistake { at: part.at, says, help });
                    }
                    slot
                }
            };
            let (from, to) = (end(from, 0), end(to, here));
            if from.zip(to).is_some_and(|(from, to)| from > to) {
                let says = "this span ends before it begins".into();
                told.push(Mistake { at: part.at, says, help: Some("write the earlier field first".into()) });
            }
        });
        self.mistakes.extend(told);
    }

    /// Fixed values and sets fit their field.
    fn fits(&mut self, check: &Check, slot: SlotId, bits: u32, signed: bool) {
        let (least, most) = number_range(bits, signed);
        let wrong = match check {
            Check::Fixed(value) => value.as_int().filter(|number| !(least..=most).contains(number)),
            Check::OneOf(ranges) | Check::Sends { others: ranges, .. } => {
                let mut ends = ranges.iter().flat_map(|range| [*range.start(), *range.end()]);
                ends.find(|number| !(least..=most).contains(number))
            }
            Check::Any | Check::Computed { .. } => None,
        };
        if let Some(number) = wrong {
            let says = format!("{} holds {least} to {most}, not {number}", self.program.label(slot));
            self.tell(self.program.slots[slot].at, says, None);
        }
    }

    /// Two fields of one name, of which both can be there.
    fn twins(&mut self) {
        let names =
            || self.program.slots.iter().enumerate().filter_map(|(id, slot)| Some((slot.name.as_ref()?, id)));
        // Nearly all are different, and few.
        if names().count() <= FEW && names().all(|(name, id)| self.program.slot(name) == Some(id)) {
            return;
        }
        let mut optional = BTreeSet::new();
        self.program.body.walk(&mut |op| {
            if matches!(op.kind, OpKind::Optional { .. }) {
                optional.extend(op.slots.clone());
            }
        });
        let mut seen: BTreeSet<&Name> = BTreeSet::new();
        let mut told = Vec::new();
        for (name, id) in names() {
            let slot = &self.program.slots[id];
            if !seen.insert(name) && !optional.contains(&id) {
                let help =
                    Some("fields of one name stand in optional parts that exclude each other".to_string());
                told.push(Mistake { at: slot.at, says: format!("two fields are called `{name}`"), help });
            }
        }
        self.mistakes.extend(told);
    }
}

impl Check {
    /// What a value is computed from.
    pub fn expr(&self) -> Option<&Expr> {
        match self {
            Check::Computed { expr, .. } => Some(expr),
            Check::Any | Check::Fixed(_) | Check::OneOf(_) | Check::Sends { .. } => None,
        }
    }
}

/// The smallest and the largest number of so many bits.
pub fn number_range(bits: u32, signed: bool) -> (i128, i128) {
    if signed { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1 << bits) - 1) }
}
