//! Every expression that stands in a layout.

use crate::frame::{Allowed, CborKey, Expr, Field, FieldType, ItemKind, Layout};

pub(super) fn exprs(layout: &Layout) -> Vec<&Expr> {
    let mut found = Vec::new();
    collect(layout, &mut found);
    found
}

fn collect<'l>(layout: &'l Layout, found: &mut Vec<&'l Expr>) {
    for item in &layout.items {
        match &item.kind {
            ItemKind::Literal { .. } | ItemKind::Again { .. } => {}
            ItemKind::Field(field) => collect_field(field, found),
            ItemKind::Bits(fields) => {
                for field in fields {
                    found.extend(field.transform.as_ref().map(|transform| &transform.by));
                    collect_allowed(&field.allowed, found);
                }
            }
            ItemKind::Optional { body, when } => {
                found.push(when);
                collect(body, found);
            }
            ItemKind::Repeat { body, count } => {
                found.extend(count);
                collect(body, found);
            }
        }
    }
}

fn collect_field<'l>(field: &'l Field, found: &mut Vec<&'l Expr>) {
    found.extend(field.transform.as_ref().map(|transform| &transform.by));
    collect_allowed(&field.allowed, found);
    match &field.kind {
        FieldType::Sized { bytes: size, .. } | FieldType::Hex(size) | FieldType::Uu(size) => found.push(size),
        FieldType::Bytes(size) | FieldType::Text(size) => found.extend(size),
        FieldType::Part { body, size } => {
            found.extend(size);
            collect(body, found);
        }
        FieldType::Cbor(keys) => {
            keys.iter().for_each(|CborKey { allowed, .. }| collect_allowed(allowed, found))
        }
        FieldType::Number { .. } | FieldType::Dec | FieldType::Natural(_) => {}
    }
}

fn collect_allowed<'l>(allowed: &'l Allowed, found: &mut Vec<&'l Expr>) {
    match allowed {
        Allowed::Equal(expr) | Allowed::Sends { first: expr, .. } => found.push(expr),
        Allowed::Any | Allowed::OneOf(_) => {}
    }
}
