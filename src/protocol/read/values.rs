//! Values, and the sections that give numbers names: `[parameters]`, `[values]`, `[lookup]`, `[checksums]`.

use std::collections::BTreeMap;

use bytes::Bytes;
use toml::de::DeValue;

use crate::frame::{Algorithm, Checksum, ChecksumError, Name, Value};

use super::super::findings::Findings;
use super::super::model::{NamedValue, Parameter};
use super::entry::{Entry, parse_number};
use super::tree::Fields;

/// A number, text as its bytes, a list of bytes, or a list of such.
pub(super) fn value(entry: &Entry<'_>, found: &mut Findings<'_>) -> Option<Value> {
    match entry.value() {
        DeValue::String(text) => Some(Value::bytes(text.as_bytes().to_vec())),
        DeValue::Boolean(truth) => Some(Value::Int(i128::from(*truth))),
        DeValue::Integer(_) => entry.number(found).map(Value::Int),
        DeValue::Array(_) => list(entry, found),
        _ => {
            entry.wrong_type(found);
            None
        }
    }
}

fn list(entry: &Entry<'_>, found: &mut Findings<'_>) -> Option<Value> {
    let items = entry.list(found);
    if items.iter().any(|item| !matches!(item.value(), DeValue::Integer(_))) {
        let items: Option<Vec<Value>> = items.iter().map(|item| value(item, found)).collect();
        return items.map(Value::List);
    }
    let numbers: Option<Vec<i128>> = items.iter().map(|item| item.number(found)).collect();
    let numbers = numbers?;
    match numbers.iter().map(|number| u8::try_from(*number)).collect::<Result<Vec<u8>, _>>() {
        Ok(bytes) => Some(Value::bytes(bytes)),
        // What does not fit bytes is a list of numbers, as a repeated part reads one.
        Err(_) => Some(Value::List(numbers.into_iter().map(Value::Int).collect())),
    }
}

/// Hex bytes in quotes, `00 FF`.
pub(super) fn hex_bytes(entry: &Entry<'_>, found: &mut Findings<'_>) -> Option<Bytes> {
    let text = entry.text(found)?;
    let bytes = super::entry::parse_hex_bytes(text.value);
    if bytes.is_none() {
        let says =
            format!("`{}` is not hex bytes; expected pairs of hex digits, such as `00 FF`", text.value);
        found.error(text.range, says);
    }
    bytes.map(Bytes::from)
}

pub(super) fn parameters(root: &Fields<'_>, found: &mut Findings<'_>) -> Vec<Parameter> {
    let Some(section) = root.section("parameters", found) else { return Vec::new() };
    section.others().iter().filter_map(|entry| parameter(entry, found)).collect()
}

fn parameter(entry: &Entry<'_>, found: &mut Findings<'_>) -> Option<Parameter> {
    if !entry.is_table() {
        let value = value(entry, found)?;
        return Some(Parameter { name: entry.name(), value, one_of: Vec::new(), about: String::new() });
    }
    let fields = entry.own_section(found)?;
    let about = fields.words("about", found);
    let value_entry = fields.get("value");
    let value = value_entry.and_then(|of| self::value(&of, found));
    let mut one_of: Vec<Value> =
        fields.list("one_of", found).iter().filter_map(|item| self::value(item, found)).collect();
    let value = value?;
    if !one_of.is_empty() {
        match one_of.iter().position(|other| *other == value) {
            // The default comes first, whatever the order in the file.
            Some(place) => one_of[..=place].rotate_right(1),
            None => {
                let range = value_entry.map_or(entry.key_range(), |entry| entry.range());
                found.error(range, format!("`value` of `{}` is not among its `one_of`", entry.key));
            }
        }
    }
    Some(Parameter { name: entry.name(), value, one_of, about })
}

/// `[values.FIELD]`.
pub(super) fn named_values(root: &Fields<'_>, found: &mut Findings<'_>) -> BTreeMap<Name, Vec<NamedValue>> {
    let Some(section) = root.section("values", found) else { return BTreeMap::new() };
    section
        .named_sections(found)
        .into_iter()
        .map(|(field, names)| {
            let mut values = Vec::with_capacity(names.others().len());
            values.extend(names.others().iter().filter_map(|entry| named_value(entry, found)));
            (field.name(), values)
        })
        .collect()
}

fn named_value(entry: &Entry<'_>, found: &mut Findings<'_>) -> Option<NamedValue> {
    if !entry.is_table() {
        let value = entry.number(found)?;
        return Some(NamedValue {
            name: entry.name(),
            value,
            to: value,
            means: None,
            cause: None,
            remedy: None,
        });
    }
    let fields = entry.own_section(found)?;
    let (means, cause, remedy) = (
        fields.maybe_words("as", found),
        fields.maybe_words("cause", found),
        fields.maybe_words("remedy", found),
    );
    let value = fields.number("value", found)?;
    let to = fields.number("to", found).unwrap_or(value);
    if let Some(entry) = fields.get("to").filter(|_| to < value) {
        found.error(entry.range(), format!("`to` lies before `value`, {value}"));
    }
    Some(NamedValue { name: entry.name(), value, to, means, cause, remedy })
}

/// `[lookup.NAME]`.
pub(super) fn lookups(root: &Fields<'_>, found: &mut Findings<'_>) -> BTreeMap<Name, BTreeMap<i128, i128>> {
    let Some(section) = root.section("lookup", found) else { return BTreeMap::new() };
    section
        .named_sections(found)
        .into_iter()
        .map(|(name, numbers)| {
            let mut by_number = BTreeMap::new();
            for entry in numbers.others() {
                let Some((from, to)) = parse_number(entry.key).zip(entry.number(found)) else { continue };
                if by_number.insert(from, to).is_some() {
                    let says = format!("the number {from} stands twice in `lookup.{}`", name.key);
                    found.error(entry.key_range(), says);
                }
            }
            (name.name(), by_number)
        })
        .collect()
}

/// `[checksums.NAME]`: as written, and ready to be computed; their `check` values have been tried.
pub(super) fn checksums(root: &Fields<'_>, found: &mut Findings<'_>) -> (Vec<Checksum>, Vec<Algorithm>) {
    let Some(section) = root.section("checksums", found) else { return Default::default() };
    let sections = section.named_sections(found);
    sections.iter().filter_map(|(name, fields)| checksum(name, fields, found)).unzip()
}

fn checksum(
    name: &Entry<'_>,
    fields: &Fields<'_>,
    found: &mut Findings<'_>,
) -> Option<(Checksum, Algorithm)> {
    let mut number = |key: &str| fields.number(key, found).map(|number| number as u64);
    let (width, poly, check) = (number("width"), number("poly"), number("check"));
    let (init, xorout) = (number("init").unwrap_or(0), number("xorout").unwrap_or(0));
    let (refin, refout) = (fields.truth("refin", found), fields.truth("refout", found));
    let (width, poly, check) = (width? as u8, poly?, check?);
    let checksum = Checksum { name: name.name(), width, poly, init, refin, refout, xorout, check };
    match Algorithm::own(&checksum) {
        Ok(algorithm) => Some((checksum, algorithm)),
        Err(error) => {
            let key = match error {
                ChecksumError::TooWide { what, .. } => what,
                ChecksumError::Width(_) => "width",
                _ => "check",
            };
            let range = fields.get(key).map_or(name.key_range(), |entry| entry.range());
            found.error(range, error.to_string());
            None
        }
    }
}
