//! Threads that rest: one stands for all exchanges that may begin, and only those are begun that the bytes can be.

use crate::frame::Fit;
use crate::protocol::{ExchangeId, StateId};

use super::closure::Closure;
use super::follower::Follower;
use super::hear::{Answers, FrameSet, Offer};
use super::openings::Opening;
use super::thread::Thread;

impl Follower {
    /// The threads one by one: instead of one that rests, one for each exchange that it may begin.
    pub fn every_thread(&self) -> &[Thread] {
        if self.threads.iter().all(|thread| thread.pc != self.program.rest) {
            return &self.threads;
        }
        let closure = Closure { eager: true, ..self.closure() };
        self.every.get_or_init(|| closure.of(self.threads.iter().cloned()))
    }

    /// Offers bytes to these threads; of those that rest, only exchanges are begun that can begin with the bytes.
    pub fn offer_to(&self, offer: &Offer<'_>, threads: &[Thread]) -> Answers {
        let program = &*self.program;
        let rests = |thread: &Thread| thread.pc == program.rest;
        if !threads.iter().any(rests) {
            return offer.to(threads);
        }
        let closure = Closure { eager: true, ..self.closure() };
        let (mut frames, mut more) = (FrameSet::default(), None);
        let mut candidates = Vec::new();
        for thread in threads {
            if rests(thread) {
                let begun = self.begun(offer, thread, &mut frames, &mut more);
                candidates.extend(closure.of(begun));
            } else {
                candidates.push(thread.clone());
            }
        }
        offer.ask(&candidates, frames, more)
    }

    /// What a thread that rests can begin with these bytes.
    fn begun(
        &self,
        offer: &Offer<'_>,
        thread: &Thread,
        frames: &mut FrameSet,
        more: &mut Option<usize>,
    ) -> Vec<Thread> {
        let program = &*self.program;
        let openings = &program.openings.of(program, self.closure().unheard).frames;
        let heard = |opening: &&Opening| {
            offer.from.is_none_or(|from| from == opening.direction)
                && !opening.states.and(thread.states).is_empty()
        };
        let mut begun: Vec<ExchangeId> = Vec::new();
        for opening in openings.iter().filter(heard) {
            frames.insert(opening.frame);
            match offer.screened(opening.frame, &opening.screen) {
                Fit::No => {}
                Fit::More(lacking) => *more = Some(more.map_or(lacking, |known| known.min(lacking))),
                Fit::Whole(_) | Fit::Ask => begun.extend(&opening.exchanges),
            }
        }
        if begun.is_empty() {
            return Vec::new();
        }
        // In the order in which the states allow them.
        let states = program.table.states.iter().enumerate();
        let states = states.filter(|(index, _)| thread.states.has(StateId(*index)));
        let mut threads: Vec<Thread> = Vec::new();
        for exchange in states.flat_map(|(_, state)| &state.may) {
            if begun.contains(exchange) {
                begun.retain(|known| known != exchange);
                threads.push(thread.beginning(program, *exchange));
            }
        }
        threads
    }
}
