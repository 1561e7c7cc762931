//! Two causes at once: the bytes that one of them explains by themselves are taken out, and the rest is looked at as if they had never come.

use super::cause::Cause;
use super::measure::lone_pulses;
use super::verdict::echoes;
use super::window::Window;

/// An echo is taken out when so much of what was sent came back.
const ECHOED: f64 = 0.4;

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
    layers
}
