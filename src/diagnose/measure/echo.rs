//! Whether what is received is what is being sent: exactly, or damaged.

use crate::line::{Direction, Instant};

use super::super::evidence::Evidence;
use super::super::window::{Heard, Standing, Window};

/// An echo comes within so many character times of its byte.
const WITHIN: f64 = 12.0;

pub fn measure(window: &Window, evidence: &mut Evidence) {
    let echoed = echoed(window);
    let sent = window.sent().filter(|heard| heard.event.value().is_some()).count();
    let mut echo = vec![false; window.events.len()];
    echoed.iter().for_each(|(_, place)| echo[*place] = true);
    let counts = |heard: &Heard, echo: bool| {
        let received = heard.event.direction == Direction::Rx && heard.event.value().is_some();
        received && (echo || heard.standing != Standing::Frame)
    };
    let received: Vec<(&Heard, bool)> =
        window.events.iter().zip(echo).filter(|(heard, echo)| counts(heard, *echo)).collect();
    evidence.share("echoed", echoed.len(), sent);
    evidence.count("echo-run", longest_run(&received));
    evidence.share("echo-of-received", echoed.len(), received.len());
    let at = |place: usize| window.events[place].event.at;
    let delays = echoed.iter().map(|(own, place)| window.characters(at(*place) - at(*own)));
    let mean = delays.sum::<f64>() / echoed.len().max(1) as f64;
    evidence.details.echo_delay = (!echoed.is_empty()).then_some(mean);
    crosstalk(window, &received, evidence);
}

/// Sent bytes that came back, each with the received one that it is, in order: both as places in the window.
pub fn echoed(window: &Window) -> Vec<(usize, usize)> {
    let character = window.settings.character_time();
    let limit = character.mul_f64(WITHIN) + window.uncertainty;
    let exact = window.uncertainty < character;
    let of = |direction: Direction| {
        let has = move |place: &usize| {
            let event = &window.events[*place].event;
            event.direction == direction && event.value().is_some()
        };
        (0..window.events.len()).filter(has)
    };
    let received: Vec<usize> = of(Direction::Rx).collect();
    let mut next = 0;
    let mut echoed = Vec::new();
    for own in of(Direction::Tx) {
        let sent = &window.events[own].event;
        let is_echo = |place: &usize| {
            let heard = &window.events[received[*place]];
            // What comes back while it is sent is an echo, whatever frame it would be: an answer has to wait.
            let at_once = || exact && heard.event.at < sent.at + character;
            heard.event.value() == sent.value()
                && heard.event.at + character >= sent.at
                && (heard.standing != Standing::Frame || at_once())
        };
        let at = |place: usize| window.events[received[place]].event.at;
        let near = |place: &usize| at(*place) <= sent.at + limit;
        // What came before is no echo of this byte, nor of those behind it.
        while next < received.len() && at(next) + character < sent.at {
            next += 1;
        }
        // In order, each received byte stands for one that was sent.
        if let Some(place) = (next..received.len()).take_while(near).find(is_echo) {
            echoed.push((own, received[place]));
            next = place + 1;
        }
    }
    echoed
}

fn longest_run(received: &[(&Heard, bool)]) -> usize {
    received.split(|(_, echo)| !echo).map(<[_]>::len).max().unwrap_or(0)
}

/// Unexplained bytes that came while the host was sending, and are no echo.
fn crosstalk(window: &Window, received: &[(&Heard, bool)], evidence: &mut Evidence) {
    let character = window.settings.character_time();
    let sending = sending_times(window);
    let during = |at: Instant| {
        let from = at.saturating_sub(character);
        let next = sending.partition_point(|(_, to)| *to + window.uncertainty < from);
        sending.get(next).is_some_and(|(begin, _)| *begin <= at)
    };
    let bad = || received.iter().filter(|(heard, _)| heard.standing.is_bad());
    let overlapping = bad().filter(|(heard, echo)| !echo && during(heard.event.at)).count();
    let bad = bad().count();
    evidence.share("while-sending", overlapping, bad);
    // How much of the time is sending: by chance so many would overlap.
    let busy: f64 = sending.iter().map(|(from, to)| (*to - *from).as_secs_f64()).sum();
    let whole = window.span().as_secs_f64().max(1e-9);
    let chance = (busy / whole).clamp(0.01, 0.99);
    let rest = bad - overlapping;
    let log = overlapping as f64 * (0.9 / chance).ln() + rest as f64 * (0.1 / (1.0 - chance)).ln();
    evidence.ratio("while-sending-only", log, overlapping, bad);
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
