//! Two causes at once: the bytes that one of them explains by themselves are taken out, and the rest is looked at as if they had never come.

use crate::line::{Direction, Seen};
use crate::machine::{PieceKind, Vocabulary};
use crate::wire::single_pulse_bytes;

use super::cause::Cause;
use super::measure::{echoes, is_at_an_edge, lone_pulses, pieces};
use super::window::{Standing, Window, is_text};

/// An echo is taken out when so much of what was sent came back.
const ECHOED: f64 = 0.4;
/// Bytes this near follow each other, in character times.
const BESIDE: f64 = 2.5;
/// Bytes of one burst are no further apart than this, in character times.
const NEAR: f64 = 10.0;

/// At so many turns pulses are not by chance, where they are nowhere else.
const LEAST_TURNS: usize = 3;

/// So many bytes in a row that are of no frame are a burst, and at most this part of what was received is.
const BURST: usize = 5;
const AT_MOST: f64 = 0.6;

/// Bytes that can be told by themselves.
pub struct Layer {
    /// What makes such bytes.
    pub causes: &'static [Cause],
    /// Which of the window's events they are.
    pub taken: Vec<bool>,
}

/// What can be taken out of the window, layer by layer.
pub fn layers(window: &Window, vocabulary: &Vocabulary) -> Vec<Layer> {
    let pieces = pieces(vocabulary, window);
    let echo = echoes(window);
    let count = |bytes: &[bool]| bytes.iter().filter(|taken| **taken).count();
    let sent = window.sent().count();
    let echoed = sent > 0 && count(&echo) as f64 >= ECHOED * sent as f64;
    let pulses = loose_pulses(window, &pieces);
    let of_pulses: &[Cause] = match are_at_turns(window, &pulses) {
        true => &[Cause::Turnaround],
        false => &[Cause::NoiseGlitch, Cause::Turnaround],
    };
    let mut layers = vec![
        Layer { causes: of_pulses, taken: pulses },
        Layer { causes: &[Cause::Break], taken: held_low(window) },
        Layer { causes: &[Cause::NoiseBurst], taken: bursts(window, &pieces, &echo) },
    ];
    if echoed {
        layers.insert(0, Layer { causes: &[Cause::Echo], taken: echo });
    }
    layers.retain(|layer| count(&layer.taken) > 0);
    layers
}

/// Bytes that one pulse can make: alone in silence, or at the edge of a reply of whose frames they are no part.
fn loose_pulses(window: &Window, pieces: &[Option<PieceKind>]) -> Vec<bool> {
    let mut taken = lone_pulses(window);
    let pulse = |place: usize| {
        let byte = window.events[place].event.value();
        byte.is_some_and(|byte| single_pulse_bytes().any(|one| one == byte))
    };
    for (place, taken) in taken.iter_mut().enumerate() {
        *taken |= (is_at_an_edge(pieces, place) || is_beside_an_answer(window, place)) && pulse(place);
    }
    taken
}

/// Whether an event follows another one without a pause.
fn are_beside(window: &Window, one: usize, next: usize) -> bool {
    window.characters(window.events[next].event.at - window.events[one].event.at) < BESIDE
}

/// Whether a byte that the conversation does not explain stands right beside a healthy answer.
fn is_beside_an_answer(window: &Window, place: usize) -> bool {
    let events = &window.events;
    let is_near = |a, b| are_beside(window, a, b);
    let is_answer = |place: usize| {
        events[place].event.direction == Direction::Rx && events[place].standing == Standing::Frame
    };
    let before = place.checked_sub(1).is_some_and(|before| is_near(before, place) && is_answer(before));
    let behind = place + 1 < events.len() && is_near(place, place + 1) && is_answer(place + 1);
    events[place].standing == Standing::Unexpected && (before || behind)
}

/// Whether all of these are where the direction of the line changes, at so many turns that they are not there by chance: right behind what
/// was sent, or at either end of an answer.
fn are_at_turns(window: &Window, pulses: &[bool]) -> bool {
    let events = &window.events;
    let is_near = |a, b| are_beside(window, a, b);
    let is_answer = |place: usize| {
        let heard = &events[place];
        heard.event.direction == Direction::Rx && !pulses[place] && heard.standing.is_healthy()
    };
    let is_sent = |place: usize| events[place].event.direction == Direction::Tx;
    let mut turns = 0;
    let mut from = 0;
    while let Some(first) = (from..events.len()).find(|place| pulses[*place]) {
        // Pulses that follow each other belong to one turn.
        let behind = (first + 1..events.len()).find(|place| !pulses[*place] || !is_near(place - 1, *place));
        let behind = behind.unwrap_or(events.len());
        let before = first.checked_sub(1).filter(|before| is_near(*before, first));
        let next = (behind < events.len() && is_near(behind - 1, behind)).then_some(behind);
        let is_turn = match (before, next) {
            // Where the host goes on sending, the line has not turned.
            (Some(before), next) if is_sent(before) => !next.is_some_and(is_sent),
            (None, Some(next)) => is_answer(next),
            (Some(before), None) => is_answer(before),
            (Some(before), Some(next)) => is_answer(before) && is_sent(next),
            (None, None) => false,
        };
        if !is_turn {
            return false;
        }
        turns += 1;
        from = behind;
    }
    turns >= LEAST_TURNS
}

/// Stretches in which nothing belongs to a frame or was sent, unless that is most of what was received, or text.
fn bursts(window: &Window, pieces: &[Option<PieceKind>], echo: &[bool]) -> Vec<bool> {
    let events = &window.events;
    let received = |place: &usize| events[*place].event.direction == Direction::Rx;
    let lost = |place: usize| {
        events[place].event.seen == Seen::Break
            || (pieces[place] == Some(PieceKind::Strange) && !echo[place])
            || (events[place].standing.is_bad() && events[place].event.fault.is_some())
    };
    let mut taken = vec![false; events.len()];
    let mut run: Vec<usize> = Vec::new();
    let mut end = |run: &mut Vec<usize>| {
        let text = run.iter().filter(|place| events[**place].event.value().is_some_and(is_text)).count();
        if run.len() >= BURST && text * 10 < run.len() * 9 {
            run.iter().for_each(|place| taken[*place] = true);
        }
        run.clear();
    };
    for place in (0..events.len()).filter(received) {
        let near =
            |before: &usize| window.characters(events[place].event.at - events[*before].event.at) < NEAR;
        if !lost(place) || !run.last().is_none_or(near) {
            end(&mut run);
        }
        if lost(place) {
            run.push(place);
        }
    }
    end(&mut run);
    let all = window.received().count();
    let most = taken.iter().filter(|taken| **taken).count() as f64 <= AT_MOST * all as f64;
    if most { taken } else { vec![false; events.len()] }
}

/// Breaks, and what they spoilt: unexplained bytes right before and behind them.
fn held_low(window: &Window) -> Vec<bool> {
    let events = &window.events;
    let mut taken: Vec<bool> = events.iter().map(|heard| heard.event.seen == Seen::Break).collect();
    let breaks: Vec<usize> = (0..taken.len()).filter(|place| taken[*place]).collect();
    let near = |a, b| are_beside(window, a, b);
    let spoilt = |place: usize| events[place].standing.is_bad() || events[place].event.fault.is_some();
    for at in breaks {
        let behind = (at + 1..taken.len()).take_while(|place| near(place - 1, *place) && spoilt(*place));
        let before = (0..at).rev().take_while(|place| near(*place, place + 1) && spoilt(*place));
        behind.chain(before).collect::<Vec<usize>>().into_iter().for_each(|place| taken[place] = true);
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::Journal;
    use std::sync::Arc;

    use crate::line::{Baud, Fault, Instant, LineErrors, LineEvent, Settings, Span};
    use crate::machine::meter::{READING, meter};

    const STORM: [u8; 8] = [0x52, 0xE1, 0x9A, 0x37, 0xC4, 0x5B, 0x8E, 0xD9];

    /// What is taken out of replies that are heard with silence between them.
    fn taken(replies: &[&[u8]]) -> Vec<(Cause, Vec<u8>)> {
        let program = Arc::new(meter());
        let settings = Settings::new(Baud::nearest(9600.0), program.table().line.format);
        let mut journal = Journal::new(settings, LineErrors::PerByte, Span::ZERO, false);
        let mut now = Instant::ZERO;
        for reply in replies {
            now += settings.character_time() * 40;
            for byte in *reply {
                now += settings.character_time();
                let event = LineEvent::byte(now, Direction::Rx, *byte);
                let flagged = STORM.contains(byte);
                journal.on_event(&if flagged { event.with_fault(Fault::Framing) } else { event });
            }
        }
        let window = journal.window();
        let bytes = |layer: &Layer| {
            let events = window.events.iter().zip(&layer.taken).filter(|(_, taken)| **taken);
            events.filter_map(|(heard, _)| heard.event.value()).collect()
        };
        layers(&window, &Vocabulary::of(&program))
            .iter()
            .map(|layer| (layer.causes[0], bytes(layer)))
            .collect()
    }

    #[test]
    fn pulses_alone_and_at_the_edges_of_replies_are_taken_out() {
        let before = [&[0xFE][..], &READING].concat();
        assert_eq!(taken(&[&READING, &[0xF0], &before]), [(Cause::NoiseGlitch, vec![0xF0, 0xFE])]);
    }

    #[test]
    fn a_burst_before_a_reply_is_taken_out_and_the_reply_stays() {
        let before = [&STORM[..], &READING].concat();
        assert_eq!(taken(&[&READING, &before, &READING]), [(Cause::NoiseBurst, STORM.to_vec())]);
    }

    #[test]
    fn where_nothing_else_was_received_nothing_is_taken_for_a_burst() {
        assert!(taken(&[&STORM]).is_empty());
    }
}
