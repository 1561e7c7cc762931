//! What the frames of a shipped table make of captured bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path as FilePath;

use hsdiag::frame::{Found, Frame, Name, Outcome, Path, Scope, Stream, Value};
use hsdiag::protocol::Table;

/// A table of `protocols/`, with values of its parameters.
pub struct Decoder {
    table: Table,
    parameters: BTreeMap<Name, Value>,
}

/// A piece of a capture: a frame by its name, or bytes that are none.
#[derive(Debug, PartialEq)]
pub struct Piece {
    pub frame: Option<String>,
    pub bytes: Vec<u8>,
}

impl Scope for Decoder {
    fn look(&self, path: &Path) -> Option<Value> {
        self.parameters.get(&path.first).filter(|_| path.rest.is_none()).cloned()
    }

    fn lookup(&self, table: &Name, x: i128) -> Option<i128> {
        self.table.lookups.get(table)?.get(&x).copied()
    }
}

impl Decoder {
    pub fn new(table: &str) -> Decoder {
        let file = FilePath::new(env!("CARGO_MANIFEST_DIR")).join(format!("protocols/{table}.toml"));
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let (table, _) = Table::read(table, &text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let parameters = table.parameters.iter().map(|known| (known.name.clone(), known.value.clone()));
        Decoder { parameters: parameters.collect(), table }
    }

    /// The pieces of `bytes`, of which only the frames named count; `closed`: a gap follows.
    pub fn pieces(&self, frames: &[&str], bytes: &[u8]) -> Vec<Piece> {
        let frames: Vec<&Frame> = frames.iter().map(|name| self.frame(name)).collect();
        let mut stream = Stream::new(frames.iter().copied());
        let mut pieces = Vec::new();
        let mut take = |found: Found<'_>| {
            pieces.push(match found {
                Found::Frame { frame, bytes, .. } => {
                    Piece { frame: Some(frames[frame].name().to_string()), bytes: bytes.to_vec() }
                }
                Found::Skipped { at, len } => {
                    let (from, to) = (at as usize, (at + len) as usize);
                    Piece { frame: None, bytes: bytes[from..to].to_vec() }
                }
            });
        };
        stream.push(bytes, self, &mut take);
        stream.close(self, &mut take);
        pieces
    }

    /// The names of the frames that `bytes` are, without anything between them.
    pub fn names(&self, frames: &[&str], bytes: &[u8]) -> Vec<String> {
        let name = |piece: Piece| {
            let bytes = piece.bytes;
            piece.frame.unwrap_or_else(|| panic!("{bytes:02X?} is no frame of {frames:?}"))
        };
        self.pieces(frames, bytes).into_iter().map(name).collect()
    }

    /// What a frame makes of `bytes`, behind which nothing comes.
    pub fn read(&self, frame: &str, bytes: &[u8]) -> Outcome {
        self.frame(frame).parse(bytes, true, self)
    }

    /// A field of the one frame that `bytes` are.
    pub fn field(&self, frame: &str, field: &str, bytes: &[u8]) -> Value {
        let Outcome::Complete(reading) = self.read(frame, bytes) else {
            panic!("{bytes:02X?} is no `{frame}`");
        };
        reading.values.get(field).unwrap_or_else(|| panic!("`{frame}` has no `{field}`")).clone()
    }

    fn frame(&self, name: &str) -> &Frame {
        let found = self.table.frames.iter().find(|frame| &**frame.name() == name);
        found.unwrap_or_else(|| panic!("`{}` has no frame `{name}`", self.table.name))
    }
}
