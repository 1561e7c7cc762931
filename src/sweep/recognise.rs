//! The tables as what the search asks for: somebody who says which protocol the bytes at a candidate are.

use std::sync::Arc;

use crate::diagnose::Recogniser;
use crate::line::{LineEvent, Settings};
use crate::machine::{Program, Sides};

use super::findings::ProtocolScore;
use super::protocol::{ProtocolScorer, ProtocolScorers};

/// So many valid frames, and this much more weight (a natural logarithm) than the next, make a protocol known.
const KNOWN: (usize, f64) = (3, 3.0);
/// Characters after which a protocol that is still unknown will stay so: a long frame that was joined in its middle, and two whole ones.
const ENOUGH: usize = 1000;

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
        let recogniser = Recogniser::new(&programs, &[Sides::Device, Sides::Shared], *settings);
        Box::new(Listener { recogniser, heard: 0 })
    }
}

struct Listener {
    recogniser: Recogniser,
    heard: usize,
}

impl ProtocolScorer for Listener {
    fn hear(&mut self, events: &[LineEvent]) {
        self.heard += events.len();
        events.iter().for_each(|event| self.recogniser.on_event(event));
    }

    fn ranking(&self) -> Vec<ProtocolScore> {
        let score = |one: crate::diagnose::Recognised| ProtocolScore {
            name: one.program.table().name.to_string(),
            valid: one.score.valid,
            invalid: one.score.invalid,
            log_weight: one.score.log_weight,
        };
        self.recogniser.ranking().into_iter().map(score).collect()
    }

    fn wants_more(&self) -> bool {
        let known = match &self.recogniser.ranking()[..] {
            [] => false,
            [one] => one.score.valid >= KNOWN.0,
            [one, next, ..] => {
                one.score.valid >= KNOWN.0 && one.score.log_weight >= next.score.log_weight + KNOWN.1
            }
        };
        !known && self.heard < ENOUGH
    }
}
