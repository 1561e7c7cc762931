//! A follower: an observer with one set of parameters. Events and time come in here; what they mean is found in `follow`.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::frame::Name;
use crate::line::{Direction, Fault, Instant, LineEvent, Seen, Settings, Span};
use crate::protocol::ExchangeId;

use super::aside::Aside;
use super::closure::Closure;
use super::echo::Echo;
use super::env::Env;
use super::facts::Facts;
use super::item::{Candidate, Item, ItemKind};
use super::memory::Memory;
use super::observer::Sides;
use super::program::Program;
use super::scope::{Heard, side};
use super::score::Score;
use super::states::States;
use super::thread::Thread;
use super::view::{Ground, Role};
use super::waiting::{Closing, Heap, Taken};

/// Follows a conversation under one hypothesis.
pub(super) struct Follower {
    pub program: Arc<Program>,
    pub facts: Facts,
    /// What the device's memory must hold, as far as it was seen.
    pub memory: Memory,
    /// The settings at the beginning.
    pub line: Settings,
    pub settings: Settings,
    pub sides: Sides,
    pub threads: Vec<Thread>,
    /// The same one by one, once somebody has asked for them.
    pub every: OnceLock<Vec<Thread>>,
    /// The conversation's place is known: something that was heard fits it.
    pub placed: bool,
    pub aside: Aside,
    /// The last frame that came beside the conversation.
    pub last_beside: Bytes,
    /// What waits of each side; a shared wire has only the second.
    pub channels: [Channel; 2],
    echo: Option<Echo>,
    pub now: Instant,
    /// Before then silence says nothing new. A byte only puts that off, so it is worked out anew when it has come.
    calm: Instant,
    /// The channel whose bytes put it off, and when silence says something whether they come or not.
    waiting: (usize, Instant),
    /// The host has asked, and no answer has come.
    pub asked: Option<Asked>,
    /// How much later than its byte a stamp can be.
    pub late: Span,
    pub tells: bool,
    pub items: VecDeque<Item>,
    pub score: Score,
}

/// What waits of one side.
pub(super) struct Channel {
    pub heap: Heap,
    /// Bytes that nothing explains, not told yet.
    pub stray: Option<Stray>,
    /// Bytes that were passed over since the last frame: they mean nothing, if one comes.
    pub passed: Vec<Taken>,
    /// The last frame of this side, while it can come once more.
    pub last: Bytes,
    /// What it was.
    pub heard: Option<Heard>,
}

impl Channel {
    /// Nothing waits.
    fn is_idle(&self) -> bool {
        self.heap.is_empty() && self.stray.is_none()
    }
}

/// Bytes that nothing explains.
pub(super) struct Stray {
    pub bytes: Vec<u8>,
    pub from: Instant,
    pub at: Instant,
    pub faults: Vec<(usize, Fault)>,
    pub expected: Vec<Candidate>,
    pub state: Option<Name>,
    pub direction: Direction,
    /// The conversation's place was known, so a frame was due.
    pub placed: bool,
    pub exchanges: Vec<ExchangeId>,
}

/// A question without an answer.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub at: Instant,
    pub window: Span,
    pub told: bool,
}

/// What an adapter may hold back before silence means something.
pub(super) const PATIENCE: Span = Span::from_millis(40);

/// More bytes than this do not wait for a frame to end.
const MOST_WAITING: usize = 70_000;

impl Follower {
    pub fn new(program: Arc<Program>, sides: Sides, settings: Settings, env: &Env, tells: bool) -> Follower {
        let table = Arc::clone(&program.table);
        let channel = || Channel {
            heap: Heap::new(table.line.gap.clone(), PATIENCE, settings),
            stray: None,
            passed: Vec::new(),
            last: Bytes::new(),
            heard: None,
        };
        let mut follower = Follower {
            facts: Facts::of_observer(&table, &program.names, env),
            memory: Memory::shadow(&table.device.memory),
            line: settings,
            settings,
            sides,
            threads: Vec::new(),
            every: OnceLock::new(),
            placed: false,
            aside: Aside::default(),
            last_beside: Bytes::new(),
            channels: [channel(), channel()],
            echo: (table.line.echo && sides == Sides::Both).then(Echo::default),
            now: Instant::ZERO,
            calm: Instant::ZERO,
            waiting: (0, Instant::ZERO),
            asked: None,
            late: Span::ZERO,
            tells,
            items: VecDeque::new(),
            score: Score::default(),
            program,
        };
        follower.lose_place();
        follower
    }

    /// Bytes can be stamped so late.
    pub fn stamped(&mut self, late: Span) {
        self.late = late;
        self.disturb();
        self.channels.iter_mut().for_each(|channel| channel.heap.stamped(late));
    }

    /// Anything may be going on.
    pub fn lose_place(&mut self) {
        let all = States::all(self.program.table.states.len());
        let anywhere = Thread::resting(&self.program, all, &Default::default());
        self.goes_on_with(self.closure().of([anywhere]));
        self.channels.iter_mut().for_each(|channel| channel.heard = None);
        self.placed = false;
        self.asked = None;
    }

    /// These are the ways in which the conversation may go on.
    pub fn goes_on_with(&mut self, threads: Vec<Thread>) {
        self.disturb();
        self.threads = threads;
        self.every.take();
    }

    pub fn has_items(&self) -> bool {
        !self.items.is_empty()
    }

    pub fn items(&mut self) -> Vec<Item> {
        std::mem::take(&mut self.items).into()
    }

    pub fn score(&self) -> Score {
        self.score
    }

    pub fn state(&self) -> Option<&Name> {
        let state = self.threads.first().filter(|_| self.placed)?.states.only()?;
        Some(&self.program.table.states[state.0].name)
    }

    pub fn ground(&self) -> Ground<'_> {
        Ground {
            program: &self.program,
            facts: &self.facts,
            memory: Some(&self.memory),
            role: Role::Observer,
        }
    }

    /// The side that is not heard.
    pub fn unheard(&self) -> Option<Direction> {
        match self.sides {
            Sides::Both | Sides::Shared => None,
            Sides::Device => Some(Direction::Tx),
            Sides::Host => Some(Direction::Rx),
        }
    }

    pub fn closure(&self) -> Closure<'_> {
        let unheard = self.unheard();
        let listening = self.program.openings.of(&self.program, unheard);
        // Where the device may speak first, an answer may be due while the conversation rests.
        let eager = unheard.is_none() && listening.device_first;
        Closure { ground: self.ground(), unheard, eager }
    }

    /// Whose bytes a channel carries, where that is known.
    pub fn from(&self, channel: usize) -> Option<Direction> {
        match (self.sides, channel) {
            (Sides::Shared, _) => None,
            (_, 0) => Some(Direction::Tx),
            _ => Some(Direction::Rx),
        }
    }

    fn hears(&self, direction: Direction) -> bool {
        match self.sides {
            Sides::Both | Sides::Shared => true,
            Sides::Device => direction == Direction::Rx,
            Sides::Host => direction == Direction::Tx,
        }
    }

    pub fn on_event(&mut self, event: &LineEvent) {
        self.on_time(event.at);
        if !self.hears(event.direction) {
            return;
        }
        let channel = if self.sides == Sides::Shared { 1 } else { side(event.direction) };
        let Seen::Byte(byte) = event.seen else { return self.on_no_byte(channel, event) };
        if self.echo.is_some() && self.is_echo(byte, event) {
            return;
        }
        self.turn(1 - channel);
        self.score.bytes += 1;
        let heap = &mut self.channels[channel].heap;
        let calm = heap.is_calm();
        heap.push(byte, event.at, event.fault);
        if !calm {
            self.disturb();
        }
        let heap = &self.channels[channel].heap;
        if heap.len() > MOST_WAITING {
            self.listen(channel, Closing::Yes);
        } else if heap.is_enough() {
            self.listen(channel, Closing::No);
        }
    }

    /// What was sent comes back on one wire, and is nobody's.
    fn is_echo(&mut self, byte: u8, event: &LineEvent) -> bool {
        let Some(echo) = &mut self.echo else { return false };
        if event.direction == Direction::Tx {
            echo.expect(&[byte]);
            return false;
        }
        echo.takes(byte, event.at)
    }

    #[cold]
    fn on_no_byte(&mut self, channel: usize, event: &LineEvent) {
        if event.seen == Seen::Break {
            self.close(channel);
            let taken = (bytes::Bytes::new(), event.at, event.at, Vec::new());
            self.tell(taken, event.direction, ItemKind::Break);
        } else {
            self.close(0);
            self.close(1);
            self.lose_place();
        }
    }

    /// The other side speaks: what this one has said is over, where nobody speaks out of turn.
    #[inline]
    fn turn(&mut self, channel: usize) {
        if !self.program.has_unsolicited && !self.channels[channel].is_idle() {
            self.close(channel);
        }
    }

    /// Nothing more will come on this side.
    fn close(&mut self, channel: usize) {
        if !self.channels[channel].heap.is_empty() {
            self.listen(channel, Closing::Yes);
        }
        self.end_stray(channel);
    }

    #[inline]
    pub fn on_time(&mut self, now: Instant) {
        self.now = self.now.max(now);
        if self.now >= self.calm {
            self.on_silence();
        }
    }

    /// What silence says until now.
    #[inline(never)] // it is rare, and must not weigh on the bytes between
    fn on_silence(&mut self) {
        let (waiting, beside) = self.waiting;
        let until = self.channels[waiting].heap.deadline();
        if let Some(until) = until.filter(|until| self.now < beside.min(*until)) {
            self.calm = beside.min(until); // nothing but that the last byte has come
            return;
        }
        for channel in 0..2 {
            let heap = &self.channels[channel].heap;
            if self.channels[channel].is_idle() {
                continue;
            }
            match heap.closing(self.now) {
                Closing::No => {}
                Closing::Gap if heap.gap_is_known() => {}
                closing => self.listen(channel, closing),
            }
            if self.channels[channel].heap.is_empty() && self.is_quiet(channel) {
                self.end_stray(channel);
            }
        }
        self.no_answer();
        let waiting = usize::from(self.channels[0].heap.is_empty());
        let beside = self.next_word(Some(waiting));
        let own = self.channels[waiting].heap.deadline();
        self.waiting = (waiting, beside);
        self.calm = own.map_or(beside, |own| own.min(beside));
    }

    /// Something has changed: what silence says has to be looked at anew.
    pub fn disturb(&mut self) {
        self.calm = Instant::ZERO;
        self.waiting = (0, Instant::ZERO);
    }

    fn is_quiet(&self, channel: usize) -> bool {
        let stray = self.channels[channel].stray.as_ref();
        stray.is_some_and(|stray| self.now.since(stray.at) > PATIENCE)
    }

    /// The window of a question has passed.
    fn no_answer(&mut self) {
        let heard = self.channels.iter().any(|channel| !channel.heap.is_empty());
        let Some(asked) = self.asked.as_ref().filter(|asked| !asked.told && !heard) else { return };
        if self.now.since(asked.at) > asked.window {
            self.tell_silence();
        }
    }

    /// When the silence of a channel, or an answer that does not come, would mean something.
    pub fn deadline(&self) -> Option<Instant> {
        let next = self.next_word(None);
        (next < Instant::FAR_FUTURE).then_some(next)
    }

    /// The same, `but` for what the bytes that wait on one channel would say.
    fn next_word(&self, but: Option<usize>) -> Instant {
        let mut next = Instant::FAR_FUTURE;
        for (channel, Channel { heap, stray, .. }) in self.channels.iter().enumerate() {
            if let Some(deadline) = heap.deadline() {
                next = if but == Some(channel) { next } else { next.min(deadline) };
            } else if let Some(stray) = stray {
                next = next.min(stray.at + PATIENCE + Span::from_nanos(1));
            }
        }
        match &self.asked {
            Some(asked) if !asked.told => next.min(asked.at + asked.window + Span::from_nanos(1)),
            _ => next,
        }
    }

    pub fn on_settings(&mut self, settings: Settings) {
        self.settings = settings;
        self.channels.iter_mut().for_each(|channel| channel.heap.at(settings));
        self.disturb();
    }

    pub fn finish(&mut self) {
        self.close(0);
        self.close(1);
        self.tell_passed(0);
        self.tell_passed(1);
    }
}
