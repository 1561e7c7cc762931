//! A rate is confirmed: is it that one, or one beside it that is read as clean?

use crate::line::{Baud, LineErrors};

use super::super::candidates::{Class, Question};
use super::super::findings::Purpose;
use super::{PATIENCE, Search};

/// Where the rates beside hold less than this, they are excluded.
const DOUBT: f64 = 0.01;
/// The same where each listen waits for a whole packet.
const DOUBT_OF_PACKETS: f64 = 0.02;
/// Where it may be asked, in parts of the rate: beside it a neighbour is far off, and at some times of it a bit time is measured.
const PARTS: [f64; 19] = [
    0.9, 0.92, 0.94, 0.955, 0.97, 1.03, 1.045, 1.06, 1.08, 1.1, 1.3, 1.5, 1.84, 2.3, 3.0, 3.7, 4.5, 6.0, 7.5,
];
/// Rates nearer to each other (natural logarithm) tell the same.
const APART: f64 = 0.015;

impl Search {
    /// Listens where a class and those beside it differ, if one of them is left; whether it does.
    pub(super) fn ask_beside(&mut self, best: &Class) -> bool {
        let Some(baud) = self.rivalled(best).then(|| self.between(best)).flatten() else { return false };
        self.leave_for(baud, Purpose::Measure);
        self.beside = true;
        true
    }

    /// Whether a rate beside a class is not excluded, and may still be asked about.
    pub(super) fn rivalled(&self, best: &Class) -> bool {
        let listens = self.sessions.len() - self.stretch_sessions;
        let doubt = match self.options.errors {
            LineErrors::Packet => DOUBT_OF_PACKETS,
            LineErrors::PerByte | LineErrors::Counter | LineErrors::Never => DOUBT,
        };
        self.walk.is_none() && listens < PATIENCE && self.question(best).doubt > doubt
    }

    /// The rate at which a class and the rates beside it differ most, of those that were not listened at.
    fn between(&self, best: &Class) -> Option<Baud> {
        let question = self.question(best);
        let sessions = &self.sessions[self.stretch_sessions..];
        let new = |baud: &Baud| {
            sessions.iter().all(|session| (session.listen.asked.hz() / baud.hz()).ln().abs() > APART)
        };
        PARTS
            .iter()
            .map(|part| Baud::nearest((best.nominal.hz() * part).round()))
            .filter(|baud| *baud <= self.options.fastest && !self.is_refused(*baud) && new(baud))
            .map(|baud| (baud, self.candidates.answers(&question, baud)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(baud, _)| baud)
    }

    fn question(&self, best: &Class) -> Question {
        self.candidates.question(best.nominal, best.inverted)
    }
}
