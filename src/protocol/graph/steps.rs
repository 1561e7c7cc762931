//! The graph of one exchange: a place for each message that was heard last, and what may come next.

use std::collections::{BTreeMap, BTreeSet};

use crate::protocol::model::{ExchangeId, Table};
use crate::protocol::talk::{Message, StepKind, Talk};

use super::model::{Graph, Line, Node, NodeKind};
use super::states::arrow;

impl Graph {
    /// The steps of an exchange, those of the exchanges it calls written out in their place.
    pub fn of_exchange(table: &Table, exchange: ExchangeId) -> Graph {
        let Some(exchange) = table.exchanges.get(exchange.0) else {
            return Graph { title: table.title.clone(), nodes: Vec::new(), edges: Vec::new() };
        };
        let start = place(format!("before {}", exchange.name), NodeKind::State);
        let title = format!("{}: {}", table.title, exchange.name);
        let graph = Graph { title, nodes: vec![start], edges: Vec::new() };
        let mut walk = Walk { table, graph, known: BTreeMap::new(), path: Vec::new() };
        let rest = walk.talk(&exchange.talk, Front::from([0]), &Front::from([0]));
        walk.rests(rest, None);
        walk.graph
    }
}

/// The nodes where the talk may stand.
type Front = BTreeSet<usize>;

/// Ends of a talk are labelled by this, as nothing is said there.
const THEN: &str = "then";

struct Walk<'t> {
    table: &'t Table,
    graph: Graph,
    /// The node behind each message, by the way that leads to it through calls and groups.
    known: BTreeMap<Vec<usize>, usize>,
    path: Vec<usize>,
}

impl<'t> Walk<'t> {
    /// Walks a talk from `front`; `group` is where its innermost group began, for `again`.
    fn talk(&mut self, talk: &'t Talk, front: Front, group: &Front) -> Front {
        let mut front = front;
        for (index, step) in talk.steps.iter().enumerate() {
            self.path.push(index);
            front = self.step(&step.kind, front, group);
            self.path.pop();
        }
        front
    }

    fn step(&mut self, step: &'t StepKind, front: Front, group: &Front) -> Front {
        match step {
            StepKind::Message(message) => self.message(message, &front),
            StepKind::Call { exchange, .. } => match self.table.exchange_named(exchange) {
                Some((_, called)) if self.path.len() < 64 => self.talk(&called.talk, front.clone(), &front),
                _ => front,
            },
            StepKind::Choice(branches) => {
                let mut after = Front::new();
                for (index, branch) in branches.iter().enumerate() {
                    self.path.push(index);
                    after.extend(self.talk(branch, front.clone(), group));
                    self.path.pop();
                }
                after
            }
            StepKind::Times { body, least, most } => self.repeat(body, *least == 0, *most > 1, front),
            StepKind::Each(each) => self.repeat(&each.body, true, true, front),
            StepKind::Again => {
                self.rests(front, Some(group));
                Front::new()
            }
            StepKind::Goto(state) => {
                let after = self.node(format!("-> {state}"), NodeKind::State, state.to_string());
                for from in front {
                    self.graph.add(from, after, Line { name: None, text: THEN.into() });
                }
                Front::from([after])
            }
            StepKind::Guard(_) | StepKind::Inside(_) | StepKind::Phase(_) => front,
        }
    }

    fn message(&mut self, message: &Message, front: &Front) -> Front {
        let said = arrow(message);
        let place = match self.known.get(&self.path) {
            Some(known) => *known,
            None => {
                let new = self.graph.nodes.len();
                self.graph.nodes.push(place(format!("after {}", message.frame), NodeKind::Between));
                self.known.insert(self.path.clone(), new);
                new
            }
        };
        for from in front {
            self.graph.add(*from, place, Line { name: None, text: said.clone() });
        }
        Front::from([place])
    }

    /// A second round meets the nodes of the first and only adds the arrows back to them.
    fn repeat(&mut self, body: &'t Talk, may_be_left_out: bool, comes_again: bool, front: Front) -> Front {
        let mut after = self.talk(body, front.clone(), &front);
        if comes_again && !after.is_empty() {
            after.extend(self.talk(body, after.clone(), &front));
        }
        if may_be_left_out {
            after.extend(front);
        }
        after
    }

    /// Ends paths: at the group they begin again, or where the exchange is done.
    fn rests(&mut self, front: Front, again: Option<&Front>) {
        match again {
            Some(group) => {
                for from in front {
                    for to in group {
                        self.graph.add(from, *to, Line { name: None, text: "again".into() });
                    }
                }
            }
            None => {
                let open: Vec<usize> = front
                    .into_iter()
                    .filter(|node| self.graph.nodes[*node].kind == NodeKind::Between)
                    .collect();
                if !open.is_empty() {
                    let done = self.node("done".into(), NodeKind::State, "same state".into());
                    for from in open {
                        self.graph.add(from, done, Line { name: None, text: THEN.into() });
                    }
                }
            }
        }
    }

    fn node(&mut self, name: String, kind: NodeKind, about: String) -> usize {
        match self.graph.nodes.iter().position(|node| node.name == name) {
            Some(known) => known,
            None => {
                self.graph.nodes.push(Node { about, ..place(name, kind) });
                self.graph.nodes.len() - 1
            }
        }
    }
}

fn place(name: String, kind: NodeKind) -> Node {
    Node { name, kind, about: String::new() }
}
