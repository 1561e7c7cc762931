//! Floor 2: what a table says. TOML text to a checked model, with every mistake at its place.

mod check;
mod each_path;
mod ends;
mod findings;
mod flash;
mod graph;
pub mod keys;
mod lookup;
mod mistake;
mod model;
mod parse_talk;
mod places;
mod read;
mod reference;
mod registry;
mod shape;
mod source_text;
mod string_place;
mod talk;
mod time;

pub use check::{Flaw, Place, Written, check, spells_out};
pub use flash::{FLASH_NAMES, Flash, FlashRun, ImageCheck, ImagePatch, Pieces};
pub use graph::{Edge, Graph, Line as GraphLine, Node, NodeKind};
pub use mistake::{Mistake, Mistakes, Severity, Warning};
pub use model::{
    Answer, Chip, Device, Exchange, ExchangeId, FrameId, Line, Meaning, MeaningOf, NamedValue, Parameter,
    Phase, Probe, Quiet, Refusals, Region, Reply, ResetSequences, Risk, ScriptStep, Show, State, StateId,
    Table, ToolMessage, Vector,
};
pub use reference::{reference, schema};
pub use registry::{Registry, RegistryError, TableSource, on_every_core, read_all};
pub use shape::{ByteSet, Known, Prefix, Ranges, allowed};
pub use talk::{Argument, Bind, Each, Effect, EffectKind, Message, Step, StepKind, Talk};
pub use time::Time;
