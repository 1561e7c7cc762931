//! Frames, exchanges and states by name.

use super::model::{Exchange, ExchangeId, FrameId, State, StateId, Table};

use crate::frame::Frame;

impl Table {
    pub fn frame_named(&self, name: &str) -> Option<(FrameId, &Frame)> {
        let found = self.frames.iter().enumerate().find(|(_, frame)| &**frame.name() == name);
        found.map(|(index, frame)| (FrameId(index), frame))
    }

    pub fn exchange_named(&self, name: &str) -> Option<(ExchangeId, &Exchange)> {
        let found = self.exchanges.iter().enumerate().find(|(_, exchange)| &*exchange.name == name);
        found.map(|(index, exchange)| (ExchangeId(index), exchange))
    }

    pub fn state_named(&self, name: &str) -> Option<(StateId, &State)> {
        let found = self.states.iter().enumerate().find(|(_, state)| &*state.name == name);
        found.map(|(index, state)| (StateId(index), state))
    }

    pub fn frames_with_id(&self) -> impl Iterator<Item = (FrameId, &Frame)> {
        self.frames.iter().enumerate().map(|(index, frame)| (FrameId(index), frame))
    }

    pub fn exchanges_with_id(&self) -> impl Iterator<Item = (ExchangeId, &Exchange)> {
        self.exchanges.iter().enumerate().map(|(index, exchange)| (ExchangeId(index), exchange))
    }

    pub fn states_with_id(&self) -> impl Iterator<Item = (StateId, &State)> {
        self.states.iter().enumerate().map(|(index, state)| (StateId(index), state))
    }
}
