//! What a diagnosis looks at: the last events of a conversation, what each byte was understood as, and the items they made.
//!
//! The window is bounded, as the journal is that it comes from: of a long capture the newest part decides, and counts stand for the rest.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::line::{Direction, Instant, LineErrors, LineEvent, Seen, Settings, Span};
use crate::machine::{Item, ItemKind, Part};

/// What a byte was understood as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Not yet: more bytes will tell.
    Open,
    /// Part of a healthy frame in its place.
    Frame,
    /// Part of a healthy frame that came out of place: a repeat, a refusal, found in the middle of nowhere.
    Odd,
    /// Part of a frame with something wrong in it.
    Damaged,
    /// Part of no frame.
    Unexpected,
}

/// An event with what it was understood as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heard {
    pub event: LineEvent,
    pub standing: Standing,
    /// Number of the item it belongs to, counted from the first there was.
    pub item: Option<u64>,
}

/// Where this part of the bytes belongs to healthy frames, neither the protocol nor its bits are in doubt.
const EXPLAINED: f64 = 0.5;

/// The newest part of a conversation.
#[derive(Clone, Debug)]
pub struct Window {
    pub settings: Settings,
    pub line_errors: LineErrors,
    /// How late an event can be stamped.
    pub uncertainty: Span,
    /// Both sides came over one wire: every byte is a received one, whoever sent it.
    pub shared: bool,
    pub events: VecDeque<Heard>,
    pub items: VecDeque<Arc<Item>>,
    /// Settings that held before, with the number of received bytes and of faults under each.
    pub earlier: Vec<Stretch>,
    /// Everything there was, also what the window has let go.
    pub seen: u64,
    /// Items there were, also those that the window has let go.
    pub items_seen: u64,
    /// It goes back to where listening began.
    pub is_whole: bool,
    /// A character time of the present settings, in seconds.
    pub(super) character: f64,
}

/// What came while one setting held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    pub settings: Settings,
    pub bytes: usize,
    pub faults: usize,
    /// Bytes of text, and bytes of healthy frames.
    pub text: usize,
    pub healthy: usize,
}

impl Window {
    /// Without the bytes at its end of which more will tell what they are: half a frame is no evidence of anything.
    pub fn decided(mut self) -> Window {
        let is_open = |heard: &&Heard| heard.standing == Standing::Open && heard.event.value().is_some();
        let open = self.events.iter().rev().take_while(is_open).count();
        self.events.truncate(self.events.len() - open);
        self
    }

    /// Its items, in the order in which they ended.
    pub fn items(&self) -> impl DoubleEndedIterator<Item = &Item> + Clone {
        self.items.iter().map(|item| &**item)
    }

    /// Received bytes and breaks, in order.
    pub fn received(&self) -> impl DoubleEndedIterator<Item = &Heard> + Clone {
        self.events
            .iter()
            .filter(|heard| heard.event.direction == Direction::Rx && heard.event.seen != Seen::Marker)
    }

    /// Sent bytes, in order.
    pub fn sent(&self) -> impl DoubleEndedIterator<Item = &Heard> + Clone {
        self.events.iter().filter(|heard| heard.event.direction == Direction::Tx)
    }

    /// So little of what was received belongs to healthy frames that protocol and bits are in doubt.
    pub fn is_at_a_loss(&self) -> bool {
        let received = self.received().filter(|heard| heard.event.value().is_some());
        let healthy = received.clone().filter(|heard| heard.standing == Standing::Frame).count();
        (healthy as f64) < EXPLAINED * received.count() as f64
    }

    /// So little, or so few pieces: long frames without a check take in anything, and every answer between them may be wrong.
    pub fn is_in_doubt(&self) -> bool {
        let pieces = || self.items().filter(|item| item.direction == Direction::Rx);
        let spoilt = pieces().filter(|item| Standing::of(item).is_bad()).count();
        self.is_at_a_loss() || spoilt * 2 > pieces().count()
    }

    /// From the first event to the last.
    pub fn span(&self) -> Span {
        let at = |heard: Option<&Heard>| heard.map_or(Instant::ZERO, |heard| heard.event.at);
        at(self.events.back()) - at(self.events.front())
    }

    /// A span in character times of the present settings.
    pub fn characters(&self, span: Span) -> f64 {
        span.as_secs_f64() / self.character
    }
}

impl Standing {
    /// What the bytes of an item are.
    pub(super) fn of(item: &Item) -> Standing {
        match &item.kind {
            ItemKind::Frame(framed) if framed.part == Part::Foreign => Standing::Odd,
            ItemKind::Frame(framed) if !framed.wrong.is_empty() => Standing::Damaged,
            ItemKind::Frame(framed) => match framed.part {
                Part::Expected | Part::Ignored | Part::Unsolicited => Standing::Frame,
                Part::Repeat | Part::Refusal(_) | Part::Found | Part::Foreign => Standing::Odd,
            },
            ItemKind::Unexpected(_) => Standing::Unexpected,
            ItemKind::Break | ItemKind::Silence(_) | ItemKind::Settings { .. } => Standing::Open,
        }
    }

    /// Part of a healthy frame, in its place or out of it.
    pub fn is_healthy(self) -> bool {
        matches!(self, Standing::Frame | Standing::Odd)
    }

    /// The conversation has no explanation for it.
    pub fn is_bad(self) -> bool {
        matches!(self, Standing::Damaged | Standing::Unexpected)
    }
}

/// Printable, or what ends and moves lines on a terminal.
pub fn is_text(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7E | b'\r' | b'\n' | b'\t' | 0x1B)
}
