//! Who calls whom, and calls that go in a circle.

use crate::frame::{At, Name};
use crate::protocol::model::{ExchangeId, Table};
use crate::protocol::talk::{StepKind, Talk};

use super::flaw::{Flaw, Place};

/// Every call in a talk, at any depth of its groups.
pub(super) fn calls(talk: &Talk) -> Vec<(&Name, At)> {
    let mut found = Vec::new();
    collect(talk, &mut found);
    found
}

fn collect<'t>(talk: &'t Talk, found: &mut Vec<(&'t Name, At)>) {
    for step in &talk.steps {
        match &step.kind {
            StepKind::Call { exchange, .. } => found.push((exchange, step.at)),
            StepKind::Choice(branches) => branches.iter().for_each(|branch| collect(branch, found)),
            StepKind::Times { body, .. } => collect(body, found),
            StepKind::Each(each) => collect(&each.body, found),
            _ => {}
        }
    }
}

/// One flaw for each circle, at the call that closes it.
pub(super) fn circles(table: &Table) -> Vec<Flaw> {
    let mut found = Vec::new();
    let mut done = vec![false; table.exchanges.len()];
    for start in 0..table.exchanges.len() {
        follow(table, ExchangeId(start), &mut Vec::new(), &mut done, &mut found);
    }
    found
}

fn follow(
    table: &Table,
    at: ExchangeId,
    path: &mut Vec<ExchangeId>,
    done: &mut [bool],
    found: &mut Vec<Flaw>,
) {
    if done[at.0] {
        return;
    }
    path.push(at);
    for (name, place) in calls(&table.exchanges[at.0].talk) {
        let Some((called, _)) = table.exchange_named(name) else { continue };
        match path.iter().position(|on_path| *on_path == called) {
            Some(first) => {
                let circle = path[first..].iter().chain([&called]);
                let names: Vec<&str> = circle.map(|id| &*table.exchanges[id.0].name).collect();
                let says = format!("calls go in a circle: {}", names.join(" -> "));
                let help = "an exchange is written out in place of its call, so none may come back to itself";
                found.push(Flaw::error(Place::Talk(at, place), says).with_help(help.to_string()));
            }
            None => follow(table, called, path, done, found),
        }
    }
    path.pop();
    done[at.0] = true;
}
