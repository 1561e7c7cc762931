//! Floor 2: what a table says. TOML text to a checked model, with every mistake at its place.

mod ends;
#[allow(dead_code)] // used by the reader of tables
mod findings;
mod graph;
mod lookup;
#[allow(dead_code)] // used by the reader of tables
mod mistake;
mod model;
mod parse_talk;
#[allow(dead_code)] // used by the reader of tables
mod places;
mod spelling;
#[allow(dead_code)] // used by the reader of tables
mod string_place;
mod talk;
mod time;

pub use graph::{Edge, Graph, Line as GraphLine, Node, NodeKind};
pub use mistake::{Mistake, Mistakes, Severity, Warning};
pub use model::{
    Answer, Chip, Device, Exchange, ExchangeId, Flash, FrameId, Line, Meaning, MeaningOf, NamedValue,
    Parameter, Phase, Probe, Quiet, Refusals, Region, Reply, ResetSequences, Risk, ScriptStep, Show, State,
    StateId, Table, Vector,
};
pub use spelling::nearest;
pub use talk::{Argument, Bind, Each, Effect, EffectKind, Message, Step, StepKind, Talk};
pub use time::Time;
