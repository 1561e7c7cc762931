//! Instants and spans on a capture's own clock, so that nothing that decides ever reads the wall's.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// A length of time. Humans write it through humantime ("250ms"), bit times come from [`crate::line::Settings`].
pub type Span = std::time::Duration;

/// A point in time on the capture's clock, in whole nanoseconds since the capture began.
///
/// Arithmetic saturates: a capture whose clock jumps must not bring the program down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    pub const ZERO: Instant = Instant(0);
    pub const FAR_FUTURE: Instant = Instant(u64::MAX);

    pub const fn from_nanos(nanos: u64) -> Instant {
        Instant(nanos)
    }

    /// Seconds that are negative, not a number or too large become the nearest instant there is.
    pub fn from_secs(secs: f64) -> Instant {
        Instant((secs * 1e9).round() as u64) // `as` saturates, and turns NaN into 0
    }

    pub const fn nanos(self) -> u64 {
        self.0
    }

    pub fn secs(self) -> f64 {
        self.0 as f64 * 1e-9
    }

    /// The span since `earlier`, zero if `earlier` is the later one.
    pub fn since(self, earlier: Instant) -> Span {
        Span::from_nanos(self.0.saturating_sub(earlier.0))
    }

    pub fn saturating_sub(self, span: Span) -> Instant {
        Instant(self.0.saturating_sub(nanos_of(span)))
    }
}

impl Add<Span> for Instant {
    type Output = Instant;
    fn add(self, span: Span) -> Instant {
        Instant(self.0.saturating_add(nanos_of(span)))
    }
}

impl AddAssign<Span> for Instant {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Sub<Instant> for Instant {
    type Output = Span;
    fn sub(self, earlier: Instant) -> Span {
        self.since(earlier)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6} s", self.secs())
    }
}

fn nanos_of(span: Span) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// A span from a number of seconds; what cannot be a span (negative, not a number) is zero, what is too long is the longest.
pub fn span_from_secs(secs: f64) -> Span {
    if secs.is_nan() || secs <= 0.0 {
        return Span::ZERO;
    }
    Span::try_from_secs_f64(secs).unwrap_or(Span::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_back_gives_an_empty_span() {
        assert_eq!(Instant::from_secs(1.0) - Instant::from_secs(2.0), Span::ZERO);
    }

    #[test]
    fn what_is_not_a_time_becomes_the_nearest_one() {
        assert_eq!(Instant::from_secs(-1.0), Instant::ZERO);
        assert_eq!(Instant::from_secs(f64::NAN), Instant::ZERO);
        assert_eq!(Instant::from_secs(f64::INFINITY), Instant::FAR_FUTURE);
        assert_eq!(span_from_secs(-3.0), Span::ZERO);
        assert_eq!(Instant::FAR_FUTURE + Span::from_secs(1), Instant::FAR_FUTURE);
    }
}
