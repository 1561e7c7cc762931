//! Relations run backwards: `n = size(data) + 2` tells, from n, how long the data are.

use super::expr::{BinaryOp, Expr, ExprKind, Function, Path, Scope};
use super::text::Name;

/// What an expression is about, and the steps from there to its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Inverse {
    pub target: Target,
    /// Outermost first.
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    Name(Name),
    /// `size(a..b)`; a single field is a span from itself to itself.
    Size {
        from: Option<Name>,
        to: Option<Name>,
    },
}

#[derive(Clone, Debug, PartialEq)]
struct Step {
    op: BinaryOp,
    by: Expr,
    /// The target is on the left: `x - 2`, not `2 - x`.
    on_left: bool,
}

impl Inverse {
    /// The inverse of an expression that names one thing to solve for, in a chain of + - * / by numbers.
    pub fn of(expr: &Expr) -> Option<Inverse> {
        match &expr.kind {
            ExprKind::Path(Path { first, rest: None }) => {
                Some(Inverse { target: Target::Name(first.clone()), steps: Vec::new() })
            }
            ExprKind::Call { function: Function::Size, args } => {
                let [arg] = &args[..] else { return None };
                let target = match &arg.kind {
                    ExprKind::Span { from, to } => Target::Size { from: from.clone(), to: to.clone() },
                    ExprKind::Path(Path { first, rest: None }) => {
                        Target::Size { from: Some(first.clone()), to: Some(first.clone()) }
                    }
                    _ => return None,
                };
                Some(Inverse { target, steps: Vec::new() })
            }
            ExprKind::Binary(
                op @ (BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide),
                left,
                right,
            ) => {
                let on_left = is_constant(right);
                if !on_left && (!is_constant(left) || *op == BinaryOp::Divide) {
                    return None;
                }
                let (of, by) = if on_left { (left, right) } else { (right, left) };
                let mut inverse = Inverse::of(of)?;
                inverse.steps.insert(0, Step { op: *op, by: (**by).clone(), on_left });
                Some(inverse)
            }
            _ => None,
        }
    }

    /// The inverse of a relation on a length: only that makes a window.
    pub fn of_size(expr: &Expr) -> Option<(Inverse, Option<Name>, Option<Name>)> {
        let inverse = Inverse::of(expr)?;
        match inverse.target.clone() {
            Target::Size { from, to } => Some((inverse, from, to)),
            Target::Name(_) => None,
        }
    }

    /// What the target must be for the expression to have this value; `None` when it never has.
    pub fn undo(&self, value: i128, scope: &dyn Scope) -> Option<i128> {
        self.steps.iter().try_fold(value, |value, step| {
            let by = step.by.eval_int(scope).ok()?;
            match step.op {
                BinaryOp::Add => value.checked_sub(by),
                BinaryOp::Subtract if step.on_left => value.checked_add(by),
                BinaryOp::Subtract => by.checked_sub(value),
                BinaryOp::Multiply => (by != 0 && value % by == 0).then(|| value / by),
                BinaryOp::Divide => value.checked_mul(by),
                _ => None,
            }
        })
    }
}

fn is_constant(expr: &Expr) -> bool {
    let mut constant = true;
    expr.walk(&mut |part| constant &= !matches!(part.kind, ExprKind::Path(_) | ExprKind::Call { .. }));
    constant
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Nothing;

    fn undo(text: &str, value: i128) -> Option<i128> {
        Inverse::of(&Expr::parse(text).expect(text))?.undo(value, &Nothing)
    }

    #[test]
    fn sums_and_products_around_a_size_are_undone() {
        assert_eq!(undo("size(data) + 2", 10), Some(8));
        assert_eq!(undo("2 + size(a..b)", 10), Some(8));
        assert_eq!(undo("size(data) * 2 - 4", 10), Some(7));
        assert_eq!(undo("size(data) * 2", 7), None, "an odd number is no double");
        assert_eq!(undo("size(data) / 4", 3), Some(12));
        assert_eq!(undo("255 - size(data)", 250), Some(5));
        assert_eq!(undo("n - 1", 4), Some(5));
    }

    #[test]
    fn what_names_two_things_cannot_be_undone() {
        assert_eq!(undo("n + m", 4), None);
        assert_eq!(undo("size(a, b)", 4), None);
        assert_eq!(undo("8 / n", 4), None);
        assert_eq!(undo("n & 7", 4), None);
    }
}
