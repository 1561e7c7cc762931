//! A rate is confirmed: is it that one, or one beside it that is read as clean?

use crate::line::{Baud, Format, LineErrors};

use super::super::candidates::{Class, Question};
use super::super::findings::Purpose;
use super::Search;

/// Where the rates beside hold less than this, they are excluded.
const DOUBT: f64 = 0.01;
/// The same where each listen waits for a whole packet.
const DOUBT_OF_PACKETS: f64 = 0.02;
/// Where they still hold more than this after that, it is asked once more, and so on so many times.
const DOUBT_AGAIN: f64 = 0.05;
const QUESTIONS: usize = 3;
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
        self.notice_change();
        self.ask(baud, Format::N8, Purpose::Measure);
        self.beside = true;
        true
    }

    /// Whether a rate beside a class is not excluded, and may still be asked about.
    pub(super) fn rivalled(&self, best: &Class) -> bool {
        let asked = self.sessions[self.stretch_sessions..].iter().filter(|session| session.beside).count();
        let doubt = match self.options.errors {
            _ if asked > 0 => DOUBT_AGAIN,
            LineErrors::Packet => DOUBT_OF_PACKETS,
            LineErrors::PerByte | LineErrors::Counter | LineErrors::Never => DOUBT,
        };
        !self.options.exhaustive && asked < QUESTIONS && self.question(best).doubt > doubt
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{Direction, Instant, LineEvent, Settings, Task};
    use crate::sweep::{NoProtocols, Options};

    /// A search that has heard some clean text at 9600 baud, as it is heard of senders beside it too.
    fn heard() -> Search {
        let options = Options { errors: LineErrors::PerByte, ..Options::default() };
        let mut search = Search::new(options, Box::new(NoProtocols));
        let baud = Baud::nearest(9600.0);
        search.listen(Instant::ZERO, Settings::new(baud, Format::N8), Purpose::Verify);
        for byte in b"tail 12\r\n" {
            search.on_event(&LineEvent::byte(Instant::from_secs(1.0), Direction::Rx, *byte));
        }
        search
    }

    #[test]
    fn what_confirms_a_rate_confirms_those_beside_it_as_well() {
        let mut search = heard();
        let posterior = search.candidates.posterior();
        let masses = |classes: Vec<Class>| {
            let near = |class: &&Class| !class.inverted && (class.nominal.hz() / 9600.0).ln().abs() < 0.1;
            let mut near: Vec<(u32, f64)> =
                classes.iter().filter(near).map(|class| (class.nominal.get(), class.mass)).collect();
            near.sort_unstable_by_key(|(baud, _)| *baud);
            near
        };
        let before = masses(search.weighed(&posterior));
        assert!(before.len() > 1, "{before:?}");
        let event = LineEvent::byte(Instant::from_secs(1.0), Direction::Rx, b'r');
        search.on_event(&event);
        assert!(search.read(&search.words_at(Baud::nearest(9600.0))).confirms());
        // The same belief, now confirmed: the rest of it counts for less, and each of these for as much more.
        let after = masses(search.weighed(&posterior));
        let factors: Vec<f64> = before.iter().zip(&after).map(|(before, after)| after.1 / before.1).collect();
        assert_eq!(before.len(), after.len());
        assert!(factors.iter().all(|factor| (factor / factors[0] - 1.0).abs() < 1e-6), "{factors:?}");
        assert!(factors[0] > 1.0, "{factors:?}");
    }

    #[test]
    fn it_is_asked_a_few_times_and_not_for_ever() {
        let mut search = heard();
        let best = search.candidates.posterior().classes(1)[0];
        let mut asked = Vec::new();
        while search.ask_beside(&best) {
            let settings = search.asked.unwrap_or(Settings::new(best.nominal, Format::N8));
            search.listen(Instant::ZERO, settings, Purpose::Measure);
            asked.push(settings.baud);
        }
        assert_eq!(asked.len(), QUESTIONS, "{asked:?}");
        assert!(asked.iter().all(|baud| *baud != best.nominal));
    }
}
