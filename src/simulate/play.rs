//! A table played against itself: its host against its device, in virtual time; and what an observer makes of that.

use std::sync::Arc;

use crate::line::{Direction, Instant, LineEvent, Mute, Seen, Span};
use crate::machine::{Env, Host, HostResult, Item, Observer, Program, Run, Score, Sides};
use crate::protocol::{Table, Talk};

use super::device::{DeviceTask, settings};
use super::fault::Fault;
use super::link::{Link, Spoil};

/// How a table is played.
pub struct Play<'a> {
    pub program: &'a Arc<Program>,
    pub run: Run,
    /// For both sides.
    pub env: Env,
    pub fault: Option<Fault>,
    pub seed: u64,
    pub spoil: Option<Spoil<'a>>,
    /// How long it may take, in virtual time.
    pub limit: Span,
}

/// What was played.
pub struct Played {
    pub result: HostResult,
    /// What a bystander saw.
    pub events: Vec<LineEvent>,
    pub device: DeviceTask,
    pub took: Span,
}

impl<'a> Play<'a> {
    /// A healthy device on a clean line.
    pub fn new(program: &'a Arc<Program>, run: Run, env: Env) -> Play<'a> {
        Play { program, run, env, fault: None, seed: 1, spoil: None, limit: Span::from_secs(3_600) }
    }

    /// Plays until the host is done; `Err` says why this run cannot begin.
    pub fn play(self) -> Result<Played, String> {
        let settings = settings(self.program.table());
        let host = Host::of(self.program, &self.run, &self.env, settings)?;
        let device = DeviceTask::new(self.program, &self.env, self.fault, self.seed, false);
        let mut link = Link::new(host, settings, device, settings);
        if let Some(spoil) = self.spoil {
            link = link.spoilt_by(spoil);
        }
        link.play(Instant::ZERO + self.limit);
        let events = link.passed();
        let took = link.now().since(Instant::ZERO);
        Ok(Played { result: link.host.result(), events, device: link.device, took })
    }
}

/// A device that nobody asks anything: what it says by itself in this time.
pub fn listen(program: &Arc<Program>, span: Span) -> Vec<LineEvent> {
    let settings = settings(program.table());
    let device = DeviceTask::new(program, &Env::new(), None, 1, false);
    let mut link = Link::new(Mute, settings, device, settings);
    link.play(Instant::ZERO + span);
    link.passed()
}

/// What an observer makes of events, and how well its table explains them.
pub fn observe(program: &Arc<Program>, events: &[LineEvent], sides: Sides, env: &Env) -> (Vec<Item>, Score) {
    let mut observer = Observer::new(Arc::clone(program), sides, settings(program.table()), env);
    let mut items = Vec::new();
    for event in events {
        let event =
            if sides == Sides::Shared { LineEvent { direction: Direction::Rx, ..*event } } else { *event };
        observer.on_event(&event);
        items.extend(observer.items());
    }
    observer.finish();
    items.extend(observer.items());
    let score = observer.score();
    (items, score)
}

/// Everything that a table says its host does: its flash run, or else its handshake and then its poll.
pub fn whole_run(table: &Table) -> Option<Talk> {
    if let Some(flash) = &table.flash {
        return Some(flash.whole());
    }
    let talks = table.handshake.iter().chain(table.poll.as_ref().map(|(talk, _)| talk));
    let steps: Vec<_> = talks.flat_map(|talk| talk.steps.iter().cloned()).collect();
    (!steps.is_empty()).then_some(Talk { steps })
}

/// What became of one flipped bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Noticed {
    /// One flag, at the frame that holds the bit.
    Exactly,
    /// A flag at that frame, and others behind it: a damaged length, a refusal, a read-back that then differs.
    WithConsequences,
    /// The first flag comes later.
    Later,
    /// No flag: nothing in the protocol holds these bits.
    Unnoticed,
}

/// Flips one bit of one event and lets an observer tell.
pub fn notice(program: &Arc<Program>, events: &[LineEvent], env: &Env, index: usize, bit: u8) -> Noticed {
    let mut events = events.to_vec();
    let flipped = events[index];
    if let Seen::Byte(byte) = flipped.seen {
        events[index].seen = Seen::Byte(byte ^ 1 << (bit % 8));
    }
    let (items, _) = observe(program, &events, Sides::Both, env);
    let flags: Vec<&Item> = items.iter().filter(|item| !item.is_clean()).collect();
    let holds = |item: &Item| {
        item.direction == flipped.direction
            && (item.from..=item.at).contains(&flipped.at)
            && !item.bytes.is_empty()
    };
    match flags[..] {
        [] => Noticed::Unnoticed,
        [only] if holds(only) => Noticed::Exactly,
        _ if flags.iter().any(|item| holds(item)) => Noticed::WithConsequences,
        _ => Noticed::Later,
    }
}
