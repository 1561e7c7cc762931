//! All checks of a whole table, in the order of their importance.

use crate::protocol::model::Table;

use super::finding::Finding;
use super::positions::Positions;
use super::written::Written;
use super::{alike, calls, flow, names, reach, vectors};

/// Everything that only the whole table shows.
///
/// Calls that go in a circle are told alone: nothing else can be said of such a table.
pub fn check(table: &Table, written: &Written) -> Vec<Finding> {
    let circles = calls::circles(table);
    if !circles.is_empty() {
        return circles;
    }
    let positions: Vec<Positions> = table.exchanges_with_id().map(|(id, _)| Positions::of(table, id)).collect();
    let mut found = reach::findings(table, written);
    found.extend(flow::findings(table, &positions));
    found.extend(names::findings(table));
    found.extend(alike::findings(table, &positions));
    found.extend(vectors::findings(table));
    let mut told = Vec::new();
    found.retain(|finding| {
        let is_new = !told.contains(finding);
        if is_new {
            told.push(finding.clone());
        }
        is_new
    });
    found
}
