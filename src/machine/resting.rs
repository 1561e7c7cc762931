//! Threads that rest: one stands for all exchanges that may begin, and only those are begun that the bytes can be.

use std::borrow::Cow;

use crate::protocol::{ExchangeId, StateId};

use super::closure::Closure;
use super::follower::Follower;
use super::hear::{Answers, FrameSet, Offer};
use super::needed::Needed;
use super::openings::Listening;
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
        let listening = program.openings.of(program, closure.unheard);
        let mut more = Needed::default();
        let mut candidates = Vec::new();
        for thread in threads {
            if rests(thread) {
                let begun = closure.of(self.begun(listening, offer, thread, &mut more));
                if candidates.is_empty() {
                    candidates = begun;
                } else {
                    candidates.extend(begun);
                }
            } else {
                candidates.push(thread.clone());
            }
        }
        let awaited = offer.awaited(&candidates);
        let mut answers = offer.ask(candidates.into_iter().map(Cow::Owned), awaited, more);
        if let Some(accepted) = &mut answers.accepted_frame {
            let rest = threads.iter().filter(|thread| rests(thread)).map(|thread| {
                let sorted = listening.resting(program, offer.from, thread.states);
                listening.frames_at(sorted, offer.from, thread.states)
            });
            accepted.alternatives = rest.fold(awaited, FrameSet::with).len();
        }
        answers
    }

    /// What a thread that rests can begin with these bytes.
    fn begun(
        &self,
        listening: &Listening,
        offer: &Offer<'_>,
        thread: &Thread,
        more: &mut Needed,
    ) -> Vec<Thread> {
        let program = &*self.program;
        let mut begun: Vec<ExchangeId> = Vec::new();
        let sorted = listening.resting(program, offer.from, thread.states);
        listening.possible(sorted, offer, thread.states, |opening| {
            if more.unless_whole(offer.screened(opening.frame, &opening.screen)).is_none() {
                begun.extend(&opening.exchanges);
            }
        });
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
