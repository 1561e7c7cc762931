//! `[[meaning]]`, `[[vector]]` and `[show]`: what the examiner and the tests read.

use std::collections::BTreeMap;

use bytes::{BufMut, Bytes, BytesMut};

use crate::frame::{At, ItemKind, Layout, Mistake, Name, Times};
use crate::line::Direction;

use super::super::findings::Findings;
use super::super::model::{ExchangeId, Meaning, MeaningOf, Show, ToolMessage, Vector};
use super::super::places::Place;
use super::device::set_parameters;
use super::entry::parse_hex_bytes;
use super::exchanges::{frame_id, frame_ids};
use super::names::Names;
use super::tree::Fields;
use super::values::{hex_bytes, value};

pub(super) fn meanings(
    root: &Fields<'_>,
    names: &Names,
    found: &mut Findings<'_>,
) -> (Vec<Meaning>, Vec<Place>) {
    let tables = root.sections("meaning", found);
    tables
        .iter()
        .filter_map(|fields| {
            let place = Place { name: fields.at.clone(), text: fields.at.clone() };
            Some((meaning(fields, names, found)?, place))
        })
        .unzip()
}

/// `[[message]]`.
pub(super) fn messages(root: &Fields<'_>, found: &mut Findings<'_>) -> Vec<ToolMessage> {
    let message = |fields: &Fields<'_>, found: &mut Findings<'_>| ToolMessage {
        tool: fields.words("tool", found),
        text: fields.words("text", found),
        table: fields.maybe_words("table", found).map(|name| Name::new(&name)),
        expected: fields.number("expected", found).and_then(|byte| u8::try_from(byte).ok()),
        means: fields.words("as", found),
        cause: fields.maybe_words("cause", found),
        remedy: fields.maybe_words("remedy", found),
    };
    root.sections("message", found).iter().map(|fields| message(fields, found)).collect()
}

const OF: [&str; 6] = ["byte", "bytes", "text", "frame", "field", "silence"];

fn meaning(fields: &Fields<'_>, names: &Names, found: &mut Findings<'_>) -> Option<Meaning> {
    let given: Vec<&str> = OF.into_iter().filter(|key| fields.get(key).is_some()).collect();
    let after = fields
        .texts("after", found)
        .into_iter()
        .filter_map(|text| Names::find(&names.exchanges, "exchange", text.value, text.range, found))
        .map(|(index, _)| ExchangeId(*index))
        .collect();
    let means = fields.words("as", found);
    let (cause, remedy) = (fields.maybe_words("cause", found), fields.maybe_words("remedy", found));
    let of = match given[..] {
        [only] => meaning_of(only, fields, names, found),
        [] => {
            let says = "this meaning is of nothing; expected one of `byte`, `bytes`, `text`, `frame`, `field` or `silence`";
            found.error(fields.at.clone(), says);
            None
        }
        [_, second, ..] => {
            let range = fields.get(second).map_or(fields.at.clone(), |entry| entry.key_range());
            found.error(range, format!("a meaning is of one thing, and this one of {}", given.join(" and ")));
            None
        }
    };
    Some(Meaning { of: of?, after, means, cause, remedy })
}

fn meaning_of(key: &str, fields: &Fields<'_>, names: &Names, found: &mut Findings<'_>) -> Option<MeaningOf> {
    let entry = fields.get(key)?;
    let bytes = match key {
        "byte" => Bytes::from(vec![entry.number(found)? as u8]),
        "text" => Bytes::from(entry.text(found)?.value.as_bytes().to_vec()),
        "bytes" if entry.is_list() => {
            let bytes: Option<Vec<u8>> =
                entry.list(found).iter().map(|item| item.number(found).map(|byte| byte as u8)).collect();
            Bytes::from(bytes?)
        }
        "bytes" => hex_bytes(&entry, found)?,
        "frame" => return frame_id(&entry.text(found)?, names, found).map(MeaningOf::Frame),
        "field" => {
            let text = entry.text(found)?;
            tell_unless_field(text.value, text.range, names, found);
            let Some(number) = fields.get("value") else {
                found.error(entry.key_range(), "`value` is missing: which value of this field?");
                return None;
            };
            return Some(MeaningOf::Field(Name::new(text.value), number.number(found)?));
        }
        _ => return entry.truth(found)?.then_some(MeaningOf::Silence),
    };
    if bytes.is_empty() {
        found.error(entry.range(), format!("`{key}` is empty"));
        return None;
    }
    Some(MeaningOf::Bytes(bytes))
}

/// A table without frames is a dictionary, and its fields are those of others.
fn tell_unless_field(name: &str, range: std::ops::Range<usize>, names: &Names, found: &mut Findings<'_>) {
    if !names.frames.is_empty() && !names.is_field(name) {
        let mistake = found.error(range, format!("no frame has a field `{name}`"));
        mistake.did_you_mean(name, names.all_fields());
    }
}

pub(super) fn show(root: &Fields<'_>, names: &Names, found: &mut Findings<'_>) -> BTreeMap<Name, Show> {
    let Some(section) = root.section("show", found) else { return BTreeMap::new() };
    let mut show = BTreeMap::new();
    for entry in section.others() {
        let is_known = names.everywhere.contains(entry.key) || names.arguments.contains(entry.key);
        if !is_known {
            tell_unless_field(entry.key, entry.key_range(), names, found);
        }
        let way = match entry.word(found) {
            Some("hex") => Show::Hex,
            Some("decimal") => Show::Decimal,
            Some("bcd-le") => Show::BcdLittle,
            Some("bcd-be") => Show::BcdBig,
            Some(_) => Show::Text,
            None => continue,
        };
        show.insert(entry.name(), way);
    }
    show
}

pub(super) fn vectors(
    root: &Fields<'_>,
    names: &Names,
    found: &mut Findings<'_>,
) -> (Vec<Vector>, Vec<Place>) {
    let tables = root.sections("vector", found);
    tables.iter().filter_map(|fields| vector(fields, names, found)).unzip()
}

fn vector(fields: &Fields<'_>, names: &Names, found: &mut Findings<'_>) -> Option<(Vector, Place)> {
    let (name, wrong) = (fields.words("name", found), fields.truth("wrong", found));
    fields.text("source", found);
    let frames = frame_ids(fields, "frames", names, found);
    let mut values = Vec::new();
    if let Some(section) = fields.section("fields", found) {
        for entry in section.others() {
            tell_unless_field(entry.key, entry.key_range(), names, found);
            values.extend(value(entry, found).map(|value| (entry.name(), value)));
        }
    }
    let set = set_parameters(fields, "set", names, found);
    let text = fields.text("talk", found)?;
    let talk = text.read(found, parse_vector)?;
    let place = Place { name: fields.at.clone(), text: text.range };
    Some((Vector { name, talk, frames, fields: values, set, wrong }, place))
}

/// `> 31 CE < 79`: arrows with bytes, written as in a layout.
fn parse_vector(text: &str) -> Result<Vec<(Direction, Bytes)>, Vec<Mistake>> {
    const LONGEST: usize = 1 << 20;
    let mut talk = Vec::new();
    let mut mistakes = Vec::new();
    let arrows: Vec<usize> = arrows(text);
    let before = &text[..arrows.first().copied().unwrap_or(text.len())];
    if !before.trim().is_empty() || arrows.is_empty() {
        let at = At { from: 0, to: before.trim_end().len() as u32 };
        let says = "expected an arrow, `>` or `<`, and bytes behind it".to_string();
        mistakes.push(Mistake { at, says, help: Some("such as `> 31 CE < 79`".into()) });
    }
    for (nth, &from) in arrows.iter().enumerate() {
        let to = arrows.get(nth + 1).copied().unwrap_or(text.len());
        let direction = if text[from..].starts_with('>') { Direction::Tx } else { Direction::Rx };
        let moved = |mistake: Mistake| Mistake {
            at: At { from: mistake.at.from + from as u32 + 1, to: mistake.at.to + from as u32 + 1 },
            ..mistake
        };
        let whole = At { from: from as u32, to: text[..to].trim_end().len() as u32 };
        let bytes = &text[from + 1..to];
        // Nearly every vector is plain bytes.
        if let Some(plain) = parse_hex_bytes(bytes).filter(|plain| !plain.is_empty() && is_upper(bytes)) {
            talk.push((direction, plain.into()));
            continue;
        }
        match Layout::parse(bytes).map(|layout| literal_bytes(&layout, LONGEST)) {
            Ok(Some(bytes)) if !bytes.is_empty() => talk.push((direction, bytes)),
            Ok(Some(_)) => mistakes.push(mistake(whole, "no bytes behind this arrow")),
            Ok(None) => mistakes.push(mistake(whole, "expected bytes, such as `31 CE` or `55{32}`")),
            Err(list) => mistakes.extend(list.into_iter().map(moved)),
        }
    }
    if mistakes.is_empty() { Ok(talk) } else { Err(mistakes) }
}

fn is_upper(text: &str) -> bool {
    !text.bytes().any(|byte| byte.is_ascii_lowercase())
}

fn mistake(at: At, says: &str) -> Mistake {
    Mistake { at, says: says.into(), help: None }
}

/// Where arrows stand outside quotes.
fn arrows(text: &str) -> Vec<usize> {
    // Few vectors quote anything.
    if !text.contains('"') {
        return memchr::memchr2_iter(b'>', b'<', text.as_bytes()).collect();
    }
    let (mut quoted, mut escaped) = (false, false);
    let mut arrows = Vec::new();
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if !escaped => quoted = !quoted,
            b'>' | b'<' if !quoted => arrows.push(at),
            _ => {}
        }
        escaped = quoted && byte == b'\\' && !escaped;
    }
    arrows
}

fn literal_bytes(layout: &Layout, longest: usize) -> Option<Bytes> {
    let mut all = BytesMut::new();
    for item in &layout.items {
        let ItemKind::Literal { bytes, times: Times::Exactly(times) } = &item.kind else { return None };
        if all.len() + bytes.len() * *times as usize > longest {
            return None;
        }
        (0..*times).for_each(|_| all.put_slice(bytes));
    }
    Some(all.freeze())
}
