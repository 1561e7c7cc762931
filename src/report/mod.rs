//! Floor 6: what a result looks like. One serialisable model of each result; text and JSON are faces of it and compute nothing.

mod bytes;
mod conversation;
mod diagnosis;
mod escape;
mod evidence;
mod explain;
mod fields;
mod flash;
mod flash_plan;
mod item;
mod item_text;
mod json;
mod next;
mod page;
mod paint;
mod ports;
mod probe_plan;
mod protocols;
mod record;
mod resets;
mod simulated;
mod sweep;
mod table;
mod value;

pub use bytes::BytesFace;
pub use conversation::{Counts, Decoded, Handshake};
pub use diagnosis::{CauseFace, ContributingFace, DiagnosisFace, EvidenceFace, WhyFace};
pub use escape::{bytes_text, escaped, hex, quoted};
pub use explain::Explained;
pub use flash::{FlashEnd, Flashed};
pub use flash_plan::FlashPlan;
pub use item::ItemFace;
pub use json::{ErrorFace, json_line, json_text};
pub use next::Next;
pub use page::Page;
pub use paint::{BAD, COMMAND, FAINT, GOOD, HEAD, STRONG, WARN};
pub use ports::{PortChange, PortFace, Ports};
pub use probe_plan::ProbePlan;
pub use protocols::{Checked, CheckedFile, MistakeFace, ProtocolFace, ProtocolSheet, Protocols};
pub use record::Recorded;
pub use resets::{ResetSearch, TriedReset};
pub use simulated::Simulated;
pub use sweep::{Setting, Sweep, SweepEnd};
pub use table::{Align, Cell, Column, Table};

/// A result with its two faces: JSON by its `Serialize`, text by [`Report::text`].
pub trait Report: serde::Serialize {
    /// Name and version of its JSON, as documented in docs/json.md: "hsdiag.sweep/1".
    const SCHEMA: &'static str;

    /// Writes it for a person.
    fn text(&self, page: &mut Page);
}
