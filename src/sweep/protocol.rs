//! What the search needs of protocols: somebody who hears bytes at a candidate and says which protocol they are.

use crate::line::{LineEvent, Settings};

use super::findings::ProtocolScore;

/// Hears what was received at one candidate and ranks protocols by it.
pub trait ProtocolScorer {
    /// Characters in order, decoded to the candidate's format: parity removed, faults only where the format leaves them unexplained.
    fn hear(&mut self, events: &[LineEvent]);

    /// Protocols that explain what was heard, best first; empty when none does.
    fn ranking(&self) -> Vec<ProtocolScore>;

    /// Whether listening on is likely to tell more than is told by now.
    fn wants_more(&self) -> bool {
        false
    }
}

/// Makes a scorer for a candidate.
pub trait ProtocolScorers {
    /// A scorer for these settings; `only` names the one protocol to look for.
    fn scorer(&self, settings: &Settings, only: Option<&str>) -> Box<dyn ProtocolScorer>;
}

/// No protocol is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProtocols;

impl ProtocolScorers for NoProtocols {
    fn scorer(&self, _: &Settings, _: Option<&str>) -> Box<dyn ProtocolScorer> {
        Box::new(NoProtocols)
    }
}

impl ProtocolScorer for NoProtocols {
    fn hear(&mut self, _: &[LineEvent]) {}

    fn ranking(&self) -> Vec<ProtocolScore> {
        Vec::new()
    }
}
