//! One table searched backwards: literals, fixed values, sets, named values, refusals and meanings that the bytes can be.

use std::collections::BTreeMap;

use crate::frame::{FieldType, Frame, ItemKind, Layout, Name, Nothing, Outcome, Value};
use crate::protocol::{ByteSet, FrameId, Known, Meaning, MeaningOf, NamedValue, Prefix, Table, allowed};

use super::answer::{Entry, FieldRead, From, Kind};
use super::question::{Asked, Reading};
use super::uses::Uses;

/// A table made ready to be searched for one thing after another.
pub(super) struct Searched<'t> {
    table: &'t Table,
    uses: Uses,
    prefixes: Vec<Prefix>,
}

impl<'t> Searched<'t> {
    pub(super) fn new(table: &'t Table) -> Searched<'t> {
        let prefixes = table.frames.iter().map(|frame| Prefix::of(frame, &Known::new())).collect();
        Searched { table, uses: Uses::of(table), prefixes }
    }

    /// What this table says of the bytes, in no particular order.
    pub(super) fn search(&self, reading: &Reading) -> Vec<Entry> {
        let Searched { table, uses, prefixes } = self;
        let mut search = Search { table, reading, uses, prefixes, found: Vec::new() };
        search.frames();
        search.values();
        search.meanings();
        if reading.asked == Asked::Text {
            search.words();
        }
        search.join_meanings();
        search.found
    }
}

struct Search<'t> {
    table: &'t Table,
    reading: &'t Reading,
    uses: &'t Uses,
    prefixes: &'t [Prefix],
    found: Vec<Entry>,
}

/// Fewer bytes are many a frame but for its checksum.
const LEAST_DAMAGED: usize = 5;

/// Sets that fix fewer bits are not told.
const LEAST_OF_A_SET: f64 = 2.0;

/// Where in a frame the bytes were met.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Met {
    Start,
    Within(Option<usize>, Option<Name>),
    Allowed(Name),
}

impl Search<'_> {
    /// Frames that are `like` one another have the same bytes at the same places; they are told together.
    fn frames(&mut self) {
        let mut met: BTreeMap<Met, (Vec<FrameId>, f64)> = BTreeMap::new();
        for (id, frame) in self.table.frames_with_id() {
            if self.whole(id, frame) {
                continue;
            }
            for (place, bits) in self.places(id, frame) {
                let known = met.entry(place).or_insert((Vec::new(), bits));
                known.0.push(id);
                known.1 = known.1.max(bits);
            }
        }
        // A field that may be nearly anything says nothing of this value.
        met.retain(|place, (_, bits)| !matches!(place, Met::Allowed(_)) || *bits >= LEAST_OF_A_SET);
        for (place, (frames, bits)) in met {
            let mut from = self.uses.from(self.table, &frames);
            let kind = match place {
                Met::Start => Kind::Start,
                Met::Within(offset, field) => {
                    from.field = field.map(|field| field.to_string());
                    Kind::Within { offset }
                }
                Met::Allowed(field) => {
                    from.field = Some(field.to_string());
                    Kind::Allowed
                }
            };
            self.add(kind, from, bits);
        }
    }

    /// The bytes are this frame from end to end, or all of it but a checksum. A frame that any bytes would be says nothing, unless it names
    /// what it holds.
    fn whole(&mut self, id: FrameId, frame: &Frame) -> bool {
        let bytes = &self.reading.bytes;
        let faults = usize::from(bytes.len() >= LEAST_DAMAGED && self.reading.asked != Asked::Text);
        let Outcome::Complete(read) = frame.parse_damaged(bytes, true, &Nothing, faults) else {
            return false;
        };
        let fields: Vec<FieldRead> =
            read.sent().iter().map(|(name, value)| self.field_read(name, value)).collect();
        if read.wrong.iter().any(|wrong| !wrong.of_sum) {
            return false;
        }
        let wrong = read.wrong.first().map(|wrong| wrong.expected.clone());
        let bits = fixed_bits(frame.layout(), wrong.is_none()).min(8.0 * bytes.len() as f64);
        let is_dictionary = self.table.exchanges.is_empty();
        let tells_something = bits >= 7.0
            || (is_dictionary && wrong.is_none() && fields.iter().any(|field| field.says.is_some()));
        if read.len != bytes.len() || !tells_something {
            return false;
        }
        let mut from = self.uses.from(self.table, &[id]);
        if is_dictionary {
            from.senders.clear();
        }
        let is_healthy = wrong.is_none();
        self.add(Kind::Frame { fields, wrong }, from, bits);
        is_healthy
    }

    fn field_read(&self, name: &Name, value: &Value) -> FieldRead {
        let says = value
            .as_int()
            .and_then(|number| self.named(name, number))
            .map(|named| named.means.clone().unwrap_or_else(|| named.name.to_string()));
        FieldRead { name: name.to_string(), value: shown(value), says }
    }

    fn named(&self, field: &str, number: i128) -> Option<&NamedValue> {
        self.table.values.get(field)?.iter().find(|named| (named.value..=named.to).contains(&number))
    }

    /// Where a frame may hold the bytes, and how many bits that fixes.
    fn places(&self, id: FrameId, frame: &Frame) -> Vec<(Met, f64)> {
        let wanted = &self.reading.bytes;
        let prefix = &self.prefixes[id.0];
        let bits_at = |place: usize| -> Option<f64> {
            let sets = prefix.bytes().get(place..place + wanted.len())?;
            let fits = sets.iter().zip(wanted).all(|(set, byte)| set.contains(*byte));
            fits.then(|| sets.iter().map(bits).sum())
        };
        // Less would be met in half of all tables. Of several bytes one alone says nothing: it is explained by itself.
        let least = 7.5 * wanted.len() as f64;
        let mut met = Vec::new();
        if let Some(bits) = bits_at(0).filter(|bits| *bits >= least.min(12.0)) {
            met.push((Met::Start, bits));
        }
        let within = (1..prefix.bytes().len())
            .find_map(|place| Some((place, bits_at(place).filter(|bits| *bits >= least)?)));
        if let Some((place, bits)) = within {
            met.push((Met::Within(Some(place), prefix.field_at(place).cloned()), bits));
        }
        if met.is_empty() && holds_literal(frame.layout(), wanted) {
            met.push((Met::Within(None, None), 8.0 * wanted.len() as f64));
        }
        if let Some(number) = self.reading.number.filter(|_| met.is_empty()) {
            met.extend(allowing(frame.layout(), i128::from(number), wanted.len()));
        }
        met
    }

    /// Numbers with names.
    fn values(&mut self) {
        for (number, is_swapped) in self.numbers() {
            for (field, named) in
                self.table.values.iter().flat_map(|(field, all)| all.iter().map(move |one| (field, one)))
            {
                if !(named.value..=named.to).contains(&number) || (is_swapped && number <= 0xFF) {
                    continue;
                }
                let frames: Vec<FrameId> = self
                    .table
                    .frames_with_id()
                    .filter(|(_, frame)| frame.layout().names().contains(field))
                    .map(|(id, _)| id)
                    .collect();
                let mut from = self.uses.from(self.table, &frames);
                from.field = Some(field.to_string());
                let several = ((named.to - named.value + 1) as f64).log2();
                let bits =
                    (8.0 * self.reading.bytes.len() as f64 - several - if is_swapped { 4.0 } else { 0.0 })
                        .max(0.0);
                let entry = Entry {
                    kind: Kind::Value { name: named.name.to_string() },
                    from,
                    says: named.means.clone(),
                    cause: named.cause.clone(),
                    remedy: named.remedy.clone(),
                    bits,
                };
                self.found.push(entry);
            }
        }
    }

    /// The number that the bytes are, and the one that they are with the least significant byte first.
    fn numbers(&self) -> Vec<(i128, bool)> {
        let Some(number) = self.reading.number else { return Vec::new() };
        let swapped =
            self.reading.bytes.iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        let mut numbers = vec![(i128::from(number), false)];
        if swapped != number && self.reading.asked == Asked::Hex {
            numbers.push((i128::from(swapped), true));
        }
        numbers
    }

    fn meanings(&mut self) {
        let wanted = &self.reading.bytes;
        for meaning in &self.table.meanings {
            let (frames, field, bits) = match &meaning.of {
                MeaningOf::Bytes(bytes) if bytes.as_ref() == wanted.as_slice() => {
                    (Vec::new(), None, 8.0 * wanted.len() as f64)
                }
                // One byte of several is explained by itself.
                MeaningOf::Bytes(bytes) if bytes.len() > 1 && holds(wanted, bytes) => {
                    (Vec::new(), None, 8.0 * bytes.len() as f64)
                }
                MeaningOf::Bytes(bytes) if bytes.starts_with(wanted) => {
                    (Vec::new(), None, 8.0 * wanted.len() as f64 - 4.0)
                }
                MeaningOf::Frame(id) if self.is_whole(*id) => (vec![*id], None, 8.0 * wanted.len() as f64),
                MeaningOf::Field(field, value) if self.reading.number.map(i128::from) == Some(*value) => {
                    (Vec::new(), Some(field), 8.0 * wanted.len() as f64)
                }
                _ => continue,
            };
            let from =
                From { field: field.map(|field| field.to_string()), ..self.uses.from(self.table, &frames) };
            let from = From { exchanges: self.after(meaning, from.exchanges), ..from };
            let Meaning { means, cause, remedy, .. } = meaning.clone();
            self.found.push(Entry { kind: Kind::Meaning, from, says: Some(means), cause, remedy, bits });
        }
    }

    /// What the table says of a byte in words belongs to the frames that begin with it.
    fn join_meanings(&mut self) {
        let is_meaning = |entry: &Entry| {
            let From { frames, field, exchanges, .. } = &entry.from;
            entry.kind == Kind::Meaning && frames.is_empty() && field.is_none() && exchanges.is_empty()
        };
        let Some(first) = self.found.iter().position(is_meaning) else { return };
        let is_start = |entry: &Entry| {
            matches!(&entry.kind, Kind::Start)
                || matches!(&entry.kind, Kind::Frame { fields, .. } if fields.is_empty())
        };
        let Some(start) = self.found.iter().position(is_start) else { return };
        let From { frames, states, senders, refusal, .. } = self.found[start].from.clone();
        let meaning = &mut self.found[first];
        meaning.from = From { frames, states, senders, refusal, ..meaning.from.clone() };
        self.found.remove(start);
    }

    /// A meaning that holds only after some exchanges is told with those.
    fn after(&self, meaning: &Meaning, exchanges: Vec<String>) -> Vec<String> {
        let after = meaning.after.iter().filter_map(|id| self.table.exchanges.get(id.0));
        let after: Vec<String> = after.map(|exchange| exchange.name.to_string()).collect();
        if after.is_empty() { exchanges } else { after }
    }

    fn is_whole(&self, id: FrameId) -> bool {
        let bytes = &self.reading.bytes;
        let read = self.table.frames.get(id.0).map(|frame| frame.parse(bytes, true, &Nothing));
        matches!(read, Some(Outcome::Complete(read)) if read.len == bytes.len())
    }

    /// A word that somebody read in a message: the name of a value, or a part of what it says.
    fn words(&mut self) {
        let wanted = String::from_utf8_lossy(&self.reading.bytes).to_lowercase();
        if wanted.len() < 3 || wanted.split_whitespace().count() > 4 {
            return;
        }
        for (field, named) in
            self.table.values.iter().flat_map(|(field, all)| all.iter().map(move |one| (field, one)))
        {
            let says = named.means.as_deref().unwrap_or("").to_lowercase();
            let is_name = *named.name == *wanted || says.split(':').next() == Some(&wanted);
            if !is_name && !says.contains(&wanted) {
                continue;
            }
            let from = From { field: Some(field.to_string()), ..self.uses.from(self.table, &[]) };
            let kind = Kind::Word { name: format!("{} = 0x{:02X}", named.name, named.value) };
            let bits = 8.0 * wanted.len() as f64 - if is_name { 0.0 } else { 16.0 };
            let (says, cause, remedy) = (named.means.clone(), named.cause.clone(), named.remedy.clone());
            self.found.push(Entry { kind, from, says, cause, remedy, bits: bits.max(0.0) });
        }
    }

    fn add(&mut self, kind: Kind, from: From, bits: f64) {
        self.found.push(Entry { kind, from, says: None, cause: None, remedy: None, bits });
    }
}

/// How many bits a place fixes.
fn bits(set: &ByteSet) -> f64 {
    8.0 - (set.count().max(1) as f64).log2()
}

fn holds(all: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(all, part).is_some()
}

fn holds_literal(layout: &Layout, wanted: &[u8]) -> bool {
    layout.items.iter().any(|item| match &item.kind {
        ItemKind::Literal { bytes, .. } => holds(bytes, wanted),
        ItemKind::Optional { body, .. } | ItemKind::Repeat { body, .. } => holds_literal(body, wanted),
        ItemKind::Field(field) => match &field.kind {
            FieldType::Part { body, .. } => holds_literal(body, wanted),
            _ => false,
        },
        ItemKind::Bits(_) | ItemKind::Again { .. } => false,
    })
}

/// Fields of this width whose values are known beforehand, and that may be this number.
fn allowing(layout: &Layout, number: i128, width: usize) -> Vec<(Met, f64)> {
    let mut met = Vec::new();
    for item in &layout.items {
        match &item.kind {
            ItemKind::Field(field) => {
                if let FieldType::Part { body, .. } = &field.kind {
                    met.extend(allowing(body, number, width));
                }
                let (FieldType::Number { bytes, .. }, Some(name)) = (&field.kind, &field.name) else {
                    continue;
                };
                let ranges = allowed(Some(name), field.transform.as_ref(), &field.allowed, &Known::new());
                let Some(ranges) = ranges.filter(|_| usize::from(*bytes) == width) else { continue };
                if ranges.iter().any(|range| range.contains(&number)) {
                    let count: f64 =
                        ranges.iter().map(|range| (range.end() - range.start() + 1) as f64).sum();
                    met.push((Met::Allowed(name.clone()), (8.0 * width as f64 - count.log2()).max(0.0)));
                }
            }
            ItemKind::Optional { body, .. } | ItemKind::Repeat { body, .. } => {
                met.extend(allowing(body, number, width))
            }
            _ => {}
        }
    }
    met
}

/// Bits of a frame that are fixed or checked, by checksums too or not: what bytes by chance would have to get right.
fn fixed_bits(layout: &Layout, sums: bool) -> f64 {
    use crate::frame::{Allowed, ExprKind};
    let of_allowed = |name: Option<&Name>, transform, allow: &Allowed, width: f64| match allow {
        Allowed::Any | Allowed::Sends { .. } => 0.0,
        Allowed::Equal(expr) if !sums && expr.sums_up() => 0.0,
        // What follows from the frame before is not known here, and was not compared.
        Allowed::Equal(expr) if !matches!(expr.kind, ExprKind::Number(_)) => {
            let is_relation = expr.paths().iter().all(|(path, _)| !matches!(&*path.first, "asked" | "last"));
            if is_relation { width } else { 0.0 }
        }
        Allowed::Equal(_) | Allowed::OneOf(_) => match allowed(name, transform, allow, &Known::new()) {
            None => 0.0,
            Some(ranges) => {
                let count: f64 = ranges.iter().map(|range| (range.end() - range.start() + 1) as f64).sum();
                (width - count.max(1.0).log2()).max(0.0)
            }
        },
    };
    layout
        .items
        .iter()
        .map(|item| match &item.kind {
            ItemKind::Literal { bytes, times: crate::frame::Times::Exactly(times) } => {
                8.0 * bytes.len() as f64 * f64::from(*times)
            }
            ItemKind::Literal { .. } => 0.0,
            ItemKind::Field(field) => match &field.kind {
                FieldType::Part { body, .. } => fixed_bits(body, sums),
                FieldType::Number { bytes, .. } => of_allowed(
                    field.name.as_ref(),
                    field.transform.as_ref(),
                    &field.allowed,
                    8.0 * f64::from(*bytes),
                ),
                _ => of_allowed(field.name.as_ref(), field.transform.as_ref(), &field.allowed, 8.0),
            },
            ItemKind::Bits(fields) => fields
                .iter()
                .map(|field| {
                    of_allowed(
                        field.name.as_ref(),
                        field.transform.as_ref(),
                        &field.allowed,
                        f64::from(field.width),
                    )
                })
                .sum(),
            ItemKind::Again { .. } => 8.0,
            ItemKind::Optional { .. } | ItemKind::Repeat { .. } => 0.0,
        })
        .sum()
}

/// Numbers in hex, bytes as they stand on the wire.
fn shown(value: &Value) -> String {
    match value {
        Value::Int(number @ 0..=0xFF) => format!("{number:02X}"),
        Value::Int(number @ 0x100..) => format!("0x{number:X}"),
        Value::Int(number) => number.to_string(),
        Value::Bytes(blob) => {
            let words: Vec<String> = blob.bytes.iter().take(32).map(|byte| format!("{byte:02X}")).collect();
            if blob.bytes.len() > 32 { format!("{} …", words.join(" ")) } else { words.join(" ") }
        }
        Value::List(all) => all.iter().take(16).map(shown).collect::<Vec<_>>().join(", "),
    }
}
