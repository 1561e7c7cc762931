//! How a follower tells what it found, as items.

use crate::frame::{Mismatch, Name, Values};
use crate::line::Direction;
use crate::protocol::{ExchangeId, FrameId};

use super::follower::Follower;
use super::item::{Framed, Item, ItemKind, Part, Silence};
use super::scope::side;
use super::waiting::Taken;
use super::{meanings, unexpected};

impl Follower {
    /// Tells the strange bytes, now that it is known how many they are.
    pub fn end_stray(&mut self, channel: usize) {
        let Some(stray) = self.channels[channel].stray.take() else { return };
        self.score.stray(stray.bytes.len(), stray.placed);
        if !self.tells {
            return;
        }
        let described = super::item::Unexpected {
            elsewhere: unexpected::elsewhere(&self.program, &stray.bytes),
            said: meanings::of_bytes(&self.program.table, &stray.bytes, &stray.exchanges),
            expected: stray.expected,
        };
        self.items.push_back(Item {
            from: stray.from,
            at: stray.at,
            direction: stray.direction,
            bytes: stray.bytes.into(),
            faults: stray.faults,
            state: stray.state,
            kind: ItemKind::Unexpected(described),
        });
    }

    /// The answer to the last question has not come.
    pub fn tell_silence(&mut self) {
        let Some(asked) = &mut self.asked else { return };
        if std::mem::replace(&mut asked.told, true) {
            return;
        }
        let since = asked.at;
        let steps = self.threads.iter().filter_map(|thread| self.program.step(thread.pc));
        let mut expected: Vec<Name> = Vec::new();
        for step in steps.filter(|step| step.direction == Direction::Rx) {
            let name = self.program.frame(step.frame).name();
            if !expected.contains(name) {
                expected.push(name.clone());
            }
        }
        let first = self.threads.first();
        let after = self.channels[side(Direction::Tx)].heard.as_ref();
        let silence = Silence {
            waited: self.now.since(since),
            after: after.map(|heard| self.program.frame(heard.frame).name().clone()),
            expected,
            exchange: self.exchange(first.and_then(|first| self.program.exchange_at(first.pc))),
            said: meanings::of_silence(&self.program.table, &self.within()),
        };
        let taken = (Default::default(), since, self.now, Vec::new());
        self.tell(taken, Direction::Rx, ItemKind::Silence(silence));
    }

    pub(super) fn within(&self) -> Vec<ExchangeId> {
        self.threads
            .first()
            .filter(|_| self.placed)
            .map_or_else(Vec::new, |first| self.program.exchanges_at(first.pc))
    }

    pub(super) fn exchange(&self, id: Option<ExchangeId>) -> Option<Name> {
        id.map(|id| self.program.exchange(id).name.clone())
    }

    pub(super) fn tell_frame(
        &mut self,
        taken: Taken,
        (frame, direction, values): (FrameId, Direction, &Values),
        exchange: Option<Name>,
        part: Part,
        wrong: Vec<Mismatch>,
    ) {
        if self.tells {
            let frame = self.program.frame(frame).name().clone();
            let values = values.clone();
            self.tell(taken, direction, ItemKind::Frame(Framed { frame, values, exchange, part, wrong }));
        }
    }

    pub fn tell(&mut self, taken: Taken, direction: Direction, kind: ItemKind) {
        if self.tells {
            let (bytes, from, at, faults) = taken;
            let state = self.state().cloned();
            self.items.push_back(Item { from, at, direction, bytes, faults, state, kind });
        }
    }
}
