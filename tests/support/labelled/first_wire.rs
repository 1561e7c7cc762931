//! The wire of the library: edges with jitter, a sixteen-times receiver with majority vote, false starts rejected.

use hsdiag::line::{Instant, LineEvent};
use hsdiag::wire::{Drift, Level, Receiver, Transmitter, Waveform};

use super::plan::Plan;

pub fn receive(plan: &Plan) -> Vec<LineEvent> {
    let drift = Drift { skew: plan.skew, jitter: plan.jitter, late_mark: plan.late };
    let first = plan.characters.first().map_or(plan.receiver, |character| character.settings);
    let mut sender = Transmitter::new(first, drift, plan.seed);
    let resting = if plan.resting_low { Level::Space } else { sender.resting() };
    let mut line = Waveform::resting(resting);
    for character in &plan.characters {
        sender.set(character.settings);
        sender.send(&mut line, u16::from(character.byte), Instant::from_secs(character.at));
    }
    let mut forces = plan.forces.clone();
    forces.sort_by(|a, b| a.from.total_cmp(&b.from));
    for force in &forces {
        line.force(force.from, force.to, Level::of(force.mark));
    }
    let mut receiver = Receiver::new(plan.receiver, plan.seed ^ 0x5EED);
    let mut events = Vec::new();
    for (at, settings) in &plan.changes {
        events.extend(receiver.receive(&line, Instant::from_secs(*at)));
        receiver.set(Instant::from_secs(*at), *settings);
    }
    events.extend(receiver.receive(&line, Instant::from_secs(plan.end)));
    events
}
