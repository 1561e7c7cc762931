//! Whether one frame is a special case of another one.

use std::ops::RangeInclusive;

use crate::frame::{Allowed, BitField, Field, FieldType, Frame, ItemKind};
use crate::protocol::shape::{Known, Ranges};

use super::same::{Piece, Side};

/// Whether one frame is the other one with something spelt out that the other one leaves open, as a line `ERROR` is a line.
pub fn spells_out(special: &Frame, general: &Frame) -> bool {
    let fixed = const { &Known::new() };
    let [ours, theirs] = [special, general].map(|frame| Side { layout: frame.layout(), fixed });
    special.envelope() == general.envelope() && is_special_case(ours, theirs)
}

/// Whether `special` spells out what `general` leaves open: bytes or a text of any kind. All that it can be, the other one can be as
/// well, and whoever wrote it meant it to be taken for itself.
pub(super) fn is_special_case(special: Side<'_>, general: Side<'_>) -> bool {
    spelt_out(special, general) == Some(true)
}

/// Whether something is spelt out; `None` where `special` can be what `general` cannot.
fn spelt_out(special: Side<'_>, general: Side<'_>) -> Option<bool> {
    let (ours, theirs) = (special.pieces(), general.pieces());
    let mut spelt = false;
    let mut front = 0;
    while front < theirs.len() && !is_open(&theirs[front]) {
        spelt |= one_spelt_out(ours.get(front)?, special, &theirs[front], general)?;
        front += 1;
    }
    if front == theirs.len() {
        return (ours.len() == theirs.len()).then_some(spelt);
    }
    // From there on backwards, from both ends.
    let (left, rest) = (&ours[front..], &theirs[front + 1..]);
    let behind = left.len().checked_sub(rest.len())?;
    for (one, other) in left[behind..].iter().zip(rest) {
        spelt |= one_spelt_out(one, special, other, general)?;
    }
    let stays_open = matches!(&left[..behind], [one] if is_open(one));
    Some(spelt || !stays_open)
}

/// Bytes or a text of any length, of which nothing is said.
fn is_open(piece: &Piece<'_>) -> bool {
    matches!(
        piece,
        Piece::Item(ItemKind::Field(Field {
            kind: FieldType::Bytes(None) | FieldType::Text(None),
            allowed: Allowed::Any,
            transform: None,
            ..
        }))
    )
}

fn one_spelt_out(one: &Piece<'_>, a: Side<'_>, other: &Piece<'_>, b: Side<'_>) -> Option<bool> {
    match (one, other) {
        (Piece::Byte(one), Piece::Byte(other)) => (one == other).then_some(false),
        (Piece::Byte(byte), Piece::Item(ItemKind::Field(field))) => {
            let byte = i128::from(*byte);
            let is_byte = matches!(field.kind, FieldType::Number { bytes: 1, .. });
            let may_be =
                b.values(field).is_none_or(|values| values.iter().any(|range| range.contains(&byte)));
            (is_byte && may_be && !is_computed(&field.allowed)).then_some(false)
        }
        (Piece::Item(ItemKind::Field(one)), Piece::Item(ItemKind::Field(other))) => {
            fields_spelt_out(one, a, other, b)
        }
        (Piece::Item(ItemKind::Bits(ones)), Piece::Item(ItemKind::Bits(others))) => {
            let is_within = |(one, other): (&BitField, &BitField)| {
                one.width == other.width
                    && follows_as(&one.allowed, &other.allowed)
                    && are_within(a.bits(one), b.bits(other))
            };
            (ones.len() == others.len() && ones.iter().zip(others).all(is_within)).then_some(false)
        }
        (Piece::Item(one), Piece::Item(other)) => (one == other).then_some(false),
        (Piece::Item(_), Piece::Byte(_)) | (Piece::Byte(_), Piece::Item(_)) => None,
    }
}

fn fields_spelt_out(one: &Field, a: Side<'_>, other: &Field, b: Side<'_>) -> Option<bool> {
    if one.transform != other.transform {
        return None;
    }
    if let (FieldType::Part { body, size }, FieldType::Part { body: others, size: as_long }) =
        (&one.kind, &other.kind)
    {
        return (size == as_long).then(|| spelt_out(a.within(body), b.within(others))).flatten();
    }
    let is_free = other.allowed == Allowed::Any && !b.fixed.contains_key(other.name.as_ref()?);
    match (&one.kind, &other.kind) {
        (FieldType::Part { size, .. }, FieldType::Bytes(as_long) | FieldType::Text(as_long)) => {
            (size == as_long && is_free && one.name == other.name).then_some(true)
        }
        (kind, others) if kind == others => (follows_as(&one.allowed, &other.allowed)
            && are_within(a.values(one), b.values(other)))
        .then_some(false),
        _ => None,
    }
}

/// What the other value follows from, this one does too.
fn follows_as(one: &Allowed, other: &Allowed) -> bool {
    one == other || !is_computed(other)
}

/// What follows from other bytes, or from another frame.
fn is_computed(allowed: &Allowed) -> bool {
    matches!(allowed, Allowed::Equal(expr) if expr.as_number().is_none())
        || matches!(allowed, Allowed::Sends { .. })
}

fn are_within(ones: Option<Ranges>, others: Option<Ranges>) -> bool {
    let Some(others) = others else { return true };
    let is_within = |one: &RangeInclusive<i128>| {
        others.iter().any(|other| other.start() <= one.start() && one.end() <= other.end())
    };
    ones.is_some_and(|ones| ones.iter().all(is_within))
}

#[cfg(test)]
mod tests {
    use crate::frame::Layout;

    use super::*;

    fn is_special(special: &str, general: &str) -> bool {
        let [ours, theirs] = [special, general].map(|text| Layout::parse(text).expect(text));
        let fixed = Known::new();
        let [ours, theirs] = [&ours, &theirs].map(|layout| Side { layout, fixed: &fixed });
        is_special_case(ours, theirs)
    }

    #[test]
    fn a_line_that_is_always_the_same_is_a_special_case_of_any_line() {
        let line = r#""\r\n" text:text "\r\n""#;
        assert!(is_special(r#""\r\nERROR\r\n""#, line));
        assert!(is_special(r#""\r\n+CME ERROR: " code:dec "\r\n""#, line));
        assert!(!is_special(line, r#""\r\nERROR\r\n""#));
        assert!(!is_special(r#""\r\n" other:text "\r\n""#, line), "the same line under another name");
        assert!(!is_special(r#""\nERROR\r\n""#, line), "it begins otherwise");
        assert!(!is_special(r#""\r\n""#, line), "too short to be a line");
    }

    #[test]
    fn a_number_that_may_be_less_is_none() {
        assert!(!is_special("code:u8=1", "code:u8"));
        assert!(!is_special("code:dec \"\r\"", "sum:dec \"\r\""));
        // Beside something that is spelt out it is allowed.
        assert!(is_special("code:u8=1 05", "code:u8 rest:bytes"));
        assert!(!is_special("code:u8 05", "code:u8=1 rest:bytes"));
    }
}
