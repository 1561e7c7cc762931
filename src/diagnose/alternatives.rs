//! What a window's bytes could be instead of what was made of them: the replies that were due, the same frames with other bits, other tables.

use std::sync::Arc;

use crate::frame::{Frame, ItemKind as Element, Times};
use crate::line::{Direction, LineEvent};
use crate::machine::{Env, ItemKind, Program, Sides, Vocabulary};

use super::engine::Hearing;
use super::measure::{Damage, Interrupted, Otherwise, Stretches};
use super::mend;
use super::others;
use super::window::Window;

/// Items, newest first, that tell which replies were due.
const LATEST: usize = 64;

/// What the table that is expected says of the window.
pub fn told(own: &Program, vocabulary: &Vocabulary, window: &Window) -> Otherwise {
    let expected = expected(own, window);
    Otherwise {
        interrupted: Interrupted::of(vocabulary, window, &expected),
        expected,
        refusals: mend::refusals(own.table()),
        mended: mend::mended(vocabulary, window.items()),
        summed: mend::summed(vocabulary, window.items()),
        stretches: Stretches::of(vocabulary, window),
        damage: Damage::of(vocabulary, window),
        ..Otherwise::default()
    }
}

/// Reads the same bytes once more.
pub struct Reread<'a> {
    pub own: &'a Arc<Program>,
    pub env: &'a Env,
    /// As what the bytes are read now.
    pub heard: Hearing,
}

impl Reread<'_> {
    /// Adds how well the events are explained with other bits, and by `others`; those that explain most come with it.
    pub fn beside(
        &self,
        told: Otherwise,
        window: &Window,
        others: &[Arc<Program>],
    ) -> (Otherwise, Vec<Arc<Program>>) {
        let events = || window.events.iter().map(|heard| &heard.event);
        let share = |change| {
            let score = others::score(self.own, self.env, self.heard, events(), change);
            score.explained as f64 / score.bytes.max(1) as f64
        };
        // What was sent is explained as it is, and so may some of what was received be.
        let as_it_is = share(|byte| byte);
        let gained = |share: f64| ((share - as_it_is) / (1.0 - as_it_is).max(f64::EPSILON)).max(0.0);
        let otherwise = Otherwise {
            reversed: gained(share(u8::reverse_bits)),
            complemented: gained(share(|byte| !byte)),
            masked: gained(share(|byte| byte & 0x7F)),
            ..told
        };
        // Who asks by this protocol is its host: another one has only what came back to explain, and so has this one beside it.
        if self.heard.sides == Sides::Both && asks(window) {
            let heard = Hearing { sides: Sides::Device, ..self.heard };
            let received = events().filter(|event| event.direction == Direction::Rx);
            let own_weight =
                others::score(self.own, self.env, heard, received.clone(), |byte| byte).log_weight;
            return self.compared(Otherwise { own_weight, ..otherwise }, heard, received, others);
        }
        self.compared(otherwise, self.heard, events(), others)
    }

    /// Adds how well others explain the events, and how well that they are text does.
    fn compared<'e>(
        &self,
        otherwise: Otherwise,
        heard: Hearing,
        events: impl Iterator<Item = &'e LineEvent> + Clone,
        others: &[Arc<Program>],
    ) -> (Otherwise, Vec<Arc<Program>>) {
        let (other, promising) = others::best(others, self.env, heard, events.clone());
        (Otherwise { other, text_weight: others::text_weight(events), ..otherwise }, promising)
    }
}

/// Most of what was sent is frames of the protocol that is expected.
fn asks(window: &Window) -> bool {
    let healthy = window.sent().filter(|heard| heard.standing.is_healthy()).count();
    healthy > 0 && healthy * 2 >= window.sent().count()
}

/// How the replies begin that did not come, or came as something else.
fn expected(own: &Program, window: &Window) -> Vec<Vec<u8>> {
    let mut names: Vec<&str> = Vec::new();
    for item in window.items().rev().take(LATEST) {
        match &item.kind {
            ItemKind::Unexpected(unexpected) => {
                let device = unexpected.expected.iter().filter(|c| c.direction == Direction::Rx);
                names.extend(device.map(|candidate| &*candidate.frame));
            }
            ItemKind::Silence(silence) => names.extend(silence.expected.iter().map(|name| &**name)),
            _ => {}
        }
    }
    names.sort_unstable();
    names.dedup();
    let table = own.table();
    let frames = names.iter().filter_map(|name| table.frames.iter().find(|f| &**f.name() == *name));
    let mut heads: Vec<Vec<u8>> = frames.map(head).filter(|head| !head.is_empty()).collect();
    heads.sort();
    heads.dedup();
    heads
}

/// The literal bytes that a frame begins with.
fn head(frame: &Frame) -> Vec<u8> {
    let mut head = Vec::new();
    if frame.envelope().is_some() {
        return head;
    }
    for item in &frame.layout().items {
        match &item.kind {
            Element::Literal { bytes, times: Times::Exactly(count) } if *count <= 8 => {
                (0..*count).for_each(|_| head.extend_from_slice(bytes));
            }
            _ => break,
        }
    }
    head.truncate(8);
    head
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::Engine;
    use crate::line::{Baud, Format, Instant, LineErrors, Settings, Span};
    use crate::protocol::Registry;

    const REGISTER: &[u8] = &[0xC0, 0, 0x0A, 4, 0, 0, 0, 0, 0, 0xB0, 0xA0, 0xF5, 0x3F, 0xC0];
    const SENTENCE: &[u8] = b"$GPRMC,092751.000,A,5321.6802,N,00630.3371,W,0.06,31.66,280511,,,A*45\r\n";

    /// The protocol that is named where these bytes answer a host that asks by esp-rom's.
    fn named(answer: &[u8]) -> Option<String> {
        let registry = Registry::shipped();
        let program = |name: &str| Arc::new(Program::compile(registry.get(name).expect("a shipped table")));
        let settings = Settings::new(Baud::nearest(115_200.0), Format::N8);
        let hearing = Hearing::both(settings, LineErrors::PerByte, Span::ZERO);
        let others = ["modbus-rtu", "nmea", "console", "at-commands"].map(program).to_vec();
        let mut engine = Engine::new(program("esp-rom"), others, Env::new(), hearing);
        let mut now = Instant::ZERO;
        for (direction, bytes) in [(Direction::Tx, REGISTER), (Direction::Rx, answer)].repeat(4) {
            now += Span::from_millis(3);
            for byte in bytes {
                now += settings.character_time();
                engine.on_event(&LineEvent::byte(now, direction, *byte));
            }
        }
        engine.finish();
        engine.evidence().details.other_protocol.map(|other| other.name)
    }

    #[test]
    fn a_stranger_is_named_behind_a_host_that_asks_by_its_own_protocol() {
        assert_eq!(named(SENTENCE).as_deref(), Some("nmea"));
    }

    #[test]
    fn lines_of_any_text_are_no_other_protocol() {
        assert_eq!(named(b"\r\nU-Boot 2021.04 (Apr 05 2021)\r\nDRAM: 64 MiB\r\n"), None);
        assert_eq!(named(b"\r\n*** boot v1.2 reset=BOR ***\r\ninit ok\r\n"), None);
    }
}
