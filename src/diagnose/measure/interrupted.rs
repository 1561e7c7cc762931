//! Replies that are whole, but not on the line at once: what was held back in its middle, and what begins before its driver has the line.

use crate::line::Direction;
use crate::machine::Vocabulary;
use crate::wire::{late_starts, single_pulse_bytes};

use super::super::evidence::Evidence;
use super::super::window::{Heard, Window};
use super::echo::echoes;
use super::replies::{Received, Reply};

/// Replies that are looked at, the newest ones, and beginnings of replies that are known.
const MOST: usize = 48;
const MOST_HEADS: usize = 6;
/// Bytes of a beginning: those behind the first shape what is read of it.
const HEAD: usize = 3;
/// The next byte that is sent follows what came amid a message this soon, in character times.
const AMID: f64 = 3.0;
const XON: u8 = 0x11;
const XOFF: u8 = 0x13;

/// What was found of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interrupted {
    /// Spoilt replies that are whole together with what followed a silence, and those that were tried.
    resumed: (usize, usize),
    /// Silences behind an XOFF or before an XON that belongs to no frame.
    held: usize,
    /// Spoilt replies that begin with what a late driver leaves of a reply's beginning, and all that were looked at.
    late: (usize, usize),
}

impl Interrupted {
    /// `expected` are the beginnings of the replies that were due.
    pub fn of(vocabulary: &Vocabulary, window: &Window, expected: &[Vec<u8>]) -> Interrupted {
        let received = Received::of(window);
        let replies = received.replies();
        let mut interrupted = Interrupted::default();
        interrupted.pauses(vocabulary, window, &replies);
        interrupted.starts(window, &replies, expected);
        interrupted
    }

    fn pauses(&mut self, vocabulary: &Vocabulary, window: &Window, replies: &[Reply<'_>]) {
        let from = (!window.shared).then_some(Direction::Rx);
        // What was sent comes back when it is sent, and goes on with nothing.
        let echo = echoes(window);
        let pairs = replies.windows(2).rev().filter(|pair| {
            let (Some(last), Some(first)) = (pair[0].places.last(), pair[1].places.first()) else {
                return false;
            };
            let sent =
                window.events.range(last + 1..*first).any(|heard| heard.event.direction == Direction::Tx);
            !sent && !pair[0].is_healthy() && !echo[*first]
        });
        for pair in pairs.take(MOST) {
            let (mut before, mut behind) = (pair[0].bytes(), pair[1].bytes());
            let off = before.last() == Some(&XOFF) && !pair[0].ends_healthy();
            let on = behind.first() == Some(&XON) && !pair[1].begins_healthy();
            self.held += usize::from(off || on);
            before.truncate(before.len() - usize::from(off));
            behind.drain(..usize::from(on));
            self.resumed.1 += 1;
            if !before.is_empty() && !behind.is_empty() {
                before.append(&mut behind);
                self.resumed.0 += usize::from(vocabulary.begin_whole(&before, from));
            }
        }
    }

    fn starts(&mut self, window: &Window, replies: &[Reply<'_>], expected: &[Vec<u8>]) {
        let mut heads: Vec<Vec<u8>> = Vec::new();
        let healthy = replies.iter().rev().filter(|reply| reply.is_healthy());
        for head in expected.iter().cloned().chain(healthy.map(Reply::bytes)) {
            let head: Vec<u8> = head.into_iter().take(HEAD).collect();
            if heads.len() < MOST_HEADS && !head.is_empty() && !heads.contains(&head) {
                heads.push(head);
            }
        }
        let mut late = [false; 256];
        for received in heads.iter().flat_map(|head| late_starts(head, window.settings)).flatten() {
            late[usize::from(received.byte)] = true;
        }
        // What any pulse makes as well says nothing.
        single_pulse_bytes().for_each(|byte| late[usize::from(byte)] = false);
        // What comes while we send is nobody's answer.
        let is_amid = |reply: &&Reply<'_>| {
            let Some(last) = reply.places.last() else { return false };
            let next = window.events.get(last + 1).filter(|next| next.event.direction == Direction::Tx);
            let gap = |next: &Heard| window.characters(next.event.at - window.events[*last].event.at);
            next.is_some_and(|next| gap(next) < AMID)
        };
        let spoilt = replies.iter().rev().filter(|reply| !reply.begins_healthy() && !is_amid(reply));
        for reply in spoilt.take(MOST) {
            let first = reply.bytes().first().copied().unwrap_or(0);
            self.late.0 += usize::from(late[usize::from(first)]);
            self.late.1 += 1;
        }
    }
}

pub fn measure(interrupted: &Interrupted, evidence: &mut Evidence) {
    evidence.share("replies-resumed", interrupted.resumed.0, interrupted.resumed.1);
    evidence.count("held-back", interrupted.held);
    evidence.share("late-starts", interrupted.late.0, interrupted.late.1);
    evidence.count("late-starts-count", interrupted.late.0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::Journal;
    use crate::diagnose::measure::said;
    use crate::line::{Baud, Instant, LineErrors, LineEvent, Settings, Span};
    use crate::machine::meter::{READING, meter};
    use std::sync::Arc;

    /// What is found where these are said, with silence before each.
    fn found(said: &[(Direction, &[u8])], expected: &[Vec<u8>]) -> Interrupted {
        let program = Arc::new(meter());
        let window = said::window(program.table().line.format, said, |_, _, _| false);
        Interrupted::of(&Vocabulary::of(&program), &window, expected)
    }

    #[test]
    fn a_reply_that_was_held_back_is_whole_with_what_came_later() {
        let before = [&READING[..3], &[XOFF]].concat();
        let behind = [&[XON], &READING[3..]].concat();
        let said = [(Direction::Rx, &before[..]), (Direction::Rx, &behind[..])];
        assert_eq!(found(&said, &[]), Interrupted { resumed: (1, 1), held: 1, late: (0, 2) });
        let asked = [said[0], (Direction::Tx, &[0x3F][..]), said[1]];
        assert_eq!(found(&asked, &[]).resumed, (0, 0));
    }

    #[test]
    fn what_comes_amid_a_message_is_no_answer_that_began_late() {
        let program = Arc::new(meter());
        let settings = Settings::new(Baud::nearest(9600.0), program.table().line.format);
        let mut journal = Journal::new(settings, LineErrors::PerByte, Span::ZERO, false);
        let mut now = Instant::ZERO;
        for byte in [0x3F, 0x3F, 0x3F] {
            now += settings.character_time();
            journal.on_event(&LineEvent::byte(now, Direction::Tx, byte));
            journal.on_event(&LineEvent::byte(now + Span::from_micros(100), Direction::Rx, 0xDE));
        }
        let found = Interrupted::of(&Vocabulary::of(&program), &journal.window(), &[vec![0x79]]);
        assert_eq!(found.late, (1, 1));
    }

    #[test]
    fn what_a_late_driver_leaves_of_the_expected_byte_is_known() {
        let said: [(Direction, &[u8]); 2] = [(Direction::Rx, &[0xDE]), (Direction::Rx, &[0x59])];
        assert_eq!(found(&said, &[vec![0x79]]).late, (1, 2));
    }
}
