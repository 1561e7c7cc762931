//! What a diagnosis looks at: the last events of a conversation, what each byte was understood as, and the items they made.
//!
//! The window is bounded: of a long capture the newest part decides, and counts stand for the rest.

use std::borrow::Cow;
use std::collections::VecDeque;

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
/// Events that are looked at together.
const MOST_EVENTS: usize = 8192;
/// Items that are looked at together.
const MOST_ITEMS: usize = 4096;

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
    pub items: VecDeque<Item>,
    /// Settings that held before, with the number of received bytes and of faults under each.
    pub earlier: Vec<Stretch>,
    /// Everything there was, also what the window has let go.
    pub seen: u64,
    /// Items there were, also those that the window has let go.
    pub items_seen: u64,
    /// Number of the first event in `events`, counted from the first there was.
    first: u64,
    /// Number of the first event under these settings.
    begun: u64,
    /// A healthy frame has come since.
    joined: bool,
    /// A character time of the present settings, in seconds.
    character: f64,
    /// Per direction (Rx, Tx), before which number no byte is left that belongs to no item yet.
    open: [u64; 2],
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
    pub fn new(settings: Settings, line_errors: LineErrors, uncertainty: Span) -> Window {
        Window {
            settings,
            line_errors,
            uncertainty,
            shared: false,
            events: VecDeque::new(),
            items: VecDeque::new(),
            earlier: Vec::new(),
            seen: 0,
            items_seen: 0,
            first: 0,
            begun: 0,
            joined: false,
            character: character(settings),
            open: [0, 0],
        }
    }

    pub fn on_event(&mut self, event: &LineEvent) {
        self.seen += 1;
        self.events.push_back(Heard { event: *event, standing: Standing::Open, item: None });
        if self.events.len() > MOST_EVENTS {
            let oldest = self.events.pop_front().and_then(|heard| heard.item);
            self.first += 1;
            if let Some(oldest) = oldest {
                self.forget_before(oldest);
            }
        }
    }

    /// Items go when their bytes do; `number` is the oldest that is still there in part.
    fn forget_before(&mut self, number: u64) {
        let first = self.items_seen - self.items.len() as u64;
        for _ in first..number {
            self.items.pop_front();
        }
    }

    /// An item that has become certain. Its bytes are the oldest of its direction that belong to none yet.
    pub fn on_item(&mut self, mut item: Item) {
        self.join(&mut item);
        let standing = standing(&item);
        let direction = if self.shared { Direction::Rx } else { item.direction };
        let mut left = item.bytes.len();
        let open = &mut self.open[side(direction)];
        *open = self.first.max(*open);
        let from = usize::try_from(*open - self.first).unwrap_or(usize::MAX).min(self.events.len());
        for heard in self.events.range_mut(from..) {
            if left == 0 {
                break;
            }
            *open += 1;
            if heard.event.direction == direction && heard.event.value().is_some() {
                heard.standing = standing;
                heard.item = Some(self.items_seen);
                left -= 1;
            }
        }
        self.items_seen += 1;
        self.items.push_back(item);
        if self.items.len() > MOST_ITEMS {
            self.items.pop_front();
        }
    }

    /// The frame by which the conversation's place is found is one in its place: whoever listens comes in somewhere.
    fn join(&mut self, item: &mut Item) {
        if let ItemKind::Frame(framed) = &mut item.kind
            && framed.wrong.is_empty()
        {
            if framed.part == Part::Found && !self.joined {
                framed.part = Part::Expected;
            }
            self.joined = true;
        }
    }

    /// The receiver's settings change: what came before is counted, and no longer looked at.
    pub fn on_settings(&mut self, settings: Settings) {
        if settings == self.settings {
            return;
        }
        if !self.events.is_empty() {
            let received = || self.received();
            self.earlier.push(Stretch {
                settings: self.settings,
                bytes: received().count(),
                faults: received().filter(|heard| heard.event.fault.is_some()).count(),
                text: received().filter(|heard| heard.event.value().is_some_and(is_text)).count(),
                healthy: received().filter(|heard| heard.standing == Standing::Frame).count(),
            });
        }
        self.settings = settings;
        self.character = character(settings);
        (self.first, self.begun, self.joined) = (self.seen, self.seen, false);
        self.events.clear();
        self.items.clear();
        self.open = [self.seen; 2];
    }

    /// Without the bytes at its end of which more will tell what they are: half a frame is no evidence of anything.
    pub fn decided(&self) -> Cow<'_, Window> {
        let is_open = |heard: &&Heard| heard.standing == Standing::Open && heard.event.value().is_some();
        let open = self.events.iter().rev().take_while(is_open).count();
        if open == 0 {
            return Cow::Borrowed(self);
        }
        let mut window = self.clone();
        window.events.truncate(self.events.len() - open);
        Cow::Owned(window)
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
        let pieces = || self.items.iter().filter(|item| item.direction == Direction::Rx);
        let spoilt = pieces().filter(|item| standing(item).is_bad()).count();
        self.is_at_a_loss() || spoilt * 2 > pieces().count()
    }

    /// It goes back to where listening began.
    pub fn is_whole(&self) -> bool {
        self.first == self.begun
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

fn character(settings: Settings) -> f64 {
    settings.character_time().as_secs_f64().max(1e-9)
}

fn side(direction: Direction) -> usize {
    match direction {
        Direction::Rx => 0,
        Direction::Tx => 1,
    }
}

fn standing(item: &Item) -> Standing {
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
