//! Windows for tests: what was said, with silence before each piece; and healthy frames.

use crate::frame::Values;
use crate::line::{Baud, Direction, Fault, Format, Instant, LineErrors, LineEvent, Settings, Span};
use crate::machine::{Framed, Item, ItemKind, Part};

use super::super::journal::Journal;
use super::super::window::Window;

/// Silence before each piece, in character times: more than ends a reply.
const SILENCE: u32 = 40;

/// The pieces as they were heard in one format at 9600 baud. Bytes that `flagged` tells, by piece, place in it and value, have a framing error.
pub(super) fn window(
    format: Format,
    said: &[(Direction, &[u8])],
    flagged: impl Fn(usize, usize, u8) -> bool,
) -> Window {
    let settings = Settings::new(Baud::nearest(9600.0), format);
    let mut journal = Journal::new(settings, LineErrors::PerByte, Span::ZERO, false);
    let mut now = Instant::ZERO;
    for (piece, (direction, bytes)) in said.iter().enumerate() {
        now += settings.character_time() * SILENCE;
        for (at, byte) in bytes.iter().enumerate() {
            now += settings.character_time();
            let event = LineEvent::byte(now, *direction, *byte);
            journal.on_event(&if flagged(piece, at, *byte) {
                event.with_fault(Fault::Framing)
            } else {
                event
            });
        }
    }
    journal.window()
}

/// A healthy frame, whose first byte is in at one time and whose last one at the other.
pub(in crate::diagnose) fn frame(
    direction: Direction,
    (from, at): (Instant, Instant),
    bytes: &[u8],
    part: Part,
) -> Item {
    let (frame, values, wrong) = ("any".into(), Values::default(), Vec::new());
    let kind = ItemKind::Frame(Framed { frame, values, exchange: None, part, wrong });
    Item { from, at, direction, bytes: bytes.to_vec().into(), faults: Vec::new(), state: None, kind }
}
