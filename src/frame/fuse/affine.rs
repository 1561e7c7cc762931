//! Straight lines over one number.

use super::super::expr::{BinaryOp, Expr, ExprKind};
use super::super::layout::{Transform, TransformOp};

/// (x × times + plus) / by
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub times: i64,
    pub plus: i64,
    pub by: i64,
}

impl Line {
    /// From what stands on the wire to the value.
    pub fn of(transform: Option<&Transform>) -> Option<Line> {
        let plain = Line { times: 1, plus: 0, by: 1 };
        let Some(Transform { op, by }) = transform else { return Some(plain) };
        let number = i64::from(i32::try_from(by.as_number()?).ok()?);
        match op {
            TransformOp::Add => Some(Line { plus: -number, ..plain }),
            TransformOp::Subtract => Some(Line { plus: number, ..plain }),
            TransformOp::Multiply => (number > 0).then_some(Line { by: number, ..plain }),
            TransformOp::Divide => (number > 0).then_some(Line { times: number, ..plain }),
            TransformOp::Xor => None,
        }
    }

    pub fn is_plain(self) -> bool {
        (self.times, self.plus, self.by) == (1, 0, 1)
    }
}

/// `times × of + plus`
pub(super) struct Affine<T> {
    pub times: i64,
    pub plus: i64,
    pub of: T,
}

/// Reads an expression as a straight line over the one thing in it that `find` knows.
pub(super) fn affine<T>(expr: &Expr, find: &dyn Fn(&Expr) -> Option<T>) -> Option<Affine<T>> {
    if let Some(of) = find(expr) {
        return Some(Affine { times: 1, plus: 0, of });
    }
    let ExprKind::Binary(op, left, right) = &expr.kind else { return None };
    let number = |expr: &Expr| expr.as_number().and_then(|number| i32::try_from(number).ok()).map(i64::from);
    let (inner, by, swapped) = match (number(left), number(right)) {
        (None, Some(by)) => (affine(left, find)?, by, false),
        (Some(by), None) => (affine(right, find)?, by, true),
        _ => return None,
    };
    let Affine { times, plus, of } = inner;
    let (times, plus) = match (op, swapped) {
        (BinaryOp::Add, _) => (times, plus.checked_add(by)?),
        (BinaryOp::Subtract, false) => (times, plus.checked_sub(by)?),
        (BinaryOp::Multiply, _) => (times.checked_mul(by)?, plus.checked_mul(by)?),
        _ => return None,
    };
    (times.abs() <= 1 << 20 && plus.abs() <= 1 << 40).then_some(Affine { times, plus, of })
}
