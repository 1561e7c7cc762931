//! The paths in an expression, one after the other.

use crate::frame::{At, Expr, ExprKind, Path};

/// Calls `visit` with each path in an expression and its place, in written order. Most expressions have one, or none.
pub(super) fn each_path<'e>(expr: &'e Expr, mut visit: impl FnMut(&'e Path, At)) {
    expr.walk(&mut |part| {
        if let ExprKind::Path(path) = &part.kind {
            visit(path, part.at);
        }
    });
}
