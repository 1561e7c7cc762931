//! What happens on a line, before any wire: characters with their times, levels that are forced, what the host sends.

use hsdiag::diagnose::Cause;
use hsdiag::line::{Direction, Instant, LineErrors, LineEvent, Settings};

/// Who makes a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The device, or another host's device: real bytes.
    Device,
    /// The host's own byte that comes back.
    Echo,
}

/// A character on the receiving wire.
#[derive(Clone, Copy, Debug)]
pub struct Character {
    /// When its start bit begins, in seconds.
    pub at: f64,
    pub byte: u8,
    /// The sender's settings.
    pub settings: Settings,
    pub origin: Origin,
}

/// From `from` to `to` the line is at `mark`, whatever is sent.
#[derive(Clone, Copy, Debug)]
pub struct Force {
    pub from: f64,
    pub to: f64,
    pub mark: bool,
    /// What forces it there.
    pub of: Cause,
}

/// A line from its beginning to its end.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The receiver's settings from the beginning, and later changes.
    pub receiver: Settings,
    pub changes: Vec<(f64, Settings)>,
    pub errors: LineErrors,
    /// Toward the receiver, in order of time.
    pub characters: Vec<Character>,
    pub forces: Vec<Force>,
    /// Nobody drives the line: it rests at space.
    pub resting_low: bool,
    /// What the host sends, with the time at which each character is out. Empty for a listener.
    pub sent: Vec<(f64, u8)>,
    /// The sender's clock error, its jitter and the lateness of its edges to mark, in bit times.
    pub skew: f64,
    pub jitter: f64,
    pub late: f64,
    /// Characters that the receiver loses: they are not delivered, and the next one carries an overrun.
    pub overrun: Vec<(f64, f64)>,
    pub end: f64,
    pub seed: u64,
}

/// What a received byte really was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// What was sent, as it was sent.
    Real,
    /// A character that was sent and is read as another.
    Misread,
    /// No sender made it.
    Noise,
    Echo,
}

/// A wire: what a receiver makes of a plan. Events are received ones, faults as its hardware sees them.
pub type Wire = fn(&Plan) -> Vec<LineEvent>;

impl Plan {
    /// What each received event really was: the sent character that fills most of its time.
    pub fn truth(&self, event: &LineEvent, settings: Settings) -> Truth {
        let length = settings.character_time().as_secs_f64();
        let (from, to) = (event.at.secs() - length, event.at.secs());
        let mut best: Option<(f64, &Character)> = None;
        let first = self.characters.partition_point(|c| c.at < from - 20.0 * length - 0.3);
        for character in &self.characters[first..] {
            if character.at > to {
                break;
            }
            let sender = character.settings.character_time().as_secs_f64() / (1.0 + self.skew);
            let shared = to.min(character.at + sender) - from.max(character.at);
            if shared > 0.0 && best.is_none_or(|(most, _)| shared > most) {
                best = Some((shared, character));
            }
        }
        match best {
            Some((shared, character))
                if shared > 0.25 * length || character.settings.baud > settings.baud =>
            {
                match (event.value() == Some(character.byte), character.origin) {
                    (true, Origin::Device) => Truth::Real,
                    (true, Origin::Echo) => Truth::Echo,
                    (false, _) => Truth::Misread,
                }
            }
            // What nobody forced is the resting line or a sender's last bit, read as if it were a character.
            _ if !self.forces.iter().any(|force| force.from < to && force.to > from) => Truth::Misread,
            _ => Truth::Noise,
        }
    }

    /// What the host sent, as events.
    pub fn sent_events(&self) -> impl Iterator<Item = LineEvent> + '_ {
        self.sent.iter().map(|(at, byte)| LineEvent::byte(Instant::from_secs(*at), Direction::Tx, *byte))
    }

    /// The receiver's settings at a time.
    pub fn settings_at(&self, at: f64) -> Settings {
        self.changes
            .iter()
            .rev()
            .find(|(from, _)| *from <= at)
            .map_or(self.receiver, |(_, settings)| *settings)
    }
}
