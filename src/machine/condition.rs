//! A condition of a talk. Most compare one name with one number: those are told without a walk through the expression.

use std::cmp::Ordering;

use crate::frame::{BinaryOp, EvalError, Expr, ExprKind, Value};

use super::names::{Key, Names};
use super::view::View;

#[derive(Clone, Debug)]
pub(super) struct Condition {
    expr: Expr,
    comparison: Option<Comparison>,
}

/// `name op number`
#[derive(Clone, Copy, Debug)]
struct Comparison {
    name: Key,
    /// What the name's value may be to the number.
    holds: fn(Ordering) -> bool,
    number: i128,
}

impl Condition {
    pub fn of(expr: &Expr, names: &mut Names) -> Condition {
        names.add_expr(expr);
        Condition { expr: expr.clone(), comparison: comparison(expr, names) }
    }

    /// Whether it holds; `None` when something in it is not known.
    pub fn holds(&self, view: &View<'_>) -> Result<Option<bool>, EvalError> {
        if let Some(Comparison { name, holds, number }) = self.comparison {
            match view.find(name) {
                Ok(Some((Value::Int(value), _))) => return Ok(Some(holds(value.cmp(&number)))),
                Ok(None) | Err(_) => return Ok(None),
                Ok(Some(_)) => {}
            }
        }
        Ok(view.value(&self.expr)?.map(|value| value.as_int() != Some(0)))
    }
}

fn comparison(expr: &Expr, names: &Names) -> Option<Comparison> {
    let ExprKind::Binary(op, left, right) = &expr.kind else { return None };
    let (ExprKind::Path(path), ExprKind::Number(number)) = (&left.kind, &right.kind) else { return None };
    let name = names.key(path).filter(|key| names.is_plain(*key))?;
    let holds = match op {
        BinaryOp::Equal => Ordering::is_eq,
        BinaryOp::NotEqual => Ordering::is_ne,
        BinaryOp::Less => Ordering::is_lt,
        BinaryOp::AtMost => Ordering::is_le,
        BinaryOp::Greater => Ordering::is_gt,
        BinaryOp::AtLeast => Ordering::is_ge,
        _ => return None,
    };
    Some(Comparison { name, holds, number: *number })
}
