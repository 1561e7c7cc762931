//! What is drawn, before anybody has decided how.

/// Nodes and the edges between them; the first node is where everything begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    pub title: String,
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub name: String,
    pub kind: NodeKind,
    /// A word or two more, maybe empty.
    pub about: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// A state of the table, where the conversation rests.
    State,
    /// A place between two messages of one exchange.
    Between,
}

/// One arrow; several exchanges that lead the same way share it.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    pub from: usize,
    pub to: usize,
    pub lines: Vec<Line>,
}

/// A line of an arrow's text: an exchange and its messages, or a message alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub name: Option<String>,
    pub text: String,
}

impl Graph {
    /// Adds a line to the arrow between two nodes, which is new if there was none.
    pub(super) fn add(&mut self, from: usize, to: usize, line: Line) {
        match self.edges.iter_mut().find(|edge| (edge.from, edge.to) == (from, to)) {
            Some(edge) if edge.lines.contains(&line) => {}
            Some(edge) => edge.lines.push(line),
            None => self.edges.push(Edge { from, to, lines: vec![line] }),
        }
    }
}
