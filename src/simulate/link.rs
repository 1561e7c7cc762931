//! Two tasks joined by a line in virtual time: characters take as long as they take, and nothing else happens to them.
//!
//! Quick, for tests and for a bus with its own host; edges, noise and sampling are `transport`'s simulated line, by way of `wire`.

use std::collections::VecDeque;

use crate::line::{Action, ControlLines, Direction, Fault, Instant, LineEvent, Seen, Settings, Span, Task};

/// What becomes of a character on its way: the direction, which character of that direction, and the character itself.
pub type Spoil<'a> = Box<dyn FnMut(Direction, usize, u8) -> Passing + 'a>;

/// How a character passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    /// It arrives as this one.
    As(u8),
    /// The same, and its receiver sees that something is wrong with it.
    Faulty(u8, Fault),
    Lost,
    /// Another one arrives before it.
    Behind {
        first: u8,
        fault: Option<Fault>,
        then: u8,
    },
    /// A break arrives before it.
    BehindBreak(u8),
    /// It arrives so much later, and so does what comes behind it.
    Later(u8, Span),
}

/// A host and a device on one line.
pub struct Link<'a, H: Task, D: Task> {
    pub host: H,
    pub device: D,
    ends: [End; 2],
    /// How the host has moved DTR and RTS.
    lines: ControlLines,
    now: Instant,
    spoil: Option<Spoil<'a>>,
    passed: Vec<LineEvent>,
}

/// One end's transmitter and receiver.
struct End {
    direction: Direction,
    settings: Settings,
    /// When its transmitter is free.
    free_at: Instant,
    sent: usize,
    /// On the way from it.
    on_the_way: VecDeque<LineEvent>,
    done: bool,
}

/// More actions than this at one instant are a task that has gone mad.
const MOST_ACTIONS: usize = 10_000;

impl<'a, H: Task, D: Task> Link<'a, H, D> {
    pub fn new(host: H, host_settings: Settings, device: D, device_settings: Settings) -> Link<'a, H, D> {
        let end = |direction, settings| End {
            direction,
            settings,
            free_at: Instant::ZERO,
            sent: 0,
            on_the_way: VecDeque::new(),
            done: false,
        };
        let ends = [end(Direction::Tx, host_settings), end(Direction::Rx, device_settings)];
        let mut link = Link {
            host,
            device,
            ends,
            lines: ControlLines::default(),
            now: Instant::ZERO,
            spoil: None,
            passed: Vec::new(),
        };
        link.host.on_settings(Instant::ZERO, host_settings);
        link.device.on_settings(Instant::ZERO, device_settings);
        link
    }

    /// The same line, on which characters are spoilt.
    pub fn spoilt_by(self, spoil: Spoil<'a>) -> Link<'a, H, D> {
        Link { spoil: Some(spoil), ..self }
    }

    /// Another host takes over the line.
    pub fn begins(&mut self, host: H, settings: Settings) {
        self.host = host;
        self.ends[0].settings = settings;
        self.ends[0].done = false;
        self.ends.iter_mut().for_each(|end| end.on_the_way.clear());
        self.host.on_settings(self.now, settings);
    }

    /// Both ends change their settings.
    pub fn set_both(&mut self, settings: Settings) {
        self.ends.iter_mut().for_each(|end| end.settings = settings);
        self.host.on_settings(self.now, settings);
        self.device.on_settings(self.now, settings);
    }

    pub fn now(&self) -> Instant {
        self.now
    }

    /// What a bystander saw since the last call, in order of time.
    pub fn passed(&mut self) -> Vec<LineEvent> {
        let mut passed = std::mem::take(&mut self.passed);
        passed.sort_by_key(|event| event.at);
        passed
    }

    /// Whether the host's task is over.
    pub fn is_over(&self) -> bool {
        self.ends[0].done
    }

    /// When something will happen next, if anything does.
    pub fn wakes(&self) -> Option<Instant> {
        let ways = self.ends.iter().filter_map(|end| end.on_the_way.front()).map(|event| event.at);
        let host = self.host.deadline().filter(|_| !self.ends[0].done);
        let device = self.device.deadline().filter(|_| !self.ends[1].done);
        ways.chain(host).chain(device).min()
    }

    /// Plays until the host is done, nothing happens any more, or it is `until`.
    pub fn play(&mut self, until: Instant) {
        self.act();
        while !self.is_over() {
            match self.wakes() {
                Some(next) if next <= until => self.advance(next),
                _ => return,
            }
        }
    }

    /// Moves time on to `to`, or by a nanosecond if it is there already: what is due happens.
    pub fn advance(&mut self, to: Instant) {
        self.now = to.max(self.now + Span::from_nanos(1));
        for from in 0..2 {
            while let Some(event) = self.ends[from].on_the_way.front().copied() {
                if event.at > self.now {
                    break;
                }
                self.ends[from].on_the_way.pop_front();
                if from == 0 {
                    self.device.on_event(&event);
                } else {
                    self.host.on_event(&event);
                }
                self.act();
            }
        }
        self.host.on_time(self.now);
        self.device.on_time(self.now);
        self.act();
    }

    fn act(&mut self) {
        for end in 0..2 {
            for _ in 0..MOST_ACTIONS {
                if self.ends[end].done {
                    break;
                }
                let action = if end == 0 { self.host.next_action() } else { self.device.next_action() };
                let Some(action) = action else { break };
                self.carry_out(end, action);
            }
        }
    }

    fn carry_out(&mut self, end: usize, action: Action) {
        let now = self.now;
        match action {
            Action::Send(bytes) => bytes.into_iter().for_each(|byte| self.send(end, byte)),
            Action::Break(span) => self.break_for(end, span),
            Action::Set(settings) => {
                self.ends[end].settings = settings;
                let task: &mut dyn Task = if end == 0 { &mut self.host } else { &mut self.device };
                task.on_settings(now, settings);
                if end == 0 {
                    self.tell_far_end();
                }
            }
            Action::Lines(lines) if end == 0 => {
                self.lines = self.lines.moved(lines);
                self.tell_far_end();
            }
            Action::Lines(_) | Action::Discard | Action::Close | Action::Open(_) => {}
            Action::Done => self.ends[end].done = true,
        }
    }

    fn tell_far_end(&mut self) {
        self.device.on_far_end(self.now, self.ends[0].settings, self.lines);
    }

    fn send(&mut self, end: usize, byte: u8) {
        let from = &mut self.ends[end];
        let index = from.sent;
        from.sent += 1;
        let passing = match &mut self.spoil {
            Some(spoil) => spoil(from.direction, index, byte),
            None => Passing::As(byte),
        };
        match passing {
            Passing::As(byte) => self.arrives(end, byte, None),
            Passing::Faulty(byte, fault) => self.arrives(end, byte, Some(fault)),
            Passing::Lost => self.take_time(end),
            Passing::Behind { first, fault, then } => {
                self.arrives(end, first, fault);
                self.arrives(end, then, None);
            }
            Passing::BehindBreak(byte) => {
                let span = self.ends[end].settings.character_time() * 2;
                self.break_for(end, span);
                self.arrives(end, byte, None);
            }
            Passing::Later(byte, span) => {
                let from = &mut self.ends[end];
                from.free_at = from.free_at.max(self.now) + span;
                self.arrives(end, byte, None);
            }
        }
    }

    fn take_time(&mut self, end: usize) {
        let from = &mut self.ends[end];
        from.free_at = from.free_at.max(self.now) + from.settings.character_time();
    }

    fn arrives(&mut self, end: usize, byte: u8, fault: Option<Fault>) {
        self.take_time(end);
        let hearing = self.ends[1 - end].settings;
        let from = &mut self.ends[end];
        let event = LineEvent { fault, ..LineEvent::byte(from.free_at, from.direction, byte) };
        self.passed.push(event);
        // At other settings the far end hears something else; what exactly, `wire` knows.
        let ratio = from.settings.baud.hz() / hearing.baud.hz();
        let same = (ratio - 1.0).abs() < 0.03 && from.settings.format == hearing.format;
        from.on_the_way.push_back(if same { event } else { event.with_fault(Fault::Framing) });
    }

    fn break_for(&mut self, end: usize, span: Span) {
        let from = &mut self.ends[end];
        from.free_at = from.free_at.max(self.now) + span;
        let event = LineEvent {
            at: from.free_at,
            direction: from.direction,
            seen: Seen::Break,
            fault: Some(Fault::Break),
        };
        from.on_the_way.push_back(event);
        self.passed.push(event);
    }
}
