//! Vectors: pieces of real conversations that a table must read and write.

use crate::protocol::{Table, Vector};

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
    let _ = (table, vector);
    todo!()
}
