//! The whole answer: each reading of the question against the tables and the physics.

use std::cell::OnceCell;

use crate::line::{Baud, Format, Settings};
use crate::protocol::{Registry, TableSource};

use super::answer::{Character, Entry, Explanation, From, Kind, Part, Relative, Section, Single};
use super::character::{bits, character, pulses, relatives};
use super::index::Index;
use super::mentions::{LONGEST_WORD, mentions, mentions_word};
use super::message::recognise;
use super::question::{Asked, Question, Reading};
use super::search::Searched;
use super::sentence::Sentence;
use super::turned::turned;

/// What a receiver is set to where nobody says.
pub fn usual() -> Settings {
    Settings::new(Baud::nearest(9_600.0), Format::N8)
}

/// Explains a question. `expected`: another byte that was due in its place, at a receiver with these settings.
///
/// Of the tables only those are read whose text has anything to do with the question, and for single bytes none that is indexed.
pub fn explain(
    question: &Question,
    registry: &Registry,
    expected: Option<u8>,
    settings: Option<Settings>,
) -> Explanation {
    let seen = (0..=255).map(|_: u8| OnceCell::new()).collect();
    let shelf = Shelf { registry, index: Index::shipped(), seen };
    let recognised = if question.is_number() { Vec::new() } else { recognise(&question.text, registry) };
    let mut parts: Vec<Part> = Vec::new();
    for line in &recognised {
        let Some(byte) = line.byte else { continue };
        let settings = settings.or(usual_settings(registry, line.found.table.as_deref()));
        let reading = Reading::of_byte(byte);
        if !parts.iter().any(|part| part.bytes == reading.bytes) {
            parts.push(shelf.part(&reading, line.expected.zip(settings)));
        }
    }
    if recognised.is_empty() {
        let Sentence { told, expected: due } = &question.sentence;
        let expected = expected.or(*due).map(|byte| (byte, settings.unwrap_or_else(usual)));
        parts.extend(told.iter().map(|reading| shelf.part(reading, expected)));
        let whole = question.readings.iter().map(|reading| shelf.part(reading, expected));
        // A sentence that no table knows has no more to say than the numbers in it.
        parts.extend(whole.filter(|part| told.is_empty() || !part.sections.is_empty()));
    }
    let messages = recognised.into_iter().map(|line| line.found).collect();
    Explanation { question: question.text.clone(), messages, parts }
}

/// The likeliest settings of a protocol.
fn usual_settings(registry: &Registry, name: Option<&str>) -> Option<Settings> {
    let table = registry.get(name?).ok()?;
    Some(Settings::new(*table.line.bauds.first()?, table.line.format))
}

/// A frame with a wrong checksum is told beside another when it says at least this part of what that does.
const AS_MUCH: f64 = 0.5;

/// Where answers are looked up.
struct Shelf<'r> {
    registry: &'r Registry,
    index: Index<'static>,
    seen: Vec<OnceCell<Vec<Entry>>>,
}

impl Shelf<'_> {
    /// What the tables say, most specific first.
    fn look_up(&self, reading: &Reading) -> Vec<Entry> {
        let mut entries = Vec::new();
        let question = Question { readings: vec![reading.clone()], ..Question::default() };
        let byte = match reading.bytes.as_slice() {
            [byte] if reading.asked != Asked::Text => Some(*byte),
            _ => None,
        };
        let indexed = byte.map(|byte| self.entries(byte)).unwrap_or_default();
        for source in self.registry.sources() {
            if byte.is_some() && self.index.covers(source.name(), source.text()) {
                entries.extend(indexed.iter().filter(|entry| *entry.from.table == **source.name()).cloned());
            } else if self.is_worth_reading(source, reading, &question) {
                // A table that is broken says nothing; whoever lists the tables tells of it.
                entries.extend(source.table().iter().flat_map(|table| Searched::new(table).search(reading)));
            }
        }
        sort(&mut entries, reading.asked);
        without_lesser(&mut entries);
        entries
    }

    /// A table is read when its text has to do with the question. If it is indexed, a word has to be named in it, or two of its
    /// bytes have to be fixed where they would stand in a frame.
    fn is_worth_reading(&self, source: &TableSource, reading: &Reading, question: &Question) -> bool {
        let is_word = reading.asked != Asked::Text && (2..=LONGEST_WORD).contains(&reading.bytes.len());
        if !is_word || !self.index.covers(source.name(), source.text()) {
            return mentions(source.text(), question);
        }
        let is_fixed = |(place, byte): &(usize, &u8)| {
            let stands = |entry: &Entry| match &entry.kind {
                Kind::Start | Kind::Frame { .. } | Kind::Meaning => *place == 0,
                Kind::Within { offset } => offset.is_none_or(|offset| offset == *place),
                Kind::Value { .. } | Kind::Allowed | Kind::Word { .. } => false,
            };
            self.entries(**byte).iter().any(|entry| *entry.from.table == **source.name() && stands(entry))
        };
        mentions_word(source.text(), reading)
            || reading.bytes.iter().enumerate().filter(is_fixed).count() >= 2
    }

    /// What the index says of a byte, looked up once.
    fn entries(&self, byte: u8) -> &[Entry] {
        self.seen[usize::from(byte)].get_or_init(|| self.index.entries(byte))
    }

    fn part(&self, reading: &Reading, expected: Option<(u8, Settings)>) -> Part {
        let entries = self.look_up(reading);
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
            let relative = |(relation, byte)| Relative { relation, byte, known_as: self.known_as(byte) };
            sections
                .push(Section::Relatives { relatives: relatives(*byte).into_iter().map(relative).collect() });
            sections.push(Section::Pulses(pulses(*byte)));
        }
        if (2..=4).contains(&reading.bytes.len()) && reading.asked != Asked::Text {
            let bytes = reading.bytes.iter().map(|byte| self.single(*byte)).collect();
            sections.push(Section::Single { bytes });
        }
        Part { asked: reading.asked, bytes: reading.bytes.clone(), number: reading.number, sections }
    }

    fn single(&self, byte: u8) -> Single {
        let Character { printable, control, .. } = character(byte);
        Single { byte, printable, control, known_as: self.known_as(byte) }
    }

    /// The most specific things that a byte is, a few of them.
    fn known_as(&self, byte: u8) -> Vec<String> {
        const FEW: usize = 4;
        let mut entries = self.look_up(&Reading::of_byte(byte));
        entries.retain(|entry| {
            let is_particular =
                matches!(entry.kind, Kind::Start | Kind::Meaning | Kind::Frame { .. } | Kind::Value { .. });
            entry.bits >= 7.0 && is_particular
        });
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
}

/// Frames with a wrong checksum are told where there is no healthy one that says something, and of them those that say most.
fn without_lesser(entries: &mut Vec<Entry>) {
    let is_wrong = |entry: &Entry| matches!(&entry.kind, Kind::Frame { wrong: Some(_), .. });
    let is_healthy =
        |entry: &Entry| matches!(&entry.kind, Kind::Frame { wrong: None, .. }) && entry.bits >= 7.0;
    let best = entries.iter().filter(|entry| is_wrong(entry)).map(|entry| entry.bits).fold(0.0, f64::max);
    let least = if entries.iter().any(is_healthy) { f64::INFINITY } else { AS_MUCH * best };
    entries.retain(|entry| !is_wrong(entry) || entry.bits >= least);
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
