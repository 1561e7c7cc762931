//! The whole answer: each reading of the question against the tables and the physics.

use crate::line::Settings;
use crate::protocol::{Registry, Table};

use super::answer::{Character, Entry, Explanation, From, Kind, Part, Relation, Relative, Section, Single};
use super::character::{bits, character, pulses, relatives};
use super::mentions::mentions;
use super::message::recognise;
use super::question::{Asked, Question, Reading};
use super::search::search;
use super::turned::turned;

/// Explains a question. `expected`: another byte that was due in its place, at a receiver with these settings.
///
/// Of the tables only those are read whose text has anything to do with the question.
pub fn explain(question: &Question, registry: &Registry, expected: Option<(u8, Settings)>) -> Explanation {
    let tables = reading_tables(registry, question);
    let recognised =
        if question.is_number() { Vec::new() } else { recognise(&question.text, &tables, registry) };
    let mut parts: Vec<Part> = Vec::new();
    for line in &recognised {
        let Some(byte) = line.byte else { continue };
        let settings =
            expected.map(|(_, settings)| settings).or(usual_settings(registry, line.found.table.as_deref()));
        let reading = Reading::of_byte(byte);
        let tables =
            reading_tables(registry, &Question { text: String::new(), readings: vec![reading.clone()] });
        if !parts.iter().any(|part| part.bytes == reading.bytes) {
            parts.push(part(&reading, &tables, line.expected.zip(settings)));
        }
    }
    if recognised.is_empty() {
        parts.extend(question.readings.iter().map(|reading| part(reading, &tables, expected)));
    }
    let messages = recognised.into_iter().map(|line| line.found).collect();
    Explanation { question: question.text.clone(), messages, parts }
}

/// The tables that may have something to say. One that is broken has not; whoever lists the tables tells of it.
fn reading_tables<'r>(registry: &'r Registry, question: &Question) -> Vec<&'r Table> {
    let worth = registry.sources().filter(|source| mentions(source.text(), question));
    worth.filter_map(|source| source.table().ok()).map(|table| &**table).collect()
}

/// The likeliest settings of a protocol.
fn usual_settings(registry: &Registry, name: Option<&str>) -> Option<Settings> {
    let table = registry.get(name?).ok()?;
    Some(Settings::new(*table.line.bauds.first()?, table.line.format))
}

fn part(reading: &Reading, tables: &[&Table], expected: Option<(u8, Settings)>) -> Part {
    let mut entries: Vec<Entry> = tables.iter().flat_map(|table| search(table, reading)).collect();
    sort(&mut entries, reading.asked);
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
    if (2..=4).contains(&reading.bytes.len()) && reading.asked != Asked::Text {
        let bytes = reading.bytes.iter().map(|byte| single(*byte, tables)).collect();
        sections.push(Section::Single { bytes });
    }
    Part { asked: reading.asked, bytes: reading.bytes.clone(), number: reading.number, sections }
}

fn relative(relation: Relation, byte: u8, tables: &[&Table]) -> Relative {
    Relative { relation, byte, known_as: known_as(byte, tables) }
}

fn single(byte: u8, tables: &[&Table]) -> Single {
    let Character { printable, control, .. } = character(byte);
    Single { byte, printable, control, known_as: known_as(byte, tables) }
}

/// The most specific things that a byte is in these tables, a few of them.
fn known_as(byte: u8, tables: &[&Table]) -> Vec<String> {
    const FEW: usize = 4;
    let reading = Reading::of_byte(byte);
    let mut entries: Vec<Entry> = tables.iter().flat_map(|table| search(table, &reading)).collect();
    entries.retain(|entry| {
        entry.bits >= 7.0
            && matches!(entry.kind, Kind::Start | Kind::Meaning | Kind::Frame { .. } | Kind::Value { .. })
    });
    sort(&mut entries, Asked::Hex);
    let named = |From { table, frames, field, .. }: &From| match frames.first().or(field.as_ref()) {
        Some(part) => format!("{table} {part}"),
        None => table.clone(),
    };
    let mut known_as: Vec<String> = Vec::new();
    for name in entries.iter().map(|entry| named(&entry.from)) {
        if known_as.len() < FEW && !known_as.contains(&name) {
            known_as.push(name);
        }
    }
    known_as
}

/// The most specific first; of equals, what explains before what only holds the bytes.
///
/// Who gives a decimal number has read it in a message: numbers with names come first.
fn sort(entries: &mut [Entry], asked: Asked) {
    let rank = |entry: &Entry| match &entry.kind {
        Kind::Value { .. } if asked == Asked::Decimal => 0,
        Kind::Meaning => 1,
        Kind::Frame { .. } if entry.bits >= 7.0 => 1,
        Kind::Start => 2,
        Kind::Value { .. } | Kind::Word { .. } => 3,
        Kind::Within { .. } => 4,
        Kind::Allowed | Kind::Frame { .. } => 5,
    };
    entries.sort_by(|a, b| {
        let by_bits = (b.bits.round() as i64).cmp(&(a.bits.round() as i64));
        by_bits
            .then(rank(a).cmp(&rank(b)))
            .then_with(|| a.from.table.cmp(&b.from.table))
            .then(b.bits.total_cmp(&a.bits))
    });
}
