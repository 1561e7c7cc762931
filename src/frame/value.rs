//! What a field can hold: a number, bytes (which may have an address), or a list of them.

use bytes::Bytes;

/// A value. Text is bytes; truth is the numbers 0 and 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Within the range of `i64` or `u64`; whoever computes one checks it.
    Int(i128),
    Bytes(Blob),
    /// What a repeated part has read, one value a round.
    List(Vec<Value>),
}

/// Bytes that may stand at an address: a piece of a firmware image knows where it belongs.
#[derive(Clone, Debug, Default)]
pub struct Blob {
    pub bytes: Bytes,
    /// Address of the first byte; 0 where there is none.
    pub at: u64,
}

/// Two blobs are equal when their bytes are: an address is where bytes are put, not what they are.
impl PartialEq for Blob {
    fn eq(&self, other: &Blob) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Blob {}

impl Value {
    pub fn bytes(bytes: impl Into<Bytes>) -> Value {
        Value::Bytes(Blob { bytes: bytes.into(), at: 0 })
    }

    pub fn as_int(&self) -> Option<i128> {
        match self {
            Value::Int(int) => Some(*int),
            Value::Bytes(_) | Value::List(_) => None,
        }
    }

    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Bytes(blob) => Some(&blob.bytes),
            Value::Int(_) | Value::List(_) => None,
        }
    }
}

impl From<i128> for Value {
    fn from(int: i128) -> Value {
        Value::Int(int)
    }
}
