//! Vectors: pieces of real conversations that a table must read and write.

use bytes::Bytes;

use crate::frame::{
    Allowed, Envelope, EvalError, FieldType, Frame, ItemKind, Layout, Missing, Name, Outcome, Path, Reading,
    Scope, Times, Value, Values,
};
use crate::line::Direction;
use crate::protocol::{FrameId, Table, Vector};

use super::env::Env;
use super::hear::{same, shown};

/// Why a table does not hold one of its vectors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("vector \"{vector}\", step {step}: {says}")]
pub struct VectorMistake {
    pub vector: String,
    /// Which arrow, from 1.
    pub step: usize,
    pub says: String,
}

/// Reads the vector's bytes as the frames it names, compares its fields, encodes the frames again to the same bytes.
pub fn check_vector(table: &Table, vector: &Vector) -> Result<(), VectorMistake> {
    // What the table leaves open (the size of an address) may be this way in one vector, that way in another.
    let mut mistakes = Vec::new();
    let mut given = Env::new();
    vector.set.iter().for_each(|(name, value)| given.set(name, value.clone()));
    for env in given.hypotheses(table) {
        match check(table, vector, &env) {
            Ok(()) => return Ok(()),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    mistakes.into_iter().next().map_or(Ok(()), Err)
}

fn check(table: &Table, vector: &Vector, env: &Env) -> Result<(), VectorMistake> {
    let mistake = |step, says: String| VectorMistake { vector: vector.name.clone(), step, says };
    let heard = match (read(table, vector, env), vector.wrong) {
        (Err(_), true) => return Ok(()),
        (Ok(_), true) => return Err(mistake(1, "it is read, and should be refused".into())),
        (Err((step, says)), false) => return Err(mistake(step, says)),
        (Ok(heard), false) => heard,
    };
    for (field, expected) in &vector.fields {
        let found: Vec<&Value> = heard.iter().filter_map(|values| values.get(field)).collect();
        if !found.iter().any(|found| same(expected, found)) {
            let found: Vec<String> = found.into_iter().map(shown).collect();
            let found = if found.is_empty() { "in no frame".into() } else { found.join(", ") };
            let says = format!("`{field}` should be {}, is {found}", shown(expected));
            return Err(mistake(vector.talk.len(), says));
        }
    }
    Ok(())
}

type Failure = (usize, String);

/// The frames of a vector with their values.
fn read(table: &Table, vector: &Vector, env: &Env) -> Result<Vec<Values>, Failure> {
    let mut so_far = SoFar { table, env, heard: Vec::new() };
    let mut named = vector.frames.iter().copied();
    let any = vector.frames.is_empty();
    for (step, (direction, bytes)) in vector.talk.iter().enumerate() {
        let step = step + 1;
        let mut rest = bytes.clone();
        while !rest.is_empty() {
            let (frame, reading) = match named.next() {
                Some(frame) => (frame, so_far.parse(frame, *direction, &rest).map_err(|says| (step, says))?),
                None if any => so_far.find(*direction, &rest).ok_or_else(|| {
                    (step, format!("no frame of the table fits {}", shown(&Value::bytes(rest.clone()))))
                })?,
                None => return Err((step, format!("{} bytes behind the last frame it names", rest.len()))),
            };
            let len = reading.len;
            so_far.encode(frame, *direction, &reading.values, &rest[..len]).map_err(|says| (step, says))?;
            so_far.heard.push((frame, *direction, reading.values));
            rest = rest.slice(len..);
        }
    }
    match named.next() {
        Some(frame) => {
            let name = table.frames[frame.0].name();
            Err((vector.talk.len(), format!("the bytes end before the frame `{name}`")))
        }
        None => Ok(so_far.heard.into_iter().map(|(_, _, values)| values).collect()),
    }
}

/// What was read so far: where a frame's names come from, in place of a conversation.
struct SoFar<'a> {
    table: &'a Table,
    env: &'a Env,
    heard: Vec<(FrameId, Direction, Values)>,
}

impl SoFar<'_> {
    fn parse(&self, frame: FrameId, direction: Direction, bytes: &[u8]) -> Result<Reading, String> {
        let frame = &self.table.frames[frame.0];
        match frame.parse(bytes, true, &self.seen_by(direction)) {
            Outcome::Complete(reading) if reading.len > 0 => Ok(reading),
            Outcome::Complete(_) => Err(format!("frame `{}` takes no byte", frame.name())),
            Outcome::More(more) => Err(format!("frame `{}` needs {more} more bytes", frame.name())),
            Outcome::Wrong(wrong) => {
                Err(format!("frame `{}`: byte {}: expected {}", frame.name(), wrong.at, wrong.expected))
            }
        }
    }

    /// The longest reading as any frame.
    fn find(&self, direction: Direction, bytes: &[u8]) -> Option<(FrameId, Reading)> {
        let ids = (0..self.table.frames.len()).map(FrameId);
        let read = ids.filter_map(|id| Some((id, self.parse(id, direction, bytes).ok()?)));
        read.max_by_key(|(_, reading)| reading.len)
    }

    /// The values give the bytes again; where a frame may be written in several ways, bytes that read the same.
    fn encode(
        &self,
        frame: FrameId,
        direction: Direction,
        values: &Values,
        bytes: &[u8],
    ) -> Result<(), String> {
        let frame = &self.table.frames[frame.0];
        let seen = self.seen_by(direction);
        let encoded = frame
            .encode(&values.to_vec(), &seen)
            .map_err(|error| format!("it is not encoded again: {error}"))?;
        if encoded == bytes {
            return Ok(());
        }
        let again = frame.parse(&encoded, true, &seen);
        let reads_the_same = matches!(&again, Outcome::Complete(reading) if reading.values == *values);
        if reads_the_same && has_many_spellings(frame) {
            return Ok(());
        }
        let hex = |bytes: &[u8]| shown(&Value::bytes(Bytes::copy_from_slice(bytes)));
        Err(format!("frame `{}` is encoded again as {}, not as {}", frame.name(), hex(&encoded), hex(bytes)))
    }

    fn seen_by(&self, direction: Direction) -> Seen<'_> {
        Seen { so_far: self, direction }
    }
}

struct Seen<'a> {
    so_far: &'a SoFar<'a>,
    direction: Direction,
}

impl Scope for Seen<'_> {
    fn look(&self, path: &Path) -> Option<Value> {
        let SoFar { table, env, heard } = self.so_far;
        let last = |from: Direction, field: &Name| {
            heard.iter().rfind(|(_, direction, _)| *direction == from)?.2.get(field).cloned()
        };
        let Some(rest) = &path.rest else {
            let heard = heard.iter().rev().find_map(|(_, _, values)| values.get(&path.first));
            let parameter = || table.parameters.iter().find(|known| known.name == path.first);
            let set = || env.get(&path.first);
            return heard.or_else(set).or_else(|| parameter().map(|known| &known.value)).cloned();
        };
        match &*path.first {
            "asked" => last(self.direction.other(), rest),
            "last" => last(self.direction, rest),
            first => {
                let called = |frame: &FrameId| &**table.frames[frame.0].name() == first;
                heard.iter().rfind(|(frame, ..)| called(frame))?.2.get(rest).cloned()
            }
        }
    }

    fn memory(&self, _: u64, _: usize) -> Result<Bytes, EvalError> {
        Err(EvalError::Unknown(Missing::Memory))
    }

    fn lookup(&self, table: &Name, x: i128) -> Option<i128> {
        self.so_far.table.lookups.get(table)?.get(&x).copied()
    }
}

/// Digits in either case, leading zeros, fills and nameless bytes: other bytes that say the same.
fn has_many_spellings(frame: &Frame) -> bool {
    let envelope = matches!(
        frame.envelope(),
        Some(Envelope::Hex { .. } | Envelope::Base64Lines { .. } | Envelope::Hdlc { .. })
    );
    envelope || spells_freely(frame.layout())
}

fn spells_freely(layout: &Layout) -> bool {
    layout.items.iter().any(|item| match &item.kind {
        ItemKind::Literal { times, .. } => matches!(times, Times::Between(..)),
        ItemKind::Field(field) => match &field.kind {
            FieldType::Dec | FieldType::Hex(_) | FieldType::Uu(_) | FieldType::Cbor(_) => true,
            FieldType::Part { body, .. } => spells_freely(body),
            _ => field.name.is_none() && field.allowed == Allowed::Any,
        },
        ItemKind::Bits(bits) => bits.iter().any(|bit| bit.name.is_none() && bit.allowed == Allowed::Any),
        ItemKind::Again { .. } => false,
        ItemKind::Optional { body, .. } | ItemKind::Repeat { body, .. } => spells_freely(body),
    })
}
