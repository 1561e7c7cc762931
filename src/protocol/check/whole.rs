//! All checks of a whole table, in the order of their importance.

use crate::protocol::model::Table;

use super::flaw::Flaw;
use super::frame_ids::FrameIds;
use super::positions::Positions;
use super::written::Written;
use super::{alike, calls, flow, names, reach, vectors};

/// Everything that only the whole table shows.
///
/// Calls that go in a circle are told alone: nothing else can be said of such a table.
pub fn check(table: &Table, written: &Written) -> Vec<Flaw> {
    let circles = calls::circles(table);
    if !circles.is_empty() {
        return circles;
    }
    let frames = FrameIds::of(table);
    let positions: Vec<Positions> =
        table.exchanges_with_id().map(|(id, _)| Positions::of(table, &frames, id)).collect();
    let mut found = reach::flaws(table, &frames, written);
    found.extend(flow::flaws(table, &positions));
    found.extend(names::flaws(table, &frames));
    found.extend(alike::flaws(table, &positions));
    found.extend(vectors::flaws(table));
    let mut told = Vec::new();
    // An exchange that others call is walked once for each of them.
    found.retain(|flaw| {
        let is_new = !told.contains(flaw);
        if is_new {
            told.push(flaw.clone());
        }
        is_new
    });
    found
}
