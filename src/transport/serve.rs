//! The loop that drives a simulated line by the wall clock, for programs that know nothing of hsdiag.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::line::{Instant, LineEvent, Span};

use super::clock::Clock;
use super::port::PortError;
use super::sim::SimLine;

/// The host's end of a simulated line as other programs see it: a pseudo-terminal, a socket.
pub trait Face {
    /// Waits for the host, no longer than `wait`, and puts what it sent and set on the line.
    fn listen(&mut self, line: &mut SimLine, wait: Span) -> Result<(), PortError>;

    /// Hands to the host what its end of the line has received.
    fn deliver(&mut self, seen: &[LineEvent]) -> Result<(), PortError>;
}

/// Time on the wall goes by in steps no shorter than this: nobody behind a system call sees finer ones.
const STEP: Span = Span::from_micros(500);

/// A socket takes a wait of nothing for a mistake.
const SHORTEST: Span = Span::from_micros(20);

/// Plays the device at `line` to whoever is at `face`, until `stop` is raised or the face fails. `tick` is called with the time.
pub fn serve(
    face: &mut dyn Face,
    line: &mut SimLine,
    stop: &AtomicBool,
    tick: &mut dyn FnMut(Instant),
) -> Result<(), PortError> {
    line.pace(Clock::start());
    let mut seen = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let now = line.wall();
        line.advance(now, false, &mut seen);
        face.deliver(&seen)?;
        seen.clear();
        tick(now);
        let step = line.wakes().max(now + STEP);
        let next = line.presses().map_or(step, |at| step.min(at));
        face.listen(line, next.since(line.wall()).max(SHORTEST))?;
    }
    Ok(())
}
