//! Floor 2: what was recorded. Readers and writers of captures; text and bytes are handed in.

mod event_lines;
mod model;

pub use event_lines::{LineMistake, Mistake, Reader, Writer};
pub use model::{Header, Record, What};
