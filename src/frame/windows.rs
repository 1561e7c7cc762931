//! Counted parts: `n:u8=size(a..b)` becomes a window over the operations from `a` to `b`.

use super::compile::Compiler;
use super::expr::Expr;
use super::invert::Inverse;
use super::program::{Check, Op, OpKind, Seq, SlotId, Window};

impl Compiler<'_> {
    /// Every field that says how long what comes behind it is.
    pub fn lengths(&self, body: &Seq) -> Vec<Length> {
        let mut found = Vec::new();
        body.walk(&mut |op| {
            let mut add = |slot: SlotId, check: &Check| {
                if let Some(length) = check.expr().and_then(|expr| self.length(slot, expr)) {
                    found.push(length);
                }
            };
            match &op.kind {
                OpKind::Leaf(leaf) => add(leaf.slot, &leaf.check),
                OpKind::Bits { fields, .. } => fields.iter().for_each(|bits| add(bits.slot, &bits.check)),
                _ => {}
            }
        });
        found
    }

    fn length(&self, says: SlotId, expr: &Expr) -> Option<Length> {
        let (inverse, from, to) = Inverse::of_size(expr)?;
        let (from, to) = (self.program.slot(&from?)?, self.program.slot(&to?)?);
        (from <= to && says < to).then_some(Length { says, from, to, inverse })
    }
}

/// `n = size(a..b)`: the field that says it, and the fields from which and to which.
pub struct Length {
    says: SlotId,
    from: SlotId,
    to: SlotId,
    inverse: Inverse,
}

/// Into the innermost sequence that has both ends, if they are where its operations begin and end.
pub fn place_window(seq: &mut Seq, length: Length) {
    let Length { says, from, to, .. } = length;
    let holding = |slot: SlotId| seq.ops.iter().position(|op| op.slots.contains(&slot));
    let (Some(first), Some(last)) = (holding(from), holding(to)) else { return };
    let is_itself =
        matches!(&seq.ops[first].kind, OpKind::Leaf(leaf) if leaf.slot == from || leaf.slot == to);
    // A length outside a repeated part counts all its rounds.
    let is_whole =
        matches!(seq.ops[first].kind, OpKind::Repeat { .. }) && !seq.ops[first].slots.contains(&says);
    if first == last
        && !is_itself
        && !is_whole
        && let Some(body) = seq.ops[first].body_mut()
    {
        return place_window(body, length);
    }
    if seq.ops[first].begins_with(from) && seq.ops[last].ends_with(to) {
        seq.windows.push(Window { from: first, to: last, says, inverse: length.inverse });
    }
}

impl Op {
    fn begins_with(&self, slot: SlotId) -> bool {
        match &self.kind {
            OpKind::Bits { .. } => self.slots.contains(&slot),
            OpKind::Leaf(leaf) if leaf.slot == slot => true,
            _ => self.body().and_then(|body| body.ops.first()).is_some_and(|op| op.begins_with(slot)),
        }
    }

    fn ends_with(&self, slot: SlotId) -> bool {
        match &self.kind {
            OpKind::Bits { .. } => self.slots.contains(&slot),
            OpKind::Leaf(leaf) if leaf.slot == slot => true,
            _ => self.body().and_then(|body| body.ops.last()).is_some_and(|op| op.ends_with(slot)),
        }
    }
}
