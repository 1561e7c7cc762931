//! The walk of all rates, high to low, when listening settles nothing.

use std::collections::VecDeque;

use crate::line::{Baud, Format};

use super::super::candidates::Class;
use super::super::findings::Purpose;
use super::{DECISIVE, Search, Session, WORTH_VERIFYING, near};

impl Search {
    pub(super) fn walk_rates(&self) -> VecDeque<Baud> {
        const USUAL: [u32; 15] = [
            1200, 2400, 4800, 9600, 14_400, 19_200, 31_250, 38_400, 57_600, 74_880, 115_200, 230_400,
            250_000, 460_800, 921_600,
        ];
        let mut rates: Vec<Baud> = if self.options.bauds.is_empty() {
            USUAL.iter().chain(&[500_000, 1_000_000]).map(|rate| Baud::nearest(f64::from(*rate))).collect()
        } else {
            self.options.bauds.clone()
        };
        rates.retain(|baud| *baud <= self.options.fastest && !self.is_refused(*baud));
        rates.sort_unstable_by(|a, b| b.cmp(a));
        rates.dedup();
        rates.into()
    }

    pub(super) fn fall_back(&mut self) {
        if self.walk.is_some() {
            let best = self.candidates.posterior().classes(1).first().copied();
            return match best {
                Some(best) if !self.is_refused(best.nominal) => self.leave_for(best.nominal, Purpose::Verify),
                _ => self.finish(),
            };
        }
        self.fell_back_after = Some(self.sessions.len());
        let posterior = self.candidates.posterior();
        let mut rates = self.walk_rates();
        // Heard enough to know that these are not it; with a doubt left, they are walked too.
        rates.retain(|baud| posterior.near(baud.hz()) > 1e-5);
        self.walk = Some(rates);
        self.step_walk();
    }

    pub(super) fn step_walk(&mut self) {
        match self.walk.as_mut().and_then(VecDeque::pop_front) {
            Some(baud) => self.ask(baud, Format::N8, Purpose::Walk),
            None => self.after_walk(),
        }
    }

    pub(super) fn after_walk_step(&mut self) {
        let posterior = self.candidates.posterior();
        let best = posterior.classes(1).first().copied();
        let settings = self.sessions.last().map(|session| session.listen.settings);
        let best = best.filter(|best| !self.options.exhaustive && self.confirmed(best));
        if let Some((best, settings)) = best.zip(settings).filter(|(b, s)| near(s.baud, b.nominal.hz())) {
            if !self.ask_beside(&best) {
                self.settle(best, settings);
            }
            return;
        }
        self.step_walk();
    }

    /// All steps are done: the best class, if it was listened at, is verified by what came there.
    pub(super) fn after_walk(&mut self) {
        let posterior = self.candidates.posterior();
        let Some(best) = posterior.classes(1).first().copied() else { return self.finish() };
        let heard =
            self.sessions.iter().rev().find(|session| near(session.listen.settings.baud, best.nominal.hz()));
        match heard {
            Some(session) if best.mass >= DECISIVE && self.words_confirm(session, &best) => {
                let settings = self.settings_of(&best);
                self.stay_at(settings);
            }
            None if best.mass >= WORTH_VERIFYING && !self.is_refused(best.nominal) => {
                self.ask(best.nominal, Format::N8, Purpose::Walk);
            }
            _ if self.options.exhaustive => self.finish(),
            _ => self.leave_for(best.nominal, Purpose::Verify),
        }
    }

    pub(super) fn words_confirm(&self, session: &Session, best: &Class) -> bool {
        best.inverted || self.read(&session.words).confirms()
    }
}
