//! Floor 5: which settings the device speaks. An adaptive search as a task: listen high, infer, listen where it decides most, verify.

mod candidates;
mod findings;
mod likelihood;
mod options;
mod probe;
mod protocol;
mod pulse;
mod recognise;
mod search;
mod verify;
mod why;

pub use findings::{Candidate, Evidence, Faults, Findings, Listen, ProtocolScore, Purpose, Stretch, Verdict};
pub use options::Options;
pub use probe::{Answered, Opener, Probe, ProbeOptions, openers};
pub use protocol::{NoProtocols, ProtocolScorer, ProtocolScorers};
pub use pulse::Pulse;
pub use recognise::Protocols;
pub use search::Search;
pub use why::why;
