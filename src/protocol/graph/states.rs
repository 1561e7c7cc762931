//! The graph of a whole table: states, and the exchanges that lead from one to the next.

use std::collections::BTreeSet;

use crate::line::Direction;
use crate::protocol::ends::{Ends, ends};
use crate::protocol::model::{Exchange, StateId, Table};
use crate::protocol::talk::{Message, StepKind, Talk};

use super::model::{Graph, Line, Node, NodeKind};

impl Graph {
    /// The states of a table. An exchange that can end in several states has an arrow to each, with the messages that lead there.
    pub fn of_states(table: &Table) -> Graph {
        let node = |state: &crate::protocol::model::State| Node {
            name: state.name.to_string(),
            kind: NodeKind::State,
            about: if state.may.is_empty() { "nothing may follow".into() } else { state.about.clone() },
        };
        let nodes = table.states.iter().map(node).collect();
        let mut graph = Graph { title: table.title.clone(), nodes, edges: Vec::new() };
        for (from, state) in table.states.iter().enumerate() {
            for exchange in state.may.iter().filter_map(|id| table.exchanges.get(id.0)) {
                let node = |end: &Option<StateId>| end.map_or(from, |state| state.0);
                let all = ends(table, &exchange.talk);
                for to in all.iter().map(node).collect::<BTreeSet<usize>>() {
                    let there = all.iter().copied().filter(|end| node(end) == to).collect();
                    graph.add(from, to, line(table, exchange, &there));
                }
            }
        }
        graph
    }
}

fn line(table: &Table, exchange: &Exchange, there: &Ends) -> Line {
    let mut words = Vec::new();
    Summary { table, there, depth: 0 }.talk(&exchange.talk, &mut words);
    let text = words.join(" ");
    let text = if exchange.unsolicited.is_some() { format!("{text} by itself") } else { text };
    Line { name: Some(exchange.name.to_string()), text }
}

/// "→ target": the direction is the host's, who stands on the left.
pub(super) fn arrow(message: &Message) -> String {
    let arrow = if message.direction == Direction::Tx { '→' } else { '←' };
    format!("{arrow} {}", message.frame)
}

/// The messages of a talk in a row, without those branches that lead to another end.
struct Summary<'t> {
    table: &'t Table,
    there: &'t Ends,
    depth: usize,
}

impl Summary<'_> {
    fn talk(&self, talk: &Talk, words: &mut Vec<String>) {
        for step in &talk.steps {
            match &step.kind {
                StepKind::Message(message) => words.push(arrow(message)),
                StepKind::Call { exchange, .. } => {
                    let called = self.table.exchange_named(exchange);
                    // Calls cannot circle in a checked table; an unchecked one must not hang.
                    if let Some((_, called)) = called.filter(|_| self.depth < self.table.exchanges.len()) {
                        Summary { depth: self.depth + 1, ..*self }.talk(&called.talk, words);
                    }
                }
                StepKind::Choice(branches) => self.choice(branches, words),
                StepKind::Times { body, least: 1, most: 1 } => self.talk(body, words),
                StepKind::Times { body, least, most } if least == most => {
                    self.group(body, &format!("×{least}"), words);
                }
                StepKind::Times { body, least, most } => {
                    self.group(body, &format!("×{least}..{most}"), words);
                }
                StepKind::Each(each) => {
                    self.group(&each.body, &format!("each {} of {}", each.piece, each.data), words);
                }
                StepKind::Again => words.push("↺".into()),
                StepKind::Phase(phase) => words.push(format!("@{phase}")),
                StepKind::Guard(_) | StepKind::Inside(_) | StepKind::Goto(_) => {}
            }
        }
    }

    fn group(&self, body: &Talk, suffix: &str, words: &mut Vec<String>) {
        let mut inner = Vec::new();
        self.talk(body, &mut inner);
        if !inner.is_empty() {
            words.push(format!("( {} ) {suffix}", inner.join(" ")));
        }
    }

    fn choice(&self, branches: &[Talk], words: &mut Vec<String>) {
        let ends: Vec<Ends> = branches.iter().map(|branch| ends(self.table, branch)).collect();
        // Where no branch says where it leads, something before or behind the choice does.
        let is_told_here = ends.iter().any(|ends| !ends.is_disjoint(self.there));
        let mut told: Vec<String> = Vec::new();
        for (branch, ends) in branches.iter().zip(&ends) {
            let leads_there = !is_told_here || ends.is_empty() || !ends.is_disjoint(self.there);
            let mut inner = Vec::new();
            self.talk(branch, &mut inner);
            let text = inner.join(" ");
            if leads_there && !told.contains(&text) {
                told.push(text);
            }
        }
        match told.as_slice() {
            [] => {}
            [only] => words.push(only.clone()),
            several => words.push(format!("( {} )", several.join(" | "))),
        }
    }
}
