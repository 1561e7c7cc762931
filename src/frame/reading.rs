//! What comes of reading and of writing a frame.

use std::sync::Arc;

use super::expr::EvalError;
use super::text::Name;
use super::value::Value;

/// Fields by name, in the order they were read. A copy shares them.
#[derive(Clone, Debug, Default)]
pub struct Values(Arc<Fields>);

#[derive(Debug, Default)]
struct Fields {
    /// Shared by all readings of a frame that always has the same ones.
    names: Arc<[Name]>,
    values: Vec<Value>,
}

impl Values {
    /// As many names as values.
    pub(super) fn of(names: Arc<[Name]>, values: Vec<Value>) -> Values {
        Values(Arc::new(Fields { names, values }))
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Name, &Value)> + Clone {
        self.0.names.iter().zip(&self.0.values)
    }

    /// Each value with its name.
    pub fn to_vec(&self) -> Vec<(Name, Value)> {
        self.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        let place = self.0.names.iter().rposition(|known| &**known == name)?;
        self.0.values.get(place)
    }
}

impl PartialEq for Values {
    fn eq(&self, other: &Values) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || ((Arc::ptr_eq(&self.0.names, &other.0.names) || self.0.names == other.0.names)
                && self.0.values == other.0.values)
    }
}

impl From<Vec<(Name, Value)>> for Values {
    fn from(values: Vec<(Name, Value)>) -> Values {
        let (names, values): (Vec<Name>, Vec<Value>) = values.into_iter().unzip();
        Values::of(names.into(), values)
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
        let sent = self.values.iter().filter(|(name, _)| !self.absent.contains(name));
        sent.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// Why bytes are not this frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Which byte of the input.
    pub at: usize,
    /// "68", "the complement of `code`, CE", "`check` 5A, is 5B".
    pub expected: String,
    /// It is a checksum that does not hold: it is wrong, or something that it covers. In a hurry that is told as little as what was expected.
    pub of_sum: bool,
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
