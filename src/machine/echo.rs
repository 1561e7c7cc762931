//! One wire for both: what is said is heard back, and is no answer.

use std::collections::VecDeque;

use crate::line::{Instant, Span};

/// Own bytes that are on their way back.
#[derive(Clone, Debug, Default)]
pub(super) struct Echo {
    sent: VecDeque<u8>,
    last: Option<Instant>,
    /// So many of the bytes that were sent last have come back.
    back: usize,
    /// Whether this wire brings own bytes back at all, once that is known.
    comes: Option<bool>,
}

/// An echo that has not come by then does not come: the adapter keeps it to itself.
const LATEST: Span = Span::from_millis(500);

/// So many own bytes in a row are no answer that happens to begin like the question.
const CERTAIN: usize = 3;

impl Echo {
    pub fn expect(&mut self, bytes: &[u8]) {
        self.sent.extend(bytes);
        (self.last, self.back) = (None, 0);
    }

    /// Whether a byte that was heard is the next of the own ones. Another byte ends the echo: somebody answers.
    pub fn takes(&mut self, byte: u8, at: Instant) -> bool {
        let late = self.last.is_some_and(|last| at.since(last) > LATEST);
        if late || self.sent.front() != Some(&byte) {
            if self.back == 0 && !self.sent.is_empty() {
                self.comes = self.comes.or(Some(false));
            }
            self.sent.clear();
            return false;
        }
        self.sent.pop_front();
        self.last = Some(at);
        self.back += 1;
        if self.sent.is_empty() && self.back >= CERTAIN {
            self.comes = Some(true);
        }
        // An answer can begin like its question.
        self.comes != Some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_of_our_own_bytes_is_not_taken_for_a_reply() {
        let mut echo = Echo::default();
        echo.expect(&[0x81, 0x33]);
        let at = Instant::from_secs(1.0);
        assert!(echo.takes(0x81, at));
        assert!(echo.takes(0x33, at));
        assert!(!echo.takes(0x81, at));
    }

    #[test]
    fn an_adapter_that_keeps_the_echo_to_itself_loses_no_reply() {
        let mut echo = Echo::default();
        echo.expect(&[0x81, 0x33]);
        let at = Instant::from_secs(1.0);
        assert!(!echo.takes(0xC1, at));
        assert!(!echo.takes(0x33, at));
    }

    #[test]
    fn an_answer_that_begins_like_its_question_is_whole_where_nothing_comes_back() {
        let mut echo = Echo::default();
        let at = Instant::from_secs(1.0);
        echo.expect(&[0xC1, 0x33, 0xF1]);
        assert!(!echo.takes(0x83, at));
        echo.expect(&[0x81, 0x10, 0xF1]);
        assert!(!echo.takes(0x81, at));
        assert!(!echo.takes(0xF1, at));
    }

    #[test]
    fn one_spoilt_echo_does_not_make_answers_of_the_next_ones() {
        let mut echo = Echo::default();
        let at = Instant::from_secs(1.0);
        let question = [0x81, 0x10, 0xF1];
        echo.expect(&question);
        assert!(question.iter().all(|byte| echo.takes(*byte, at)));
        echo.expect(&question);
        assert!(!echo.takes(0x80, at));
        echo.expect(&question);
        assert!(question.iter().all(|byte| echo.takes(*byte, at)));
    }
}
