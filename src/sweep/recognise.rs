//! The tables as what the search asks for: somebody who says which protocol the bytes at a candidate are.

use std::sync::Arc;

use crate::diagnose::Recogniser;
use crate::line::{LineEvent, Settings};
use crate::machine::{Program, Sides};

use super::findings::ProtocolScore;
use super::protocol::{ProtocolScorer, ProtocolScorers};

/// Every protocol that is known.
pub struct Protocols(Vec<Arc<Program>>);

impl Protocols {
    pub fn new(programs: Vec<Arc<Program>>) -> Protocols {
        Protocols(programs)
    }
}

impl ProtocolScorers for Protocols {
    fn scorer(&self, settings: &Settings, only: Option<&str>) -> Box<dyn ProtocolScorer> {
        let wanted = |program: &&Arc<Program>| only.is_none_or(|only| &*program.table().name == only);
        let programs: Vec<Arc<Program>> = self.0.iter().filter(wanted).cloned().collect();
        // Whoever listens does not know whether the host is on the same wire.
        Box::new(Listener(Recogniser::new(&programs, &[Sides::Device, Sides::Shared], *settings)))
    }
}

struct Listener(Recogniser);

impl ProtocolScorer for Listener {
    fn hear(&mut self, events: &[LineEvent]) {
        events.iter().for_each(|event| self.0.on_event(event));
    }

    fn ranking(&self) -> Vec<ProtocolScore> {
        let score = |one: crate::diagnose::Recognised| ProtocolScore {
            name: one.program.table().name.to_string(),
            valid: one.score.valid,
            invalid: one.score.invalid,
            log_weight: one.score.log_weight,
        };
        self.0.ranking().into_iter().map(score).collect()
    }
}
