//! How far the start bits lie apart: always a whole number of the sender's bits, whatever is sent, unless it pauses between two characters.
//!
//! A sum of unit vectors, one for each distance, is long where the distances are multiples of a bit time (as in the periodogram of an event
//! series). So the sender's rate shows itself, whatever was read of its characters; pulses come at any time and show none.

use std::f64::consts::TAU;

use crate::line::{Baud, Seen};

use super::super::evidence::Evidence;
use super::super::window::Window;

/// Distances that are looked at, the fewest that tell something, and the longest, in characters.
const MOST: usize = 96;
const LEAST: usize = 8;
const LONGEST: f64 = 2.2;
/// Distances all alike are multiples of anything.
const DIFFERENT: usize = 3;
/// Times that are less exact than this part of a bit tell nothing.
const EXACT: f64 = 0.25;
/// Rates of senders that are tried, of the receiver's: slower than an eighth, nothing is left; faster than three times, the receiver's own
/// clock is too coarse.
const RATES: std::ops::Range<f64> = 0.12..3.0;
/// From one rate to the next.
const STEP: f64 = 0.004;
/// Rates nearer to the receiver's are its own.
const OWN: f64 = 0.03;
/// A rate of which another one is a multiple holds nearly as well.
const AS_WELL: f64 = 0.85;
/// A rate that shows itself like this is told, where so many rates at random distances would not (a natural logarithm: of 720 rates one in
/// some hundred times).
const PLAIN: f64 = 0.7;
const SURELY: f64 = 11.6;
/// A standard rate this near is meant.
const STANDARD: f64 = 0.008;

pub fn measure(window: &Window, evidence: &mut Evidence) {
    let distances = distances(window);
    let different = {
        let mut whole: Vec<i64> = distances.iter().map(|distance| distance.round() as i64).collect();
        whole.sort_unstable();
        whole.dedup();
        whole.len()
    };
    if distances.len() < LEAST || different < DIFFERENT {
        ["spacing-own", "spacing-other", "spacing-slower"]
            .into_iter()
            .for_each(|name| evidence.number(name, 0.0));
        return;
    }
    let own = length(&distances, 1.0);
    let others: Vec<(f64, f64)> =
        lengths(&distances).into_iter().filter(|(rate, _)| (rate - 1.0).abs() > OWN).collect();
    let best = |rates: fn(f64) -> bool| {
        let lengths = others.iter().filter(|(rate, _)| rates(*rate)).map(|(_, length)| *length);
        lengths.fold(0.0, f64::max)
    };
    let (longest, slower) = (best(|_| true), best(|rate| rate < 1.0));
    evidence.number("spacing-own", plainness(own));
    evidence.number("spacing-other", plainness(longest) - plainness(own));
    evidence.number("spacing-slower", plainness(slower) - plainness(own));
    let by_chance = (SURELY / distances.len() as f64).sqrt();
    let is_other = longest > own.max(PLAIN).max(by_chance);
    if let Some(first) =
        others.iter().position(|(_, length)| *length >= AS_WELL * longest).filter(|_| is_other)
    {
        // From its flank up to the rate that holds best.
        let climbs = others[first..].windows(2).take_while(|pair| pair[1].1 > pair[0].1);
        let best = climbs.last().map_or(others[first].0, |pair| pair[1].0);
        let baud = best * window.settings.baud.hz();
        evidence.details.sender_baud = Some(Baud::standard_near(baud, STANDARD).map_or(baud, Baud::hz));
    }
}

/// From one start bit to the next, in bits of the receiver, where either byte is of no healthy frame.
fn distances(window: &Window) -> Vec<f64> {
    let bit = window.settings.baud.bit_time();
    if window.uncertainty > bit.mul_f64(EXACT) {
        return Vec::new();
    }
    let longest = LONGEST * window.settings.format.bits();
    let received: Vec<_> = window.received().filter(|heard| heard.event.seen != Seen::Break).collect();
    let pairs = received.windows(2).filter(|pair| !pair.iter().all(|heard| heard.standing.is_healthy()));
    let distance = pairs.map(|pair| (pair[1].event.at - pair[0].event.at).as_secs_f64() / bit.as_secs_f64());
    distance.filter(|distance| *distance < longest).take(MOST).collect()
}

/// How much likelier a distance is than at random where the sum is so long, as a natural logarithm: of the spread of its phase, a bit's
/// jitter aside.
fn plainness(length: f64) -> f64 {
    const JITTER: f64 = 0.02;
    -0.5 * (1.0 - length * length + JITTER).min(1.0).ln()
}

/// How well the distances are multiples of the bits of this rate, of the receiver's: from 0 to 1.
fn length(distances: &[f64], rate: f64) -> f64 {
    let add = |(x, y): (f64, f64), distance: &f64| {
        let (sin, cos) = (TAU * rate * distance).sin_cos();
        (x + cos, y + sin)
    };
    let (x, y) = distances.iter().fold((0.0, 0.0), add);
    x.hypot(y) / distances.len().max(1) as f64
}

/// The same for every rate that is tried: from one to the next, each vector turns by the same angle.
fn lengths(distances: &[f64]) -> Vec<(f64, f64)> {
    let count = ((RATES.end - RATES.start) / STEP) as usize;
    let mut sums = vec![(0.0, 0.0); count];
    for distance in distances {
        let (turn_y, turn_x) = (TAU * STEP * distance).sin_cos();
        let (mut y, mut x) = (TAU * RATES.start * distance).sin_cos();
        for sum in &mut sums {
            *sum = (sum.0 + x, sum.1 + y);
            (x, y) = (x * turn_x - y * turn_y, y * turn_x + x * turn_y);
        }
    }
    let of = |(place, (x, y)): (usize, (f64, f64))| {
        (RATES.start + place as f64 * STEP, x.hypot(y) / distances.len().max(1) as f64)
    };
    sums.into_iter().enumerate().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::Journal;
    use crate::line::{Direction, Fault, Format, Instant, LineErrors, LineEvent, Settings, Span};

    /// What is found of unexplained bytes that come so many of the sender's bits apart.
    fn found(sender: f64, apart: impl Fn(usize) -> f64, uncertainty: Span) -> (f64, f64, Option<f64>) {
        let settings = Settings::new(Baud::nearest(9600.0), Format::N8);
        let mut journal = Journal::new(settings, LineErrors::PerByte, uncertainty, false);
        let mut at = 0.1;
        for place in 0..60 {
            at += apart(place) / sender;
            let event = LineEvent::byte(Instant::from_secs(at), Direction::Rx, 0x5A);
            journal.on_event(&event.with_fault(Fault::Framing));
        }
        let mut evidence = Evidence::default();
        measure(&journal.window(), &mut evidence);
        (evidence.get("spacing-own"), evidence.get("spacing-other"), evidence.details.sender_baud)
    }

    #[test]
    fn the_senders_rate_shows_in_how_far_start_bits_lie_apart() {
        let whole = |place: usize| [10.0, 13.0, 11.0, 10.0, 15.0, 12.0, 17.0][place % 7];
        let (own, other, _) = found(9600.0, whole, Span::ZERO);
        assert!(own > 1.5 && other < 0.01, "{own} {other}"); // multiples of its rate hold as well
        let (own, other, baud) = found(7310.0, whole, Span::ZERO);
        assert!(own < 0.3 && other > 1.0, "{own} {other}");
        assert!((baud.expect("a rate") / 7310.0 - 1.0).abs() < 0.004, "{baud:?}");
    }

    #[test]
    fn what_comes_at_any_time_and_what_is_stamped_late_show_none() {
        let mut random = fastrand::Rng::with_seed(7);
        let any: Vec<f64> = (0..60).map(|_| 10.0 + 8.0 * random.f64()).collect();
        let (own, other, baud) = found(9600.0, |place| any[place], Span::ZERO);
        assert!(own < 0.2 && other < 0.2 && baud.is_none(), "{own} {other} {baud:?}");
        assert_eq!(found(7310.0, |place| any[place], crate::line::span_from_secs(0.001)), (0.0, 0.0, None));
    }
}
