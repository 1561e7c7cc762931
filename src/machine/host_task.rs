//! The host as a task: what it does with events, with time, and what it wants done.

use crate::line::{Action, Direction, Instant, LineEvent, Seen, Settings, Task};

use super::foresight::Ahead;
use super::host::{Ending, Host, Turn};
use super::item::ItemKind;
use super::waiting::Closing;

impl Task for Host {
    fn on_event(&mut self, event: &LineEvent) {
        self.on_time(event.at);
        if event.direction != Direction::Rx || self.turn == Turn::Over {
            return;
        }
        match event.seen {
            Seen::Byte(byte) => {
                if self.echo.as_mut().is_some_and(|echo| echo.takes(byte, event.at)) {
                    return;
                }
                self.result.heard += 1;
                if event.at < self.deaf_until {
                    return;
                }
                self.heap.push(byte, event.at, event.fault);
                if self.heap.is_enough() {
                    self.listen(Closing::No);
                }
            }
            Seen::Break => self.tell(event.at, event.at, Direction::Rx, Vec::new().into(), ItemKind::Break),
            Seen::Marker => {}
        }
    }

    fn on_time(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.outbox.on_time(self.now);
        let Turn::Device { window, since, soft } = self.turn else { return };
        if !self.heap.is_empty() {
            let mut closing = self.heap.closing(self.now);
            // A device that never pauses must still come to its answer.
            let overdue = |from: Option<Instant>| from.is_some_and(|from| self.now.since(from) > window);
            if overdue(since) && overdue(self.heap.since()) {
                closing = Closing::Yes;
            }
            if closing == Closing::Yes || closing == Closing::Gap && !self.heap.gap_is_known() {
                self.listen(closing);
            }
            return;
        }
        if let Some((bytes, every, due)) = self.repeating.clone()
            && due <= self.now
        {
            self.repeating = Some((bytes.clone(), every, self.now + every));
            self.send(&bytes);
        }
        if matches!(self.ahead, Ahead::Due) && since.is_some_and(|since| self.now >= since) {
            self.ahead = self.foresee().map_or(Ahead::Nothing, Ahead::Answer);
        }
        if let Some(since) = since.filter(|since| self.now >= *since + window) {
            self.silence(since, soft);
        }
    }

    fn on_settings(&mut self, now: Instant, settings: Settings) {
        self.on_time(now);
        if self.keyed.is_none() {
            self.settings = Settings { baud: settings.baud, format: settings.format, ..self.settings };
            self.heap.at(self.settings);
        }
    }

    fn on_refused(&mut self, now: Instant, settings: Settings, reason: &str) {
        self.on_time(now);
        if self.turn != Turn::Over {
            self.end(Ending::Failed(format!("the port refuses {settings}: {reason}")));
        }
    }

    fn next_action(&mut self) -> Option<Action> {
        loop {
            if let Some(action) = self.outbox.next(self.settings) {
                return Some(action);
            }
            if !self.outbox.is_empty() {
                return None;
            }
            match &mut self.turn {
                Turn::Own => self.go_on(),
                Turn::Device { since, .. } => {
                    since.get_or_insert(self.outbox.free_at().max(self.now));
                    return None;
                }
                Turn::Over => return None,
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        if let Some(deadline) = self.outbox.deadline() {
            return Some(deadline);
        }
        let Turn::Device { window, since, .. } = self.turn else { return None };
        let looks_ahead = matches!(self.ahead, Ahead::Due) && self.heap.is_empty();
        let until = if looks_ahead { since? } else { since? + window };
        let quiet = self.heap.deadline();
        let repeat = self.repeating.as_ref().map(|(_, _, due)| *due);
        match quiet {
            Some(quiet) => Some(quiet),
            None => Some(repeat.map_or(until, |due| due.min(until))),
        }
    }
}
