//! In which states a talk can end: what reachability and the drawn graph have in common.

use std::collections::BTreeSet;

use crate::frame::Name;

use super::model::{StateId, Table};
use super::talk::{StepKind, Talk};

/// Where the conversation rests after a talk; `None` is the state in which the talk began.
pub type Ends = BTreeSet<Option<StateId>>;

/// Every end of `talk`. A talk that calls itself ends nowhere by that path.
pub fn ends(table: &Table, talk: &Talk) -> Ends {
    after(table, talk, Ends::from([None]), &mut Vec::new())
}

fn after<'t>(table: &'t Table, talk: &'t Talk, before: Ends, calls: &mut Vec<&'t Name>) -> Ends {
    let mut ends = before;
    for step in &talk.steps {
        if ends.is_empty() {
            break;
        }
        ends = match &step.kind {
            StepKind::Goto(state) => {
                table.state_named(state).map(|(id, _)| Ends::from([Some(id)])).unwrap_or(ends)
            }
            StepKind::Call { exchange, .. } => match table.exchange_named(exchange) {
                Some((_, called)) if !calls.contains(&exchange) => {
                    calls.push(exchange);
                    let ends = after(table, &called.talk, ends, calls);
                    calls.pop();
                    ends
                }
                Some(_) => Ends::new(),
                None => ends,
            },
            StepKind::Choice(branches) => {
                branches.iter().flat_map(|branch| after(table, branch, ends.clone(), calls)).collect()
            }
            StepKind::Times { body, least, .. } => {
                let round = after(table, body, ends.clone(), calls);
                if *least == 0 { &round | &ends } else { round }
            }
            StepKind::Each(each) => &after(table, &each.body, ends.clone(), calls) | &ends,
            // The path goes on from the start of its group, whose other paths are told already.
            StepKind::Again => Ends::new(),
            StepKind::Message(_) | StepKind::Guard(_) | StepKind::Inside(_) | StepKind::Phase(_) => ends,
        };
    }
    ends
}
