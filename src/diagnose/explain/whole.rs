//! The whole answer: each reading of the question against the tables and the physics.

use crate::line::Settings;
use crate::protocol::Table;

use super::answer::{Entry, Explanation, From, Kind, Part, Relative, Section};
use super::character::{bits, character, pulses, relatives};
use super::message::recognise;
use super::question::{Asked, Question, Reading};
use super::search::search;
use super::turned::turned;

/// Explains a question by these tables. `expected`: another byte that was due in its place, at a receiver with these settings.
pub fn explain(question: &Question, tables: &[&Table], expected: Option<(u8, Settings)>) -> Explanation {
    let recognised = match question.is_number() {
        true => Vec::new(),
        false => recognise(&question.text, tables),
    };
    let settings = expected.map(|(_, settings)| settings);
    let mut parts: Vec<Part> = Vec::new();
    for line in &recognised {
        let Some(byte) = line.byte else { continue };
        let reading = Reading { asked: Asked::Hex, bytes: vec![byte], number: Some(u64::from(byte)) };
        let expected = line.expected.zip(settings.or(usual_settings(tables, line.found.table.as_deref())));
        if !parts.iter().any(|part| part.bytes == reading.bytes) {
            parts.push(part(&reading, tables, expected));
        }
    }
    if recognised.is_empty() {
        parts.extend(question.readings.iter().map(|reading| part(reading, tables, expected)));
    }
    let messages = recognised.into_iter().map(|line| line.found).collect();
    Explanation { question: question.text.clone(), messages, parts }
}

/// The likeliest settings of a protocol.
fn usual_settings(tables: &[&Table], name: Option<&str>) -> Option<Settings> {
    let table = tables.iter().find(|table| Some(&*table.name) == name)?;
    Some(Settings::new(*table.line.bauds.first()?, table.line.format))
}

fn part(reading: &Reading, tables: &[&Table], expected: Option<(u8, Settings)>) -> Part {
    let mut entries: Vec<Entry> = tables.iter().flat_map(|table| search(table, reading)).collect();
    sort(&mut entries);
    let mut sections = Vec::new();
    // A byte that was not expected is explained first by what would have turned the expected one into it.
    if let (Some((expected, settings)), [received]) = (expected, reading.bytes.as_slice()) {
        sections.push(Section::Expected(turned(expected, *received, settings)));
    }
    if !entries.is_empty() {
        sections.push(Section::Tables { entries });
    }
    if let [byte] = reading.bytes.as_slice() {
        sections.push(Section::Character(character(*byte)));
        sections.push(Section::Bits(bits(*byte)));
        let relatives = relatives(*byte).into_iter().map(|(relation, byte)| relative(relation, byte, tables));
        sections.push(Section::Relatives { relatives: relatives.collect() });
        sections.push(Section::Pulses(pulses(*byte)));
    }
    Part { asked: reading.asked, bytes: reading.bytes.clone(), number: reading.number, sections }
}

fn relative(relation: super::answer::Relation, byte: u8, tables: &[&Table]) -> Relative {
    let reading = Reading { asked: Asked::Hex, bytes: vec![byte], number: Some(u64::from(byte)) };
    let mut entries: Vec<Entry> = tables.iter().flat_map(|table| search(table, &reading)).collect();
    entries.retain(|entry| matches!(entry.kind, Kind::Start | Kind::Meaning | Kind::Frame { .. }));
    sort(&mut entries);
    let named = |From { table, frames, .. }: &From| match frames.first() {
        Some(frame) => format!("{table} {frame}"),
        None => table.clone(),
    };
    let mut known_as: Vec<String> = Vec::new();
    for name in entries.iter().map(|entry| named(&entry.from)) {
        if known_as.len() < 4 && !known_as.contains(&name) {
            known_as.push(name);
        }
    }
    Relative { relation, byte, known_as }
}

/// The most specific first; of equals, what explains before what only holds the bytes.
fn sort(entries: &mut [Entry]) {
    let rank = |entry: &Entry| match &entry.kind {
        Kind::Meaning => 0,
        Kind::Frame { .. } if entry.bits >= 7.0 => 0,
        Kind::Start => 1,
        Kind::Value { .. } | Kind::Word { .. } => 2,
        Kind::Within { .. } => 3,
        Kind::Allowed | Kind::Frame { .. } => 4,
    };
    entries.sort_by(|a, b| {
        let by_bits = (b.bits.round() as i64).cmp(&(a.bits.round() as i64));
        by_bits.then(rank(a).cmp(&rank(b))).then_with(|| a.from.table.cmp(&b.from.table)).then(b.bits.total_cmp(&a.bits))
    });
}
