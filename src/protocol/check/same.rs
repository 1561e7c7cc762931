//! Two layouts walked side by side: whether they can be the same bytes.

use std::ops::RangeInclusive;

use crate::frame::{Allowed, CborKey, Field, FieldType, ItemKind, Layout};
use crate::protocol::shape::{Known, allowed, is_decided};

/// Walks two layouts side by side, as far as they have the same shape: false where the same field has to differ.
///
/// This finds what lies behind a length that is not fixed: frames that are `like` one frame differ in a field of that frame.
pub(super) fn may_be_equal(a: &Layout, of_a: &Known, b: &Layout, of_b: &Known) -> bool {
    for (one, other) in a.items.iter().zip(&b.items) {
        match (&one.kind, &other.kind) {
            (ItemKind::Literal { bytes: a, times: ta }, ItemKind::Literal { bytes: b, times: tb }) => {
                if ta != tb || a.len() != b.len() {
                    return true;
                }
                if a != b {
                    return false;
                }
            }
            (ItemKind::Field(a), ItemKind::Field(b)) => match compare_fields(a, of_a, b, of_b) {
                Compared::Apart => return false,
                Compared::SameShape => {}
                Compared::OtherShape => return true,
            },
            (ItemKind::Bits(a), ItemKind::Bits(b)) => {
                for (a, b) in a.iter().zip(b) {
                    if a.width != b.width {
                        return true;
                    }
                    let a = allowed(a.name.as_ref(), a.transform.as_ref(), &a.allowed, of_a);
                    let b = allowed(b.name.as_ref(), b.transform.as_ref(), &b.allowed, of_b);
                    if a.zip(b).is_some_and(|(a, b)| are_disjoint(&a, &b)) {
                        return false;
                    }
                }
            }
            (ItemKind::Again { .. }, ItemKind::Again { .. }) => {}
            (ItemKind::Optional { .. }, ItemKind::Optional { .. }) => {}
            (ItemKind::Repeat { .. }, ItemKind::Repeat { .. }) => {}
            _ => return true,
        }
    }
    true
}

enum Compared {
    Apart,
    SameShape,
    OtherShape,
}

fn compare_fields(a: &Field, of_a: &Known, b: &Field, of_b: &Known) -> Compared {
    let values_of = |field: &Field, known: &Known| {
        allowed(field.name.as_ref(), field.transform.as_ref(), &field.allowed, known)
    };
    if values_of(a, of_a).zip(values_of(b, of_b)).is_some_and(|(a, b)| are_disjoint(&a, &b)) {
        return Compared::Apart;
    }
    let one_is_decided =
        |one: &Field, other: &Field| is_decided(&one.allowed) && matches!(other.allowed, Allowed::OneOf(_));
    if a.name == b.name && (one_is_decided(a, b) || one_is_decided(b, a)) {
        return Compared::Apart;
    }
    match (&a.kind, &b.kind) {
        (FieldType::Part { body: a, .. }, FieldType::Part { body: b, .. }) => {
            if may_be_equal(a, of_a, b, of_b) { Compared::SameShape } else { Compared::Apart }
        }
        (FieldType::Cbor(a), FieldType::Cbor(b)) => {
            let lacks = |one: &[CborKey], other: &[CborKey]| {
                one.iter().any(|key| !key.optional && !other.iter().any(|same| same.name == key.name))
            };
            let apart = lacks(a, b)
                || lacks(b, a)
                || a.iter().any(|key| {
                    let same = b.iter().find(|other| other.name == key.name);
                    same.is_some_and(|other| {
                        let a = allowed(Some(&key.name), None, &key.allowed, of_a);
                        let b = allowed(Some(&other.name), None, &other.allowed, of_b);
                        a.zip(b).is_some_and(|(a, b)| are_disjoint(&a, &b))
                    })
                });
            if apart { Compared::Apart } else { Compared::SameShape }
        }
        // The same part of a frame, of which one of the two tells the shape.
        _ if a.name.is_some() && a.name == b.name => Compared::SameShape,
        (one, other) if std::mem::discriminant(one) == std::mem::discriminant(other) => Compared::SameShape,
        _ => Compared::OtherShape,
    }
}

fn are_disjoint(a: &[RangeInclusive<i128>], b: &[RangeInclusive<i128>]) -> bool {
    a.iter().all(|a| b.iter().all(|b| a.end() < b.start() || b.end() < a.start()))
}
