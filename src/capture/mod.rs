//! Floor 2: what was recorded. Readers and writers of captures; text and bytes are handed in.

mod event_lines;
mod listening;
mod model;

pub use event_lines::{LineMistake, Mistake, Reader, Writer};
pub use listening::Listening;
pub use model::{Header, Record, What};
