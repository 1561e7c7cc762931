//! Names of CRCs, and how wide a checksum is that stands by itself.

use std::sync::Arc;

use super::checksum::{Algorithm, ChecksumError};
use super::compile::Compiler;
use super::expr::{Expr, ExprKind, Function};
use super::layout::{Allowed, Field, FieldType, Item, ItemKind, Layout, Order};
use super::text::{At, Mistake, Name};

impl Compiler<'_> {
    /// Finds every CRC that is named.
    pub fn algorithms(&mut self, layout: &Layout) {
        layout.exprs(&mut |expr| {
            expr.walk(&mut |part| {
                if let ExprKind::Algorithm(name) = &part.kind {
                    self.algorithm(name, part.at);
                }
            });
        });
    }

    pub fn algorithm(&mut self, name: &Name, at: At) {
        if self.program.algorithm(name).is_some() {
            return;
        }
        let own = self.checksums.iter().find(|checksum| checksum.name == *name);
        match own.map_or_else(|| Algorithm::named(name), Algorithm::own) {
            Ok(algorithm) => self.program.algorithms.push((name.clone(), algorithm)),
            Err(error) => {
                let nearest = match &error {
                    ChecksumError::Unknown { nearest, .. } => *nearest,
                    _ => None,
                };
                let own = self.checksums.iter().map(|checksum| &*checksum.name);
                let nearest = super::spelling::nearest(name, own).or(nearest);
                let help = nearest.map(|known| format!("did you mean `{known}`?"));
                self.mistakes.push(Mistake { at, says: error.to_string(), help });
            }
        }
    }

    /// Gives each checksum that stands by itself its natural width.
    pub fn widths(&mut self, layout: &mut Layout) {
        // The others may be those of other frames as well, and stay so.
        for item in layout.items.iter_mut().filter(|item| has_natural(item)) {
            match &mut Arc::make_mut(item).kind {
                ItemKind::Field(field) => {
                    if let (FieldType::Natural(order), Allowed::Equal(expr)) = (&field.kind, &field.allowed) {
                        field.kind = self.natural(*order, expr);
                    }
                    if let FieldType::Part { body, .. } = &mut field.kind {
                        self.widths(body);
                    }
                }
                ItemKind::Optional { body, .. } | ItemKind::Repeat { body, .. } => self.widths(body),
                _ => {}
            }
        }
    }

    pub fn natural(&self, order: Order, expr: &Expr) -> FieldType {
        let number = |bytes| FieldType::Number { bytes, signed: false, order };
        let ExprKind::Call { function, args } = &expr.kind else { return number(1) };
        match function {
            Function::Fletcher8 => FieldType::Bytes(Some(Expr::number(2))),
            Function::Sum16 | Function::Xor16 => number(2),
            Function::Sum32 => number(4),
            Function::Crc => {
                let name = args.first().and_then(|arg| match &arg.kind {
                    ExprKind::Algorithm(name) => Some(name),
                    _ => None,
                });
                let found = name.and_then(|name| self.program.algorithm(name));
                number(match found.map_or(8, Algorithm::width) {
                    ..=8 => 1,
                    9..=16 => 2,
                    17..=24 => 3,
                    25..=32 => 4,
                    _ => 8,
                })
            }
            _ => number(1),
        }
    }
}

/// Whether it is a checksum that stands by itself, or has one in it.
fn has_natural(item: &Item) -> bool {
    matches!(&item.kind, ItemKind::Field(Field { kind: FieldType::Natural(_), .. }))
        || item.body().is_some_and(|body| body.items.iter().any(|item| has_natural(item)))
}
