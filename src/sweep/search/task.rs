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
                self.decide();
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

    fn next_action(&mut self) -> Option<Action> {
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
