//! Which protocol is this? Every table listens, as to a shared line and as to the device alone, and the best explanation wins.

use std::sync::Arc;

use crate::line::{Instant, LineEvent, Settings, Span};
use crate::machine::{Env, Observer, Program, Score, Sides};

/// Natural logarithm of how much better than chance an explanation must be. There are dozens of tables, each of which may be lucky
/// once: e^12 leaves one false recognition in some thousand recordings of noise.
const CONVINCING: f64 = 12.0;

/// All tables listening at once.
pub struct Recogniser {
    observers: Vec<(Sides, Observer)>,
}

/// A protocol that explains what was heard.
#[derive(Clone, Debug)]
pub struct Recognised {
    pub program: Arc<Program>,
    pub sides: Sides,
    pub score: Score,
}

impl Recogniser {
    /// `sides` are the ways in which each table listens.
    pub fn new(programs: &[Arc<Program>], sides: &[Sides], settings: Settings) -> Recogniser {
        let env = Env::new();
        let listener = |program: &Arc<Program>, sides: Sides| {
            (sides, Observer::scoring(program.clone(), sides, settings, &env))
        };
        let observers = programs.iter().flat_map(|program| sides.iter().map(move |side| (program, *side)));
        Recogniser { observers: observers.map(|(program, sides)| listener(program, sides)).collect() }
    }

    /// Bytes can be stamped so much later than they came.
    pub fn stamped(mut self, late: Span) -> Recogniser {
        let stamped = |(sides, observer): (Sides, Observer)| (sides, observer.stamped(late));
        self.observers = self.observers.into_iter().map(stamped).collect();
        self
    }

    pub fn on_event(&mut self, event: &LineEvent) {
        self.observers.iter_mut().for_each(|(_, observer)| observer.on_event(event));
    }

    pub fn on_time(&mut self, now: Instant) {
        self.observers.iter_mut().for_each(|(_, observer)| observer.on_time(now));
    }

    pub fn on_settings(&mut self, settings: Settings) {
        self.observers.iter_mut().for_each(|(_, observer)| observer.on_settings(settings));
    }

    /// Nothing more will come.
    pub fn finish(&mut self) {
        self.observers.iter_mut().for_each(|(_, observer)| observer.finish());
    }

    /// The best explanation there is, convincing or not.
    pub fn best(&self) -> Option<Recognised> {
        let weight = |observer: &Observer| observer.score().log_weight;
        let best = self.observers.iter().max_by(|a, b| weight(&a.1).total_cmp(&weight(&b.1)))?;
        let (sides, observer) = best;
        Some(Recognised { program: observer.program().clone(), sides: *sides, score: observer.score() })
    }

    /// Protocols that explain what was heard convincingly, best first, each once.
    pub fn ranking(&self) -> Vec<Recognised> {
        let mut ranking: Vec<Recognised> = Vec::new();
        for (sides, observer) in &self.observers {
            let score = observer.score();
            if score.valid == 0 || score.log_weight < CONVINCING {
                continue;
            }
            let program = observer.program();
            let known = ranking.iter_mut().find(|known| Arc::ptr_eq(&known.program, program));
            match known {
                Some(known) if known.score.log_weight >= score.log_weight => {}
                Some(known) => (known.sides, known.score) = (*sides, score),
                None => ranking.push(Recognised { program: program.clone(), sides: *sides, score }),
            }
        }
        ranking.sort_by(|a, b| b.score.log_weight.total_cmp(&a.score.log_weight));
        ranking
    }
}
