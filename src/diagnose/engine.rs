//! The diagnosis as it runs: an observer, a window, and the same bytes read otherwise where the observer is at a loss.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::line::{Direction, Instant, LineErrors, LineEvent, Settings, Span};
use crate::machine::{Env, Item, Observer, Program, Sides};

use super::alternatives::{self, Reread};
use super::bytes::Bytes;
use super::cause::Cause;
use super::edges::{between, edges};
use super::evidence::Evidence;
use super::journal::Journal;
use super::measure::{Otherwise, measure};
use super::model::{Model, acting};
use super::peel;
use super::posterior::Diagnosis;
use super::verdict::Verdict;
use super::window::Window;

/// How a conversation was heard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hearing {
    pub settings: Settings,
    pub line_errors: LineErrors,
    pub uncertainty: Span,
    pub sides: Sides,
}

impl Hearing {
    /// Both sides are heard.
    pub fn both(settings: Settings, line_errors: LineErrors, uncertainty: Span) -> Hearing {
        Hearing { settings, line_errors, uncertainty, sides: Sides::Both }
    }
}

/// Follows a conversation and can be asked at any time why it is as it is.
pub struct Engine {
    own: Arc<Program>,
    others: Vec<Arc<Program>>,
    env: Env,
    heard: Hearing,
    observer: Observer,
    journal: Journal,
    /// Items since they were last taken.
    fresh: VecDeque<Arc<Item>>,
}

impl Engine {
    /// `own` is the protocol that is expected, `others` those that may be there instead.
    pub fn new(own: Arc<Program>, others: Vec<Arc<Program>>, env: Env, heard: Hearing) -> Engine {
        let observer =
            Observer::new(own.clone(), heard.sides, heard.settings, &env).stamped(heard.uncertainty);
        let shared = heard.sides == Sides::Shared;
        let journal = Journal::new(heard.settings, heard.line_errors, heard.uncertainty, shared);
        Engine { own, others, env, heard, observer, journal, fresh: VecDeque::new() }
    }

    pub fn on_event(&mut self, event: &LineEvent) {
        self.journal.on_event(event);
        self.observer.on_event(event);
        self.take();
    }

    /// Nothing was heard up to `now`.
    pub fn on_time(&mut self, now: Instant) {
        self.observer.on_time(now);
        self.take();
    }

    pub fn on_settings(&mut self, settings: Settings) {
        self.observer.on_settings(settings);
        self.take();
        self.heard.settings = settings;
        self.journal.on_settings(settings);
    }

    /// Nothing more will come.
    pub fn finish(&mut self) {
        self.observer.finish();
        self.take();
    }

    /// The pieces that have become certain since the last call.
    pub fn items(&mut self) -> impl Iterator<Item = Arc<Item>> + '_ {
        // Most events bring none: to ask must cost next to nothing.
        std::iter::from_fn(|| self.fresh.pop_front())
    }

    /// Protocols that may be there instead, where the expected one leaves most unexplained.
    pub fn consider(&mut self, others: Vec<Arc<Program>>) {
        self.others = others;
    }

    /// The expected protocol explains so little that others are worth a look.
    pub fn is_in_doubt(&self) -> bool {
        self.window().is_in_doubt()
    }

    /// What the received bytes of each item in the window were, by the item's number: the verdict that most of them share.
    pub fn verdicts(&self, diagnosis: &Diagnosis) -> BTreeMap<u64, (Verdict, f64)> {
        let posterior: Vec<(Cause, f64)> =
            diagnosis.ranking.iter().map(|ranked| (ranked.cause, ranked.probability)).collect();
        let window = self.window();
        let bytes =
            Bytes::new(&window, &self.observer.vocabulary(), &acting(&posterior, &diagnosis.contributing));
        let mut sums: BTreeMap<u64, Vec<(Verdict, f64)>> = BTreeMap::new();
        for (place, heard) in window.events.iter().enumerate() {
            let Some(item) = heard.item.filter(|_| heard.event.direction == Direction::Rx) else { continue };
            sums.entry(item).or_default().push(bytes.verdict(place, Model::shipped()));
        }
        sums.into_iter().filter_map(|(item, said)| Some((item, shared(&said)?))).collect()
    }

    pub fn observer(&self) -> &Observer {
        &self.observer
    }

    /// What a diagnosis would look at now.
    pub fn window(&self) -> Window {
        self.journal.window()
    }

    pub fn diagnosis(&self) -> Diagnosis {
        let (evidence, rest) = self.looks();
        Diagnosis::of(evidence, &rest, Model::shipped())
    }

    /// What is measured of everything, and of what is left when the bytes are taken out that a cause explains by themselves, cause by cause.
    pub fn looks(&self) -> (Evidence, Vec<(Cause, Evidence)>) {
        let window = self.window().decided();
        let (evidence, promising) = self.read(&window);
        let without = |layer: peel::Layer| {
            let heard = Hearing { settings: self.journal.settings(), ..self.heard };
            let mut rest = Engine::new(self.own.clone(), promising.clone(), self.env.clone(), heard);
            let kept = window.events.iter().zip(&layer.taken).filter(|(_, taken)| !**taken);
            kept.for_each(|(heard, _)| rest.on_event(&heard.event));
            rest.finish();
            let evidence = rest.evidence();
            layer.causes.iter().map(move |cause| (*cause, evidence.clone())).collect::<Vec<_>>()
        };
        let rest = peel::layers(&window, &self.observer.vocabulary()).into_iter().flat_map(without).collect();
        (evidence, rest)
    }

    pub fn evidence(&self) -> Evidence {
        self.read(&self.window().decided()).0
    }

    /// What is measured, and the other protocols that are worth another look.
    fn read(&self, decided: &Window) -> (Evidence, Vec<Arc<Program>>) {
        let edges = edges(decided);
        let window = between(decided, edges);
        let own_weight = self.observer.score().log_weight;
        let otherwise =
            Otherwise { own_weight, ..alternatives::told(&self.own, &self.observer.vocabulary(), &window) };
        let (otherwise, promising) = match decided.is_in_doubt() {
            false => (otherwise, Vec::new()),
            true => {
                let heard = Hearing { settings: self.journal.settings(), ..self.heard };
                let reread = Reread { own: &self.own, env: &self.env, heard };
                reread.beside(otherwise, decided, &self.others)
            }
        };
        (measure(&window, &Otherwise { edges, ..otherwise }), promising)
    }

    #[inline]
    fn take(&mut self) {
        if self.observer.has_items() {
            self.take_items();
        }
    }

    #[inline(never)] // so that an event that says nothing new costs no more than the question
    fn take_items(&mut self) {
        while let Some(item) = self.observer.next_item() {
            self.fresh.push_back(self.journal.on_item(item));
        }
    }
}

/// The verdict that most bytes share, and its mean probability.
fn shared(said: &[(Verdict, f64)]) -> Option<(Verdict, f64)> {
    let count = |verdict: Verdict| said.iter().filter(|(other, _)| *other == verdict).count();
    let (verdict, _) = *said.iter().max_by_key(|(verdict, _)| count(*verdict))?;
    let of: Vec<f64> = said.iter().filter(|(other, _)| *other == verdict).map(|(_, p)| *p).collect();
    Some((verdict, of.iter().sum::<f64>() / of.len() as f64))
}
