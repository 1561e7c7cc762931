//! In which states a talk can end: what reachability and the drawn graph have in common.

use std::collections::BTreeSet;

use super::model::{ExchangeId, StateId, Table};
use super::talk::{StepKind, Talk};

/// Where the conversation rests after a talk; `None` is the state in which the talk began.
pub type Ends = BTreeSet<Option<StateId>>;

/// The ends of every exchange of a table. An exchange that calls itself ends nowhere by that path.
pub fn ends_of_exchanges(table: &Table) -> Vec<Ends> {
    let mut walk = Walk::of(table);
    for index in 0..table.exchanges.len() {
        walk.of_exchange(ExchangeId(index));
    }
    walk.known.into_iter().map(Option::unwrap_or_default).collect()
}

/// Every end of one talk.
pub fn ends(table: &Table, talk: &Talk) -> Ends {
    Walk::of(table).after(talk, begun())
}

/// Where the conversation rests before a talk says anything.
fn begun() -> Ends {
    only(None)
}

fn only(end: Option<StateId>) -> Ends {
    let mut ends = Ends::new();
    ends.insert(end);
    ends
}

struct Walk<'t> {
    table: &'t Table,
    /// By exchange; no end as long as its talk is being walked, when a call would be a circle.
    known: Vec<Option<Ends>>,
}

impl<'t> Walk<'t> {
    fn of(table: &'t Table) -> Walk<'t> {
        Walk { table, known: vec![None; table.exchanges.len()] }
    }

    fn of_exchange(&mut self, id: ExchangeId) -> &Ends {
        if self.known[id.0].is_none() {
            self.known[id.0] = Some(Ends::new());
            let ends = self.after(&self.table.exchanges[id.0].talk, begun());
            self.known[id.0] = Some(ends);
        }
        self.known[id.0].get_or_insert_default()
    }

    fn after(&mut self, talk: &'t Talk, before: Ends) -> Ends {
        let mut ends = before;
        for step in &talk.steps {
            if ends.is_empty() {
                break;
            }
            ends = match &step.kind {
                StepKind::Goto(state) => match self.table.state_named(state) {
                    Some((id, _)) => only(Some(id)),
                    None => ends,
                },
                StepKind::Call { exchange, .. } => match self.table.exchange_named(exchange) {
                    Some((id, _)) => moved(&ends, self.of_exchange(id)),
                    None => ends,
                },
                StepKind::Choice(branches) => {
                    branches.iter().flat_map(|branch| self.after(branch, ends.clone())).collect()
                }
                StepKind::Times { body, least, .. } => {
                    let round = self.after(body, ends.clone());
                    if *least == 0 { &round | &ends } else { round }
                }
                StepKind::Each(each) => &self.after(&each.body, ends.clone()) | &ends,
                // The path goes on from the start of its group, whose other paths are told already.
                StepKind::Again => Ends::new(),
                StepKind::Message(_) | StepKind::Guard(_) | StepKind::Inside(_) | StepKind::Phase(_) => ends,
            };
        }
        ends
    }
}

/// Ends of a talk that began in any of `before`.
fn moved(before: &Ends, by: &Ends) -> Ends {
    let stays = before.iter().filter(|_| by.contains(&None));
    by.iter().filter(|end| end.is_some()).chain(stays).copied().collect()
}
