//! Whether what is received is what is being sent: exactly, or damaged.

use crate::line::{Direction, Instant};

use super::super::evidence::Evidence;
use super::super::window::{Heard, Standing, Window};

/// An echo comes within so many character times of its byte.
const WITHIN: f64 = 12.0;

pub fn measure(window: &Window, evidence: &mut Evidence) {
    let sent: Vec<&Heard> = window.sent().filter(|heard| heard.event.value().is_some()).collect();
    let received: Vec<&Heard> = window
        .received()
        .filter(|heard| !matches!(heard.standing, Standing::Frame) && heard.event.value().is_some())
        .collect();
    let character = window.settings.character_time();
    let limit = character.mul_f64(WITHIN) + window.uncertainty;
    let mut next = 0;
    let mut echoed = 0;
    let mut delays = Vec::new();
    let mut used = vec![false; received.len()];
    for own in &sent {
        // In order, each received byte stands for one that was sent.
        let found = (next..received.len())
            .take_while(|place| received[*place].event.at <= own.event.at + limit)
            .find(|place| {
                received[*place].event.value() == own.event.value()
                    && received[*place].event.at + character >= own.event.at
            });
        if let Some(place) = found {
            echoed += 1;
            used[place] = true;
            next = place + 1;
            delays.push(window.characters(received[place].event.at - own.event.at));
        }
    }
    evidence.share("echoed", echoed, sent.len());
    let runs = longest_run(&used);
    evidence.count("echo-run", runs);
    evidence.share("echo-of-received", echoed, received.len());
    let mean = delays.iter().sum::<f64>() / delays.len().max(1) as f64;
    evidence.details.echo_delay = (echoed > 0).then_some(mean);
    crosstalk(window, &received, &used, evidence);
}

fn longest_run(used: &[bool]) -> usize {
    used.split(|yes| !yes).map(<[bool]>::len).max().unwrap_or(0)
}

/// Unexplained bytes that came while the host was sending, and are no echo.
fn crosstalk(window: &Window, received: &[&Heard], echo: &[bool], evidence: &mut Evidence) {
    let character = window.settings.character_time();
    let sending = sending_times(window);
    let during = |at: Instant| {
        let from = at.saturating_sub(character);
        let next = sending.partition_point(|(_, to)| *to + window.uncertainty < from);
        sending.get(next).is_some_and(|(begin, _)| *begin <= at)
    };
    let bad: Vec<&&Heard> = received.iter().filter(|heard| heard.standing.is_bad()).collect();
    let overlapping = received
        .iter()
        .zip(echo)
        .filter(|(heard, echo)| heard.standing.is_bad() && !**echo && during(heard.event.at))
        .count();
    evidence.share("while-sending", overlapping, bad.len());
    // How much of the time is sending: by chance so many would overlap.
    let busy: f64 = sending.iter().map(|(from, to)| (*to - *from).as_secs_f64()).sum();
    let whole = window.span().as_secs_f64().max(1e-9);
    let chance = (busy / whole).clamp(0.01, 0.99);
    let rest = bad.len() - overlapping;
    let log = overlapping as f64 * (0.9 / chance).ln() + rest as f64 * (0.1 / (1.0 - chance)).ln();
    evidence.ratio("while-sending-only", log, overlapping, bad.len());
}

/// Stretches in which the host was sending.
fn sending_times(window: &Window) -> Vec<(Instant, Instant)> {
    let character = window.settings.character_time();
    let mut times: Vec<(Instant, Instant)> = Vec::new();
    for heard in window.events.iter().filter(|heard| heard.event.direction == Direction::Tx) {
        let (from, to) = (heard.event.at.saturating_sub(character), heard.event.at);
        match times.last_mut() {
            Some(last) if from <= last.1 + character => last.1 = to,
            _ => times.push((from, to)),
        }
    }
    times
}
