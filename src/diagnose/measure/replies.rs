//! What became of the replies: a spoilt one is laid beside a healthy one of the same conversation, and it is seen what was changed, lost or
//! added.

use crate::line::{Direction, LineErrors, Seen, Span};
use crate::wire::single_pulse_bytes;

use super::super::evidence::Evidence;
use super::super::window::{Heard, Window};
use super::text::is_all_text;

/// Silence that ends a reply, in character times: longer than the hole that a few lost characters leave.
const GAP: f64 = 10.0;
/// A hole in time inside a reply, in character times from one byte to the next.
const HOLE: f64 = 1.75;
/// Spoilt replies and healthy ones that are laid side by side, and bytes of each.
const MOST_SPOILT: usize = 48;
const MOST_HEALTHY: usize = 16;
const MOST_BYTES: usize = 320;
/// Healthy replies that are compared with each other.
const MOST_COMPARED: usize = 64;
/// One byte in so many may differ beside what was lost or added: counters and checksums do.
const ALIKE: usize = 5;

/// Everything that was received, and where replies end.
pub(super) struct Received<'a> {
    heard: Vec<&'a Heard>,
    places: Vec<usize>,
    ends: Vec<usize>,
}

/// Received bytes without a silence or a byte sent between them.
#[derive(Clone, Copy)]
pub(super) struct Reply<'a> {
    heard: &'a [&'a Heard],
    /// Their places in the window.
    pub(super) places: &'a [usize],
    is_healthy: bool,
}

impl<'a> Received<'a> {
    pub(super) fn of(window: &'a Window) -> Received<'a> {
        let mut received = Received { heard: Vec::new(), places: Vec::new(), ends: Vec::new() };
        let character = window.characters(Span::from_secs(1)).recip();
        let mut joins = false;
        for (place, heard) in window.events.iter().enumerate() {
            if heard.event.direction == Direction::Tx || heard.event.seen == Seen::Marker {
                joins = joins && heard.event.seen == Seen::Marker;
                continue;
            }
            let near = |before: &&Heard| {
                let gap = (heard.event.at - before.event.at).saturating_sub(window.uncertainty);
                gap.as_secs_f64() < GAP * character
            };
            let goes_on = joins && received.heard.last().is_some_and(near);
            if !goes_on && !received.heard.is_empty() {
                received.ends.push(received.heard.len());
            }
            received.heard.push(heard);
            received.places.push(place);
            joins = true;
        }
        if !received.heard.is_empty() {
            received.ends.push(received.heard.len());
        }
        received
    }

    pub(super) fn replies(&self) -> Vec<Reply<'_>> {
        let mut from = 0;
        let reply = |end: &usize| {
            let range = std::mem::replace(&mut from, *end)..*end;
            let (heard, places) = (&self.heard[range.clone()], &self.places[range]);
            Reply { heard, places, is_healthy: heard.iter().all(|heard| heard.standing.is_healthy()) }
        };
        self.ends.iter().map(reply).collect()
    }
}

impl Reply<'_> {
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.heard.iter().take(MOST_BYTES).map(|heard| heard.event.value().unwrap_or(0)).collect()
    }

    pub(super) fn is_healthy(&self) -> bool {
        self.is_healthy
    }

    pub(super) fn begins_healthy(&self) -> bool {
        self.heard.first().is_some_and(|heard| heard.standing.is_healthy())
    }

    pub(super) fn ends_healthy(&self) -> bool {
        self.heard.last().is_some_and(|heard| heard.standing.is_healthy())
    }

    fn is_flagged(&self) -> bool {
        self.heard.iter().any(|heard| heard.event.fault.is_some())
    }

    /// The longest time from one byte to the next.
    fn hole(&self) -> Span {
        let gaps = self.heard.windows(2).map(|pair| pair[1].event.at - pair[0].event.at);
        gaps.max().unwrap_or(Span::ZERO)
    }

    fn stands_alone(&self) -> bool {
        self.heard.len() == 1
    }
}

pub fn measure(window: &Window, evidence: &mut Evidence) {
    let received = Received::of(window);
    let replies = received.replies();
    let (healthy, spoilt): (Vec<&Reply<'_>>, Vec<&Reply<'_>>) =
        replies.iter().partition(|reply| reply.is_healthy());
    evidence.share("replies-healthy", healthy.len(), replies.len());
    // What is written in place of a reply is no reply that was spoilt.
    let texts = spoilt.iter().filter(|reply| is_all_text(&reply.bytes())).count();
    evidence.count("replies-spoilt", spoilt.len() - texts);
    let flagged = |of: &[&Reply<'_>]| of.iter().filter(|reply| reply.is_flagged()).count();
    evidence.share("spoilt-flagged", flagged(&spoilt), spoilt.len());
    evidence.count("spoilt-quietly", spoilt.len() - flagged(&spoilt));
    evidence.share("healthy-flagged", flagged(&healthy), healthy.len());
    lone(window, &spoilt, evidence);
    let exact = window.uncertainty < window.settings.character_time();
    let hole = |reply: &&&Reply<'_>| exact && window.characters(reply.hole()) > HOLE;
    evidence.share("spoilt-with-hole", spoilt.iter().filter(hole).count(), spoilt.len());
    evidence.share("healthy-with-hole", healthy.iter().filter(hole).count(), healthy.len());
    compared(&healthy, &spoilt, evidence);
}

/// The newest spoilt replies, at most so many bytes in all: what was heard, and how much of it with a line error.
pub fn spoilt(window: &Window, most: usize) -> Vec<(Vec<u8>, usize)> {
    let received = Received::of(window);
    let replies = received.replies();
    let spoilt = replies.iter().rev().filter(|reply| !reply.is_healthy()).take(MOST_SPOILT);
    let mut left = most;
    let flagged = |reply: &Reply<'_>| reply.heard.iter().filter(|heard| heard.event.fault.is_some()).count();
    let taken = spoilt.map(|reply| (reply.bytes(), flagged(reply))).take_while(|(bytes, _)| {
        let fits = bytes.len() <= left;
        left = left.saturating_sub(bytes.len());
        fits
    });
    taken.collect()
}

/// Single bytes in silence that belong to nothing: what one pulse makes, a line held low, and others.
fn lone(window: &Window, spoilt: &[&Reply<'_>], evidence: &mut Evidence) {
    let alone = || spoilt.iter().filter(|reply| reply.stands_alone());
    let lone = || alone().map(|reply| reply.heard[0]);
    // A zero is a line held low, where a fault says so and where nothing could: a pulse would have to end right before the stop bit.
    let mute = matches!(window.line_errors, LineErrors::Never | LineErrors::Counter);
    let pulse = |heard: &&Heard| {
        let held = heard.event.value() == Some(0) && (mute || heard.event.fault.is_some());
        !held && heard.event.value().is_some_and(|byte| single_pulse_bytes().any(|one| one == byte))
    };
    let zero = |heard: &&Heard| heard.event.value().unwrap_or(0) == 0;
    evidence.count("lone-pulses", lone().filter(pulse).count());
    evidence.count("lone-zeros", lone().filter(zero).count());
    let at_turn = |reply: &&&Reply<'_>| pulse(&reply.heard[0]) && follows_a_turn(window, reply.places[0]);
    evidence.count("pulses-at-turns", alone().filter(at_turn).count());
    evidence.count("pulses-elsewhere", lone().filter(pulse).count() - alone().filter(at_turn).count());
    evidence.count("lone-others", lone().filter(|heard| !pulse(heard) && !zero(heard)).count());
}

/// What comes this soon behind a byte that was sent comes with the turn of the line, in character times.
const SOON: f64 = 4.5;

/// Whoever sends another byte this soon was sending all the time, in character times.
const ON: f64 = 1.5;

/// The last thing on the line was sent, not long ago, and nothing more was on its way.
pub fn follows_a_turn(window: &Window, place: usize) -> bool {
    let Some(before) = place.checked_sub(1).and_then(|before| window.events.get(before)) else {
        return false;
    };
    let at = window.events[place].event.at;
    let soon = |heard: &&Heard| window.characters(heard.event.at - at) < ON;
    let goes_on = || {
        let mut behind = window.events.iter().skip(place + 1).take_while(soon);
        behind.any(|heard| heard.event.direction == Direction::Tx)
    };
    before.event.direction == Direction::Tx && window.characters(at - before.event.at) < SOON && !goes_on()
}

/// Which events of the window stand alone in silence, and are what one pulse makes.
pub fn lone_pulses(window: &Window) -> Vec<bool> {
    let mut found = vec![false; window.events.len()];
    let received = Received::of(window);
    for reply in received.replies().iter().filter(|reply| reply.stands_alone() && !reply.is_healthy()) {
        let byte = reply.heard[0].event.value();
        found[reply.places[0]] = byte.is_some_and(|byte| single_pulse_bytes().any(|one| one == byte));
    }
    found
}

/// What happened to a spoilt reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// It is a healthy one, byte for byte: only its place is wrong.
    Moved,
    /// So many bytes are others, the length is right.
    Changed(usize),
    /// The end is missing.
    Cut,
    /// Bytes are missing inside.
    Hole,
    /// The beginning is missing.
    Headless,
    /// Bytes were added before, behind and inside.
    Before,
    Behind,
    Inside,
    Unlike,
}

/// Different healthy replies, newest first.
fn siblings(healthy: &[&Reply<'_>]) -> Vec<Vec<u8>> {
    let mut siblings: Vec<Vec<u8>> = Vec::new();
    for reply in healthy.iter().rev() {
        let bytes = reply.bytes();
        if bytes.len() > 2 && siblings.len() < MOST_HEALTHY && !siblings.contains(&bytes) {
            siblings.push(bytes);
        }
    }
    siblings
}

fn compared(healthy: &[&Reply<'_>], spoilt: &[&Reply<'_>], evidence: &mut Evidence) {
    let siblings = siblings(healthy);
    let several: Vec<Vec<u8>> = spoilt
        .iter()
        .filter(|reply| reply.heard.len() > 1)
        .take(MOST_SPOILT)
        .map(|reply| reply.bytes())
        .collect();
    let laid: Vec<Option<Laid>> = several.iter().map(|bytes| nearest(bytes, &siblings)).collect();
    let of = |wanted: fn(Change) -> bool| {
        laid.iter().filter(|laid| wanted(laid.map_or(Change::Unlike, |laid| laid.change))).count()
    };
    let all = laid.len();
    evidence.share("run-moved", of(|c| c == Change::Moved), all);
    evidence.share("run-changed", of(|c| matches!(c, Change::Changed(_))), all);
    evidence.share("run-changed-little", of(|c| matches!(c, Change::Changed(1 | 2))), all);
    evidence.share("run-cut", of(|c| c == Change::Cut), all);
    evidence.share("run-hole", of(|c| c == Change::Hole), all);
    evidence.share("run-headless", of(|c| c == Change::Headless), all);
    evidence.share("run-before", of(|c| c == Change::Before), all);
    evidence.share("run-behind", of(|c| c == Change::Behind), all);
    evidence.share("run-inside", of(|c| c == Change::Inside), all);
    evidence.share("run-unlike", of(|c| c == Change::Unlike), all);
    evidence.count("runs-changed", of(|c| matches!(c, Change::Changed(_))));
    evidence.count("runs-cut", of(|c| c == Change::Cut));
    evidence.count("runs-hole", of(|c| c == Change::Hole));
    evidence.count("runs-added", of(|c| matches!(c, Change::Before | Change::Behind | Change::Inside)));
    pulses(&several, &siblings, &laid, evidence);
    nearly_same(healthy, evidence);
}

/// Healthy replies that are one or two bits away from another that came several times: without a checksum, nothing else tells.
fn nearly_same(healthy: &[&Reply<'_>], evidence: &mut Evidence) {
    let mut known: Vec<(Vec<u8>, usize)> = Vec::new();
    for reply in healthy.iter().rev().take(MOST_COMPARED) {
        let bytes = reply.bytes();
        match known.iter_mut().find(|(other, _)| *other == bytes) {
            Some((_, count)) => *count += 1,
            None => known.push((bytes, 1)),
        }
    }
    let bits = |a: &[u8], b: &[u8]| a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>();
    let off = |(bytes, count): &&(Vec<u8>, usize)| {
        let near = |(other, often): &(Vec<u8>, usize)| {
            *often > 1 && other.len() == bytes.len() && (1..=2).contains(&bits(other, bytes))
        };
        *count == 1 && bytes.len() > 2 && known.iter().any(near)
    };
    evidence.count("healthy-off-by-bits", known.iter().filter(off).count());
}

/// What a received byte is beside the healthy reply that its own is most like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    Same,
    Other,
    Added,
    /// There is no healthy reply to lay it beside.
    Unlike,
}

/// For each event of the window that stands in a spoilt reply, what it is beside a healthy one.
pub fn beside(window: &Window) -> Vec<Option<Beside>> {
    let mut found = vec![None; window.events.len()];
    let received = Received::of(window);
    let replies = received.replies();
    let (healthy, spoilt): (Vec<&Reply<'_>>, Vec<&Reply<'_>>) =
        replies.iter().partition(|reply| reply.is_healthy());
    let siblings = siblings(&healthy);
    for (number, reply) in spoilt.into_iter().enumerate() {
        let bytes = reply.bytes();
        let laid = (number < MOST_SPOILT && bytes.len() > 1).then(|| nearest(&bytes, &siblings)).flatten();
        for (at, place) in reply.places.iter().enumerate() {
            found[*place] = Some(match laid {
                Some(laid) if at < bytes.len() => laid.of(at, bytes[at], &siblings[laid.sibling]),
                _ => Beside::Unlike,
            });
        }
    }
    found
}

/// How a spoilt reply lies beside a healthy one.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Laid {
    change: Change,
    /// The first so many bytes lie side by side; what is behind them lies side by side from the end.
    split: usize,
    /// So many bytes were lost or added there.
    off: usize,
    longer: bool,
    sibling: usize,
}

impl Laid {
    fn of(self, at: usize, byte: u8, sibling: &[u8]) -> Beside {
        let twin = match (at < self.split, self.longer) {
            (true, _) => sibling.get(at),
            (false, true) if at < self.split + self.off => return Beside::Added,
            (false, true) => sibling.get(at - self.off),
            (false, false) => sibling.get(at + self.off),
        };
        if twin == Some(&byte) { Beside::Same } else { Beside::Other }
    }
}

/// The sibling from which least was changed.
fn nearest(bytes: &[u8], siblings: &[Vec<u8>]) -> Option<Laid> {
    let laid = siblings.iter().enumerate().filter_map(|(sibling, healthy)| {
        let (cost, laid) = lay(bytes, healthy)?;
        Some((cost, Laid { sibling, ..laid }))
    });
    laid.min_by_key(|(cost, _)| *cost).map(|(_, laid)| laid)
}

/// How the bytes come from those of a healthy reply, and what that costs: bytes that differ, and a little for what is lost or added.
fn lay(bytes: &[u8], sibling: &[u8]) -> Option<(usize, Laid)> {
    let short = bytes.len().min(sibling.len());
    let differ = |a: &[u8], b: &[u8]| a.iter().zip(b).filter(|(a, b)| a != b).count();
    if bytes.len() == sibling.len() {
        let count = differ(bytes, sibling);
        let like = count * ALIKE / 2 <= short.max(ALIKE);
        let change = if count == 0 { Change::Moved } else { Change::Changed(count) };
        return like.then_some((4 * count, Laid { change, split: short, off: 0, longer: false, sibling: 0 }));
    }
    let (long, other) = if bytes.len() < sibling.len() { (sibling, bytes) } else { (bytes, sibling) };
    let off = long.len() - short;
    // The first `split` bytes lie side by side, and what is behind them lies side by side from the end.
    let mut behind = differ(&long[off..], other);
    let mut before = 0;
    let mut least = (behind, 0);
    for place in 0..short {
        before += usize::from(long[place] != other[place]);
        behind -= usize::from(long[place + off] != other[place]);
        if before + behind < least.0 || (before + behind == least.0 && place + 1 == short) {
            least = (before + behind, place + 1);
        }
    }
    let (cost, split) = least;
    if cost * ALIKE > short {
        return None;
    }
    let change = match (bytes.len() < sibling.len(), split) {
        (true, split) if split == short => Change::Cut,
        (true, 0) => Change::Headless,
        (true, _) => Change::Hole,
        (false, 0) => Change::Before,
        (false, split) if split == short => Change::Behind,
        (false, _) => Change::Inside,
    };
    let longer = bytes.len() > sibling.len();
    Some((4 * cost + 3 + off / 4, Laid { change, split, off, longer, sibling: 0 }))
}

/// Of the bytes that are others, how many one pulse could have changed: neighbouring bits, all to one level.
fn pulses(several: &[Vec<u8>], siblings: &[Vec<u8>], laid: &[Option<Laid>], evidence: &mut Evidence) {
    let (mut all, mut pulse, mut cleared, mut single) = (0, 0, 0, 0);
    for (bytes, laid) in several.iter().zip(laid) {
        let Some(laid) = laid.filter(|laid| matches!(laid.change, Change::Changed(1..=4))) else { continue };
        let Some(sibling) = siblings.get(laid.sibling) else { continue };
        for (is, was) in bytes.iter().zip(sibling).filter(|(is, was)| is != was) {
            let changed = is ^ was;
            all += 1;
            single += usize::from(changed.is_power_of_two());
            let run = changed >> changed.trailing_zeros();
            let one_level = is & changed == 0 || is & changed == changed;
            pulse += usize::from(one_level && run & run.wrapping_add(1) == 0);
            cleared += usize::from(is & changed == 0);
        }
    }
    evidence.share("changed-by-pulse", pulse, all);
    evidence.share("changed-to-space", cleared, all);
    evidence.share("changed-one-bit", single, all);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::Journal;
    use crate::line::{Baud, Format, Instant, LineEvent, Settings};

    const REPLY: [u8; 10] = [0x10, 0x21, 0x32, 0x43, 0x54, 0x65, 0x76, 0x87, 0x98, 0xA9];

    fn kind(bytes: &[u8]) -> Option<Change> {
        lay(bytes, &REPLY).map(|(_, laid)| laid.change)
    }

    #[test]
    fn what_was_lost_from_a_reply_is_seen_where_it_was_lost() {
        assert_eq!(kind(&REPLY[..6]), Some(Change::Cut));
        assert_eq!(kind(&REPLY[3..]), Some(Change::Headless));
        assert_eq!(kind(&[&REPLY[..4], &REPLY[6..]].concat()), Some(Change::Hole));
    }

    #[test]
    fn what_was_added_to_a_reply_is_seen_where_it_was_added() {
        assert_eq!(kind(&[&[0xFF], &REPLY[..]].concat()), Some(Change::Before));
        assert_eq!(kind(&[&REPLY[..], &[0xFE]].concat()), Some(Change::Behind));
        assert_eq!(kind(&[&REPLY[..5], &[0x13], &REPLY[5..]].concat()), Some(Change::Inside));
    }

    #[test]
    fn each_byte_of_a_reply_is_told_from_what_was_added_to_it() {
        let with_noise = [&REPLY[..5], &[0x13], &REPLY[5..]].concat();
        let (_, laid) = lay(&with_noise, &REPLY).expect("alike");
        let of = |at: usize| laid.of(at, with_noise[at], &REPLY);
        assert_eq!((of(4), of(5), of(6)), (Beside::Same, Beside::Added, Beside::Same));
    }

    #[test]
    fn a_changed_byte_is_one_and_other_bytes_are_another_reply() {
        let mut changed = REPLY;
        changed[4] ^= 4;
        assert_eq!(kind(&changed), Some(Change::Changed(1)));
        assert_eq!(kind(&[0x5A; 9]), None);
    }

    #[test]
    fn the_line_turns_behind_the_last_byte_that_was_sent() {
        let settings = Settings::new(Baud::nearest(9600.0), Format::N8);
        let mut journal = Journal::new(settings, LineErrors::PerByte, Span::ZERO, false);
        // A pulse while a question goes out, and one behind it.
        let said = [
            (1, Direction::Tx),
            (2, Direction::Tx),
            (3, Direction::Rx),
            (3, Direction::Tx),
            (5, Direction::Rx),
        ];
        for (characters, direction) in said {
            let at = Instant::ZERO + settings.character_time() * characters;
            journal.on_event(&LineEvent::byte(at, direction, 0xFF));
        }
        let window = journal.window();
        assert!(!follows_a_turn(&window, 2));
        assert!(follows_a_turn(&window, 4));
    }
}
