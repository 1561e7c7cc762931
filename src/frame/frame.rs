//! A compiled frame: bytes to fields, and back.

use super::checksum::Checksum;
use super::expr::Scope;
use super::layout::{Envelope, Layout};
use super::text::{Mistake, Name};
use super::value::Value;

/// A frame of a table, compiled once.
#[derive(Clone, Debug)]
pub struct Frame {
    name: Name,
    layout: Layout,
    envelope: Option<Envelope>,
}

/// Fields by name, in the order they were read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values(pub Vec<(Name, Value)>);

impl Values {
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().rev().find(|(known, _)| &**known == name).map(|(_, value)| value)
    }
}

/// What a frame made of the bytes it was offered.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    Complete(Reading),
    /// It fits so far; at least so many more bytes are needed.
    More(usize),
    Wrong(Mismatch),
}

/// A frame that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Bytes of the input that belong to it, envelope and all.
    pub len: usize,
    pub values: Values,
    /// What was wrong and was allowed to be, in [`Frame::parse_damaged`]; else empty.
    pub wrong: Vec<Mismatch>,
}

/// Why bytes are not this frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Which byte of the input.
    pub at: usize,
    /// "68", "the complement of `code`, CE", "`check` 5A, is 5B".
    pub expected: String,
}

/// Why a frame cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    #[error("frame `{frame}`: `{field}` has no value")]
    NoValue { frame: Name, field: Name },
    #[error("frame `{frame}`: `{field}` cannot be {value}")]
    DoesNotFit { frame: Name, field: Name, value: String },
    #[error("frame `{frame}`: {error}")]
    Eval { frame: Name, error: super::expr::EvalError },
}

impl Frame {
    /// Compiles a layout and checks what can be checked of a frame alone: names of spans, bounds, whole bytes, circles.
    pub fn compile(
        name: Name,
        layout: Layout,
        envelope: Option<Envelope>,
        checksums: &[Checksum],
    ) -> Result<Frame, Vec<Mistake>> {
        let _ = checksums;
        Ok(Frame { name, layout, envelope })
    }

    pub fn name(&self) -> &Name {
        &self.name
    }

    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    pub fn envelope(&self) -> Option<&Envelope> {
        self.envelope.as_ref()
    }

    /// Reads one frame at the start of `input`. `closed`: nothing more will come (a gap, a turnaround, the end).
    ///
    /// `scope` knows the names that the frame itself does not set; a relation on a name that is not known is not checked.
    pub fn parse(&self, input: &[u8], closed: bool, scope: &dyn Scope) -> Outcome {
        let _ = (input, closed, scope);
        todo!()
    }

    /// The same, with up to `faults` wrong values let through and told: what an observer makes of a damaged frame.
    pub fn parse_damaged(&self, input: &[u8], closed: bool, scope: &dyn Scope, faults: usize) -> Outcome {
        let _ = (input, closed, scope, faults);
        todo!()
    }

    /// Encodes a frame from the values `given` to it by name; what is not given comes from `scope`.
    ///
    /// Computed fields are computed; presence flags, counts and lengths that are bare names follow from what is given.
    pub fn encode(&self, given: &[(Name, Value)], scope: &dyn Scope) -> Result<Vec<u8>, EncodeError> {
        let _ = (given, scope);
        todo!()
    }
}
