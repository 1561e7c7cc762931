//! Vectors that are not what they say they are.

use crate::frame::{Frame, Nothing, Outcome};
use crate::protocol::model::{Table, Vector};

use super::flaw::{Flaw, Place};

pub(super) fn flaws(table: &Table) -> Vec<Flaw> {
    let flaw = |(index, vector): (usize, &Vector)| {
        let says = wrong(table, vector)?;
        Some(Flaw::warning(Place::Vector(index), format!("vector `{}`: {says}", vector.name)))
    };
    table.vectors.iter().enumerate().filter_map(flaw).collect()
}

/// A vector that is `wrong` has to be refused somewhere; any other has to be read from end to end.
fn wrong(table: &Table, vector: &Vector) -> Option<String> {
    if !vector.frames.is_empty() && vector.frames.len() != vector.talk.len() {
        return Some(format!("{} frames are named for {} arrows", vector.frames.len(), vector.talk.len()));
    }
    let refusal =
        vector.talk.iter().enumerate().find_map(|(index, (_, bytes))| match vector.frames.get(index) {
            Some(id) => refused_by(table.frames.get(id.0)?, bytes),
            None if table.frames.iter().any(|frame| refused_by(frame, bytes).is_none()) => None,
            None => Some(format!("no frame fits {}", hex(bytes))),
        });
    match (refusal, vector.wrong) {
        (None, true) => Some("it is said to be wrong, but its frames read it".into()),
        (Some(_), true) | (None, false) => None,
        (Some(refusal), false) => Some(refusal),
    }
}

/// Why these bytes are not exactly this frame.
fn refused_by(frame: &Frame, bytes: &[u8]) -> Option<String> {
    match frame.parse(bytes, true, &Nothing) {
        Outcome::Complete(reading) if reading.len == bytes.len() => None,
        Outcome::Complete(reading) => {
            Some(format!("`{}` ends after {} of {} bytes", frame.name(), reading.len, bytes.len()))
        }
        Outcome::More(more) => {
            Some(format!("`{}` needs {more} more bytes behind {}", frame.name(), hex(bytes)))
        }
        Outcome::Wrong(mismatch) => {
            let found = bytes.get(mismatch.at).map_or("the end".to_string(), |byte| format!("{byte:02X}"));
            Some(format!(
                "`{}` at byte {}: found {found}, expected {}",
                frame.name(),
                mismatch.at,
                mismatch.expected
            ))
        }
    }
}

/// At most sixteen bytes of it.
fn hex(bytes: &[u8]) -> String {
    let shown: Vec<String> = bytes.iter().take(16).map(|byte| format!("{byte:02X}")).collect();
    if bytes.len() > 16 { format!("{} …", shown.join(" ")) } else { shown.join(" ") }
}
