//! Computed fields that need each other.

use super::check::Checker;
use super::expr::{Expr, ExprKind, Function};
use super::program::{Check, Holds, LeafKind, OpKind, Program, SlotId};
use super::text::Name;

impl<'a> Checker<'a> {
    /// Computed fields that need each other.
    pub fn circles(&mut self) {
        let computed = self.computed();
        let needs: Vec<Vec<usize>> = computed.iter().map(|(_, expr)| self.needs(expr, &computed)).collect();
        // Where each needs only earlier ones, nearly everywhere, there is none.
        if needs.iter().enumerate().all(|(own, needs)| needs.iter().all(|needed| *needed < own)) {
            return;
        }
        for (start, (slot, expr)) in computed.iter().enumerate() {
            let mut seen = vec![false; computed.len()];
            let mut open = needs[start].clone();
            while let Some(next) = open.pop() {
                if !std::mem::replace(&mut seen[next], true) {
                    open.extend(&needs[next]);
                }
            }
            // A circle is told once, at its first field.
            if seen[start] && (0..start).all(|earlier| !seen[earlier]) {
                let says = format!("{} is computed from itself", self.program.label(*slot));
                self.tell(expr.at, says, Some("leave it out of the span".into()));
            }
        }
    }

    pub fn computed(&self) -> Vec<(SlotId, &'a Expr)> {
        let mut found = Vec::new();
        let program: &'a Program = self.program;
        let mut add = |slot: SlotId, check: &'a Check| {
            if let Some(expr) = check.expr() {
                found.push((slot, expr));
            }
        };
        program.body.walk(&mut |op| match &op.kind {
            OpKind::Leaf(leaf) => {
                add(leaf.slot, &leaf.check);
                if let LeafKind::Cbor(keys) = &leaf.kind {
                    keys.iter().for_each(|key| add(key.slot, &key.check));
                }
            }
            OpKind::Bits { fields, .. } => fields.iter().for_each(|bits| add(bits.slot, &bits.check)),
            _ => {}
        });
        found
    }

    /// Which of the computed fields this one needs: by name, or because their bytes lie in its span.
    pub fn needs(&self, expr: &Expr, computed: &[(SlotId, &Expr)]) -> Vec<usize> {
        let own = computed.iter().position(|(_, other)| std::ptr::eq(*other, expr));
        let here = own.map_or(0, |own| computed[own].0);
        let mut needed = Vec::new();
        self.collect(expr, None, here, &mut |slots, only_size| {
            let is_in = |slot: SlotId| slots.contains(&slot);
            needed.extend(computed.iter().enumerate().filter_map(|(place, (slot, _))| {
                let moves = !only_size || self.program.slots[*slot].holds == Holds::Bytes;
                (is_in(*slot) && moves).then_some(place)
            }));
        });
        needed
    }

    pub fn collect(
        &self,
        expr: &Expr,
        function: Option<Function>,
        here: SlotId,
        add: &mut dyn FnMut(std::ops::Range<SlotId>, bool),
    ) {
        let only_size = function == Some(Function::Size);
        match &expr.kind {
            ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Algorithm(_) => {}
            ExprKind::Path(path) => {
                if let (None, Some(slot)) = (&path.rest, self.program.slot(&path.first)) {
                    add(slot..self.program.slots[slot].end, only_size);
                }
            }
            ExprKind::Span { from, to } => {
                let slot = |name: &Option<Name>| name.as_ref().and_then(|name| self.program.slot(name));
                let end = slot(to).map_or(here, |slot| self.program.slots[slot].end);
                add(slot(from).unwrap_or(0)..end, only_size);
            }
            ExprKind::Call { function, args } => {
                args.iter().for_each(|arg| self.collect(arg, Some(*function), here, add));
            }
            ExprKind::Unary(_, of) => self.collect(of, None, here, add),
            ExprKind::Binary(_, left, right) => {
                self.collect(left, None, here, add);
                self.collect(right, None, here, add);
            }
            ExprKind::If { condition, then, otherwise } => {
                [condition, then, otherwise].iter().for_each(|part| self.collect(part, None, here, add));
            }
        }
    }
}
