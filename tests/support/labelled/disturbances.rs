//! What happens to a line beside what is said on it.

use hsdiag::diagnose::Cause;

use super::builder::Builder;
use super::plan::{Origin, Plan};

/// Pulses, bursts and breaks over what is there.
pub fn noise(cause: Cause, second: Option<Cause>, b: &mut Builder, damage: f64) {
    let replies = replies(&b.plan);
    for cause in [Some(cause), second].into_iter().flatten() {
        match cause {
            Cause::NoiseGlitch => {
                // A few in all, or some in every message.
                let dense =
                    b.plan.characters.len() as f64 * if b.wide { 0.01 + 0.11 * b.rng.f64() } else { 0.0 };
                let count = if b.wide && b.rng.bool() { 2 + dense as usize } else { 2 + b.rng.usize(..14) };
                let mean = if b.wide { 2.6 * b.rng.f64() } else { 0.6 + 2.0 * b.rng.f64() };
                for _ in 0..count {
                    let at = b.rng.f64() * b.now;
                    let bits = if b.wide { 0.3 } else { 0.55 } + mean * b.rng.f64();
                    b.pulse(at, bits, cause);
                }
            }
            Cause::NoiseBurst => {
                // Few and long, or one in many a message.
                let is_short = b.wide && b.rng.bool();
                let (most, least, longest) = if is_short { (12, 0.4, 4.0) } else { (3, 6.0, 60.0 * damage) };
                let most = if is_short && b.rng.bool() {
                    1 + (damage * replies.len() as f64) as usize
                } else {
                    most
                };
                for _ in 0..=b.rng.usize(..most) {
                    // Most of the time nobody speaks; who spoils many a message does not come by chance alone.
                    let from = match replies.get(b.rng.usize(..replies.len().max(1))) {
                        Some((from, to)) if is_short && b.rng.f64() < 0.8 => from + (to - from) * b.rng.f64(),
                        _ => b.rng.f64() * b.now * 0.9,
                    };
                    let length = b.character() * (least + longest * b.rng.f64());
                    let mean = 0.5 + 3.0 * b.rng.f64();
                    b.floating(from, from + length, mean, cause);
                }
            }
            Cause::Break => {
                // A few anywhere, or one behind many a reply.
                let is_behind = b.wide && b.rng.bool();
                let count =
                    if is_behind { (damage * replies.len() as f64) as usize } else { b.rng.usize(..3) };
                for _ in 0..=count {
                    let length =
                        b.character() * (1.3 + 30.0 * if b.wide { b.rng.f64().powi(2) } else { b.rng.f64() });
                    let from = match replies.get(b.rng.usize(..replies.len().max(1))) {
                        Some((_, to)) if is_behind => to + b.character() * (0.2 + 3.0 * b.rng.f64()),
                        _ => b.rng.f64() * b.now * 0.9,
                    };
                    b.force(from, from + length, cause);
                }
            }
            _ => {}
        }
    }
}

/// When the device spoke: from the first to the last bit of what it said in one go.
fn replies(plan: &Plan) -> Vec<(f64, f64)> {
    let mut replies: Vec<(f64, f64)> = Vec::new();
    for character in plan.characters.iter().filter(|character| character.origin == Origin::Device) {
        let length = character.settings.character_time().as_secs_f64();
        match replies.last_mut() {
            Some((_, to)) if character.at - *to < 2.0 * length => *to = character.at + length,
            _ => replies.push((character.at, character.at + length)),
        }
    }
    replies
}

/// One thing sent, while the other wire picks up a part of its edges.
pub fn crosstalk(bytes: &[u8], begin: f64, b: &mut Builder) {
    let (bit, character) = (b.bit(), b.character());
    let strength = 0.3 + 0.6 * b.rng.f64();
    for (number, byte) in bytes.iter().enumerate() {
        let start = begin + number as f64 * character;
        let mut before = true;
        for place in 0..10 {
            let mark = match place {
                0 => false,
                9 => true,
                place => byte >> (place - 1) & 1 == 1,
            };
            if before && !mark && b.rng.f64() < strength {
                let at = start + f64::from(place) * bit;
                let length = bit * (0.4 + 1.2 * b.rng.f64());
                b.force(at, at + length, Cause::Crosstalk);
            }
            before = mark;
        }
    }
}

/// Nobody drives the line for a while.
pub fn undriven(b: &mut Builder, damage: f64) {
    let length = b.character() * (3.0 + if b.wide { 90.0 * b.rng.f64().powi(2) } else { 40.0 * b.rng.f64() });
    let mean = 0.8 + 8.0 * damage;
    b.floating(b.now, b.now + length, mean, Cause::Floating);
    b.now += length;
}
