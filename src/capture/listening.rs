//! The task of whoever only records: it sends nothing and ends when its time is over.

use crate::line::{Action, Instant, LineEvent, Settings, Span, Task};

/// Listens for so long from its first moment on, or for ever.
#[derive(Clone, Copy, Debug, Default)]
pub struct Listening {
    time: Option<Span>,
    until: Option<Instant>,
    over: bool,
}

impl Listening {
    pub fn lasting(time: Option<Span>) -> Listening {
        Listening { time, ..Listening::default() }
    }
}

impl Task for Listening {
    fn on_event(&mut self, _: &LineEvent) {}

    fn on_time(&mut self, now: Instant) {
        self.until = self.until.or(self.time.map(|time| now + time));
        self.over = self.until.is_some_and(|until| now >= until);
    }

    fn on_settings(&mut self, _: Instant, _: Settings) {}

    fn on_refused(&mut self, _: Instant, _: Settings, _: &str) {}

    fn next_action(&mut self) -> Option<Action> {
        self.over.then_some(Action::Done)
    }

    fn deadline(&self) -> Option<Instant> {
        self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_when_its_time_is_over_and_not_before() {
        let mut task = Listening::lasting(Some(Span::from_secs(2)));
        task.on_time(Instant::from_secs(1.0));
        assert_eq!((task.next_action(), task.deadline()), (None, Some(Instant::from_secs(3.0))));
        task.on_time(Instant::from_secs(3.0));
        assert_eq!(task.next_action(), Some(Action::Done));
    }

    #[test]
    fn without_a_time_it_never_ends() {
        let mut task = Listening::lasting(None);
        task.on_time(Instant::FAR_FUTURE);
        assert_eq!((task.next_action(), task.deadline()), (None, None));
    }
}
