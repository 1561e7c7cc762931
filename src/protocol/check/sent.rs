//! Which fields of a frame somebody has to give a value before it can be sent.

use crate::frame::{Allowed, Expr, ExprKind, Field, FieldType, ItemKind, Layout, Name};

/// Names of the fields that nothing in the frame itself fixes or computes.
///
/// Lengths, counts and flags that are bare names follow from what they measure; what is optional may be left out.
pub(super) fn needed(layout: &Layout) -> Vec<&Name> {
    let mut follow = Vec::new();
    collect_following(layout, &mut follow);
    let mut needed = Vec::new();
    collect_needed(layout, &follow, &mut needed);
    needed
}

fn collect_needed<'l>(layout: &'l Layout, follow: &[&Name], needed: &mut Vec<&'l Name>) {
    let mut add = |name: Option<&'l Name>, allowed: &Allowed| {
        needed.extend(name.filter(|name| matches!(allowed, Allowed::Any) && !follow.contains(name)));
    };
    for item in &layout.items {
        match &item.kind {
            ItemKind::Field(Field { kind: FieldType::Part { .. }, .. }) => {}
            ItemKind::Field(Field { kind: FieldType::Cbor(keys), .. }) => {
                for key in keys.iter().filter(|key| !key.optional) {
                    add(Some(&key.name), &key.allowed);
                }
            }
            ItemKind::Field(field) => add(field.name.as_ref(), &field.allowed),
            ItemKind::Bits(fields) => {
                fields.iter().for_each(|field| add(field.name.as_ref(), &field.allowed))
            }
            ItemKind::Literal { .. } | ItemKind::Again { .. } | ItemKind::Optional { .. } => {}
            ItemKind::Repeat { .. } => {}
        }
    }
    for item in &layout.items {
        match &item.kind {
            ItemKind::Field(Field { kind: FieldType::Part { body, .. }, .. })
            | ItemKind::Repeat { body, .. } => {
                collect_needed(body, follow, needed);
            }
            _ => {}
        }
    }
}

/// Names that are nothing but a length, a count or a flag of something else.
fn collect_following<'l>(layout: &'l Layout, follow: &mut Vec<&'l Name>) {
    for item in &layout.items {
        match &item.kind {
            ItemKind::Field(field) => match &field.kind {
                FieldType::Bytes(Some(size)) | FieldType::Text(Some(size)) | FieldType::Uu(size) => {
                    follow.extend(bare(size))
                }
                FieldType::Part { body, size } => {
                    follow.extend(size.as_ref().and_then(bare));
                    collect_following(body, follow);
                }
                _ => {}
            },
            ItemKind::Optional { body, when } => {
                follow.extend(bare(when));
                collect_following(body, follow);
            }
            ItemKind::Repeat { body, count } => {
                follow.extend(count.as_ref().and_then(bare));
                collect_following(body, follow);
            }
            _ => {}
        }
    }
}

fn bare(expr: &Expr) -> Option<&Name> {
    match &expr.kind {
        ExprKind::Path(path) if path.rest.is_none() => Some(&path.first),
        _ => None,
    }
}
