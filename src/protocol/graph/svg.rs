//! A graph as a picture of its own: SVG without scripts or outer files, for light and dark pages.

use std::fmt::Write;

use super::layout::{CHARACTER, Drawing, Head, PAD, Placed, ROW, Row, Run, What, lay_out};
use super::model::Graph;

const STYLE: &str = "\
text { font: 12px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #24292f; white-space: pre; }
.page { fill: #ffffff; } .title { font-size: 14px; font-weight: bold; } .strong { font-weight: bold; }
.state { fill: #ddf4ff; stroke: #0969da; stroke-width: 1.5; } .between { fill: #f6f8fa; stroke: #8c959f; }
.said { fill: #f6f8fa; } .line { fill: none; stroke: #57606a; stroke-width: 1.2; } .head { fill: #57606a; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; } .page { fill: #0d1117; } .state { fill: #0c2d6b; stroke: #58a6ff; }
.between { fill: #161b22; stroke: #6e7681; } .said { fill: #161b22; } .line { stroke: #9198a1; } .head { fill: #9198a1; }
}";

impl Graph {
    /// An SVG document.
    pub fn svg(&self) -> String {
        let drawing = lay_out(self);
        let Drawing { width, height, .. } = drawing;
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n\
             <title>{title}</title>\n<style>\n{STYLE}\n</style>\n\
             <rect class=\"page\" width=\"100%\" height=\"100%\"/>\n\
             <text class=\"title\" x=\"20\" y=\"28\">{title}</text>\n",
            title = escaped(&self.title),
        );
        for line in &drawing.lines {
            write_line(&mut text, line);
        }
        for placed in &drawing.boxes {
            write_box(&mut text, placed);
        }
        text.push_str("</svg>\n");
        text
    }
}

fn write_box(text: &mut String, placed: &Placed) {
    let Placed { what, x, y, width, height, rows } = placed;
    let (class, round) = match what {
        What::State => ("state", 8.0),
        What::Between => ("between", 12.0),
        What::Text => ("said", 3.0),
    };
    let _ = writeln!(
        text,
        "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{round}\"/>"
    );
    for (index, row) in rows.iter().enumerate() {
        let base = y + PAD / 2.0 + ROW * (index as f64 + 0.75);
        write_row(text, row, x + PAD, base);
    }
}

/// The name is set at the start, and the rest where it ends, so that no renderer's idea of bold moves it.
fn write_row(text: &mut String, row: &Row, x: f64, y: f64) {
    let strong: String = row.text.chars().take(row.strong).collect();
    let rest: String = row.text.chars().skip(row.strong).collect();
    if !strong.is_empty() {
        let _ =
            writeln!(text, "<text class=\"strong\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(&strong));
    }
    if !rest.trim().is_empty() {
        let x = x + strong.chars().count() as f64 * CHARACTER;
        let _ = writeln!(text, "<text x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(&rest));
    }
}

fn write_line(text: &mut String, line: &Run) {
    let mut path = String::new();
    match line.points.as_slice() {
        [from, bend, to] => {
            let middle = (bend.1 + to.1) / 2.0;
            let _ = write!(
                path,
                "M{:.1} {:.1}L{:.1} {:.1}C{:.1} {middle:.1} {:.1} {middle:.1} {:.1} {:.1}",
                from.0, from.1, bend.0, bend.1, bend.0, to.0, to.0, to.1
            );
        }
        points => {
            for (index, (x, y)) in points.iter().enumerate() {
                let _ = write!(path, "{}{x:.1} {y:.1}", if index == 0 { 'M' } else { 'L' });
            }
        }
    }
    let _ = writeln!(text, "<path class=\"line\" d=\"{path}\"/>");
    let (Some(first), Some(last)) = (line.points.first(), line.points.last()) else { return };
    let sideways = line.points.len() == 4;
    match line.head {
        Head::None => {}
        Head::AtStart => write_head(text, *first, (4.0, 8.0), (-4.0, 8.0)),
        Head::AtEnd if sideways => write_head(text, *last, (8.0, 4.0), (8.0, -4.0)),
        Head::AtEnd => write_head(text, *last, (4.0, -8.0), (-4.0, -8.0)),
    }
}

fn write_head(text: &mut String, tip: (f64, f64), one: (f64, f64), other: (f64, f64)) {
    let corner = |by: (f64, f64)| format!("{:.1} {:.1}", tip.0 + by.0, tip.1 + by.1);
    let _ = writeln!(
        text,
        "<path class=\"head\" d=\"M{}L{}L{}Z\"/>",
        corner((0.0, 0.0)),
        corner(one),
        corner(other)
    );
}

/// XML knows no control characters, not even escaped ones.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::graph::model::{Edge, Line, Node, NodeKind};

    #[test]
    fn what_a_table_says_cannot_break_the_document() {
        let line = Line { name: Some("a<b".into()), text: "→ \"x\" & \u{1}y".into() };
        let node = Node { name: "</svg>".into(), kind: NodeKind::State, about: String::new() };
        let edges = vec![Edge { from: 0, to: 0, lines: vec![line] }];
        let svg = Graph { title: "<script>".into(), nodes: vec![node], edges }.svg();
        assert!(svg.contains("&lt;/svg&gt;") && svg.contains("&lt;script&gt;") && svg.contains("a&lt;b"));
        assert!(!svg.contains('\u{1}') && !svg.contains("<script"));
    }
}
