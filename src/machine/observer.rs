//! The observer: follows both sides of a conversation it has no part in, and tells what does not fit.
//!
//! A parameter of which the table gives several values is a hypothesis: one follower listens for each, until one explains clearly
//! more than the others.

use std::sync::Arc;

use crate::frame::Name;
use crate::line::{Instant, LineEvent, Settings, Span};

use super::env::Env;
use super::follower::Follower;
use super::item::Item;
use super::pieces::Vocabulary;
use super::program::Program;
use super::score::Score;

/// What an observer hears of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sides {
    /// Both, each event with its direction.
    Both,
    /// Both on one wire: every byte arrives as `Rx`, whoever sent it.
    Shared,
    /// The device alone: what the host says is not heard.
    Device,
    /// The host alone.
    Host,
}

/// Follows a conversation. It joins in the middle, and never forgets more than it must when something is damaged.
pub struct Observer {
    program: Arc<Program>,
    /// One for each hypothesis; the first is what the table holds likeliest.
    followers: Vec<Follower>,
}

/// Natural logarithm of how much better the best hypothesis must be for the others to be dropped.
const DECISIVE: f64 = 12.0;

impl Observer {
    /// `env` sets parameters; one that is not set is a hypothesis where the table gives several values, else it is heard.
    pub fn new(program: Arc<Program>, sides: Sides, settings: Settings, env: &Env) -> Observer {
        Observer::with(program, sides, settings, env, true)
    }

    /// An observer that only keeps the score, and makes no items.
    pub fn scoring(program: Arc<Program>, sides: Sides, settings: Settings, env: &Env) -> Observer {
        Observer::with(program, sides, settings, env, false)
    }

    fn with(program: Arc<Program>, sides: Sides, settings: Settings, env: &Env, tells: bool) -> Observer {
        let followers = env
            .hypotheses(&program.table)
            .iter()
            .map(|env| Follower::new(Arc::clone(&program), sides, settings, env, tells))
            .collect();
        Observer { program, followers }
    }

    /// Bytes can be stamped so much later than they came: a silence that is no longer ends nothing.
    pub fn stamped(mut self, late: Span) -> Observer {
        self.followers.iter_mut().for_each(|follower| follower.stamped(late));
        self
    }

    /// The next thing on the line; events come in order of time.
    pub fn on_event(&mut self, event: &LineEvent) {
        self.followers.iter_mut().for_each(|follower| follower.on_event(event));
        self.decide();
    }

    /// It is now `now`, and nothing was heard since the last event: gaps close frames, answers turn out not to come.
    pub fn on_time(&mut self, now: Instant) {
        self.followers.iter_mut().for_each(|follower| follower.on_time(now));
        self.decide();
    }

    /// When silence would mean something.
    pub fn deadline(&self) -> Option<Instant> {
        self.followers.iter().filter_map(Follower::deadline).min()
    }

    /// The line is at these settings from now on; bit times follow it.
    pub fn on_settings(&mut self, settings: Settings) {
        self.followers.iter_mut().for_each(|follower| follower.on_settings(settings));
    }

    /// Nothing more will come: what is still open is told.
    pub fn finish(&mut self) {
        self.followers.iter_mut().for_each(Follower::finish);
        let best = self.best();
        self.followers.swap(0, best);
        self.followers.truncate(1);
    }

    /// Whether [`Observer::items`] would tell anything.
    pub fn has_items(&self) -> bool {
        matches!(&self.followers[..], [only] if only.has_items())
    }

    /// The pieces that have become certain since the last call. While hypotheses compete, nothing is certain.
    pub fn items(&mut self) -> Vec<Item> {
        match &mut self.followers[..] {
            [only] => only.items(),
            _ => Vec::new(),
        }
    }

    /// The same one by one.
    pub fn next_item(&mut self) -> Option<Item> {
        match &mut self.followers[..] {
            [only] => only.items.pop_front(),
            _ => None,
        }
    }

    pub fn score(&self) -> Score {
        self.followers[self.best()].score()
    }

    /// Where the conversation rests, if that is known.
    pub fn state(&self) -> Option<&Name> {
        self.followers[self.best()].state()
    }

    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// What each side can say, with the parameters that explain most.
    pub fn vocabulary(&self) -> Vocabulary {
        Vocabulary::with(&self.program, self.followers[self.best()].facts.clone())
    }

    /// The follower that explains most; of equals the first.
    fn best(&self) -> usize {
        let weight = |index: usize| self.followers[index].score().log_weight;
        (1..self.followers.len())
            .fold(0, |best, index| if weight(index) > weight(best) { index } else { best })
    }

    #[inline]
    fn decide(&mut self) {
        if self.followers.len() > 1 {
            self.drop_the_unlikely();
        }
    }

    #[cold]
    fn drop_the_unlikely(&mut self) {
        let best = self.best();
        let weight = self.followers[best].score().log_weight;
        self.followers.swap(0, best);
        let mut index = 0;
        self.followers.retain(|follower| {
            index += 1;
            index == 1 || follower.score().log_weight > weight - DECISIVE
        });
    }
}
