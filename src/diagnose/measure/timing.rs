//! When unexplained bytes came: alone in silence, at the edges of replies, in clusters, all the time.

use std::collections::BTreeMap;

use crate::line::{Direction, Span};

use super::super::evidence::Evidence;
use super::super::window::{Heard, Standing, Window};
use super::text::is_all_text;

/// Silence that parts two runs, in character times.
const GAP: f64 = 3.5;
/// Unexplained bytes this far apart belong to different clusters, in character times.
const APART: f64 = 20.0;
/// What comes this soon after the last byte sent comes with the turn of the line, in character times.
const SOON: f64 = 3.0;

pub fn measure(window: &Window, evidence: &mut Evidence) {
    let events: Vec<&Heard> = window.events.iter().collect();
    let gap = |a: &Heard, b: &Heard| window.characters(b.event.at - a.event.at);
    edges(window, &events, evidence);
    let bad: Vec<usize> = (0..events.len()).filter(|place| is_bad(events[*place])).collect();
    let alone = bad.iter().filter(|place| {
        let before = place.checked_sub(1).is_none_or(|b| gap(events[b], events[**place]) > GAP + 1.0);
        let after = events.get(**place + 1).is_none_or(|a| gap(events[**place], a) > GAP + 1.0);
        before && after
    });
    evidence.share("alone", alone.count(), bad.len());
    let inside = bad.iter().filter(|place| {
        let near = |other: Option<&&Heard>, gap: f64| {
            gap < 2.0 && other.is_some_and(|o| o.event.direction == Direction::Rx && !o.standing.is_bad())
        };
        let before = place.checked_sub(1);
        let from = before.map_or(f64::MAX, |b| gap(events[b], events[**place]));
        let to = events.get(**place + 1).map_or(f64::MAX, |a| gap(events[**place], a));
        near(before.and_then(|b| events.get(b)), from) || near(events.get(**place + 1), to)
    });
    evidence.share("beside-healthy", inside.count(), bad.len());
    clusters(window, &events, &bad, evidence);
    stalls(window, evidence);
    delays(window, evidence);
}

/// How much longer than usual the device took for its slowest answer.
fn delays(window: &Window, evidence: &mut Evidence) {
    let mut delays: Vec<f64> = Vec::new();
    let mut asked = None;
    for heard in &window.events {
        match (heard.event.direction, asked) {
            (Direction::Tx, _) => asked = Some(heard.event.at),
            (Direction::Rx, Some(at)) => {
                delays.push((heard.event.at - at).as_secs_f64());
                asked = None;
            }
            (Direction::Rx, None) => {}
        }
    }
    delays.sort_by(f64::total_cmp);
    // What a character and a packet take is no delay of the device.
    let least = window.settings.character_time().as_secs_f64() + window.uncertainty.as_secs_f64();
    let usual = delays.get(delays.len() / 2).copied().unwrap_or(0.0).max(least);
    let slowest = delays.last().copied().unwrap_or(0.0).max(least);
    evidence.number(
        "slowest-answer",
        if delays.len() > 2 { (slowest / usual.max(1e-9)).ln() / 2.0 } else { 0.0 },
    );
}

fn is_bad(heard: &Heard) -> bool {
    heard.event.direction == Direction::Rx && (heard.standing.is_bad() || heard.event.fault.is_some())
}

/// How unexplained bytes gather.
fn clusters(window: &Window, events: &[&Heard], bad: &[usize], evidence: &mut Evidence) {
    let mut sizes: Vec<usize> = Vec::new();
    let mut span = Span::ZERO;
    for (number, place) in bad.iter().enumerate() {
        let before = number.checked_sub(1).map(|n| bad[n]);
        let near =
            before.is_some_and(|b| window.characters(events[*place].event.at - events[b].event.at) < APART);
        match (near, sizes.last_mut()) {
            (true, Some(size)) => {
                *size += 1;
                span += before.map_or(Span::ZERO, |b| events[*place].event.at - events[b].event.at);
            }
            _ => sizes.push(1),
        }
    }
    let mut rest = bad;
    let is_text = |size: &&usize| {
        let (cluster, behind) = rest.split_at(**size);
        rest = behind;
        let bytes: Vec<u8> = cluster.iter().filter_map(|place| events[*place].event.value()).collect();
        is_all_text(&bytes)
    };
    let texts = sizes.iter().filter(is_text).count();
    let largest = sizes.iter().copied().max().unwrap_or(0);
    let small = sizes.iter().filter(|size| **size <= 2).count();
    evidence.count("clusters", sizes.len() - texts); // whoever writes is not noise, however often
    evidence.count("cluster-largest", largest);
    evidence.share("clusters-small", small, sizes.len());
    evidence.share("cluster-share", largest, bad.len());
    let whole = window.span().as_secs_f64();
    evidence.number("bad-time", if whole > 0.0 { span.as_secs_f64() / whole } else { 0.0 });
    let thirds = bad.iter().fold([0usize; 3], |mut thirds, place| {
        let at = (events[*place].event.at - events[0].event.at).as_secs_f64();
        thirds[((3.0 * at / whole.max(1e-9)) as usize).min(2)] += 1;
        thirds
    });
    let spread = thirds.iter().filter(|third| **third * 8 >= bad.len().max(1)).count();
    evidence.number("bad-spread", if bad.is_empty() { 0.0 } else { spread as f64 / 3.0 });
}

/// First and last bytes of what is received between two silences or turns.
fn edges(window: &Window, events: &[&Heard], evidence: &mut Evidence) {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for place in 0..events.len() {
        if events[place].event.direction != Direction::Rx {
            continue;
        }
        let joins = place > 0
            && events[place - 1].event.direction == Direction::Rx
            && window.characters(events[place].event.at - events[place - 1].event.at) < GAP + 1.0;
        match runs.last_mut() {
            Some(run) if joins => run.1 = place,
            _ => runs.push((place, place)),
        }
    }
    let healthy = |place: usize| events[place].standing.is_healthy();
    let mixed = |from: usize, to: usize| (from..=to).any(healthy);
    let first = runs.iter().filter(|(from, to)| is_bad(events[*from]) && mixed(*from, *to));
    let last = runs.iter().filter(|(from, to)| is_bad(events[*to]) && mixed(*from, *to));
    let whole = runs.iter().filter(|(from, to)| mixed(*from, *to)).count();
    evidence.share("edge-first", first.clone().count(), whole);
    evidence.share("edge-last", last.clone().count(), whole);
    let mut values: BTreeMap<u8, usize> = BTreeMap::new();
    let places = first.map(|run| run.0).chain(last.map(|run| run.1));
    for byte in places.map(|place| events[place].event.value().unwrap_or(0)) {
        *values.entry(byte).or_default() += 1;
    }
    let total: usize = values.values().sum();
    let commonest = values.iter().max_by_key(|(_, count)| **count);
    evidence.share("edge-same", commonest.map_or(0, |(_, count)| *count), total);
    evidence.details.edge_byte = commonest.filter(|(_, count)| **count > 1).map(|(byte, _)| *byte);
    let turns = events
        .windows(2)
        .filter(|pair| pair[0].event.direction == Direction::Tx && pair[1].event.direction == Direction::Rx);
    let soon = turns.clone().filter(|pair| {
        is_bad(pair[1]) && window.characters(pair[1].event.at - pair[0].event.at) < SOON + 1.0
    });
    evidence.share("bad-at-turn", soon.count(), turns.count());
    let bad = events.iter().filter(|heard| is_bad(heard)).count();
    let at_edges = runs.iter().map(|(from, to)| {
        usize::from(is_bad(events[*from])) + usize::from(from != to && is_bad(events[*to]))
    });
    evidence.share("bad-at-edges", at_edges.sum(), bad);
}

/// The longest silence between two bytes of one frame, and of one unexplained run.
fn stalls(window: &Window, evidence: &mut Evidence) {
    let longest = window
        .items()
        .filter(|item| item.bytes.len() > 1 && item.framed().is_some())
        .map(|item| window.characters(item.at - item.from) - (item.bytes.len() as f64 - 1.0))
        .fold(0.0, f64::max);
    evidence.number("stall", (1.0 + longest.max(0.0)).ln() / 2.0);
    let xoff = window.received().filter(|heard| {
        heard.standing == Standing::Unexpected && matches!(heard.event.value(), Some(0x11 | 0x13))
    });
    evidence.count("xon-xoff", xoff.count());
}
