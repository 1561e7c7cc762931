//! Vectors that no frame of the table fits. What a whole conversation decides (`asked.`, kept names, wrong vectors) is not judged here.

use std::collections::BTreeSet;

use crate::frame::{Frame, Name, Outcome, Path, Scope, Value};
use crate::protocol::model::{Table, Vector};

use super::flaw::{Flaw, Place};

pub(super) fn flaws(table: &Table) -> Vec<Flaw> {
    let parameters: Vec<(Name, Value)> =
        table.parameters.iter().map(|one| (one.name.clone(), one.value.clone())).collect();
    let vectors = table.vectors.iter().enumerate().filter(|(_, vector)| !vector.wrong);
    let flaw = |(index, vector): (usize, &Vector)| {
        let says = misfit(table, vector, &parameters)?;
        Some(Flaw::warning(Place::Vector(index), format!("vector `{}`: {says}", vector.name)))
    };
    vectors.filter_map(flaw).collect()
}

/// What does not fit, with the parameters as they are, or with one of their other values.
fn misfit(table: &Table, vector: &Vector, parameters: &[(Name, Value)]) -> Option<String> {
    let first = talk_misfit(table, vector, &Known([&vector.set, &[], parameters]))?;
    let others = table
        .parameters
        .iter()
        .flat_map(|one| one.one_of.iter().map(|value| (one.name.clone(), value.clone())));
    for other in others {
        talk_misfit(table, vector, &Known([&vector.set, &[other], parameters]))?;
    }
    Some(first)
}

fn talk_misfit(table: &Table, vector: &Vector, known: &Known<'_>) -> Option<String> {
    let mut named = vector.frames.iter().filter_map(|id| table.frames.get(id.0)).peekable();
    for (_, bytes) in &vector.talk {
        let mut rest: &[u8] = bytes;
        while !rest.is_empty() {
            let frame = match named.next() {
                Some(frame) => frame,
                None if !vector.frames.is_empty() => {
                    return Some(format!("no frame is named for {}", hex(rest)));
                }
                None => match table.frames.iter().find(|frame| length(frame, rest, known).is_ok()) {
                    Some(frame) => frame,
                    None => return Some(format!("no frame fits {}", hex(rest))),
                },
            };
            match length(frame, rest, known) {
                Ok(length) if length > 0 => rest = &rest[length..],
                // Only the conversation tells how long it is: whoever plays the vector will see.
                _ if depends(table, frame, known) => return None,
                Ok(_) => return Some(format!("`{}` is empty before {}", frame.name(), hex(rest))),
                Err(says) => return Some(says),
            }
        }
    }
    named.next().map(|frame| format!("no bytes are left for `{}`", frame.name()))
}

/// How many bytes this frame takes, or why it does not fit.
fn length(frame: &Frame, bytes: &[u8], known: &Known<'_>) -> Result<usize, String> {
    match frame.parse_once(bytes, true, known) {
        Outcome::Complete(reading) => Ok(reading.len),
        Outcome::More(more) => {
            Err(format!("`{}` needs {more} more bytes behind {}", frame.name(), hex(bytes)))
        }
        Outcome::Wrong(mismatch) => {
            let found = bytes.get(mismatch.at).map_or("the end".to_string(), |byte| format!("{byte:02X}"));
            let (name, at) = (frame.name(), mismatch.at);
            Err(format!("`{name}` at byte {at}: found {found}, expected {}", mismatch.expected))
        }
    }
}

/// The frame asks for names that neither it nor a parameter has.
fn depends(table: &Table, frame: &Frame, known: &Known<'_>) -> bool {
    let own: BTreeSet<Name> = frame.layout().names().into_iter().collect();
    let is_known = |path: &Path| {
        own.contains(&path.first) || known.look(path).is_some() || table.lookups.contains_key(&path.first)
    };
    super::exprs::exprs(frame.layout())
        .into_iter()
        .flat_map(|expr| expr.paths())
        .any(|(path, _)| !is_known(path))
}

/// Names with values; the first list that has one wins.
struct Known<'v>([&'v [(Name, Value)]; 3]);

impl Scope for Known<'_> {
    fn look(&self, path: &Path) -> Option<Value> {
        let whole = path.rest.is_none();
        let mut all = self.0.into_iter().flatten();
        all.find(|(name, _)| whole && *name == path.first).map(|(_, value)| value.clone())
    }
}

/// At most sixteen bytes of it.
fn hex(bytes: &[u8]) -> String {
    let shown: Vec<String> = bytes.iter().take(16).map(|byte| format!("{byte:02X}")).collect();
    if bytes.len() > 16 { format!("{} …", shown.join(" ")) } else { shown.join(" ") }
}
