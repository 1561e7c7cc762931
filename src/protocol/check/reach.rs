//! What nothing leads to: states, exchanges, frames.

use crate::protocol::ends::ends_of_exchanges;
use crate::protocol::model::{ExchangeId, Table};
use crate::protocol::talk::{StepKind, Talk};

use super::calls::calls;
use super::flaw::{Flaw, Place};
use super::frame_ids::FrameIds;
use super::numbers::Numbers;
use super::written::Written;

pub(super) fn flaws(table: &Table, ids: &FrameIds<'_>, written: &Written) -> Vec<Flaw> {
    let mut found = states(table);
    let allowed = allowed(table);
    found.extend(exchanges(table, &allowed));
    found.extend(frames(table, ids, written));
    found
}

/// A device also comes by itself into the states in which its application runs.
fn states(table: &Table) -> Vec<Flaw> {
    let ends = ends_of_exchanges(table);
    let mut reached = vec![false; table.states.len()];
    let mut open: Vec<usize> = table.device.application_states.iter().map(|state| state.0).collect();
    open.extend((!table.states.is_empty()).then_some(0));
    while let Some(state) = open.pop() {
        let Some(known) = reached.get_mut(state) else { continue };
        if !std::mem::replace(known, true) {
            let may = table.states[state].may.iter().filter_map(|id| ends.get(id.0));
            open.extend(may.flatten().flatten().map(|id| id.0));
        }
    }
    let unreached = table.states_with_id().filter(|(id, _)| !reached[id.0]);
    unreached
        .map(|(id, state)| {
            let says = format!("state `{}` cannot be reached from `{}`", state.name, table.states[0].name);
            let help = format!("end an exchange with `-> {}`, or take the state out", state.name);
            Flaw::error(Place::State(id), says).with_help(help)
        })
        .collect()
}

/// Exchanges that a state allows or a run calls, and those that they call.
fn allowed(table: &Table) -> Numbers {
    let mut open: Vec<ExchangeId> = table.states.iter().flat_map(|state| &state.may).copied().collect();
    open.extend(called_by_runs(table));
    with_called(table, open)
}

/// Exchanges of these, and those that they call.
pub(super) fn with_called(table: &Table, mut open: Vec<ExchangeId>) -> Numbers {
    let mut all = Numbers::default();
    while let Some(id) = open.pop() {
        let Some(exchange) = table.exchanges.get(id.0).filter(|_| !all.contains(id.0)) else { continue };
        all.insert(id.0);
        open.extend(
            calls(&exchange.talk).iter().filter_map(|(name, _)| table.exchange_named(name)).map(|f| f.0),
        );
    }
    all
}

/// Exchanges that `[handshake]`, `[poll]`, `[probe]` or `[flash]` call.
pub(super) fn called_by_runs(table: &Table) -> Vec<ExchangeId> {
    let poll = table.poll.as_ref().map(|(run, _)| run);
    let probe = table.probe.as_ref().map(|probe| &probe.run);
    let flash = table.flash.iter().flat_map(|flash| flash.runs.iter().map(|(_, talk)| talk));
    let runs = [table.handshake.as_ref(), poll, probe];
    let calls = runs.into_iter().flatten().chain(flash).flat_map(calls);
    calls.filter_map(|(name, _)| table.exchange_named(name)).map(|(id, _)| id).collect()
}

fn exchanges(table: &Table, allowed: &Numbers) -> Vec<Flaw> {
    let unused = table.exchanges_with_id().filter(|(id, _)| !allowed.contains(id.0));
    unused
        .map(|(id, exchange)| {
            let name = &exchange.name;
            let says = format!("no state allows exchange `{name}`, and no exchange calls it");
            let help = format!("put \"{name}\" into the `may` of a state");
            Flaw::error(Place::Exchange(id), says).with_help(help)
        })
        .collect()
}

fn frames(table: &Table, by_name: &FrameIds<'_>, written: &Written) -> Vec<Flaw> {
    let mut used = Numbers::default();
    for exchange in &table.exchanges {
        frames_of(&exchange.talk, by_name, &mut used);
    }
    let refusals = &table.refusals;
    let answers = [&refusals.outside, &refusals.state, &refusals.unknown, &refusals.damaged];
    let ids = answers.into_iter().flatten().map(|answer| &answer.frame);
    let ids = ids.chain(&refusals.frames).chain(&table.ignore);
    // The arrow of a vector says who sends its frame, as an arrow of a talk does.
    let ids = ids.chain(table.vectors.iter().flat_map(|vector| &vector.frames));
    used.extend(ids.map(|id| id.0));
    let known = [&written.bases, &written.directed];
    let unused = table
        .frames_with_id()
        .filter(|(id, frame)| !used.contains(id.0) && !known.iter().any(|set| set.contains(frame.name())));
    unused
        .map(|(id, frame)| {
            let says = format!("neither a talk nor a vector uses frame `{}`", frame.name());
            let help =
                "use it in a talk; or say who sends it (`from = \"device\"`), if it is only to be recognised";
            Flaw::error(Place::Frame(id), says).with_help(help.to_string())
        })
        .collect()
}

fn frames_of(talk: &Talk, by_name: &FrameIds<'_>, used: &mut Numbers) {
    for step in &talk.steps {
        match &step.kind {
            StepKind::Message(message) => used.extend(by_name.get(&message.frame).map(|id| id.0)),
            StepKind::Choice(branches) => {
                branches.iter().for_each(|branch| frames_of(branch, by_name, used));
            }
            StepKind::Times { body, .. } => frames_of(body, by_name, used),
            StepKind::Each(each) => frames_of(&each.body, by_name, used),
            _ => {}
        }
    }
}
