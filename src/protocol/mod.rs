//! Floor 2: what a table says. TOML text to a checked model, with every mistake at its place.

mod model;
mod talk;

pub use model::{
    Answer, Chip, Device, Exchange, ExchangeId, Flash, FrameId, Line, Meaning, MeaningOf, NamedValue,
    Parameter, Phase, Probe, Quiet, Refusals, Region, Reply, ResetSequences, Risk, ScriptStep, Show, State,
    StateId, Table, Vector,
};
pub use talk::{Argument, Bind, Each, Effect, EffectKind, Message, Step, StepKind, Talk, Time};
