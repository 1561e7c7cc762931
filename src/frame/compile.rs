//! Layout tree to program: names become slots, relations on lengths become windows.

use bytes::{Bytes, BytesMut};

use super::checksum::Checksum;
use super::expr::{Expr, ExprKind};
use super::invert::{Inverse, Target};
use super::layout::{
    Allowed, BitField, CborType, Field, FieldType, ItemKind, Layout, Times, Transform, TransformOp,
};
use super::program::{Bits, Check, Holds, Key, Leaf, LeafKind, Mark, Op, OpKind, Program, Seq, Slot, SlotId};
use super::text::{At, Mistake, Name};
use super::value::Value;

/// Compiles a layout; `layout` gets the natural widths of its checksums.
pub fn compile(layout: &mut Layout, checksums: &[Checksum]) -> Result<Program, Vec<Mistake>> {
    let slots = Vec::with_capacity(layout.items.len());
    let widths = Vec::with_capacity(layout.items.len());
    let program = Program { slots, widths, ..Program::default() };
    let mut compiler = Compiler { checksums, program, mistakes: Vec::new(), depth: 0 };
    compiler.algorithms(layout);
    if compiler.mistakes.is_empty() {
        compiler.widths(layout);
        let mut body = compiler.seq(layout);
        compiler.solvables(layout);
        for length in compiler.lengths(&body) {
            super::windows::place_window(&mut body, length);
        }
        compiler.program.body = body;
        let (mistakes, ends_by_gap) = super::check::frame(layout, &compiler.program);
        compiler.program.ends_by_gap = ends_by_gap;
        compiler.mistakes.extend(mistakes);
    }
    if compiler.mistakes.is_empty() { Ok(compiler.program) } else { Err(compiler.mistakes) }
}

pub struct Compiler<'a> {
    pub checksums: &'a [Checksum],
    pub program: Program,
    pub mistakes: Vec<Mistake>,
    /// The repeated parts around what is compiled.
    pub depth: usize,
}

impl Compiler<'_> {
    fn slot(&mut self, name: Option<&Name>, at: At, holds: Holds) -> SlotId {
        let id = self.program.slots.len();
        self.program.slots.push(Slot {
            name: name.cloned(),
            at,
            holds,
            end: id + 1,
            depth: self.depth,
            solvable: false,
        });
        id
    }

    fn seq(&mut self, layout: &Layout) -> Seq {
        let first = self.program.slots.len();
        let mut ops: Vec<Op> = Vec::with_capacity(layout.items.len());
        for item in &layout.items {
            let start = self.program.slots.len();
            let kind = match &item.kind {
                ItemKind::Literal { bytes, times } => literal(bytes, *times),
                ItemKind::Field(field) => OpKind::Leaf(self.leaf(field)),
                ItemKind::Bits(fields) => OpKind::Bits {
                    bytes: fields.iter().map(|field| usize::from(field.width)).sum::<usize>() / 8,
                    fields: fields.iter().map(|field| self.bits(field)).collect(),
                },
                ItemKind::Again { of, complement } => match self.program.slot(of) {
                    Some(slot) => OpKind::Again { of: slot, complement: *complement },
                    None => {
                        self.unknown(of, item.at);
                        continue;
                    }
                },
                ItemKind::Optional { body, when } => {
                    OpKind::Optional { body: self.seq(body), when: when.clone() }
                }
                ItemKind::Repeat { body, count } => {
                    self.depth += 1;
                    let body = self.seq(body);
                    self.depth -= 1;
                    OpKind::Repeat { body, count: count.clone() }
                }
            };
            let op = self.op(kind, start..self.program.slots.len());
            push(&mut ops, op);
        }
        attach_ends(&mut ops);
        let mut least = vec![0; ops.len() + 1];
        for place in (0..ops.len()).rev() {
            least[place] = least[place + 1] + ops[place].least;
        }
        Seq { ops, windows: Vec::new(), least, slots: first..self.program.slots.len() }
    }

    fn unknown(&mut self, name: &Name, at: At) {
        let slots = self.program.slots.iter().filter_map(|slot| slot.name.as_deref());
        let help = super::spelling::did_you_mean(name, slots);
        self.mistakes.push(Mistake { at, says: format!("nothing before this is called `{name}`"), help });
    }

    fn op(&self, kind: OpKind, slots: std::ops::Range<SlotId>) -> Op {
        let constant = |expr: &Expr| expr.as_number().and_then(|number| usize::try_from(number).ok());
        let (fixed, takes_rest) = match &kind {
            OpKind::Literal(bytes) => (Some(bytes.len()), false),
            OpKind::Some { .. } => (None, false),
            OpKind::Fill(_) => (None, true),
            OpKind::Bits { bytes, .. } => (Some(*bytes), false),
            OpKind::Again { of, .. } => (self.width_of(*of), false),
            OpKind::Optional { body, .. } => (None, body.takes_rest()),
            OpKind::Repeat { body, count } => {
                let count_of = count.as_ref().and_then(constant);
                (count_of.zip(body.fixed()).map(|(count, body)| count.saturating_mul(body)), count.is_none())
            }
            OpKind::Leaf(leaf) => match &leaf.kind {
                LeafKind::Number { bytes, .. } => (Some(*bytes), false),
                LeafKind::Sized { bytes, .. } => (constant(bytes), false),
                LeafKind::Hex(digits) => (constant(digits), false),
                LeafKind::Bytes { size: Some(size), .. } => (constant(size), false),
                LeafKind::Bytes { size: None, .. } => (None, true),
                LeafKind::Uu(n) => (constant(n).map(|n| n.div_ceil(3) * 4), false),
                LeafKind::Part { size: Some(size), .. } => (constant(size), false),
                LeafKind::Part { body, size: None } => (body.fixed(), body.takes_rest()),
                LeafKind::Dec | LeafKind::Cbor(_) => (None, false),
            },
        };
        let least = fixed.unwrap_or(match &kind {
            OpKind::Some { unit, least, .. } => unit.len() * least,
            OpKind::Leaf(Leaf { kind: LeafKind::Dec | LeafKind::Cbor(_), .. }) => 1,
            OpKind::Leaf(Leaf { kind: LeafKind::Part { body, size: None }, .. }) => {
                body.least.first().copied().unwrap_or(0)
            }
            _ => 0,
        });
        let may_take_rest = takes_rest
            || match &kind {
                OpKind::Leaf(Leaf {
                    kind: LeafKind::Bytes { size: Some(size), .. } | LeafKind::Part { size: Some(size), .. },
                    ..
                }) => self.is_free(size),
                OpKind::Optional { body, .. }
                | OpKind::Leaf(Leaf { kind: LeafKind::Part { body, size: None }, .. }) => {
                    body.ops.iter().any(|op| op.may_take_rest)
                }
                _ => false,
            };
        Op { kind, fixed, least, takes_rest, may_take_rest, slots }
    }

    /// Whether it names something that is no field: nobody may know it.
    fn is_free(&self, expr: &Expr) -> bool {
        !expr.all_paths(&mut |path| path.rest.is_none() && self.program.slot(&path.first).is_some())
    }

    fn width_of(&self, slot: SlotId) -> Option<usize> {
        // Filled in by `check`, which knows the whole program; a number is nearly always meant.
        self.program.widths.get(slot).copied().flatten()
    }

    fn leaf(&mut self, field: &Field) -> Leaf {
        let holds = match &field.kind {
            FieldType::Number { .. }
            | FieldType::Sized { .. }
            | FieldType::Dec
            | FieldType::Hex(_)
            | FieldType::Natural(_) => Holds::Number,
            _ => Holds::Bytes,
        };
        let slot = self.slot(field.name.as_ref(), field.name_at, holds);
        self.transform(field.transform.as_ref(), holds);
        let kind = match &field.kind {
            FieldType::Number { bytes, signed, order } => {
                LeafKind::Number { bytes: usize::from(*bytes), signed: *signed, order: *order }
            }
            FieldType::Natural(order) => LeafKind::Number { bytes: 1, signed: false, order: *order },
            FieldType::Sized { bytes, order } => LeafKind::Sized { bytes: bytes.clone(), order: *order },
            FieldType::Dec => LeafKind::Dec,
            FieldType::Hex(digits) => LeafKind::Hex(digits.clone()),
            FieldType::Bytes(size) => LeafKind::Bytes { size: size.clone(), text: false, until: None },
            FieldType::Text(size) => LeafKind::Bytes { size: size.clone(), text: true, until: None },
            FieldType::Uu(n) => LeafKind::Uu(n.clone()),
            FieldType::Part { body, size } => LeafKind::Part { body: self.seq(body), size: size.clone() },
            FieldType::Cbor(keys) => LeafKind::Cbor(
                keys.iter()
                    .map(|key| {
                        let holds = match key.kind {
                            CborType::Uint | CborType::Bool => Holds::Number,
                            CborType::Bytes | CborType::Text => Holds::Bytes,
                        };
                        let slot = self.slot(Some(&key.name), field.name_at, holds);
                        let check = self.check(&key.allowed, slot);
                        Key { slot, name: key.name.clone(), kind: key.kind, optional: key.optional, check }
                    })
                    .collect(),
            ),
        };
        let end = self.program.slots.len();
        self.program.slots[slot].end = end;
        let check = self.check(&field.allowed, slot);
        self.program.widths.resize(end, None);
        self.program.widths[slot] = match &kind {
            LeafKind::Number { bytes, .. } => Some(*bytes),
            _ => None,
        };
        Leaf { slot, kind, transform: field.transform.clone(), check }
    }

    fn bits(&mut self, field: &BitField) -> Bits {
        let slot = self.slot(field.name.as_ref(), field.at, Holds::Number);
        self.transform(field.transform.as_ref(), Holds::Number);
        let check = self.check(&field.allowed, slot);
        Bits { slot, width: field.width, transform: field.transform.clone(), check }
    }

    fn transform(&mut self, transform: Option<&Transform>, holds: Holds) {
        let Some(Transform { op: TransformOp::Multiply | TransformOp::Divide, by }) = transform else {
            return;
        };
        if holds == Holds::Bytes {
            let says = "bytes know +, - and ^ only: times and by lose what was there".into();
            self.mistakes.push(Mistake { at: by.at, says, help: None });
        }
    }

    fn check(&self, allowed: &Allowed, slot: SlotId) -> Check {
        match allowed {
            Allowed::Any => Check::Any,
            Allowed::OneOf(ranges) => Check::OneOf(ranges.clone()),
            Allowed::Sends { first, others } => Check::Sends { first: first.clone(), others: others.clone() },
            Allowed::Equal(expr) => match (expr.as_number(), &expr.kind) {
                (Some(number), _) => Check::Fixed(Value::Int(number)),
                (None, ExprKind::Text(text)) => Check::Fixed(Value::bytes(text.clone())),
                _ => Check::Computed { expr: expr.clone(), at_once: self.comes_before(expr, slot) },
            },
        }
    }

    /// Whether all that an expression names has been read when `slot` has been.
    fn comes_before(&self, expr: &Expr, slot: SlotId) -> bool {
        let is_before = |name: &Name| self.program.slot(name).is_some_and(|named| named < slot);
        let mut before = true;
        expr.walk(&mut |part| match &part.kind {
            ExprKind::Span { from, to } => {
                before &= from.as_ref().is_none_or(is_before) && to.as_ref().is_none_or(is_before);
            }
            // A name that is no field yet may become one further on: it is looked at in the end.
            ExprKind::Path(path) if path.rest.is_none() => before &= is_before(&path.first),
            _ => {}
        });
        before
    }

    /// Marks what the encoder finds out by itself: bare names of lengths, counts and flags.
    fn solvables(&mut self, layout: &Layout) {
        let mut named = Vec::new();
        layout.walk(&mut |item| {
            let expr = match &item.kind {
                ItemKind::Optional { when, .. } => Some(when),
                ItemKind::Repeat { count, .. } => count.as_ref(),
                ItemKind::Field(field) => match &field.kind {
                    FieldType::Bytes(size) | FieldType::Text(size) | FieldType::Part { size, .. } => {
                        size.as_ref()
                    }
                    FieldType::Uu(n) => Some(n),
                    _ => None,
                },
                _ => None,
            };
            if let Some(Inverse { target: Target::Name(name), .. }) = expr.and_then(Inverse::of) {
                named.push(name);
            }
        });
        for slot in &mut self.program.slots {
            slot.solvable = slot.name.as_ref().is_some_and(|name| named.contains(name));
        }
    }
}

fn literal(bytes: &Bytes, times: Times) -> OpKind {
    match times {
        Times::Exactly(1) => OpKind::Literal(bytes.clone()),
        Times::Exactly(count) => OpKind::Literal(bytes.repeat(count as usize).into()),
        Times::Between(least, most) => {
            OpKind::Some { unit: bytes.clone(), least: least as usize, most: most as usize }
        }
        Times::Fill => OpKind::Fill(bytes.clone()),
    }
}

/// Neighbouring literals become one: faster to compare, and a longer mark to look for.
fn push(ops: &mut Vec<Op>, op: Op) {
    if let (Some(Op { kind: OpKind::Literal(before), fixed, least, .. }), OpKind::Literal(bytes)) =
        (ops.last_mut(), &op.kind)
    {
        let mut joined = BytesMut::with_capacity(before.len() + bytes.len());
        joined.extend_from_slice(before);
        joined.extend_from_slice(bytes);
        *before = joined.freeze();
        *fixed = Some(before.len());
        *least = before.len();
        return;
    }
    ops.push(op);
}

/// Tells bytes without a length which literal ends them.
fn attach_ends(ops: &mut [Op]) {
    for place in 1..ops.len() {
        let (before, behind) = ops.split_at_mut(place);
        let mark = match &behind[0].kind {
            OpKind::Literal(bytes) if !bytes.is_empty() => Mark { bytes: bytes.clone(), fills: false },
            OpKind::Fill(bytes) if !bytes.is_empty() => Mark { bytes: bytes.clone(), fills: true },
            _ => continue,
        };
        if let Some(Op {
            kind: OpKind::Leaf(Leaf { kind: LeafKind::Bytes { size: None, until, .. }, .. }),
            ..
        }) = before.last_mut()
        {
            *until = Some(mark);
        }
    }
}
