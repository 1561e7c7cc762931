//! Graphs of a table that is read: the example of the language reference.

use super::{Graph, NodeKind};
use crate::protocol::Table;

fn table() -> Table {
    let text = "name = \"small\"\n[line]\nformat = \"8N1\"\nbaud = [9600]\n\
        [frames]\nask = \"05\"\nyes = \"06\"\nno = \"15\"\nblock = \"01 data:bytes(4)\"\nbye = \"04\"\n\
        [exchanges]\nask = \"> ask ( < yes -> open | < no )\"\nsend = { with = [\"file\"], talk = \"\"\"\n\
        ( > block(data = piece) ( < yes | < no again ) ) each piece of file by 4 > bye < yes -> done \"\"\" }\n\
        [states]\nshut = { may = [\"ask\"], about = \"says nothing yet\" }\nopen = { may = [\"ask\", \"send\"] }\ndone = {}\n";
    Table::read("small.toml", text).map(|(table, _)| table).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

#[test]
fn an_exchange_leads_to_each_state_with_the_messages_that_lead_there() {
    let expected = "---
title: \"small\"
---
stateDiagram-v2
    state \"shut\" as s0
    state \"open\" as s1
    state \"done\" as s2
    [*] --> s0
    s0 --> s0: ask#58; → ask ← no
    s0 --> s1: ask#58; → ask ← yes
    s1 --> s1: ask#58; → ask ( ← yes | ← no )
    s1 --> s2: send#58; ( → block ( ← yes | ← no ↺ ) ) each piece of file → bye ← yes
";
    assert_eq!(Graph::of_states(&table()).mermaid(), expected);
}

#[test]
fn the_steps_of_an_exchange_come_back_where_it_says_again() {
    let table = table();
    let (id, _) = table.exchange_named("send").expect("an exchange");
    let graph = Graph::of_exchange(&table, id);
    let name = |index: usize| graph.nodes[index].name.as_str();
    let arrows: Vec<String> = graph
        .edges
        .iter()
        .map(|edge| format!("{} {} {}", name(edge.from), edge.lines[0].text, name(edge.to)))
        .collect();
    assert!(arrows.contains(&"after no again before send".to_string()), "{arrows:?}");
    assert!(arrows.contains(&"after yes → block after block".to_string()), "{arrows:?}");
    assert!(arrows.contains(&"after yes then -> done".to_string()), "{arrows:?}");
    assert_eq!(graph.nodes.iter().filter(|node| node.kind == NodeKind::State).count(), 2);
}
