//! What was heard last, written down as it comes: an event costs a few instructions here, and is only laid beside the items when somebody looks.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::line::{Direction, LineErrors, LineEvent, Seen, Settings, Span};
use crate::machine::{Item, ItemKind, Part};

use super::window::{Heard, Standing, Stretch, Window, is_text};

/// Events that are looked at together.
const MOST_EVENTS: usize = 8192;
/// Items that are looked at together.
const MOST_ITEMS: usize = 4096;
/// So many bytes that are of no item are passed over in search of an item's first byte.
const MOST_PASSED: usize = 1024;

/// The newest part of a conversation, as it is written down.
#[derive(Clone, Debug)]
pub struct Journal {
    settings: Settings,
    line_errors: LineErrors,
    uncertainty: Span,
    shared: bool,
    /// A ring: the event with the number `n` stands at `n` modulo its size.
    events: Vec<LineEvent>,
    items: VecDeque<Arc<Item>>,
    earlier: Vec<Stretch>,
    seen: u64,
    items_seen: u64,
    /// Number of the first event under these settings.
    begun: u64,
    /// A healthy frame has come since.
    joined: bool,
}

impl Journal {
    /// `shared`: both sides come over one wire, so every byte is a received one.
    pub fn new(settings: Settings, line_errors: LineErrors, uncertainty: Span, shared: bool) -> Journal {
        Journal {
            settings,
            line_errors,
            uncertainty,
            shared,
            events: Vec::new(),
            items: VecDeque::new(),
            earlier: Vec::new(),
            seen: 0,
            items_seen: 0,
            begun: 0,
            joined: false,
        }
    }

    pub fn settings(&self) -> Settings {
        self.settings
    }

    #[inline]
    pub fn on_event(&mut self, event: &LineEvent) {
        let place = (self.seen - self.begun) as usize % MOST_EVENTS;
        match self.events.get_mut(place) {
            Some(oldest) => *oldest = *event,
            None => self.events.push(*event),
        }
        self.seen += 1;
    }

    /// An item that has become certain.
    pub fn on_item(&mut self, mut item: Item) -> Arc<Item> {
        self.join(&mut item);
        let item = Arc::new(item);
        self.items.push_back(Arc::clone(&item));
        self.items_seen += 1;
        if self.items.len() > MOST_ITEMS {
            self.items.pop_front();
        }
        // Items go when their bytes have gone.
        if let Some(oldest) = self.events.get(self.oldest()).filter(|_| self.has_let_go()) {
            while self.items.front().is_some_and(|item| item.at < oldest.at) {
                self.items.pop_front();
            }
        }
        item
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
            let window = self.window();
            let received = || window.received();
            self.earlier.push(Stretch {
                settings: self.settings,
                bytes: received().count(),
                faults: received().filter(|heard| heard.event.fault.is_some()).count(),
                text: received().filter(|heard| heard.event.value().is_some_and(is_text)).count(),
                healthy: received().filter(|heard| heard.standing == Standing::Frame).count(),
            });
        }
        self.settings = settings;
        (self.begun, self.joined) = (self.seen, false);
        self.events.clear();
        self.items.clear();
    }

    /// Events under these settings are not there any more.
    fn has_let_go(&self) -> bool {
        self.seen - self.begun > MOST_EVENTS as u64
    }

    /// Where in the ring the oldest event stands.
    fn oldest(&self) -> usize {
        if self.has_let_go() { (self.seen - self.begun) as usize % MOST_EVENTS } else { 0 }
    }

    /// What can be looked at now: each event with what it was understood as.
    pub fn window(&self) -> Window {
        let (newer, older) = self.events.split_at(self.oldest());
        let open = |event: &LineEvent| Heard { event: *event, standing: Standing::Open, item: None };
        let mut events: Vec<Heard> = older.iter().chain(newer).map(open).collect();
        let first = self.items_seen - self.items.len() as u64;
        let mut next = [0; 2];
        for (item, number) in self.items.iter().zip(first..) {
            let direction = if self.shared { Direction::Rx } else { item.direction };
            let next = &mut next[usize::from(direction == Direction::Tx)];
            *next = mark(&mut events, *next, direction, item, number);
        }
        Window {
            settings: self.settings,
            line_errors: self.line_errors,
            uncertainty: self.uncertainty,
            shared: self.shared,
            events: events.into(),
            items: self.items.clone(),
            earlier: self.earlier.clone(),
            seen: self.seen,
            items_seen: self.items_seen,
            is_whole: !self.has_let_go(),
            character: self.settings.character_time().as_secs_f64().max(1e-9),
        }
    }
}

/// Marks the bytes of an item, which are behind those of the items before it. Returns the place behind them.
fn mark(events: &mut [Heard], next: usize, direction: Direction, item: &Item, number: u64) -> usize {
    let Some(&first) = item.bytes.first() else { return next };
    let is_of_side =
        |heard: &Heard| heard.event.direction == direction && matches!(heard.event.seen, Seen::Byte(_));
    // Stray bytes that a table passes over, and an echo, are of no item.
    let begins = |heard: &Heard| heard.event.at >= item.from && heard.event.value() == Some(first);
    let is_cut = events.first().is_none_or(|oldest| item.from < oldest.event.at);
    let passed = events[next..].iter().take(MOST_PASSED).take_while(|heard| heard.event.at <= item.at);
    let begin = passed.clone().position(|heard| is_of_side(heard) && begins(heard)).filter(|_| !is_cut);
    let mut left = item.bytes.len();
    let mut place = next + begin.unwrap_or(0);
    while let Some(heard) = events.get_mut(place).filter(|_| left > 0) {
        if is_cut && heard.event.at > item.at {
            break; // the rest of it is what has gone
        }
        if is_of_side(heard) {
            (heard.standing, heard.item) = (Standing::of(item), Some(number));
            left -= 1;
        }
        place += 1;
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::measure::said;
    use crate::line::{Baud, Format, Instant};

    fn settings() -> Settings {
        Settings::new(Baud::nearest(9600.0), Format::N8)
    }

    fn journal() -> Journal {
        Journal::new(settings(), LineErrors::PerByte, Span::ZERO, false)
    }

    fn at(characters: u32) -> Instant {
        Instant::ZERO + settings().character_time() * characters
    }

    fn frame(from: u32, to: u32, bytes: &[u8]) -> Item {
        said::frame(Direction::Rx, (at(from), at(to)), bytes, Part::Expected)
    }

    fn hear(journal: &mut Journal, from: u32, bytes: &[u8]) {
        for (place, byte) in (from..).zip(bytes) {
            journal.on_event(&LineEvent::byte(at(place), Direction::Rx, *byte));
        }
    }

    /// The numbers of the items that the bytes belong to.
    fn marked(journal: &Journal) -> Vec<Option<u64>> {
        journal.window().events.iter().map(|heard| heard.item).collect()
    }

    #[test]
    fn bytes_that_are_of_no_item_are_not_taken_for_those_of_the_next() {
        let mut journal = journal();
        hear(&mut journal, 0, &[0x00, 0x79, 0x00, 0x31, 0x79]);
        journal.on_item(frame(1, 1, &[0x79]));
        journal.on_item(frame(3, 4, &[0x31, 0x79]));
        assert_eq!(marked(&journal), [None, Some(0), None, Some(1), Some(1)]);
    }

    #[test]
    fn where_a_packet_came_at_once_bytes_are_told_by_what_they_are() {
        let mut journal = journal();
        for byte in [0x00, 0x79, 0x31] {
            journal.on_event(&LineEvent::byte(at(5), Direction::Rx, byte));
        }
        journal.on_item(frame(5, 5, &[0x79, 0x31]));
        assert_eq!(marked(&journal), [None, Some(0), Some(0)]);
    }

    #[test]
    fn where_the_clock_goes_back_bytes_are_those_of_the_next_item() {
        let mut journal = journal();
        hear(&mut journal, 9, &[0x31]);
        hear(&mut journal, 2, &[0x32]);
        journal.on_item(frame(9, 2, &[0x31, 0x32]));
        assert_eq!(marked(&journal), [Some(0), Some(0)]);
    }

    #[test]
    fn of_more_than_it_keeps_the_newest_is_there_in_order() {
        let mut journal = journal();
        let all = 3 * MOST_EVENTS as u32 + 100;
        for number in 0..all / 4 {
            let bytes = number.to_le_bytes();
            hear(&mut journal, 4 * number, &bytes);
            journal.on_item(frame(4 * number, 4 * number + 3, &bytes));
        }
        let window = journal.window();
        assert_eq!((window.events.len(), window.seen, window.is_whole), (MOST_EVENTS, u64::from(all), false));
        assert!(window.events.iter().zip(window.events.range(1..)).all(|(a, b)| a.event.at < b.event.at));
        let kept = window.items_seen - window.items.len() as u64;
        let number = |heard: &Heard| heard.item.is_some_and(|item| item >= kept);
        assert!(window.events.iter().all(number));
        assert_eq!(window.items.len(), MOST_EVENTS / 4);
        assert_eq!(window.events.back().and_then(|heard| heard.item), Some(u64::from(all / 4 - 1)));
    }
}
