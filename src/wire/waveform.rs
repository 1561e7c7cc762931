//! Mark and space over time: the line as a list of edges.

use std::collections::VecDeque;
use std::ops::Not;

/// The level of a line. Which of the two a bit is depends on the polarity of who looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// The resting level of a line that is not inverted; a 1.
    Mark,
    /// A start bit, a 0, a break.
    Space,
}

impl Level {
    /// The level of a bit: 1 is mark.
    pub fn of(bit: bool) -> Level {
        if bit { Level::Mark } else { Level::Space }
    }
}

impl Not for Level {
    type Output = Level;
    fn not(self) -> Level {
        match self {
            Level::Mark => Level::Space,
            Level::Space => Level::Mark,
        }
    }
}

/// A change of level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edge {
    /// Seconds on the capture's clock. Not an [`crate::line::Instant`]: a nanosecond is too coarse for the jitter of a fast line.
    pub secs: f64,
    /// The level that holds from here on.
    pub to: Level,
}

/// A line over time: the level it begins with, and its edges in order, each to the other level.
///
/// It is written at its end and read anywhere; what nobody will look at again can be forgotten, so that a line in virtual time
/// stays small.
#[derive(Clone, Debug, PartialEq)]
pub struct Waveform {
    first: Level,
    edges: VecDeque<Edge>,
}

impl Waveform {
    /// A line that rests at `level`.
    pub fn resting(level: Level) -> Waveform {
        Waveform { first: level, edges: VecDeque::new() }
    }

    /// From `secs` on, and until the next call, the line is at `to`. A time before the last edge counts as that edge's time.
    pub fn push(&mut self, secs: f64, to: Level) {
        if self.last_level() == to {
            return;
        }
        match self.edges.back() {
            // Two edges at one instant are no pulse: the line was never there.
            Some(last) if secs <= last.secs => {
                self.edges.pop_back();
            }
            _ => self.edges.push_back(Edge { secs, to }),
        }
    }

    /// Forces the line to `level` between two times, whatever was there: a glitch, a short, a second driver.
    pub fn force(&mut self, from: f64, until: f64, level: Level) {
        // Written so that a time that is no number forces nothing.
        if !matches!(until.partial_cmp(&from), Some(std::cmp::Ordering::Greater)) {
            return;
        }
        let (before, after) = (self.level_before(from), self.level_at(until));
        let start = self.edges.partition_point(|edge| edge.secs < from);
        let end = self.edges.partition_point(|edge| edge.secs <= until);
        let tail = self.edges.split_off(end);
        self.edges.truncate(start);
        if before != level {
            self.edges.push_back(Edge { secs: from, to: level });
        }
        if after != level {
            self.edges.push_back(Edge { secs: until, to: after });
        }
        self.edges.extend(tail);
    }

    /// Forgets the edges before `secs`, except for the level they lead to.
    pub fn forget_before(&mut self, secs: f64) {
        while let Some(edge) = self.edges.front().filter(|edge| edge.secs < secs) {
            self.first = edge.to;
            self.edges.pop_front();
        }
    }

    /// The level at a time; an edge belongs to what follows it.
    pub fn level_at(&self, secs: f64) -> Level {
        self.level_after(self.edges.partition_point(|edge| edge.secs <= secs))
    }

    /// The first edge to `level` later than `secs`.
    pub fn next_edge_to(&self, level: Level, secs: f64) -> Option<f64> {
        let from = self.edges.partition_point(|edge| edge.secs <= secs);
        self.edges.range(from..).find(|edge| edge.to == level).map(|edge| edge.secs)
    }

    /// All edges that are still known, in order.
    pub fn edges(&self) -> impl Iterator<Item = Edge> + '_ {
        self.edges.iter().copied()
    }

    /// The level behind the last edge.
    pub fn last_level(&self) -> Level {
        self.level_after(self.edges.len())
    }

    fn level_before(&self, secs: f64) -> Level {
        self.level_after(self.edges.partition_point(|edge| edge.secs < secs))
    }

    fn level_after(&self, edges: usize) -> Level {
        edges.checked_sub(1).and_then(|last| self.edges.get(last)).map_or(self.first, |edge| edge.to)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_glitch_leaves_the_line_as_it_was_before_and_after() {
        let mut line = Waveform::resting(Level::Mark);
        line.push(1.0, Level::Space);
        line.push(2.0, Level::Mark);
        line.force(1.5, 2.5, Level::Space);
        assert_eq!(line.edges().map(|e| e.secs).collect::<Vec<_>>(), [1.0, 2.5]);
        line.force(0.2, 0.3, Level::Space);
        assert_eq!(line.level_at(0.25), Level::Space);
        assert_eq!(line.level_at(0.5), Level::Mark);
    }

    #[test]
    fn what_is_forgotten_does_not_change_the_level() {
        let mut line = Waveform::resting(Level::Mark);
        line.push(1.0, Level::Space);
        line.push(2.0, Level::Mark);
        line.forget_before(1.5);
        assert_eq!(line.level_at(1.6), Level::Space);
        assert_eq!(line.edges().count(), 1);
    }

    proptest! {
        #[test]
        fn edges_stay_in_order_and_always_change_the_level(steps in proptest::collection::vec((0.0..10.0f64, 0.0..3.0f64, any::<bool>(), any::<bool>()), 0..40)) {
            let mut line = Waveform::resting(Level::Mark);
            let mut end = 0.0;
            for (at, length, mark, push) in steps {
                if push { end += at; line.push(end, Level::of(mark)); } else { line.force(at, at + length, Level::of(mark)); }
            }
            let mut level = Level::Mark;
            let mut last = f64::NEG_INFINITY;
            for edge in line.edges() {
                prop_assert!(edge.secs > last && edge.to != level, "{line:?}");
                (last, level) = (edge.secs, edge.to);
            }
        }
    }
}
