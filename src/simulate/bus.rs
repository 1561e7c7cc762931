//! A bus with its host: what a bystander hears of a host that polls a device.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::line::{Action, Instant, LineEvent, Seen, Settings, Span, Task};
use crate::machine::{Env, Host, Program, Run};

use super::device::DeviceTask;
use super::link::Link;

/// A host that begins its run again and again.
pub(super) struct Poller {
    program: Arc<Program>,
    env: Env,
    settings: Settings,
    every: Span,
    /// `None` between two runs.
    host: Option<Host>,
    begins: Instant,
    /// The first run brings the device to readiness.
    greets: bool,
}

impl Poller {
    pub fn new(program: &Arc<Program>, env: &Env, settings: Settings) -> Option<Poller> {
        let (_, every) = program.table().poll.as_ref()?;
        let every = every.at(settings).max(Span::from_millis(1));
        let greets = program.table().handshake.is_some();
        Some(Poller {
            program: Arc::clone(program),
            env: env.clone(),
            settings,
            every,
            host: None,
            begins: Instant::ZERO + Span::from_millis(20),
            greets,
        })
    }

    fn begin(&mut self, now: Instant) {
        let run = if std::mem::take(&mut self.greets) { Run::Handshake } else { Run::Poll };
        self.begins = now + self.every;
        let host = Host::of(&self.program, &run, &self.env, self.settings);
        self.host = host.ok().map(|mut host| {
            host.on_time(now);
            host
        });
    }
}

impl Task for Poller {
    fn on_event(&mut self, event: &LineEvent) {
        if let Some(host) = &mut self.host {
            host.on_event(event);
        }
    }

    fn on_time(&mut self, now: Instant) {
        match &mut self.host {
            Some(host) => host.on_time(now),
            None if now >= self.begins => self.begin(now),
            None => {}
        }
    }

    fn on_settings(&mut self, now: Instant, settings: Settings) {
        self.settings = settings;
        if let Some(host) = &mut self.host {
            host.on_settings(now, settings);
        }
    }

    fn on_refused(&mut self, now: Instant, settings: Settings, reason: &str) {
        if let Some(host) = &mut self.host {
            host.on_refused(now, settings, reason);
        }
    }

    fn next_action(&mut self) -> Option<Action> {
        match self.host.as_mut()?.next_action() {
            Some(Action::Done) => {
                self.host = None;
                None
            }
            other => other,
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.host {
            Some(host) => host.deadline(),
            None => Some(self.begins),
        }
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
        while let Some(next) = self.link.wakes().filter(|next| *next <= self.now) {
            self.link.advance(next);
        }
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
