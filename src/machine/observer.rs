//! The observer: follows both sides of a conversation it has no part in, and tells what does not fit.

use std::sync::Arc;

use crate::frame::Name;
use crate::line::{Instant, LineEvent, Settings};

use super::env::Env;
use super::item::Item;
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
}

impl Observer {
    /// `env` sets parameters; one that is not set is a hypothesis where the table gives several values, else it is heard.
    pub fn new(program: Arc<Program>, sides: Sides, settings: Settings, env: &Env) -> Observer {
        let _ = (sides, settings, env);
        Observer { program }
    }

    /// An observer that only keeps the score, and makes no items.
    pub fn scoring(program: Arc<Program>, sides: Sides, settings: Settings, env: &Env) -> Observer {
        Observer::new(program, sides, settings, env)
    }

    /// The next thing on the line; events come in order of time.
    pub fn on_event(&mut self, event: &LineEvent) {
        let _ = event;
        todo!()
    }

    /// It is now `now`, and nothing was heard since the last event: gaps close frames, answers turn out not to come.
    pub fn on_time(&mut self, now: Instant) {
        let _ = now;
        todo!()
    }

    /// When silence would mean something.
    pub fn deadline(&self) -> Option<Instant> {
        todo!()
    }

    /// The line is at these settings from now on; bit times follow it.
    pub fn on_settings(&mut self, settings: Settings) {
        let _ = settings;
        todo!()
    }

    /// Nothing more will come: what is still open is told.
    pub fn finish(&mut self) {
        todo!()
    }

    /// The pieces that have become certain since the last call.
    pub fn items(&mut self) -> Vec<Item> {
        todo!()
    }

    pub fn score(&self) -> Score {
        todo!()
    }

    /// Where the conversation rests, if that is known.
    pub fn state(&self) -> Option<&Name> {
        todo!()
    }

    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }
}
