//! A vector, read frame by frame, each in the light of those before it.

use std::collections::BTreeMap;

use hsdiag::frame::{Frame, ItemKind, Layout, Name, Outcome, Path, Reading, Scope, Times, Value, Values};
use hsdiag::line::Direction;
use hsdiag::protocol::{Table, Vector};

/// What the parameters of a table may be, each of its `one_of` with each other.
pub fn hypotheses(table: &Table) -> impl Iterator<Item = Vec<(Name, Value)>> {
    let mut all = vec![Vec::new()];
    for parameter in &table.parameters {
        let values = if parameter.one_of.is_empty() {
            vec![parameter.value.clone()]
        } else {
            parameter.one_of.clone()
        };
        let with = |known: &Vec<(Name, Value)>, value: &Value| {
            let mut known = known.clone();
            known.push((parameter.name.clone(), value.clone()));
            known
        };
        all = all
            .iter()
            .flat_map(|known| values.iter().map(|value| with(known, value)).collect::<Vec<_>>())
            .collect();
    }
    all.into_iter()
}

/// A table under one assumption about its parameters, and what was read so far.
pub struct Hypothesis<'t> {
    table: &'t Table,
    parameters: BTreeMap<Name, Value>,
    /// Fields by their names, the latest.
    fields: BTreeMap<Name, Value>,
    /// Fields of each frame, the latest.
    frames: BTreeMap<Name, Values>,
    /// The last frame of the host, of the device.
    last: [Option<Values>; 2],
    /// Who speaks now.
    speaks: Direction,
}

impl Scope for Hypothesis<'_> {
    fn look(&self, path: &Path) -> Option<Value> {
        let other = if self.speaks == Direction::Tx { Direction::Rx } else { Direction::Tx };
        match (&*path.first, &path.rest) {
            ("last", Some(field)) => self.last[side(self.speaks)].as_ref()?.get(field).cloned(),
            ("asked", Some(field)) => self.last[side(other)].as_ref()?.get(field).cloned(),
            (frame, Some(field)) => self.frames.get(frame)?.get(field).cloned(),
            (name, None) => self
                .fields
                .get(name)
                .or_else(|| self.parameters.get(name))
                .cloned()
                .or_else(|| self.named_number(name)),
        }
    }

    fn lookup(&self, table: &Name, x: i128) -> Option<i128> {
        self.table.lookups.get(table)?.get(&x).copied()
    }
}

/// Whether something in it may stand more or fewer times.
fn has_free_repeats(layout: &Layout) -> bool {
    layout.items.iter().any(|item| matches!(item.kind, ItemKind::Literal { times: Times::Between(..), .. }))
}

fn side(direction: Direction) -> usize {
    usize::from(direction == Direction::Rx)
}

impl<'t> Hypothesis<'t> {
    pub fn new(table: &'t Table, parameters: Vec<(Name, Value)>) -> Self {
        Hypothesis {
            table,
            parameters: parameters.into_iter().collect(),
            fields: BTreeMap::new(),
            frames: BTreeMap::new(),
            last: [None, None],
            speaks: Direction::Tx,
        }
    }

    /// Reads the vector's bytes as its frames, in order; checks what encodes from them, and the fields it states.
    pub fn replay(mut self, vector: &Vector) -> Result<(), String> {
        let mut named = vector.frames.iter();
        for (direction, bytes) in &vector.talk {
            self.speaks = *direction;
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let read = match named.next() {
                    Some(id) => self.read(&self.table.frames[id.0], rest)?,
                    None if vector.frames.is_empty() => self.read_any(rest)?,
                    None => return Err(format!("{rest:02X?} are more bytes than its frames")),
                };
                rest = &rest[read..];
            }
        }
        if let Some(id) = named.next() {
            return Err(format!("no bytes are left for `{}`", self.table.frames[id.0].name()));
        }
        for (field, wanted) in &vector.fields {
            match self.fields.get(field) {
                Some(found) if found == wanted => {}
                Some(found) => return Err(format!("`{field}` is {found:?}, not {wanted:?}")),
                None => return Err(format!("no frame has a field `{field}`")),
            }
        }
        Ok(())
    }

    fn read_any(&mut self, bytes: &[u8]) -> Result<usize, String> {
        let table = self.table;
        let longest = table
            .frames
            .iter()
            .filter_map(|frame| match frame.parse(bytes, true, &*self) {
                Outcome::Complete(reading) if reading.len > 0 => Some((reading.len, frame)),
                _ => None,
            })
            .max_by_key(|(len, _)| *len);
        match longest {
            Some((_, frame)) => self.read(frame, bytes),
            None => Err(format!("{bytes:02X?} is no frame of the table")),
        }
    }

    fn read(&mut self, frame: &Frame, bytes: &[u8]) -> Result<usize, String> {
        let name = frame.name();
        let reading = match frame.parse(bytes, true, self) {
            Outcome::Complete(reading) => reading,
            Outcome::More(n) => return Err(format!("`{name}` wants {n} more bytes behind {bytes:02X?}")),
            Outcome::Wrong(wrong) => {
                return Err(format!(
                    "`{name}`: byte {} of {bytes:02X?}: expected {}",
                    wrong.at, wrong.expected
                ));
            }
        };
        self.encodes(frame, &reading, &bytes[..reading.len])?;
        let len = reading.len;
        self.note(name, reading);
        Ok(len)
    }

    fn encodes(&self, frame: &Frame, reading: &Reading, bytes: &[u8]) -> Result<(), String> {
        let name = frame.name();
        match frame.encode(&reading.sent(), self) {
            Ok(encoded) if encoded == bytes => Ok(()),
            // The sender sends the most of a preamble, others send less of it.
            Ok(encoded) if has_free_repeats(frame.layout()) && self.reads_same(frame, &encoded, reading) => {
                Ok(())
            }
            Ok(encoded) => Err(format!("`{name}` encodes to {encoded:02X?}, not to {bytes:02X?}")),
            Err(error) => Err(error.to_string()),
        }
    }

    fn reads_same(&self, frame: &Frame, encoded: &[u8], reading: &Reading) -> bool {
        matches!(frame.parse(encoded, true, self), Outcome::Complete(again) if again.values == reading.values)
    }

    fn note(&mut self, frame: &Name, reading: Reading) {
        let values = reading.values;
        self.fields.extend(values.to_vec());
        self.frames.insert(frame.clone(), values.clone());
        self.last[side(self.speaks)] = Some(values);
    }

    /// A number by its name, of whichever field.
    fn named_number(&self, name: &str) -> Option<Value> {
        let mut all = self.table.values.values().flatten();
        all.find(|known| &*known.name == name).map(|known| Value::Int(known.value))
    }
}
