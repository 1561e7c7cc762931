//! In which states a talk can end: what reachability and the drawn graph have in common.

use std::collections::BTreeSet;

use super::model::{ExchangeId, StateId, Table};
use super::talk::{StepKind, Talk};

/// Where the conversation rests after a talk; `None` is the state in which the talk began.
pub type Ends = BTreeSet<Option<StateId>>;

/// The ends of every exchange of a table. An exchange that calls itself ends nowhere by that path.
pub fn ends_of_exchanges(table: &Table) -> Vec<Ends> {
    let mut walk = Walk { table, known: vec![Known::No; table.exchanges.len()] };
    (0..table.exchanges.len()).map(|index| walk.of_exchange(ExchangeId(index))).collect()
}

/// Every end of one talk.
pub fn ends(table: &Table, talk: &Talk) -> Ends {
    let mut walk = Walk { table, known: vec![Known::No; table.exchanges.len()] };
    walk.after(talk, Ends::from([None]))
}

struct Walk<'t> {
    table: &'t Table,
    known: Vec<Known>,
}

#[derive(Clone)]
enum Known {
    No,
    /// Its talk is being walked: a call now would be a circle.
    Walking,
    Yes(Ends),
}

impl<'t> Walk<'t> {
    fn of_exchange(&mut self, id: ExchangeId) -> Ends {
        match &self.known[id.0] {
            Known::Yes(ends) => ends.clone(),
            Known::Walking => Ends::new(),
            Known::No => {
                self.known[id.0] = Known::Walking;
                let ends = self.after(&self.table.exchanges[id.0].talk, Ends::from([None]));
                self.known[id.0] = Known::Yes(ends.clone());
                ends
            }
        }
    }

    fn after(&mut self, talk: &'t Talk, before: Ends) -> Ends {
        let mut ends = before;
        for step in &talk.steps {
            if ends.is_empty() {
                break;
            }
            ends = match &step.kind {
                StepKind::Goto(state) => match self.table.state_named(state) {
                    Some((id, _)) => Ends::from([Some(id)]),
                    None => ends,
                },
                StepKind::Call { exchange, .. } => match self.table.exchange_named(exchange) {
                    Some((id, _)) => moved(&ends, &self.of_exchange(id)),
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
    by.iter()
        .flat_map(|end| match end {
            Some(_) => Ends::from([*end]),
            None => before.clone(),
        })
        .collect()
}
