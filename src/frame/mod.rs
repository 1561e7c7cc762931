//! Floor 1: the layout language. What bytes mean: layout text compiled once, read by one parser and one encoder.

mod cbor;
mod check;
mod checksum;
mod circles;
mod codec;
mod compile;
mod encode;
mod encode_fields;
mod envelope;
mod envelope_parse;
mod eval;
mod expr;
mod expr_parse;
mod facts;
mod fields;
mod fuse;
mod fused;
mod invert;
mod layout;
mod layout_parse;
mod literal;
mod parse;
mod program;
#[cfg(test)]
mod properties;
mod reading;
mod refine;
mod relations;
mod room;
mod scan;
mod shown;
mod solve;
mod spelling;
mod text;
mod transform;
mod type_parse;
mod value;
mod widths;
mod windows;

pub use checksum::{Algorithm, Checksum, ChecksumError, catalogue};
pub use codec::Frame;
pub use envelope::{Contents, LONGEST, Opened};
pub use expr::{BinaryOp, EvalError, Expr, ExprKind, Function, Missing, Nothing, Path, Scope, UnaryOp};
pub use facts::{FieldFacts, FieldValues};
pub use fused::{Fit, Place, Prefix, Screen, Sieve};
pub use layout::{
    Allowed, BitField, CborKey, CborType, Envelope, Field, FieldType, Item, ItemKind, Layout, Order,
    Refinement, Refines, Times, Transform, TransformOp,
};
pub use reading::{EncodeError, Mismatch, Outcome, Reading, Values};
pub use scan::{Found, Stream};
pub use spelling::{did_you_mean, nearest};
pub use text::{At, Mistake, Name, Scanner};
pub use value::{Blob, Value};
