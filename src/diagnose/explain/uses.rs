//! Where in the conversation a frame is met: in which exchanges and states, and from whom.

use std::collections::{BTreeMap, BTreeSet};

use crate::line::Direction;
use crate::protocol::{Exchange, ExchangeId, FrameId, StepKind, Table, Talk};

use super::answer::From;

/// Every frame of one table with the places where a talk has it.
pub(super) struct Uses {
    frames: BTreeMap<FrameId, Use>,
}

#[derive(Clone, Default)]
struct Use {
    exchanges: BTreeSet<ExchangeId>,
    states: BTreeSet<usize>,
    host: bool,
    device: bool,
}

impl Uses {
    pub(super) fn of(table: &Table) -> Uses {
        let mut uses = Uses { frames: BTreeMap::new() };
        for (state, may) in table.states.iter().map(|state| &state.may).enumerate() {
            for started in may {
                uses.exchange(table, *started, *started, state, &mut BTreeSet::new());
            }
        }
        for refusal in &table.refusals.frames {
            uses.frames.entry(*refusal).or_default().device = true;
        }
        uses
    }

    /// `exchange` as a part of `started`, which the state allows.
    fn exchange(
        &mut self,
        table: &Table,
        started: ExchangeId,
        exchange: ExchangeId,
        state: usize,
        seen: &mut BTreeSet<ExchangeId>,
    ) {
        let Some(Exchange { talk, .. }) = table.exchanges.get(exchange.0).filter(|_| seen.insert(exchange))
        else {
            return;
        };
        let mut calls = Vec::new();
        self.talk(table, talk, started, state, &mut calls);
        for called in calls {
            self.exchange(table, started, called, state, seen);
        }
    }

    fn talk(
        &mut self,
        table: &Table,
        talk: &Talk,
        started: ExchangeId,
        state: usize,
        calls: &mut Vec<ExchangeId>,
    ) {
        for step in &talk.steps {
            match &step.kind {
                StepKind::Message(message) => {
                    let Some((frame, _)) = table.frame_named(&message.frame) else { continue };
                    let found = self.frames.entry(frame).or_default();
                    found.exchanges.insert(started);
                    found.states.insert(state);
                    match message.direction {
                        Direction::Tx => found.host = true,
                        Direction::Rx => found.device = true,
                    }
                }
                StepKind::Call { exchange, .. } => {
                    calls.extend(table.exchange_named(exchange).map(|(id, _)| id))
                }
                StepKind::Choice(branches) => {
                    branches.iter().for_each(|branch| self.talk(table, branch, started, state, calls));
                }
                StepKind::Times { body, .. } => self.talk(table, body, started, state, calls),
                StepKind::Each(each) => self.talk(table, &each.body, started, state, calls),
                _ => {}
            }
        }
    }

    /// The place of some frames of this table, all together.
    pub(super) fn from(&self, table: &Table, frames: &[FrameId]) -> From {
        let mut all = Use::default();
        for found in frames.iter().filter_map(|frame| self.frames.get(frame)) {
            all.exchanges.extend(&found.exchanges);
            all.states.extend(&found.states);
            all.host |= found.host;
            all.device |= found.device;
        }
        let names = frames.iter().filter_map(|frame| table.frames.get(frame.0));
        let exchanges = all.exchanges.iter().filter_map(|id| table.exchanges.get(id.0));
        let states = all.states.iter().filter_map(|index| table.states.get(*index));
        let senders = [("host", all.host), ("device", all.device)];
        From {
            table: table.name.to_string(),
            title: table.title.clone(),
            frames: names.map(|frame| frame.name().to_string()).collect(),
            field: None,
            exchanges: exchanges.map(|exchange| exchange.name.to_string()).collect(),
            states: states.map(|state| state.name.to_string()).collect(),
            senders: senders
                .into_iter()
                .filter(|(_, does)| *does)
                .map(|(sender, _)| sender.to_string())
                .collect(),
            refusal: !frames.is_empty() && frames.iter().all(|frame| table.refusals.frames.contains(frame)),
        }
    }
}
