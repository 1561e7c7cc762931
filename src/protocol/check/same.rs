//! Two layouts laid side by side: whether they can be the same bytes, and whether one is a special case of the other.

use std::ops::RangeInclusive;

use crate::frame::{
    Allowed, BitField, CborKey, Expr, ExprKind, Field, FieldType, Function, Item, ItemKind, Layout, Name,
    Times,
};
use crate::protocol::shape::{Known, Ranges, allowed, is_counted, is_decided};

use super::counted::width;

/// One layout, and what the talk fixes in it.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub layout: &'a Layout,
    pub fixed: &'a Known,
}

/// What a layout is made of, the bytes of a literal one by one.
pub(super) enum Piece<'a> {
    Byte(u8),
    Item(&'a ItemKind),
}

/// Literals that are repeated more often stay whole.
const MOST_TIMES: u32 = 64;

impl<'a> Side<'a> {
    pub(super) fn within(self, layout: &'a Layout) -> Side<'a> {
        Side { layout, ..self }
    }

    pub(super) fn pieces(self) -> Vec<Piece<'a>> {
        let mut pieces = Vec::with_capacity(self.layout.items.len());
        for item in &self.layout.items {
            match &item.kind {
                ItemKind::Literal { bytes, times: Times::Exactly(times @ ..=MOST_TIMES) } => {
                    let all = bytes.iter().cycle().take(bytes.len() * *times as usize);
                    pieces.extend(all.map(|byte| Piece::Byte(*byte)));
                }
                kind => pieces.push(Piece::Item(kind)),
            }
        }
        pieces
    }

    pub(super) fn values(self, field: &Field) -> Option<Ranges> {
        allowed(field.name.as_ref(), field.transform.as_ref(), &field.allowed, self.fixed)
    }

    pub(super) fn bits(self, field: &BitField) -> Option<Ranges> {
        allowed(field.name.as_ref(), field.transform.as_ref(), &field.allowed, self.fixed)
    }

    /// It says how long something in it is.
    fn says_a_size(self) -> bool {
        let is_size = |item: &Item| match &item.kind {
            ItemKind::Field(field) => is_counted(&field.allowed),
            _ => false,
        };
        self.layout.items.iter().any(|item| is_size(item))
    }
}

/// Walks two layouts side by side, as far as they have the same shape: false where the same field has to differ.
///
/// This finds what lies behind a length that is not fixed: frames that are `like` one frame differ in a field of that frame.
pub(super) fn may_be_equal(a: Side<'_>, b: Side<'_>) -> bool {
    are_alike(a, b, a.says_a_size() && b.says_a_size())
}

fn are_alike(a: Side<'_>, b: Side<'_>, sizes_are_said: bool) -> bool {
    for (one, other) in a.pieces().iter().zip(&b.pieces()) {
        let compared = match (one, other) {
            (Piece::Byte(a), Piece::Byte(b)) if a == b => Compared::SameShape,
            (Piece::Byte(_), Piece::Byte(_)) => Compared::Apart,
            (Piece::Byte(byte), Piece::Item(item)) => compare_with_byte(*byte, item, b),
            (Piece::Item(item), Piece::Byte(byte)) => compare_with_byte(*byte, item, a),
            (Piece::Item(one), Piece::Item(other)) => compare(one, a, other, b, sizes_are_said),
        };
        match compared {
            Compared::Apart => return false,
            Compared::SameShape => {}
            Compared::OtherShape => return true,
        }
    }
    true
}

enum Compared {
    Apart,
    SameShape,
    OtherShape,
}

/// A number of one byte, where the other frame has a byte that is always the same.
fn compare_with_byte(byte: u8, item: &ItemKind, of: Side<'_>) -> Compared {
    let ItemKind::Field(field @ Field { kind: FieldType::Number { bytes: 1, .. }, .. }) = item else {
        return Compared::OtherShape;
    };
    let byte = i128::from(byte);
    let is_other = of.values(field).is_some_and(|values| !values.iter().any(|range| range.contains(&byte)));
    if is_other || is_decided(&field.allowed) { Compared::Apart } else { Compared::SameShape }
}

fn compare(one: &ItemKind, a: Side<'_>, other: &ItemKind, b: Side<'_>, sizes_are_said: bool) -> Compared {
    match (one, other) {
        (ItemKind::Literal { bytes, times }, ItemKind::Literal { bytes: others, times: as_often }) => {
            if times != as_often || bytes.len() != others.len() {
                Compared::OtherShape
            } else if bytes == others {
                Compared::SameShape
            } else {
                Compared::Apart
            }
        }
        (ItemKind::Field(one), ItemKind::Field(other)) => compare_fields(one, a, other, b, sizes_are_said),
        (ItemKind::Bits(ones), ItemKind::Bits(others)) => {
            for (one, other) in ones.iter().zip(others) {
                if one.width != other.width {
                    return Compared::OtherShape;
                }
                if a.bits(one).zip(b.bits(other)).is_some_and(|(one, other)| are_disjoint(&one, &other)) {
                    return Compared::Apart;
                }
            }
            Compared::SameShape
        }
        (ItemKind::Again { .. }, ItemKind::Again { .. })
        | (ItemKind::Optional { .. }, ItemKind::Optional { .. })
        | (ItemKind::Repeat { .. }, ItemKind::Repeat { .. }) => Compared::SameShape,
        _ => Compared::OtherShape,
    }
}

fn compare_fields(one: &Field, a: Side<'_>, other: &Field, b: Side<'_>, sizes_are_said: bool) -> Compared {
    if a.values(one).zip(b.values(other)).is_some_and(|(one, other)| are_disjoint(&one, &other)) {
        return Compared::Apart;
    }
    let one_is_decided =
        |one: &Field, other: &Field| is_decided(&one.allowed) && matches!(other.allowed, Allowed::OneOf(_));
    if one.name == other.name && (one_is_decided(one, other) || one_is_decided(other, one)) {
        return Compared::Apart;
    }
    if sums_differ(&one.allowed, &other.allowed) {
        return Compared::Apart;
    }
    match (&one.kind, &other.kind) {
        (FieldType::Part { body: one, .. }, FieldType::Part { body: other, .. }) => {
            let sizes = width(one).zip(width(other)).filter(|_| sizes_are_said);
            let is_apart = sizes.is_some_and(|(one, other)| one != other)
                || !are_alike(a.within(one), b.within(other), sizes_are_said);
            if is_apart { Compared::Apart } else { Compared::SameShape }
        }
        (FieldType::Cbor(ones), FieldType::Cbor(others)) => {
            let lacks = |one: &[CborKey], other: &[CborKey]| {
                one.iter().any(|key| !key.optional && !other.iter().any(|same| same.name == key.name))
            };
            let apart = lacks(ones, others)
                || lacks(others, ones)
                || ones.iter().any(|key| {
                    let same = others.iter().find(|other| other.name == key.name);
                    same.is_some_and(|other| {
                        let one = allowed(Some(&key.name), None, &key.allowed, a.fixed);
                        let other = allowed(Some(&other.name), None, &other.allowed, b.fixed);
                        one.zip(other).is_some_and(|(one, other)| are_disjoint(&one, &other))
                    })
                });
            if apart { Compared::Apart } else { Compared::SameShape }
        }
        // The same part of a frame, of which one of the two tells the shape.
        _ if one.name.is_some() && one.name == other.name => Compared::SameShape,
        (one, other) if std::mem::discriminant(one) == std::mem::discriminant(other) => Compared::SameShape,
        _ => Compared::OtherShape,
    }
}

/// Sums over other bytes, which are the same by chance alone.
fn sums_differ(one: &Allowed, other: &Allowed) -> bool {
    fn spans<'e>(expr: &'e Expr, found: &mut Vec<[Option<&'e Name>; 2]>) {
        match &expr.kind {
            ExprKind::Span { from, to } => found.push([from.as_ref(), to.as_ref()]),
            ExprKind::Path(path) if path.rest.is_none() => found.push([Some(&path.first); 2]),
            ExprKind::Call { function, args } if *function != Function::Size => {
                args.iter().for_each(|arg| spans(arg, found));
            }
            ExprKind::Binary(_, left, right) => [left, right].into_iter().for_each(|part| spans(part, found)),
            _ => {}
        }
    }
    let (Allowed::Equal(one), Allowed::Equal(other)) = (one, other) else { return false };
    let [of_one, of_other] = [one, other].map(|expr| {
        let mut found = Vec::new();
        spans(expr, &mut found);
        found
    });
    !of_one.is_empty() && !of_other.is_empty() && of_one != of_other
}

fn are_disjoint(a: &[RangeInclusive<i128>], b: &[RangeInclusive<i128>]) -> bool {
    a.iter().all(|a| b.iter().all(|b| a.end() < b.start() || b.end() < a.start()))
}
