//! Two causes at once: the bytes that one of them explains by themselves are taken out, and the rest is looked at as if they had never come.

use crate::line::Seen;

use super::cause::Cause;
use super::measure::lone_pulses;
use super::verdict::echoes;
use super::window::Window;

/// An echo is taken out when so much of what was sent came back.
const ECHOED: f64 = 0.4;
/// Bytes this near follow each other, in character times.
const BESIDE: f64 = 2.5;

/// The causes whose bytes can be told one by one, each with the places of its bytes in the window.
pub fn layers(window: &Window) -> Vec<(Cause, Vec<bool>)> {
    let echo = echoes(window);
    let pulses = lone_pulses(window);
    let count = |bytes: &[bool]| bytes.iter().filter(|taken| **taken).count();
    let sent = window.sent().count();
    let mut layers = Vec::new();
    if sent > 0 && count(&echo) as f64 >= ECHOED * sent as f64 {
        layers.push((Cause::Echo, echo));
    }
    if count(&pulses) > 0 {
        layers.push((Cause::NoiseGlitch, pulses));
    }
    let held = held_low(window);
    if count(&held) > 0 {
        layers.push((Cause::Break, held));
    }
    layers
}

/// Breaks, and what they spoilt: unexplained bytes right before and behind them.
fn held_low(window: &Window) -> Vec<bool> {
    let events = &window.events;
    let mut taken: Vec<bool> = events.iter().map(|heard| heard.event.seen == Seen::Break).collect();
    let breaks: Vec<usize> = (0..taken.len()).filter(|place| taken[*place]).collect();
    let near = |a: usize, b: usize| window.characters(events[b].event.at - events[a].event.at) < BESIDE;
    let spoilt = |place: usize| events[place].standing.is_bad() || events[place].event.fault.is_some();
    for at in breaks {
        let behind = (at + 1..taken.len()).take_while(|place| near(place - 1, *place) && spoilt(*place));
        let before = (0..at).rev().take_while(|place| near(*place, place + 1) && spoilt(*place));
        behind.chain(before).collect::<Vec<usize>>().into_iter().for_each(|place| taken[place] = true);
    }
    taken
}
