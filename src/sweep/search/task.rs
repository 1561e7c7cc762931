//! The search as a task: what comes in, when it has to be called, what it wants done.

use crate::line::{
    Action, Baud, Direction, Fault, Format, Instant, LineEvent, STANDARD_BAUDS, Seen, Settings, Task,
};

use super::super::candidates::Word;
use super::super::findings::Listen;
use super::{KEPT, Phase, Search};

impl Task for Search {
    fn on_event(&mut self, event: &LineEvent) {
        self.now = self.now.max(event.at);
        let listening = matches!(self.phase, Phase::Listening | Phase::Staying { .. });
        let Some(session) = self.sessions.last_mut().filter(|s| listening && event.at >= s.listen.from)
        else {
            return;
        };
        if event.direction == Direction::Tx {
            return;
        }
        count(&mut session.listen, event);
        let Some(word) = Word::of(event) else { return };
        if session.words.len() < KEPT {
            session.words.push(word);
            session.events.push(*event);
        }
        match self.phase {
            Phase::Staying { .. } => self.watch(event),
            _ => {
                let settings = session.listen.settings;
                if settings.format == Format::N8 {
                    self.candidates.hear(word);
                }
                self.unweighed += 1;
            }
        }
    }

    fn on_time(&mut self, now: Instant) {
        self.now = self.now.max(now);
        if let Some(session) = self.sessions.last_mut().filter(|_| !matches!(self.phase, Phase::Asked(_))) {
            session.listen.until = self.now;
        }
        if self.begun && !self.is_done() {
            if let Phase::Staying { since: since @ None } = &mut self.phase {
                *since = Some(self.now);
            }
            let stayed = self.stays_until().is_some_and(|until| self.now >= until);
            let over = self.started + self.options.time;
            if stayed || self.now >= over || self.given_up().is_some_and(|at| self.now >= at) {
                self.finish();
            } else if matches!(self.phase, Phase::Listening)
                && self.deadline_of_step().is_some_and(|t| self.now >= t)
            {
                self.after_walk_step();
            }
        }
    }

    fn on_settings(&mut self, now: Instant, settings: Settings) {
        self.now = self.now.max(now);
        match self.phase {
            Phase::Waiting => self.begin(now),
            Phase::Asked(purpose) => self.listen(now, settings, purpose),
            Phase::Listening | Phase::Staying { .. } | Phase::Done => {}
        }
    }

    fn on_refused(&mut self, now: Instant, settings: Settings, reason: &str) {
        self.now = self.now.max(now);
        let Phase::Asked(purpose) = self.phase else { return };
        self.refused.push((settings.baud, reason.into()));
        if self.walk.is_some() {
            return self.step_walk();
        }
        // The next slower standard rate that was not refused; a walk when there are too many.
        let mut next = STANDARD_BAUDS.into_iter().rev().map(|rate| Baud::nearest(f64::from(rate)));
        let next = next.find(|baud| *baud < settings.baud && !self.is_refused(*baud));
        match next {
            Some(baud) if self.refused.len() <= 8 => self.ask(baud, settings.format, purpose),
            _ => self.fall_back(),
        }
    }

    /// What came at once, as packets and reads do, is weighed at once: all of it costs the same time.
    fn next_action(&mut self) -> Option<Action> {
        let unweighed = std::mem::take(&mut self.unweighed);
        if unweighed > 0 && matches!(self.phase, Phase::Listening) {
            self.decide(unweighed);
        }
        self.actions.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        if !self.begun || self.is_done() {
            return None;
        }
        let end = self.started + self.options.time;
        [self.stays_until(), self.deadline_of_step(), self.given_up(), Some(end)].into_iter().flatten().min()
    }
}

fn count(listen: &mut Listen, event: &LineEvent) {
    listen.until = listen.until.max(event.at);
    listen.bytes += usize::from(event.seen != Seen::Marker);
    match event.fault {
        Some(Fault::Framing | Fault::FramingOrParity) => listen.faults.framing += 1,
        Some(Fault::Parity) => listen.faults.parity += 1,
        Some(Fault::Break) => listen.faults.breaks += 1,
        Some(Fault::Overrun) => listen.faults.overrun += 1,
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::{NoProtocols, Options};

    #[test]
    fn what_came_at_once_is_heard_to_its_end() {
        let mut search = Search::new(Options::default(), Box::new(NoProtocols));
        let at = Instant::from_secs;
        search.on_settings(at(0.0), Settings::new(Baud::nearest(9600.0), Format::N8));
        let Some(Action::Set(settings)) = search.next_action() else {
            panic!("it listens at a rate of its choice")
        };
        search.on_settings(at(0.0), settings);
        while search.next_action().is_some() {}
        // Far more than the first few words, after which it goes elsewhere.
        for _ in 0..40 {
            search.on_event(&LineEvent::byte(at(1.0), Direction::Rx, 0));
        }
        assert_eq!(search.findings().listens[0].bytes, 40);
        assert!(matches!(search.next_action(), Some(Action::Set(next)) if next.baud != settings.baud));
    }
}
