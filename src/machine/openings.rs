//! With which frames conversations begin, exchange by exchange: at rest, most bytes begin none or one of dozens, and only that one
//! needs a thread.

use std::sync::OnceLock;

use crate::frame::Screen;
use crate::line::Direction;
use crate::protocol::{ExchangeId, FrameId};

use super::closure::Closure;
use super::facts::Facts;
use super::program::Program;
use super::states::States;
use super::thread::Thread;
use super::view::{Ground, Role};

/// What can be heard first, for each way of listening; found out when first asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Openings([OnceLock<Listening>; 3]);

/// What can be heard first by whoever listens in one way.
#[derive(Clone, Debug, Default)]
pub(super) struct Listening {
    /// Frames that begin a conversation, each once.
    pub frames: Vec<Opening>,
    /// For each exchange that the device begins by itself the frames with which it does.
    pub unsolicited: Vec<(ExchangeId, Vec<FrameId>)>,
    /// The device speaks first in some exchange that is not its own: at rest, an answer may be due.
    pub device_first: bool,
}

/// A frame that can be heard first.
#[derive(Clone, Debug)]
pub(super) struct Opening {
    pub frame: FrameId,
    /// What its first bytes rule out.
    pub screen: Screen,
    pub direction: Direction,
    /// Of which exchanges.
    pub exchanges: Vec<ExchangeId>,
    /// In which states one of them may begin.
    pub states: States,
}

impl Openings {
    pub fn of(&self, program: &Program, unheard: Option<Direction>) -> &Listening {
        let way = match unheard {
            None => 0,
            Some(Direction::Tx) => 1,
            Some(Direction::Rx) => 2,
        };
        self.0[way].get_or_init(|| listening(program, unheard))
    }
}

fn listening(program: &Program, unheard: Option<Direction>) -> Listening {
    let facts = Facts::default();
    let ground = Ground { program, facts: &facts, memory: None, role: Role::Observer };
    let closure = Closure { ground, unheard, eager: true };
    let mut listening = Listening::default();
    for (index, entry) in program.entries.iter().enumerate() {
        let may = program.may_begin[index];
        let mut fresh = Thread::resting(program, may, &Default::default());
        fresh.pc = *entry;
        let begun = closure.of([fresh]);
        let steps = begun.iter().filter_map(|thread| program.step(thread.pc));
        if program.table.exchanges[index].unsolicited.is_some() {
            let mut frames: Vec<FrameId> = steps.map(|step| step.frame).collect();
            frames.sort_unstable_by_key(|frame| frame.0);
            frames.dedup();
            listening.unsolicited.push((ExchangeId(index), frames));
            continue;
        }
        if may.is_empty() {
            continue;
        }
        for step in steps {
            listening.device_first |= step.direction == Direction::Rx;
            let known = listening
                .frames
                .iter_mut()
                .find(|known| (known.frame, known.direction) == (step.frame, step.direction));
            match known {
                Some(known) => {
                    known.states = known.states.or(may);
                    if !known.exchanges.contains(&ExchangeId(index)) {
                        known.exchanges.push(ExchangeId(index));
                    }
                }
                None => listening.frames.push(Opening {
                    frame: step.frame,
                    screen: *program.screen(step.frame),
                    direction: step.direction,
                    exchanges: vec![ExchangeId(index)],
                    states: may,
                }),
            }
        }
    }
    listening
}
