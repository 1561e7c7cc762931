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

/// When each of so many characters was in that one read brought: the last of them by now, the others before it at the pace of the line,
/// and none before what an earlier read brought.
pub fn times_in(
    count: usize,
    now: Instant,
    character: Span,
    earlier: Instant,
) -> impl Iterator<Item = Instant> {
    (0..count).rev().map(move |behind| {
        let behind = character.saturating_mul(u32::try_from(behind).unwrap_or(u32::MAX));
        now.saturating_sub(behind).max(earlier)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_of_one_read_came_at_the_pace_of_the_line_but_not_before_the_last_read() {
        let at = |millis: u64| Instant::ZERO + Span::from_millis(millis);
        let times: Vec<Instant> = times_in(4, at(100), Span::from_millis(10), at(85)).collect();
        assert_eq!(times, [at(85), at(85), at(90), at(100)]);
    }
}
