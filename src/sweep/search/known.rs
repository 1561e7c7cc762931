//! What is known at any time: the ranking and its evidence.

use crate::line::{Baud, Format, LineErrors, Parity, STANDARD_BAUDS, Settings};

use super::super::candidates::{BESIDE, Class, Posterior, Word};
use super::super::findings::{Candidate, Evidence, Faults, ProtocolScore, Stretch};
use super::super::verify::{self, ENOUGH, Reading};
use super::{Search, Session, near};

impl Search {
    pub(super) fn read(&self, words: &[Word]) -> Reading {
        // What a packet's flag says of its bytes is little: if the last packets were clean, they are read alone.
        let clean = clean_end(words);
        let words =
            if self.options.errors == LineErrors::Packet && !clean.is_empty() { clean } else { words };
        verify::read(words, self.options.errors, &self.options.formats)
    }

    /// All characters heard as 8N1 at a rate.
    pub(super) fn words_at(&self, baud: Baud) -> Vec<Word> {
        let sessions = self.sessions[self.stretch_sessions.min(self.sessions.len())..].iter();
        let at_rate = |session: &&Session| {
            let settings = session.listen.settings;
            !session.beside && near(settings.baud, baud.hz()) && settings.format == Format::N8
        };
        // Listens at one rate are read one by one: each may have joined in the middle of a character.
        sessions
            .filter(at_rate)
            .max_by_key(|session| {
                let reading = self.read(&session.words);
                reading.characters as i64 - 3 * reading.unexplained as i64
            })
            .map_or(Vec::new(), |s| s.words.clone())
    }

    pub(super) fn settings_of(&self, class: &Class) -> Settings {
        let format = if class.inverted {
            if class.parity > 0.5 { Format::E8 } else { Format::N8 }
        } else {
            self.read(&self.words_at(class.nominal)).best()
        };
        Settings { inverted: class.inverted, ..Settings::new(class.nominal, format) }
    }

    pub(super) fn nominal(&self, baud: Baud) -> Baud {
        self.class_at(baud).map_or(baud, |class| class.nominal)
    }

    pub(super) fn class_at(&self, baud: Baud) -> Option<Class> {
        let classes = self.candidates.posterior().classes(3);
        classes.into_iter().find(|class| near(baud, class.nominal.hz()))
    }

    pub(super) fn ranking(&self, posterior: &Posterior) -> Vec<Candidate> {
        let mut ranking = Vec::new();
        for class in self.weighed(posterior) {
            let words = self.words_at(class.nominal);
            let tried = self.verified.filter(|verified| near(verified.baud, class.nominal.hz()));
            let by_trial = self.by_trial(class.nominal).filter(|_| !class.inverted);
            let formats = if let Some((format, _)) = by_trial {
                vec![(format, 0.99)]
            } else if class.inverted {
                vec![(Format::N8, 1.0 - class.parity), (Format::E8, class.parity)]
            } else {
                self.read(&words).formats
            };
            for (format, probability) in formats.into_iter().filter(|(_, p)| *p > 0.02) {
                let settings = Settings { inverted: class.inverted, ..Settings::new(class.nominal, format) };
                let verified = tried.is_some_and(|v| v.inverted == class.inverted);
                ranking.push(self.candidate(settings, class.measured, class.mass * probability, verified));
            }
        }
        ranking.retain(|candidate| candidate.probability > 0.001);
        ranking.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        ranking
    }

    /// The format that was set at this rate and read clean, and how many characters were in a row.
    pub(super) fn by_trial(&self, baud: Baud) -> Option<(Format, usize)> {
        let verified = self.verified.filter(|v| near(v.baud, baud.hz()) && v.format != Format::N8)?;
        let sessions = self.sessions[self.stretch_sessions..].iter();
        let tried = sessions.filter(|session| session.listen.settings.format == verified.format);
        let clean = tried.map(|session| clean_end(&session.words).len()).max()?;
        (clean > 0).then_some((verified.format, clean))
    }

    /// Classes by mass. One whose own rate was listened at and read as its format says is worth more than the tempered likelihood gives,
    /// and so are those beside it: a sender up to a tenth faster or slower is read as well there.
    pub(super) fn weighed(&self, posterior: &Posterior) -> Vec<Class> {
        const CONFIRMED: f64 = 30.0;
        let mut classes = posterior.classes(5);
        classes.iter_mut().for_each(|class| class.mass = class.told);
        let told: f64 = classes.iter().map(|class| class.mass).sum();
        // At the fastest rate nothing excludes a sender that is a little faster still.
        let top = self.options.fastest.hz() / 1.1;
        let confirmed = |class: &Class| {
            let words = self.words_at(class.nominal);
            let told = match self.options.errors {
                LineErrors::PerByte => self.read(&words).confirms(),
                LineErrors::Packet => !clean_end(&words).is_empty() && self.read(&words).confirms(),
                LineErrors::Counter | LineErrors::Never => false,
            };
            told || self.by_trial(class.nominal).is_some()
        };
        let upright = classes.iter().filter(|class| !class.inverted && class.nominal.hz() < top);
        let confirmed: Vec<Baud> =
            upright.filter(|class| confirmed(class)).map(|class| class.nominal).collect();
        for class in classes.iter_mut().filter(|class| !class.inverted) {
            if confirmed.iter().any(|baud| (baud.hz() / class.nominal.hz()).ln().abs() <= BESIDE) {
                class.mass *= CONFIRMED;
            }
        }
        let total: f64 = classes.iter().map(|class| class.mass).sum::<f64>() + (1.0 - told).max(0.0);
        classes.iter_mut().for_each(|class| class.mass /= total);
        classes.sort_by(|a, b| b.mass.total_cmp(&a.mass));
        classes
    }

    pub(super) fn candidate(
        &self,
        settings: Settings,
        measured_baud: f64,
        probability: f64,
        verified: bool,
    ) -> Candidate {
        let mut alike = verify::alike(settings.format, self.options.errors);
        if settings.inverted {
            alike.push(Format { parity: Parity::Odd, ..settings.format });
        }
        let mut bytes = 0;
        let mut faults = Faults::default();
        for session in self.sessions.iter().filter(|s| near(s.listen.settings.baud, settings.baud.hz())) {
            bytes += session.listen.bytes;
            faults.framing += session.listen.faults.framing;
            faults.parity += session.listen.faults.parity;
            faults.breaks += session.listen.faults.breaks;
            faults.overrun += session.listen.faults.overrun;
        }
        let protocol = if verified { self.protocol() } else { None };
        Candidate { settings, alike, measured_baud, protocol, probability, bytes, faults, verified }
    }

    pub(super) fn protocol(&self) -> Option<ProtocolScore> {
        self.scorer.as_ref().and_then(|scorer| scorer.ranking().into_iter().next())
    }

    /// From one stretch to the next, and from the last to what is best now.
    pub(super) fn changes(&self, settings: &[Candidate]) -> Vec<Evidence> {
        let now = settings.first().map(|best| best.settings.baud);
        let next = self.stretches.iter().skip(1).map(|stretch| stretch.best.settings.baud).chain(now);
        let change = |(stretch, to): (&Stretch, Baud)| Evidence::RateChanged {
            at: stretch.until,
            from: stretch.best.settings.baud,
            to,
        };
        self.stretches.iter().zip(next).map(change).collect()
    }

    pub(super) fn evidence(&self, settings: &[Candidate], received: usize) -> Vec<Evidence> {
        let mut evidence = self.changes(settings);
        if received == 0 {
            evidence.push(Evidence::Silence { listened: self.now - self.started });
        }
        if let Some(best) = settings.first() {
            let words = self.words_at(best.settings.baud);
            let reading = self.read(&words);
            if let Some((_, characters)) = self.by_trial(best.settings.baud) {
                evidence.push(Evidence::Clean { baud: best.settings.baud, characters, unexplained: 0 });
            } else if !words.is_empty() && !best.settings.inverted {
                let (characters, unexplained) = (reading.characters, reading.unexplained);
                evidence.push(Evidence::Clean { baud: best.settings.baud, characters, unexplained });
                let told = verify::evidence(&words, &reading);
                // A flag that belongs to a packet says nothing of each character in it.
                let of_each = |told: &Evidence| matches!(told, Evidence::ParityByFraming { .. });
                let packets = self.options.errors == LineErrors::Packet;
                evidence.extend(told.filter(|told| !(packets && of_each(told))));
            }
            let listens = self.sessions.len() - self.stretch_sessions;
            let (measured_baud, characters) = (best.measured_baud, received);
            evidence.push(Evidence::BitTime { measured_baud, listens, characters });
            if best.settings.inverted {
                let part = self.candidates.posterior().inverted().clamp(1e-9, 1.0 - 1e-9);
                evidence.push(Evidence::Inverted { log_factor: (part / (1.0 - part)).ln() });
            }
            let near_ones =
                STANDARD_BAUDS.into_iter().filter(|rate| near(best.settings.baud, f64::from(*rate)));
            let bauds: Vec<Baud> = near_ones.map(|rate| Baud::nearest(f64::from(rate))).collect();
            if bauds.len() > 1 {
                evidence.push(Evidence::RatesAlike { bauds });
            }
        }
        if matches!(self.options.errors, LineErrors::Never | LineErrors::Counter) {
            evidence.push(Evidence::NoErrorReports);
        }
        if let Some(rates) = &self.rate_has_no_effect {
            evidence.push(Evidence::SameAtAnyRate { rates: rates.clone() });
        }
        evidence.extend(self.fell_back_after.map(|after_listens| Evidence::FellBackToWalk { after_listens }));
        evidence
    }
}

/// The last characters, as far as none of them carries a flag; empty when they are too few to tell.
pub(super) fn clean_end(words: &[Word]) -> &[Word] {
    let clean = words.iter().rev().take_while(|word| !word.bad).count();
    if clean >= ENOUGH { &words[words.len() - clean..] } else { &[] }
}
