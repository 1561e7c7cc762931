//! Formats by trial, and whether the rate has any effect.

use crate::line::{Baud, Format, LineErrors, Settings};

use super::super::candidates::{Candidates, Class};
use super::super::findings::Purpose;
use super::super::verify::ENOUGH;
use super::known::clean_end;
use super::{DECISIVE, Search, Session, near};

impl Search {
    /// Where a flag belongs to a packet, a parity is found by setting it: the right one is read clean.
    pub(super) fn next_trial(&self, baud: Baud) -> Option<Format> {
        let tried = |format: Format| {
            let sessions = &self.sessions[self.stretch_sessions..];
            sessions.iter().any(|s| s.listen.settings.format == format && s.listen.settings.baud == baud)
        };
        let odd = self.class_at(baud).is_some_and(|class| 2.0 * class.odd > class.parity);
        let formats = if odd { [Format::O8, Format::E8] } else { [Format::E8, Format::O8] };
        formats.into_iter().find(|format| {
            !tried(*format) && (self.options.formats.is_empty() || self.options.formats.contains(format))
        })
    }

    /// What is to be tried after a listen that was flagged to its end, and where.
    pub(super) fn trial_after(&self, session: &Session, best: &Class) -> Option<(Baud, Format)> {
        let packets = self.options.errors == LineErrors::Packet && !best.inverted;
        let baud = session.listen.settings.baud;
        let flagged = packets && clean_end(&session.words).is_empty();
        self.next_trial(baud).filter(|_| flagged).map(|format| (baud, format))
    }

    pub(super) fn after_trial(&mut self) {
        let Some(session) = self.sessions.last() else { return };
        let (baud, words) = (session.listen.settings.baud, &session.words);
        let format = session.listen.settings.format;
        // The first characters may have been joined in their middle.
        if !clean_end(words).is_empty() {
            return self.stay(Settings::new(self.nominal(baud), format));
        }
        if words.len() < 3 * ENOUGH && words.last().is_some_and(|word| !word.bad) {
            return;
        }
        match self.next_trial(baud) {
            Some(format) => self.ask(baud, format, Purpose::Verify),
            None => self.leave_for(baud, Purpose::Verify),
        }
    }

    pub(super) fn after_cross_check(&mut self) {
        self.crossed = true;
        let Some(settings) = self.verified else { return self.fall_back() };
        let Some(session) = self.sessions.last() else { return };
        let other = session.listen.settings.baud;
        let alone = |at: Baud| {
            let mut fresh = Candidates::new(&[at], self.options.fastest, self.options.errors);
            fresh.listen(other);
            session.words.iter().for_each(|word| fresh.hear(*word));
            fresh.fit()
        };
        let clean = session.words.iter().all(|word| !word.bad);
        if clean && alone(other) - alone(settings.baud) > 2.0 {
            self.rate_has_no_effect = Some(vec![settings.baud, other]);
            self.candidates.forget_present();
            return self.stay(settings);
        }
        let posterior = self.candidates.posterior();
        self.verified = None;
        let best = self.weighed(&posterior).first().copied();
        let decisive = |best: &Class| best.mass >= DECISIVE && near(settings.baud, best.nominal.hz());
        if let Some(best) = best.filter(decisive) {
            if !self.ask_beside(&best) {
                self.stay(settings);
            }
            return;
        }
        // The other rate has cast a doubt.
        match self.most_telling(&posterior) {
            Some((baud, _)) => self.leave_for(baud, Purpose::Measure),
            None => self.fall_back(),
        }
    }
}
