//! Walks expressions and layouts to where names stand in them, and lets each be changed.

use std::sync::Arc;

use crate::frame::{
    Allowed, BitField, CborKey, Expr, ExprKind, Field, FieldType, ItemKind, Layout, Transform,
};

/// Calls `visit` with every expression of a layout that may name something, and the field it is a value of, if it is.
pub(super) fn layout_exprs(layout: &mut Layout, visit: &mut dyn FnMut(&mut Expr, Option<&str>)) {
    for item in &mut layout.items {
        match &mut Arc::make_mut(item).kind {
            ItemKind::Literal { .. } | ItemKind::Again { .. } => {}
            ItemKind::Field(field) => field_exprs(field, visit),
            ItemKind::Bits(fields) => {
                for BitField { name, transform, allowed, .. } in fields {
                    transform_expr(transform, visit);
                    allowed_expr(allowed, name.as_deref(), visit);
                }
            }
            ItemKind::Optional { body, when } => {
                visit(when, None);
                layout_exprs(body, visit);
            }
            ItemKind::Repeat { body, count } => {
                count.iter_mut().for_each(|count| visit(count, None));
                layout_exprs(body, visit);
            }
        }
    }
}

fn field_exprs(field: &mut Field, visit: &mut dyn FnMut(&mut Expr, Option<&str>)) {
    transform_expr(&mut field.transform, visit);
    match &mut field.kind {
        FieldType::Number { .. } | FieldType::Dec | FieldType::Natural(_) => {}
        FieldType::Sized { bytes: size, .. } | FieldType::Hex(size) | FieldType::Uu(size) => {
            visit(size, None)
        }
        FieldType::Bytes(size) | FieldType::Text(size) => size.iter_mut().for_each(|size| visit(size, None)),
        FieldType::Part { body, size } => {
            size.iter_mut().for_each(|size| visit(size, None));
            layout_exprs(body, visit);
        }
        FieldType::Cbor(keys) => cbor_exprs(keys, visit),
    }
    allowed_expr(&mut field.allowed, field.name.as_deref(), visit);
}

/// The same for the keys of a map.
pub(super) fn cbor_exprs(keys: &mut [CborKey], visit: &mut dyn FnMut(&mut Expr, Option<&str>)) {
    for CborKey { name, allowed, .. } in keys {
        allowed_expr(allowed, Some(name), visit);
    }
}

fn transform_expr(transform: &mut Option<Transform>, visit: &mut dyn FnMut(&mut Expr, Option<&str>)) {
    transform.iter_mut().for_each(|transform| visit(&mut transform.by, None));
}

fn allowed_expr(allowed: &mut Allowed, field: Option<&str>, visit: &mut dyn FnMut(&mut Expr, Option<&str>)) {
    if let Allowed::Equal(expr) | Allowed::Sends { first: expr, .. } = allowed {
        visit(expr, field);
    }
}

/// The parts of an expression, one level down.
pub(super) fn parts(expr: &mut Expr) -> Vec<&mut Expr> {
    match &mut expr.kind {
        ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Path(_) => Vec::new(),
        ExprKind::Span { .. } | ExprKind::Algorithm(_) => Vec::new(),
        ExprKind::Call { args, .. } => args.iter_mut().collect(),
        ExprKind::Unary(_, of) => vec![of],
        ExprKind::Binary(_, left, right) => vec![left, right],
        ExprKind::If { condition, then, otherwise } => vec![condition, then, otherwise],
    }
}
