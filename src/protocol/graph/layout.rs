//! Where the boxes of a graph lie: in layers, from top to bottom, with the text of each arrow as a box of its own.
//!
//! As texts are boxes and boxes of a layer stand beside each other, nothing can overlap. Lines run straight through a layer and bend only
//! in the space between two layers, where there are no boxes.

use super::model::{Edge, Graph, NodeKind};

/// Sizes in pixels; the width of a character is that of a monospaced font.
pub(super) const CHARACTER: f64 = 7.3;
pub(super) const ROW: f64 = 17.0;
pub(super) const PAD: f64 = 10.0;
const APART: f64 = 26.0;
const BEND: f64 = 34.0;
const MARGIN: f64 = 20.0;
/// Texts of arrows are wrapped here.
const WIDEST: usize = 64;

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Drawing {
    pub width: f64,
    pub height: f64,
    pub boxes: Vec<Placed>,
    /// Lines from point to point; the last one carries an arrow's head where `head` says so.
    pub lines: Vec<Run>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed {
    pub what: What,
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
    pub rows: Vec<Row>,
}

/// A row of text; `strong` characters at its start are a name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub text: String,
    pub strong: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    State,
    Between,
    Text,
}

/// A line through these points: straight down a layer, bent between layers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Run {
    pub points: Vec<(f64, f64)>,
    pub head: Head,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    None,
    AtEnd,
    AtStart,
}

/// Something that takes room in a layer.
struct Cell {
    layer: usize,
    width: f64,
    height: f64,
    /// Height of the box that lines leave from; a text beside it may be taller.
    box_height: f64,
    /// Where lines meet it, from its left side.
    anchor: f64,
    x: f64,
    kind: CellKind,
    above: Vec<usize>,
    below: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum CellKind {
    Node { node: usize, own: Option<usize> },
    Text { edge: usize },
    Bend,
}

pub(super) fn lay_out(graph: &Graph) -> Drawing {
    let backwards = backward_edges(graph);
    let depths = depths(graph, &backwards);
    let mut cells = node_cells(graph, &depths);
    let chains = chain_cells(graph, &backwards, &mut cells);
    let mut layers = vec![Vec::new(); cells.iter().map(|cell| cell.layer + 1).max().unwrap_or(0)];
    for (index, cell) in cells.iter().enumerate() {
        layers[cell.layer].push(index);
    }
    place(&mut cells, &mut layers);
    draw(graph, &cells, &layers, &chains)
}

/// Edges that lead back to a node from which they can be reached; drawn upward.
fn backward_edges(graph: &Graph) -> Vec<bool> {
    let mut backwards = vec![false; graph.edges.len()];
    let mut seen = vec![false; graph.nodes.len()];
    for start in 0..graph.nodes.len() {
        if !seen[start] {
            // (node, next edge to look at): a stack of our own, as a graph may be deep.
            let mut path = vec![(start, 0)];
            seen[start] = true;
            while let Some((node, edge)) = path.pop() {
                let Some(found) = (edge..graph.edges.len()).find(|edge| graph.edges[*edge].from == node)
                else {
                    continue;
                };
                path.push((node, found + 1));
                let to = graph.edges[found].to;
                if path.iter().any(|(on_path, _)| *on_path == to) {
                    backwards[found] = true;
                } else if !seen[to] {
                    seen[to] = true;
                    path.push((to, 0));
                }
            }
        }
    }
    backwards
}

/// The ends of an edge, upper first.
fn ends(edge: &Edge, backwards: bool) -> (usize, usize) {
    if backwards { (edge.to, edge.from) } else { (edge.from, edge.to) }
}

/// How deep each node lies: one deeper than the deepest that leads to it.
fn depths(graph: &Graph, backwards: &[bool]) -> Vec<usize> {
    let mut depths = vec![0; graph.nodes.len()];
    // Without backward edges there are no circles, so that this ends after at most one round a node.
    for _ in 0..graph.nodes.len() {
        for (edge, backwards) in graph.edges.iter().zip(backwards) {
            let (upper, lower) = ends(edge, *backwards);
            if upper != lower {
                depths[lower] = depths[lower].max(depths[upper] + 1);
            }
        }
    }
    depths
}

fn node_cells(graph: &Graph, depths: &[usize]) -> Vec<Cell> {
    let cell = |node: usize| {
        let (width, height) = size(&node_rows(graph, node));
        let own = graph.edges.iter().position(|edge| edge.from == node && edge.to == node);
        let (beside, tall) = own.map_or((0.0, 0.0), |edge| size(&edge_rows(&graph.edges[edge])));
        Cell {
            layer: 2 * depths[node],
            width: width + if own.is_some() { APART + beside } else { 0.0 },
            height: height.max(tall),
            box_height: height,
            anchor: width / 2.0,
            x: 0.0,
            kind: CellKind::Node { node, own },
            above: Vec::new(),
            below: Vec::new(),
        }
    };
    (0..graph.nodes.len()).map(cell).collect()
}

/// For each edge between two nodes the cells that it passes, upper first.
fn chain_cells(graph: &Graph, backwards: &[bool], cells: &mut Vec<Cell>) -> Vec<Option<Vec<usize>>> {
    let mut chains = Vec::new();
    for (index, edge) in graph.edges.iter().enumerate() {
        let (upper, lower) = ends(edge, backwards[index]);
        if upper == lower {
            chains.push(None);
            continue;
        }
        let mut chain = vec![upper];
        for layer in cells[upper].layer + 1..cells[lower].layer {
            let is_text = layer == cells[upper].layer + 1;
            let (width, height) = if is_text { size(&edge_rows(edge)) } else { (8.0, 0.0) };
            let kind = if is_text { CellKind::Text { edge: index } } else { CellKind::Bend };
            let (above, below) = (Vec::new(), Vec::new());
            chain.push(cells.len());
            cells.push(Cell {
                layer,
                width,
                height,
                box_height: height,
                anchor: width / 2.0,
                x: 0.0,
                kind,
                above,
                below,
            });
        }
        chain.push(lower);
        for pair in chain.windows(2) {
            cells[pair[0]].below.push(pair[1]);
            cells[pair[1]].above.push(pair[0]);
        }
        chains.push(Some(chain));
    }
    chains
}

/// Orders the cells of each layer by where their neighbours stand, and moves them as near to those as the others let them.
fn place(cells: &mut [Cell], layers: &mut [Vec<usize>]) {
    const SWEEPS: usize = 12;
    for layer in layers.iter() {
        spread(cells, layer, |_, cell| cell.x);
    }
    for sweep in 0..SWEEPS {
        let down = sweep % 2 == 0;
        let count = layers.len();
        for step in 0..count {
            let layer = &mut layers[if down { step } else { count - 1 - step }];
            let wish = |cells: &[Cell], cell: &Cell| {
                let neighbours = if down { &cell.above } else { &cell.below };
                match neighbours.len() {
                    0 => cell.x + cell.anchor,
                    n => {
                        neighbours.iter().map(|near| cells[*near].x + cells[*near].anchor).sum::<f64>()
                            / n as f64
                    }
                }
            };
            if sweep < SWEEPS - 4 {
                layer.sort_by(|a, b| wish(cells, &cells[*a]).total_cmp(&wish(cells, &cells[*b])));
            }
            let layer = layer.clone();
            spread(cells, &layer, |cells, cell| wish(cells, cell) - cell.anchor);
        }
    }
    let left = cells.iter().map(|cell| cell.x).fold(f64::INFINITY, f64::min);
    for cell in cells {
        cell.x += MARGIN - left;
    }
}

/// Puts the cells of a layer in their order where they wish to be, and no two of them closer than [`APART`].
fn spread(cells: &mut [Cell], layer: &[usize], wish: impl Fn(&[Cell], &Cell) -> f64) {
    let wishes: Vec<f64> = layer.iter().map(|index| wish(cells, &cells[*index])).collect();
    let mut from_left = wishes.clone();
    for place in 1..layer.len() {
        let least = from_left[place - 1] + cells[layer[place - 1]].width + APART;
        from_left[place] = from_left[place].max(least);
    }
    let mut from_right = wishes;
    for place in (1..layer.len()).rev() {
        let most = from_right[place] - APART - cells[layer[place - 1]].width;
        from_right[place - 1] = from_right[place - 1].min(most);
    }
    // Both keep the distances, and so does their mean.
    for (place, index) in layer.iter().enumerate() {
        cells[*index].x = (from_left[place] + from_right[place]) / 2.0;
    }
}

fn draw(graph: &Graph, cells: &[Cell], layers: &[Vec<usize>], chains: &[Option<Vec<usize>>]) -> Drawing {
    let mut tops = Vec::new();
    let mut y = MARGIN + 2.0 * ROW;
    for layer in layers {
        let height = layer.iter().map(|index| cells[*index].height).fold(0.0, f64::max);
        tops.push((y, y + height));
        y += height + BEND;
    }
    let mut drawing = Drawing {
        width: cells
            .iter()
            .map(|cell| cell.x + cell.width)
            .fold(0.0, f64::max)
            .max(CHARACTER * graph.title.chars().count() as f64 * 1.2 + MARGIN)
            + MARGIN,
        height: y - BEND + MARGIN,
        ..Drawing::default()
    };
    for cell in cells {
        draw_cell(graph, cell, tops[cell.layer].0, &mut drawing);
    }
    for (edge, chain) in graph.edges.iter().zip(chains) {
        let Some(chain) = chain else { continue };
        let points_up = chain.first() == Some(&edge.to);
        draw_chain(chain, cells, &tops, points_up, &mut drawing);
    }
    drawing
}

fn draw_cell(graph: &Graph, cell: &Cell, y: f64, drawing: &mut Drawing) {
    match cell.kind {
        CellKind::Bend => {}
        CellKind::Text { edge } => {
            let rows = edge_rows(&graph.edges[edge]);
            let (width, height) = size(&rows);
            drawing.boxes.push(Placed { what: What::Text, x: cell.x, y, width, height, rows });
        }
        CellKind::Node { node, own } => {
            let rows = node_rows(graph, node);
            let (width, height) = size(&rows);
            let what = match graph.nodes[node].kind {
                NodeKind::State => What::State,
                NodeKind::Between => What::Between,
            };
            drawing.boxes.push(Placed { what, x: cell.x, y, width, height, rows });
            let Some(own) = own else { return };
            let rows = edge_rows(&graph.edges[own]);
            let (right, beside) = (cell.x + width, cell.x + width + APART);
            let (text_width, text_height) = size(&rows);
            drawing.boxes.push(Placed {
                what: What::Text,
                x: beside,
                y,
                width: text_width,
                height: text_height,
                rows,
            });
            let (out, back) = (y + height * 0.3, y + height * 0.7);
            let points = vec![(right, out), (beside - 6.0, out), (beside - 6.0, back), (right, back)];
            drawing.lines.push(Run { points, head: Head::AtEnd });
        }
    }
}

/// The lines of one edge: from cell to cell, each from below the upper one to above the lower one.
fn draw_chain(chain: &[usize], cells: &[Cell], tops: &[(f64, f64)], points_up: bool, drawing: &mut Drawing) {
    let last = chain.len() - 2;
    for (place, pair) in chain.windows(2).enumerate() {
        let (upper, lower) = (&cells[pair[0]], &cells[pair[1]]);
        let from =
            (upper.x + port(upper, &upper.below, pair[1], cells), tops[upper.layer].0 + upper.box_height);
        let to = (lower.x + port(lower, &lower.above, pair[0], cells), tops[lower.layer].0);
        let bend = (from.0, tops[upper.layer].1);
        let head = match (points_up, place == 0, place == last) {
            (true, true, _) => Head::AtStart,
            (false, _, true) => Head::AtEnd,
            _ => Head::None,
        };
        drawing.lines.push(Run { points: vec![from, bend, to], head });
        // A bend has no box: its line goes on through the layer.
        if lower.kind == CellKind::Bend {
            drawing.lines.push(Run { points: vec![to, (to.0, tops[lower.layer].1)], head: Head::None });
        }
    }
}

/// Where the line to `other` meets this cell, from its left side: lines are spread over the box in the order of their other ends.
fn port(cell: &Cell, others: &[usize], other: usize, cells: &[Cell]) -> f64 {
    let centre = |index: &usize| cells[*index].x + cells[*index].anchor;
    let before = others.iter().filter(|index| (centre(index), **index) < (centre(&other), other)).count();
    let half = (cell.anchor - PAD).max(0.0);
    let share = (before as f64 + 1.0) / (others.len() as f64 + 1.0);
    cell.anchor + half * (2.0 * share - 1.0)
}

fn size(rows: &[Row]) -> (f64, f64) {
    let widest = rows.iter().map(|row| row.text.chars().count()).max().unwrap_or(0);
    (widest as f64 * CHARACTER + 2.0 * PAD, rows.len() as f64 * ROW + PAD)
}

fn node_rows(graph: &Graph, node: usize) -> Vec<Row> {
    let node = &graph.nodes[node];
    let mut rows = vec![Row { text: node.name.clone(), strong: node.name.chars().count() }];
    rows.extend(wrapped(&node.about, 28).into_iter().map(|text| Row { text, strong: 0 }));
    rows
}

fn edge_rows(edge: &Edge) -> Vec<Row> {
    let mut rows = Vec::new();
    for line in &edge.lines {
        let name = line.name.as_ref().map_or(String::new(), |name| format!("{name} "));
        for (index, text) in wrapped(&format!("{name}{}", line.text), WIDEST).into_iter().enumerate() {
            match index {
                0 => rows.push(Row { text, strong: name.chars().count() }),
                _ => rows.push(Row { text: format!("\u{a0}\u{a0}{text}"), strong: 0 }),
            }
        }
    }
    rows
}

/// Cut between words; an arrow is not parted from its frame.
fn wrapped(text: &str, widest: usize) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    let words = text.replace("→ ", "→\u{a0}").replace("← ", "←\u{a0}");
    // Not `split_whitespace`, which would cut at the hard space too.
    for word in words.split([' ', '\n', '\t']).filter(|word| !word.is_empty()) {
        match rows.last_mut() {
            Some(row) if row.chars().count() + 1 + word.chars().count() <= widest => {
                row.push(' ');
                row.push_str(word);
            }
            _ => rows.push(word.to_string()),
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::graph::model::{Line, Node};

    fn graph(nodes: usize, edges: &[(usize, usize, usize)]) -> Graph {
        let node =
            |index| Node { name: format!("state_{index}"), kind: NodeKind::State, about: String::new() };
        let line = |index| Line { name: Some(format!("exchange_{index}")), text: "→ one ← two".into() };
        let edge = |&(from, to, lines): &(usize, usize, usize)| Edge {
            from,
            to,
            lines: (0..lines).map(line).collect(),
        };
        let edges = edges.iter().map(edge).collect();
        Graph { title: "A title".into(), nodes: (0..nodes).map(node).collect(), edges }
    }

    fn overlap(a: &Placed, b: &Placed) -> bool {
        a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
    }

    fn overlaps(drawing: &Drawing) -> usize {
        let pairs = drawing.boxes.iter().enumerate();
        pairs.map(|(index, a)| drawing.boxes[..index].iter().filter(|b| overlap(a, b)).count()).sum()
    }

    #[test]
    fn boxes_never_overlap_and_stay_on_the_page_whatever_the_graph() {
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let nodes = random.usize(1..9);
            let mut edges: Vec<(usize, usize, usize)> = Vec::new();
            for _ in 0..random.usize(0..16) {
                let edge = (random.usize(0..nodes), random.usize(0..nodes), random.usize(1..4));
                if !edges.iter().any(|known| (known.0, known.1) == (edge.0, edge.1)) {
                    edges.push(edge);
                }
            }
            let drawing = lay_out(&graph(nodes, &edges));
            assert_eq!(overlaps(&drawing), 0, "seed {seed}");
            assert_eq!(drawing.boxes.len(), nodes + edges.len(), "seed {seed}");
            for placed in &drawing.boxes {
                assert!(placed.x >= 0.0 && placed.x + placed.width <= drawing.width, "seed {seed}");
                assert!(placed.y >= 0.0 && placed.y + placed.height <= drawing.height, "seed {seed}");
            }
        }
    }

    #[test]
    fn lines_cross_no_box() {
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let edges: Vec<_> = (0..7).map(|from| (from, random.usize(0..8), 2)).collect();
            let drawing = lay_out(&graph(8, &edges));
            // A bent line keeps to the space between two layers; what could cross is its straight piece.
            for run in &drawing.lines {
                let [from, to, ..] = run.points[..] else { continue };
                let inside = |b: &Placed| {
                    from.0 == to.0
                        && b.x < from.0
                        && from.0 < b.x + b.width
                        && b.y < to.1
                        && from.1 + 0.1 < b.y + b.height
                };
                assert!(!drawing.boxes.iter().any(inside), "seed {seed}: {run:?}");
            }
        }
    }

    #[test]
    fn a_graph_without_nodes_is_an_empty_page() {
        assert!(lay_out(&graph(0, &[])).boxes.is_empty());
    }
}
