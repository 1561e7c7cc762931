//! A recording as a device: what was heard once is sent again, with its pauses, for ever.

use std::collections::VecDeque;

use crate::line::{Action, Instant, LineEvent, Seen, Settings, Span, Task};

/// What is said without a pause, or a break; and the pause before it.
struct Burst {
    pause: Span,
    says: Says,
}

enum Says {
    Bytes(Vec<u8>),
    Break,
}

/// Pauses shorter than this part of a character are none: a clock was rounded.
const PAUSE: f64 = 0.5;
/// The pause between the end of the recording and its beginning: the longest of the recording's own, but no shorter and no longer.
const TURN: (Span, Span) = (Span::from_millis(50), Span::from_secs(2));

/// A sender that knows nothing but a recording. Bytes that were damaged are sent as they were heard; nobody is answered.
pub struct Playback {
    bursts: Vec<Burst>,
    next: usize,
    due: Instant,
    settings: Settings,
    actions: VecDeque<Action>,
}

impl Playback {
    /// Both directions are played, as they followed each other on the line. `None` when nothing was heard.
    pub fn new(events: impl IntoIterator<Item = LineEvent>, recorded: Settings) -> Option<Playback> {
        let character = recorded.character_time();
        let mut bursts: Vec<Burst> = Vec::new();
        let mut ended: Option<Instant> = None;
        for event in events {
            let says = match event.seen {
                Seen::Byte(byte) => Says::Bytes(vec![byte]),
                Seen::Break => Says::Break,
                Seen::Marker => continue,
            };
            let began = event.at.saturating_sub(character);
            let pause = ended.map_or(Span::ZERO, |ended| began.since(ended));
            ended = Some(event.at);
            match (bursts.last_mut(), &says) {
                (Some(Burst { says: Says::Bytes(bytes), .. }), Says::Bytes(more))
                    if pause < character.mul_f64(PAUSE) =>
                {
                    bytes.extend(more);
                }
                _ => bursts.push(Burst { pause, says }),
            }
        }
        let longest = bursts.iter().map(|burst| burst.pause).max()?;
        bursts.first_mut()?.pause = longest.clamp(TURN.0, TURN.1);
        Some(Playback { bursts, next: 0, due: Instant::ZERO, settings: recorded, actions: VecDeque::new() })
    }
}

impl Task for Playback {
    fn on_event(&mut self, _: &LineEvent) {}

    fn on_time(&mut self, now: Instant) {
        if now < self.due {
            return;
        }
        let character = self.settings.character_time();
        let (action, length) = match &self.bursts[self.next].says {
            Says::Bytes(bytes) => (Action::Send(bytes.clone()), character * bytes.len() as u32),
            Says::Break => (Action::Break(character * 2), character * 2),
        };
        self.actions.push_back(action);
        self.next = (self.next + 1) % self.bursts.len();
        self.due = now + length + self.bursts[self.next].pause;
    }

    fn on_settings(&mut self, _: Instant, settings: Settings) {
        self.settings = settings;
    }

    fn on_refused(&mut self, _: Instant, _: Settings, _: &str) {}

    fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        Some(self.due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{Baud, Direction, Format};

    fn recorded(bytes: &[(f64, u8)]) -> Vec<LineEvent> {
        let event = |(at, byte): &(f64, u8)| LineEvent::byte(Instant::from_secs(*at), Direction::Rx, *byte);
        bytes.iter().map(event).collect()
    }

    #[test]
    fn a_recording_is_sent_again_with_its_pauses_and_begins_anew() {
        let settings = Settings::new(Baud::nearest(9600.0), Format::N8);
        let character = settings.character_time().as_secs_f64();
        let heard = [(1.0, 0x10), (1.0 + character, 0x20), (1.5, 0x30)];
        let mut playback = Playback::new(recorded(&heard), settings).expect("something was heard");
        playback.on_settings(Instant::ZERO, settings);
        let mut sent = Vec::new();
        for _ in 0..4 {
            let due = playback.deadline().expect("it never ends");
            playback.on_time(due);
            let Some(Action::Send(bytes)) = playback.next_action() else { panic!("bytes are sent") };
            sent.push((due.since(Instant::ZERO).as_secs_f64(), bytes));
        }
        let bytes: Vec<&[u8]> = sent.iter().map(|(_, bytes)| &bytes[..]).collect();
        assert_eq!(bytes, [&[0x10, 0x20][..], &[0x30], &[0x10, 0x20], &[0x30]]);
        let pause = 0.5 - 2.0 * character;
        let begins = [0.0, 2.0 * character + pause, 3.0 * character + 2.0 * pause];
        for (at, (sent, _)) in begins.iter().zip(&sent) {
            assert!((at - sent).abs() < 1e-6, "{at} {sent}");
        }
    }

    #[test]
    fn nothing_heard_is_nothing_to_send() {
        assert!(Playback::new([], Settings::new(Baud::nearest(9600.0), Format::N8)).is_none());
    }
}
