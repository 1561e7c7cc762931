//! The machine's clock, as instants since a capture began.

use crate::line::{Instant, Span};

/// Counts from when it was started; monotonic.
#[derive(Clone, Copy, Debug)]
pub struct Clock(std::time::Instant);

impl Clock {
    pub fn start() -> Clock {
        Clock(std::time::Instant::now())
    }

    pub fn now(self) -> Instant {
        Instant::ZERO + self.0.elapsed()
    }

    /// How long it is until `then`; zero when it has passed.
    pub fn until(self, then: Instant) -> Span {
        then - self.now()
    }

    /// Waits until `then`, however long that is.
    pub fn sleep_until(self, then: Instant) {
        let span = self.until(then);
        if !span.is_zero() {
            std::thread::sleep(span);
        }
    }
}
