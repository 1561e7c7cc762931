//! What follows `like`: each key narrows the field of its name.

use std::ops::RangeInclusive;
use std::sync::Arc;

use toml::de::DeValue;

use crate::frame::{At, Expr, ExprKind, Field, FieldType, ItemKind, Layout, Mistake, Refinement, Refines};

use super::super::findings::Findings;
use super::entry::{Entry, Text, parse_number};
use super::names::Names;

/// Reads what `entry` does to the field that takes `kind`.
pub(super) fn refinement(
    entry: &Entry<'_>,
    kind: Refines,
    names: &Names,
    found: &mut Findings<'_>,
) -> Option<Refinement> {
    match entry.value() {
        DeValue::String(_) => {
            let text = entry.text(found)?;
            match kind {
                Refines::Number => text.read(found, Expr::parse).map(Refinement::Computed),
                Refines::Bytes => text.read(found, Layout::parse).map(Refinement::Shape),
                Refines::Cbor => cbor(&text, found),
            }
        }
        DeValue::Boolean(truth) => Some(Refinement::Fixed(i128::from(*truth))),
        DeValue::Integer(_) => entry.number(found).map(Refinement::Fixed),
        DeValue::Array(_) => set(entry, names, found),
        _ => {
            entry.wrong_type(found);
            None
        }
    }
}

/// The layout language knows a map only as a field's type.
fn cbor(text: &Text<'_>, found: &mut Findings<'_>) -> Option<Refinement> {
    const PREFIX: &str = "x:";
    let back = |place: u32| place.saturating_sub(PREFIX.len() as u32);
    let read = Layout::parse(&format!("{PREFIX}{}", text.value)).map_err(|mistakes| {
        let move_back = |Mistake { at, says, help }| Mistake {
            at: At { from: back(at.from), to: back(at.to) },
            says,
            help,
        };
        mistakes.into_iter().map(move_back).collect::<Vec<_>>()
    });
    let layout = text.read(found, |_| read)?;
    let mut items = layout.items.into_iter();
    match (items.next().map(|item| Arc::unwrap_or_clone(item).kind), items.next()) {
        (Some(ItemKind::Field(Field { kind: FieldType::Cbor(keys), .. })), None) => {
            Some(Refinement::Cbor(keys))
        }
        _ => {
            let says = format!("`{}` is not a map; expected its keys", text.value);
            found.error(text.range.clone(), says).help("such as `cbor{off:uint data:bytes}`");
            None
        }
    }
}

/// `[3, "0x80..0xFF"]`; a number may be named as in `[values.FIELD]`. The first may be an expression, such as `"last.fcb ^ 1"`.
fn set(entry: &Entry<'_>, names: &Names, found: &mut Findings<'_>) -> Option<Refinement> {
    let items = entry.list(found);
    if items.is_empty() {
        found.error(
            entry.range(),
            format!("`{}` can have no value at all; expected numbers and ranges", entry.key),
        );
        return None;
    }
    let first = items.first().and_then(|item| expression(item, entry.key, names));
    let rest = if first.is_some() { &items[1..] } else { &items[..] };
    let ranges: Vec<Option<RangeInclusive<i128>>> =
        rest.iter().map(|item| item_range(item, entry.key, names, found)).collect();
    let ranges = ranges.into_iter().collect::<Option<Vec<_>>>()?;
    Some(match first {
        Some(first) => Refinement::Sends { first, others: ranges },
        None => Refinement::OneOf(ranges),
    })
}

/// What is neither a number, a range nor a name, and can be reckoned.
fn expression(item: &Entry<'_>, field: &str, names: &Names) -> Option<Expr> {
    let text = item.maybe_text()?;
    let is_plain = parse_number(text.value).is_some() || names.value_of(Some(field), text.value).is_some();
    let read = Expr::parse(text.value).ok().filter(|_| !is_plain && !text.value.contains(".."))?;
    let is_name = matches!(&read.kind, ExprKind::Path(path) if path.rest.is_none());
    (!is_name).then_some(read)
}

fn item_range(
    item: &Entry<'_>,
    field: &str,
    names: &Names,
    found: &mut Findings<'_>,
) -> Option<RangeInclusive<i128>> {
    let Some(text) = item.maybe_text() else { return item.number(found).map(|number| number..=number) };
    let number = |word: &str| {
        let word = word.trim();
        parse_number(word).or_else(|| names.value_of(Some(field), word))
    };
    let range = match text.value.split_once("..") {
        Some((from, to)) => number(from).zip(number(to)),
        None => number(text.value).map(|number| (number, number)),
    };
    match range {
        Some((from, to)) if from <= to => Some(from..=to),
        Some(_) => {
            found.error(text.range, format!("the range `{}` ends before it begins", text.value));
            None
        }
        None => {
            let says =
                format!("`{}` is neither a number nor a range; expected such as `0x80..0xFF`", text.value);
            let values = names.values.get(field).into_iter().flatten().map(|value| &*value.name);
            found.error(text.range, says).did_you_mean(text.value, values);
            None
        }
    }
}
