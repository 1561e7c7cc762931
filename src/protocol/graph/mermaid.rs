//! A graph as Mermaid text, which documentation sites and code hosts draw by themselves.

use std::fmt::Write;

use super::model::Graph;

impl Graph {
    /// A `stateDiagram-v2`. States have made-up identifiers, as names such as `end` and `note` are words of Mermaid.
    pub fn mermaid(&self) -> String {
        let mut text = format!("---\ntitle: {}\n---\nstateDiagram-v2\n", quoted(&self.title));
        for (index, node) in self.nodes.iter().enumerate() {
            let _ = writeln!(text, "    state {} as s{index}", quoted(&node.name));
        }
        if !self.nodes.is_empty() {
            text.push_str("    [*] --> s0\n");
        }
        for edge in &self.edges {
            let lines = edge.lines.iter().map(|line| match &line.name {
                Some(name) => format!("{name}: {}", line.text),
                None => line.text.clone(),
            });
            let label: Vec<String> = lines.map(|line| escaped(&line)).collect();
            let _ = writeln!(text, "    s{} --> s{}: {}", edge.from, edge.to, label.join("<br/>"));
        }
        text
    }
}

/// In double quotes, on one line.
fn quoted(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("\"{}\"", plain.replace('\\', "/").replace('"', "'"))
}

/// Characters that Mermaid would take for its own are written as it wants them.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '#' => out.push_str("#35;"),
            ';' => out.push_str("#59;"),
            ':' => out.push_str("#58;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
