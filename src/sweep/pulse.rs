//! A task around the search that pulses DTR and RTS, so that a board that speaks only when it starts is heard.

use std::collections::VecDeque;

use crate::line::{Action, ControlLines, Instant, LineEvent, Settings, Span, Task};

/// Silence after which the lines are pulsed again.
const SILENCE: Span = Span::from_secs(3);

/// What is done to the lines, and how long after the pulse began.
///
/// DTR off and RTS on holds an ESP board in reset without its boot pin; both on lets it run, and is the edge that resets boards with a
/// capacitor at DTR. It ends with both on, as most drivers leave them when a port is opened.
const STEPS: [(Span, ControlLines); 2] = [
    (Span::ZERO, ControlLines { dtr: Some(false), rts: Some(true) }),
    (Span::from_millis(100), ControlLines { dtr: Some(true), rts: Some(true) }),
];

/// Pulses at the start, and whenever the line was silent for a while.
pub struct Pulse<T> {
    inner: T,
    due: VecDeque<(Instant, ControlLines)>,
    now: Instant,
    /// When the next pulse begins; `None` when none is wanted.
    next: Option<Instant>,
    count: usize,
}

impl<T: Task> Pulse<T> {
    /// `wanted` says whether to pulse at all.
    pub fn around(inner: T, wanted: bool) -> Pulse<T> {
        let next = wanted.then_some(Instant::ZERO);
        Pulse { inner, due: VecDeque::new(), now: Instant::ZERO, next, count: 0 }
    }

    pub fn inner(&self) -> &T {
        &self.inner
    }

    pub fn into_inner(self) -> T {
        self.inner
    }

    /// How often it has pulsed.
    pub fn count(&self) -> usize {
        self.count
    }

    fn begin(&mut self) {
        self.due.extend(STEPS.map(|(after, lines)| (self.now + after, lines)));
        self.next = Some(self.now + SILENCE);
        self.count += 1;
    }
}

impl<T: Task> Task for Pulse<T> {
    fn on_event(&mut self, event: &LineEvent) {
        self.next = self.next.map(|_| event.at + SILENCE);
        self.inner.on_event(event);
    }

    fn on_time(&mut self, now: Instant) {
        self.now = self.now.max(now);
        if self.next.is_some_and(|next| self.now >= next) && self.due.is_empty() {
            self.begin();
        }
        self.inner.on_time(now);
    }

    fn on_settings(&mut self, now: Instant, settings: Settings) {
        self.inner.on_settings(now, settings);
    }

    fn on_refused(&mut self, now: Instant, settings: Settings, reason: &str) {
        self.inner.on_refused(now, settings, reason);
    }

    fn next_action(&mut self) -> Option<Action> {
        if self.due.front().is_some_and(|(at, _)| *at <= self.now) {
            return self.due.pop_front().map(|(_, lines)| Action::Lines(lines));
        }
        self.inner.next_action()
    }

    fn deadline(&self) -> Option<Instant> {
        let own = self.due.front().map(|(at, _)| *at);
        let next = self.next.filter(|_| own.is_none());
        [own, next, self.inner.deadline()].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{Baud, Direction, Format};
    use crate::sweep::{NoProtocols, Options, Search};

    fn at(secs: f64) -> Instant {
        Instant::from_secs(secs)
    }

    fn moves(task: &mut impl Task, secs: f64) -> Vec<ControlLines> {
        task.on_time(at(secs));
        let actions = std::iter::from_fn(|| task.next_action());
        actions
            .filter_map(|action| if let Action::Lines(lines) = action { Some(lines) } else { None })
            .collect()
    }

    fn pulsed(wanted: bool) -> Pulse<Search> {
        let mut task = Pulse::around(Search::new(Options::default(), Box::new(NoProtocols)), wanted);
        task.on_settings(at(0.0), Settings::new(Baud::nearest(9600.0), Format::N8));
        task
    }

    #[test]
    fn the_lines_are_pulsed_at_the_start_and_again_when_the_line_has_fallen_silent() {
        let mut task = pulsed(true);
        assert_eq!(moves(&mut task, 0.0), [STEPS[0].1]);
        assert_eq!(task.deadline(), Some(at(0.1)));
        assert_eq!(moves(&mut task, 0.1), [STEPS[1].1]);
        task.on_event(&LineEvent::byte(at(1.0), Direction::Rx, b'U'));
        assert_eq!(moves(&mut task, 3.5), []);
        assert_eq!((moves(&mut task, 4.0), task.count()), (vec![STEPS[0].1], 2));
    }

    #[test]
    fn without_being_asked_it_leaves_the_lines_alone() {
        let mut task = pulsed(false);
        assert_eq!((moves(&mut task, 0.0), moves(&mut task, 9.0), task.count()), (vec![], vec![], 0));
    }
}
