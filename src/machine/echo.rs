//! One wire for both: what is said is heard back, and is no answer.

use std::collections::VecDeque;

use crate::line::{Instant, Span};

/// Own bytes that are on their way back.
#[derive(Clone, Debug, Default)]
pub(super) struct Echo {
    sent: VecDeque<u8>,
    last: Option<Instant>,
}

/// An echo that has not come by then does not come: the adapter keeps it to itself.
const LATEST: Span = Span::from_millis(500);

impl Echo {
    pub fn expect(&mut self, bytes: &[u8]) {
        self.sent.extend(bytes);
        self.last = None;
    }

    /// Whether a byte that was heard is the next of the own ones. Another byte ends the echo: somebody answers.
    pub fn takes(&mut self, byte: u8, at: Instant) -> bool {
        let late = self.last.is_some_and(|last| at.since(last) > LATEST);
        if late || self.sent.front() != Some(&byte) {
            self.sent.clear();
            return false;
        }
        self.sent.pop_front();
        self.last = Some(at);
        true
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
}
