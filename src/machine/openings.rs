//! With which frames conversations begin, exchange by exchange: at rest, most bytes begin none or one of dozens, and only that one
//! needs a thread.

use std::sync::OnceLock;

use crate::frame::{Fit, Screen, Sieve};
use crate::line::Direction;
use crate::protocol::{ExchangeId, FrameId};

use super::closure::Closure;
use super::facts::Facts;
use super::hear::{FrameSet, Offer};
use super::needed::Needed;
use super::program::Program;
use super::scope::side;
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
    /// The same by one of their first bytes.
    sieve: Sieve,
    /// For each state, and who speaks (anybody, the host, the device), once somebody has asked.
    sorted: Vec<[OnceLock<Resting>; 3]>,
    /// For each exchange that the device begins by itself the frames with which it does.
    pub unsolicited: Vec<(ExchangeId, Vec<FrameId>)>,
    /// The device speaks first in some exchange that is not its own: at rest, an answer may be due.
    pub device_first: bool,
}

/// What can be heard first of one side while the conversation rests in one state.
#[derive(Clone, Debug)]
pub(super) struct Resting {
    sieve: Sieve,
    /// Which of all openings the sieve's are.
    numbers: Vec<usize>,
    frames: FrameSet,
    lacking: Vec<Option<usize>>,
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

impl Listening {
    /// What a conversation that rests in these states could hear of the side that speaks, where that was sorted; of more states than one it
    /// is not.
    pub fn resting(&self, program: &Program, from: Option<Direction>, states: States) -> Option<&Resting> {
        let way = from.map_or(0, |from| 1 + side(from));
        let state = states.only()?;
        Some(self.sorted.get(state.0)?[way].get_or_init(|| self.sort(program, from, states)))
    }

    fn sort(&self, program: &Program, from: Option<Direction>, states: States) -> Resting {
        let heard = self.frames.iter().enumerate().filter(|(_, opening)| opening.is_heard(from, states));
        let numbers: Vec<usize> = heard.map(|(number, _)| number).collect();
        let frames = numbers.iter().map(|number| self.frames[*number].frame);
        let sieve = Sieve::of(frames.clone().map(|frame| program.frame(frame)));
        let frames = frames.collect();
        let mut resting = Resting { sieve, numbers, frames, lacking: Vec::new() };
        let facts = Facts::default();
        let ground = Ground { program, facts: &facts, memory: None, role: Role::Observer };
        let lacking = |byte: u8| {
            let mut lacking = Needed::default();
            let bytes = [byte];
            let offer = Offer::of(ground, &bytes, false, from);
            self.lacking(Some(&resting), &offer, states, &mut lacking)?;
            lacking.0
        };
        resting.lacking = (0..=u8::MAX).map(lacking).collect();
        resting
    }

    /// Hands over what of it one byte of the offer does not rule out.
    pub fn possible(
        &self,
        resting: Option<&Resting>,
        offer: &Offer<'_>,
        states: States,
        mut take: impl FnMut(&Opening),
    ) {
        for left in self.sieve(resting).left(&offer.prefix) {
            let openings = left.frames.iter().map(|number| self.opening(resting, *number));
            let heard = |opening: &&Opening| resting.is_some() || opening.is_heard(offer.from, states);
            openings.filter(heard).for_each(&mut take);
        }
    }

    /// How many more bytes are needed before one of them can be here as a whole; `None` where one may be.
    pub fn lacking(
        &self,
        resting: Option<&Resting>,
        offer: &Offer<'_>,
        states: States,
        needed: &mut Needed,
    ) -> Option<()> {
        for left in self.sieve(resting).left(&offer.prefix) {
            for (place, number) in left.frames.iter().enumerate() {
                let opening = self.opening(resting, *number);
                if resting.is_none() && !opening.is_heard(offer.from, states) {
                    continue;
                }
                let fit = offer.screened(opening.frame, &opening.screen);
                needed.unless_whole(fit)?;
                if matches!(fit, Fit::More(_))
                    && let Some(lacking) = left.lacking_from(place)
                {
                    needed.by(lacking); // none of the others lacks less, and one that may come is enough to wait for
                    break;
                }
            }
        }
        Some(())
    }

    fn sieve<'a>(&'a self, resting: Option<&'a Resting>) -> &'a Sieve {
        resting.map_or(&self.sieve, |resting| &resting.sieve)
    }

    /// The opening that a sieve has under this number.
    fn opening(&self, resting: Option<&Resting>, number: usize) -> &Opening {
        &self.frames[resting.map_or(number, |resting| resting.numbers[number])]
    }

    /// The frames with which a conversation may begin that rests in these states.
    pub fn frames_at(&self, resting: Option<&Resting>, from: Option<Direction>, states: States) -> FrameSet {
        match resting {
            Some(resting) => resting.frames,
            None => {
                let heard = self.frames.iter().filter(|opening| opening.is_heard(from, states));
                heard.map(|opening| opening.frame).collect()
            }
        }
    }
}

impl Resting {
    /// How many more bytes are needed behind this one at the least, if it is the beginning of something and nothing as it stands.
    pub fn lacking_behind(&self, byte: u8) -> Option<usize> {
        self.lacking[usize::from(byte)]
    }
}

impl Opening {
    /// Whether a conversation that rests in these states could hear it of the side that speaks.
    fn is_heard(&self, from: Option<Direction>, states: States) -> bool {
        from.is_none_or(|from| from == self.direction) && !self.states.and(states).is_empty()
    }
}

fn listening(program: &Program, unheard: Option<Direction>) -> Listening {
    let facts = Facts::default();
    let ground = Ground { program, facts: &facts, memory: None, role: Role::Observer };
    let closure = Closure { ground, unheard, eager: true };
    let sorted = program.table.states.iter().map(|_| Default::default()).collect();
    let mut listening = Listening { sorted, ..Listening::default() };
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
    listening.sieve = Sieve::of(listening.frames.iter().map(|opening| program.frame(opening.frame)));
    listening
}
