//! A bus with its host: what a bystander hears of a host that polls a device.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::line::{Action, Instant, LineEvent, Seen, Settings, Span, Task};
use crate::machine::{Env, Host, Program, Run};

use super::device::DeviceTask;
use super::link::Link;

/// A host that brings its device to readiness, then polls it for ever.
pub(super) struct Poller {
    host: Host,
    every: Span,
    /// When the next run begins, between two of them.
    begins: Option<Instant>,
    begun: Instant,
    /// The first run has not begun.
    is_fresh: bool,
    /// The poll has been played, so that it can be played once more.
    polls: bool,
}

impl Poller {
    pub fn new(program: &Arc<Program>, env: &Env, settings: Settings) -> Option<Poller> {
        let (_, every) = program.table().poll.as_ref()?;
        let every = every.at(settings).max(Span::from_millis(1));
        let greets = program.table().handshake.is_some();
        let run = if greets { Run::Handshake } else { Run::Poll };
        let host = Host::of(program, &run, env, settings).ok()?;
        let begun = Instant::ZERO;
        Some(Poller { host, every, begins: Some(begun), begun, is_fresh: true, polls: !greets })
    }

    fn begin(&mut self) {
        if std::mem::take(&mut self.is_fresh) {
            return;
        }
        self.host.forget_items();
        if self.polls {
            self.host.once_more();
        } else {
            self.polls = self.host.then(&Run::Poll).is_ok();
        }
    }
}

impl Task for Poller {
    fn on_event(&mut self, event: &LineEvent) {
        self.host.on_event(event);
    }

    fn on_time(&mut self, now: Instant) {
        self.host.on_time(now);
        if self.begins.is_some_and(|begins| begins <= now) {
            self.begins = None;
            self.begun = now;
            self.begin();
        }
    }

    fn on_settings(&mut self, now: Instant, settings: Settings) {
        self.host.on_settings(now, settings);
    }

    fn on_refused(&mut self, now: Instant, settings: Settings, reason: &str) {
        self.host.on_refused(now, settings, reason);
    }

    fn next_action(&mut self) -> Option<Action> {
        if self.begins.is_some() {
            return None;
        }
        match self.host.next_action() {
            Some(Action::Done) => {
                self.begins = Some(self.begun + self.every);
                None
            }
            other => other,
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.begins.or_else(|| self.host.deadline())
    }
}

/// Host and device as one sender: everything that passes between them goes out on the line.
pub(super) struct Bus {
    link: Link<'static, Poller, DeviceTask>,
    /// What passed and is not sent yet: when it has to begin, and what.
    passed: VecDeque<(Instant, Action)>,
    settings: Settings,
    now: Instant,
}

impl Bus {
    pub fn new(poller: Poller, device: DeviceTask, settings: Settings) -> Bus {
        let link = Link::new(poller, settings, device, settings);
        Bus { link, passed: VecDeque::new(), settings, now: Instant::ZERO }
    }

    fn catch_up(&mut self) {
        self.link.play(self.now);
        let character = self.settings.character_time();
        for event in self.link.passed() {
            let began = event.at.saturating_sub(character);
            match event.seen {
                Seen::Byte(byte) => self.passed.push_back((began, Action::Send(vec![byte]))),
                Seen::Break => self.passed.push_back((began, Action::Break(character * 2))),
                Seen::Marker => {}
            }
        }
    }
}

impl Task for Bus {
    /// Nobody else speaks on this bus.
    fn on_event(&mut self, _: &LineEvent) {}

    fn on_time(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.catch_up();
    }

    fn on_settings(&mut self, now: Instant, settings: Settings) {
        self.now = self.now.max(now);
        self.settings = settings;
        self.link.set_both(settings);
    }

    fn on_refused(&mut self, _: Instant, _: Settings, _: &str) {}

    fn next_action(&mut self) -> Option<Action> {
        let (began, _) = self.passed.front()?;
        if *began > self.now {
            return None;
        }
        self.passed.pop_front().map(|(_, action)| action)
    }

    fn deadline(&self) -> Option<Instant> {
        let sends = self.passed.front().map(|(began, _)| *began);
        self.link.wakes().into_iter().chain(sends).min()
    }
}
