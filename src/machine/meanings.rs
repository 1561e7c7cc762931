//! What frames, bytes and silence say, in the words of the table.

use crate::frame::{Name, Value, Values};
use crate::protocol::{ExchangeId, FrameId, Meaning, MeaningOf, NamedValue, Table};

use super::item::Said;

/// What a frame says where it stands in place of a reply: the table's meanings for it, and its fields' values by name.
pub(super) fn of_frame(table: &Table, frame: FrameId, values: &Values, within: &[ExchangeId]) -> Vec<Said> {
    let name = table.frames[frame.0].name();
    let fits = |meaning: &&Meaning| match &meaning.of {
        MeaningOf::Frame(of) => *of == frame,
        MeaningOf::Field(field, value) => values.get(field).and_then(Value::as_int) == Some(*value),
        MeaningOf::Bytes(_) | MeaningOf::Silence => false,
    };
    let mut said: Vec<Said> = relevant(table, within)
        .filter(fits)
        .map(|meaning| match &meaning.of {
            MeaningOf::Field(field, value) => explained(meaning, by_field(field, *value)),
            _ => explained(meaning, name.to_string()),
        })
        .collect();
    said.extend(of_fields(table, values));
    said
}

/// What the values of fields are called, where a table explains them.
pub(super) fn of_fields(table: &Table, values: &Values) -> Vec<Said> {
    let named = |(field, value): (&Name, &Value)| {
        let value = value.as_int()?;
        let named = table.values.get(field)?.iter().find(|named| named.value == value)?;
        let NamedValue { name, means, cause, remedy, .. } = named;
        let explains = means.is_some() || cause.is_some() || remedy.is_some();
        explains.then(|| Said {
            by: by_field(field, value),
            means: means.clone().unwrap_or_else(|| name.to_string()),
            cause: cause.clone(),
            remedy: remedy.clone(),
        })
    };
    values.iter().filter_map(named).collect()
}

/// What a table says of bytes that came where something else was expected.
pub fn said_by(table: &Table, bytes: &[u8]) -> Vec<Said> {
    of_bytes(table, bytes, &[])
}

/// What bytes say to whoever did not expect them.
pub(super) fn of_bytes(table: &Table, bytes: &[u8], within: &[ExchangeId]) -> Vec<Said> {
    let begins = |meaning: &&Meaning| match &meaning.of {
        MeaningOf::Bytes(of) => !of.is_empty() && bytes.starts_with(of),
        MeaningOf::Frame(_) | MeaningOf::Field(..) | MeaningOf::Silence => false,
    };
    let by = |meaning: &Meaning| match &meaning.of {
        MeaningOf::Bytes(of) => super::hear::shown(&Value::bytes(of.clone())),
        _ => String::new(),
    };
    relevant(table, within).filter(begins).map(|meaning| explained(meaning, by(meaning))).collect()
}

/// What it says that nothing came.
pub(super) fn of_silence(table: &Table, within: &[ExchangeId]) -> Vec<Said> {
    relevant(table, within)
        .filter(|meaning| meaning.of == MeaningOf::Silence)
        .map(|meaning| explained(meaning, "silence".into()))
        .collect()
}

/// Meanings that hold in these exchanges; those that name one of them come first.
fn relevant<'a>(table: &'a Table, within: &[ExchangeId]) -> impl Iterator<Item = &'a Meaning> {
    let named = |meaning: &Meaning| meaning.after.iter().any(|after| within.contains(after));
    let particular: Vec<&Meaning> = table.meanings.iter().filter(|meaning| named(meaning)).collect();
    particular.into_iter().chain(table.meanings.iter().filter(|meaning| meaning.after.is_empty()))
}

fn explained(meaning: &Meaning, by: String) -> Said {
    Said { by, means: meaning.means.clone(), cause: meaning.cause.clone(), remedy: meaning.remedy.clone() }
}

fn by_field(field: &Name, value: i128) -> String {
    format!("{field} = {}", super::hear::shown(&Value::Int(value)))
}
