//! A task that reads along: by a protocol where one is named or recognised, and as bare bytes until then.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::line::{Action, Instant, LineEvent, Settings, Span, Task};
use crate::machine::{Env, Item, Observer, Program, Sides};

use super::recognise::{Recognised, Recogniser};

/// Events that are kept until a protocol is recognised.
const MOST_KEPT: usize = 4096;
/// A line of bare bytes is no longer than this.
const LONGEST_LINE: usize = 4096;
/// Silence that ends a line of bare bytes, in characters.
const GAP: f64 = 20.0;
/// A protocol that the user names is followed after so many events, even if it has not explained any yet.
const PATIENCE: usize = 64;

/// What was understood, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Followed {
    /// From here on this protocol is followed.
    Recognised(String),
    Item(Item),
    /// Bytes that came one after the other, while no protocol is known.
    Bytes(Vec<LineEvent>),
}

/// Reads along until its time is over.
pub struct Follow {
    mode: Mode,
    /// The protocol was named: there is nothing to recognise, but it is to be seen which sides are heard.
    named: Option<Env>,
    settings: Option<Settings>,
    time: Option<Span>,
    until: Option<Instant>,
    now: Instant,
    ready: VecDeque<Followed>,
}

enum Mode {
    /// Before the settings are known.
    Waiting(Vec<Arc<Program>>),
    Listening {
        recogniser: Recogniser,
        kept: VecDeque<LineEvent>,
        line: Vec<LineEvent>,
    },
    Following(Observer),
}

impl Follow {
    /// Follows one protocol.
    pub fn protocol(program: Arc<Program>, env: Env, time: Option<Span>) -> Follow {
        Follow { named: Some(env), ..Follow::any(vec![program], time) }
    }

    /// Shows bare bytes until one of these is recognised.
    pub fn any(programs: Vec<Arc<Program>>, time: Option<Span>) -> Follow {
        Follow {
            mode: Mode::Waiting(programs),
            named: None,
            settings: None,
            time,
            until: None,
            now: Instant::ZERO,
            ready: VecDeque::new(),
        }
    }

    /// What has become certain since the last call.
    pub fn new_pieces(&mut self) -> Vec<Followed> {
        self.ready.drain(..).collect()
    }

    /// The protocol that is followed.
    pub fn program(&self) -> Option<&Arc<Program>> {
        match &self.mode {
            Mode::Following(observer) => Some(observer.program()),
            Mode::Waiting(_) | Mode::Listening { .. } => None,
        }
    }

    /// Nothing more will come: what is still open is told.
    pub fn finish(&mut self) {
        self.choose(0);
        match &mut self.mode {
            Mode::Waiting(_) => {}
            Mode::Listening { line, .. } => end_line(line, &mut self.ready),
            Mode::Following(observer) => observer.finish(),
        }
        self.collect();
    }

    fn collect(&mut self) {
        if let Mode::Following(observer) = &mut self.mode {
            self.ready.extend(observer.items().into_iter().map(Followed::Item));
        }
    }

    /// Follows what explains the bytes; one that was named, after `patience` events in any case.
    fn choose(&mut self, patience: usize) {
        let (Mode::Listening { recogniser, kept, .. }, Some(settings)) = (&self.mode, self.settings) else {
            return;
        };
        let mut best = recogniser.ranking().into_iter().next();
        if self.named.is_some() && kept.len() >= patience {
            best = best.or(recogniser.best());
        }
        if let Some(best) = best {
            self.follow(best, settings);
        }
    }

    /// What was kept is read again, by the rules of the protocol.
    fn follow(&mut self, best: Recognised, settings: Settings) {
        let env = self.named.clone().unwrap_or_default();
        let observer = Observer::new(best.program, best.sides, settings, &env);
        let before = std::mem::replace(&mut self.mode, Mode::Following(observer));
        let Mode::Listening { kept, mut line, .. } = before else { return };
        if self.named.is_none() {
            end_line(&mut line, &mut self.ready);
        }
        if let Mode::Following(observer) = &mut self.mode {
            if self.named.is_none() {
                self.ready.push_back(Followed::Recognised(observer.program().table().name.to_string()));
            }
            kept.iter().for_each(|event| observer.on_event(event));
        }
    }
}

impl Task for Follow {
    fn on_event(&mut self, event: &LineEvent) {
        self.now = self.now.max(event.at);
        let bare = self.named.is_none();
        match &mut self.mode {
            Mode::Waiting(_) => {}
            Mode::Following(observer) => observer.on_event(event),
            Mode::Listening { recogniser, kept, line } => {
                recogniser.on_event(event);
                if kept.len() == MOST_KEPT {
                    kept.pop_front();
                }
                kept.push_back(*event);
                if bare {
                    if line.last().is_some_and(|last| last.direction != event.direction) {
                        end_line(line, &mut self.ready);
                    }
                    line.push(*event);
                    if event.value() == Some(b'\n') || line.len() >= LONGEST_LINE {
                        end_line(line, &mut self.ready);
                    }
                }
            }
        }
        self.choose(PATIENCE);
        self.collect();
    }

    fn on_time(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.until = self.until.or(self.time.map(|time| now + time));
        match &mut self.mode {
            Mode::Waiting(_) => {}
            Mode::Following(observer) => observer.on_time(now),
            Mode::Listening { recogniser, line, .. } => {
                recogniser.on_time(now);
                let gap = self.settings.map(|settings| settings.bits(GAP * settings.format.bits()));
                if line.last().zip(gap).is_some_and(|(last, gap)| now - last.at > gap) {
                    end_line(line, &mut self.ready);
                }
            }
        }
        self.choose(PATIENCE);
        self.collect();
    }

    fn on_settings(&mut self, _: Instant, settings: Settings) {
        self.settings = Some(settings);
        match &mut self.mode {
            Mode::Waiting(programs) => {
                // Whoever listens does not know whether the host is on the same wire.
                let recogniser = Recogniser::new(programs, &[Sides::Device, Sides::Shared], settings);
                self.mode = Mode::Listening { recogniser, kept: VecDeque::new(), line: Vec::new() };
            }
            Mode::Listening { recogniser, .. } => recogniser.on_settings(settings),
            Mode::Following(observer) => observer.on_settings(settings),
        }
    }

    fn on_refused(&mut self, _: Instant, _: Settings, _: &str) {}

    fn next_action(&mut self) -> Option<Action> {
        self.until.is_some_and(|until| self.now >= until).then_some(Action::Done)
    }

    fn deadline(&self) -> Option<Instant> {
        let observer = match &self.mode {
            Mode::Following(observer) => observer.deadline(),
            Mode::Waiting(_) | Mode::Listening { .. } => None,
        };
        [observer, self.until].into_iter().flatten().min()
    }
}

fn end_line(line: &mut Vec<LineEvent>, ready: &mut VecDeque<Followed>) {
    if !line.is_empty() {
        ready.push_back(Followed::Bytes(std::mem::take(line)));
    }
}
