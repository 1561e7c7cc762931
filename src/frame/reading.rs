//! What comes of reading and of writing a frame.

use std::sync::Arc;

use super::expr::EvalError;
use super::text::Name;
use super::value::Value;

/// Fields by name, in the order they were read. A copy shares them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values(Arc<Vec<(Name, Value)>>);

impl Values {
    pub fn iter(&self) -> std::slice::Iter<'_, (Name, Value)> {
        self.0.iter()
    }

    pub fn as_slice(&self) -> &[(Name, Value)] {
        &self.0
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().rev().find(|(known, _)| &**known == name).map(|(_, value)| value)
    }
}

impl From<Vec<(Name, Value)>> for Values {
    fn from(values: Vec<(Name, Value)>) -> Values {
        Values(Arc::new(values))
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
    /// What was wrong and was allowed to be, in [`parse_damaged`](super::Frame::parse_damaged); else empty.
    pub wrong: Vec<Mismatch>,
    /// Of `values`: fields of parts that are not there, which read as 0 or as empty.
    pub absent: Vec<Name>,
}

impl Reading {
    /// The values that were on the wire: what the frame can be encoded from again, byte for byte.
    pub fn sent(&self) -> Vec<(Name, Value)> {
        self.values.iter().filter(|(name, _)| !self.absent.contains(name)).cloned().collect()
    }
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
    Eval { frame: Name, error: EvalError },
}
