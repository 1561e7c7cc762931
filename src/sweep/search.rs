//! The adaptive search as a task: listen, estimate, listen where it decides most, verify.
//!
//! A receiver that is too fast samples the sender's bits, so its bytes carry the sender's bit time. The search begins at the fastest
//! rate, where every sender leaves a trace, and changes the rate on the open port. What it believes is in [`Candidates`]; what the
//! characters at one rate say of the format is in [`super::verify`]. When listening settles nothing, it walks all rates, high to low.

use std::collections::VecDeque;

use crate::line::{
    Action, Baud, Fault, Format, Instant, LineErrors, LineEvent, Parity, STANDARD_BAUDS, Seen, Settings, Task,
};

use super::candidates::{CLASS, Candidates, Class, Posterior, Word};
use super::findings::{
    Candidate, Evidence, Faults, Findings, Listen, ProtocolScore, Purpose, Stretch, Verdict,
};
use super::likelihood::Table;
use super::options::Options;
use super::protocol::{ProtocolScorer, ProtocolScorers};
use super::verify::{self, ENOUGH, Reading};

/// A class this heavy is worth a listen at its rate.
const WORTH_VERIFYING: f64 = 0.9;
/// A class this heavy, verified, is the answer.
const DECISIVE: f64 = 0.95;
/// Listens without an answer before the walk begins.
const PATIENCE: usize = 6;
/// Listens after the walk, when there is time left.
const LINGER: usize = 8;
/// Words of a listen before it is asked whether another rate would tell more, and after which it ends in any case.
const FIRST_WORDS: usize = 4;
const MOST_WORDS: usize = 14;
/// Words of a listen at a candidate before it is given up.
const MOST_TO_VERIFY: usize = 26;
/// Words at one step of the walk.
const WALK_WORDS: usize = 10;
/// Words that show whether the rate has any effect.
const CROSS_WORDS: usize = 6;
/// Words kept of one listen; beyond, only counts grow.
const KEPT: usize = 4096;

/// One listen with what came.
struct Session {
    listen: Listen,
    words: Vec<Word>,
    events: Vec<LineEvent>,
}

enum Phase {
    /// Before the first settings are known.
    Waiting,
    /// New settings were asked for, for this purpose; so many were refused on the way.
    Asked(Purpose),
    Listening,
    /// Verified; listening on for protocols and changes of rate. The span begins when what was heard so far has been looked at.
    Staying {
        until: Option<Instant>,
    },
    Done,
}

/// The search. Run it as a task; ask [`Search::findings`] at any time.
pub struct Search {
    options: Options,
    scorers: Box<dyn ProtocolScorers>,
    scorer: Option<Box<dyn ProtocolScorer>>,
    candidates: Candidates,
    phase: Phase,
    actions: VecDeque<Action>,
    sessions: Vec<Session>,
    /// Sessions before this one belong to an earlier stretch.
    stretch_sessions: usize,
    stretch_from: Instant,
    stretches: Vec<Stretch>,
    changes: Vec<Evidence>,
    /// A change was seen that led back to the same settings: without flags for each byte it will be seen again.
    false_alarm: bool,
    asked: Option<Settings>,
    refused: Vec<(Baud, String)>,
    /// Steps of the walk still to come, and whether it has begun because nothing else helped.
    walk: Option<VecDeque<Baud>>,
    fell_back_after: Option<usize>,
    /// Listens made after the walk.
    lingered: usize,
    verified: Option<Settings>,
    rate_has_no_effect: Option<Vec<Baud>>,
    crossed: bool,
    started: Instant,
    now: Instant,
    begun: bool,
}

impl Search {
    pub fn new(options: Options, scorers: Box<dyn ProtocolScorers>) -> Search {
        let candidates = Candidates::new(&options.bauds, options.fastest, options.errors);
        Search {
            candidates,
            scorers,
            scorer: None,
            phase: Phase::Waiting,
            actions: VecDeque::new(),
            sessions: Vec::new(),
            stretch_sessions: 0,
            stretch_from: Instant::ZERO,
            stretches: Vec::new(),
            changes: Vec::new(),
            false_alarm: false,
            asked: None,
            refused: Vec::new(),
            walk: None,
            fell_back_after: None,
            lingered: 0,
            verified: None,
            rate_has_no_effect: None,
            crossed: false,
            started: Instant::ZERO,
            now: Instant::ZERO,
            begun: false,
            options,
        }
    }

    pub fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Done)
    }

    /// What is being listened at, and why: for a progress bar.
    pub fn doing(&self) -> Option<&Listen> {
        self.sessions.last().map(|session| &session.listen)
    }

    /// What is known now.
    pub fn findings(&self) -> Findings {
        let posterior = self.candidates.posterior();
        let received = self.sessions.iter().map(|session| session.listen.bytes).sum();
        // Nothing heard is nothing known: what rates are customary is no finding.
        let settings = if received == 0 { Vec::new() } else { self.ranking(&posterior) };
        let mut stretches = self.stretches.clone();
        if let (false, Some(best)) = (stretches.is_empty(), settings.first()) {
            stretches.push(Stretch { from: self.stretch_from, until: self.now, best: best.clone() });
        }
        Findings {
            verdict: self.verdict(&settings, received),
            evidence: self.evidence(&settings, received),
            settings,
            stretches,
            listens: self.sessions.iter().map(|session| session.listen.clone()).collect(),
            rate_has_no_effect: self.rate_has_no_effect.is_some(),
            line_errors: self.options.errors,
            refused: self.refused.clone(),
            received,
            elapsed: self.now - self.started,
        }
    }

    fn verdict(&self, settings: &[Candidate], received: usize) -> Verdict {
        let sure = |candidate: &Candidate| candidate.verified && candidate.probability >= DECISIVE;
        match settings {
            _ if received == 0 => Verdict::Silent,
            [best, ..] if sure(best) => Verdict::Found,
            [first, second, ..]
                if first.verified
                    && first.probability + second.probability >= 0.9
                    && second.probability >= 0.1 =>
            {
                Verdict::Ambiguous
            }
            _ => Verdict::Undecided,
        }
    }

    // ---- what to do next -------------------------------------------------------------------------------------

    fn begin(&mut self, now: Instant) {
        Table::prepare(); // while the line settles
        self.begun = true;
        self.started = now;
        self.stretch_from = now;
        if self.options.exhaustive {
            self.walk = Some(self.walk_rates());
            self.step_walk();
        } else {
            self.ask(self.options.fastest, Format::N8, Purpose::Measure);
        }
    }

    fn ask(&mut self, baud: Baud, format: Format, purpose: Purpose) {
        let settings = Settings::new(baud, format);
        self.asked = Some(settings);
        self.phase = Phase::Asked(purpose);
        self.actions.extend([Action::Set(settings), Action::Discard]);
    }

    fn listen(&mut self, now: Instant, settings: Settings, purpose: Purpose) {
        let asked = self.asked.map_or(settings.baud, |asked| asked.baud);
        let from = now + self.options.settle;
        let listen =
            Listen { from, until: from, settings, asked, purpose, bytes: 0, faults: Faults::default() };
        self.sessions.push(Session { listen, words: Vec::new(), events: Vec::new() });
        self.candidates.listen(settings.baud);
        self.phase = Phase::Listening;
    }

    /// After each word: go on, or elsewhere, or stop?
    fn decide(&mut self) {
        let Some(session) = self.sessions.last() else { return };
        let (count, purpose, settings) =
            (session.words.len(), session.listen.purpose, session.listen.settings);
        match purpose {
            Purpose::Walk if self.options.exhaustive || self.walk.is_some() => {
                if count >= WALK_WORDS {
                    self.after_walk_step();
                }
            }
            Purpose::CrossCheck => {
                if count >= CROSS_WORDS {
                    self.after_cross_check();
                }
            }
            Purpose::Verify if settings.format != Format::N8 => {
                if count >= ENOUGH {
                    self.after_trial();
                }
            }
            _ => self.after_word(count, purpose, settings),
        }
    }

    fn after_word(&mut self, count: usize, purpose: Purpose, settings: Settings) {
        if count < 3 {
            return;
        }
        let posterior = self.candidates.posterior();
        let classes = posterior.classes(2);
        let Some(best) = classes.first().copied() else { return };
        let at_best = near(settings.baud, best.measured) || near(settings.baud, best.nominal.hz());
        let open = count < if at_best { MOST_TO_VERIFY } else { MOST_WORDS } + 2 * self.lingered;
        if best.mass >= WORTH_VERIFYING && at_best {
            if self.confirmed(&best) {
                return self.settle(best, settings);
            }
            if open {
                return;
            }
        } else if best.mass >= WORTH_VERIFYING && !self.is_refused(best.nominal) {
            return self.leave_for(best.nominal, Purpose::Verify);
        }
        let verifying = purpose == Purpose::Verify && at_best && best.mass >= 0.5;
        if open && (verifying || count < FIRST_WORDS || count % 2 == 1) {
            return;
        }
        let here = self.candidates.worth(&posterior, settings.baud);
        let next = self.most_telling(&posterior);
        match next {
            Some((baud, worth)) if !open || worth > 1.5 * here + 0.05 => {
                self.leave_for(baud, Purpose::Measure)
            }
            None if !open => self.fall_back(),
            Some(_) | None => {}
        }
    }

    /// Whether the characters of the present listen confirm a class.
    fn confirmed(&self, best: &Class) -> bool {
        let Some(session) = self.sessions.last() else { return false };
        if session.words.len() < ENOUGH {
            return false;
        }
        if best.inverted {
            // An inverted line is never read clean; it has only its likelihood.
            return best.mass >= 0.98;
        }
        let reading = self.read(&session.words);
        match self.options.errors {
            LineErrors::PerByte => reading.confirms(),
            LineErrors::Packet => {
                let flagged = session.words.last().is_some_and(|word| word.bad);
                let trial = flagged
                    && best.mass >= DECISIVE
                    && self.next_trial(session.listen.settings.baud).is_some();
                trial || !clean_end(&session.words).is_empty() && reading.confirms()
            }
            LineErrors::Counter | LineErrors::Never => reading.characters >= ENOUGH && best.mass >= 0.97,
        }
    }

    /// The rate is confirmed: what is left is the format, where flags belong to packets, and whether the rate matters at all.
    fn settle(&mut self, best: Class, settings: Settings) {
        let packets = self.options.errors == LineErrors::Packet && !best.inverted;
        let flagged = self.sessions.last().is_some_and(|session| clean_end(&session.words).is_empty());
        if let Some(format) = self.next_trial(settings.baud).filter(|_| packets && flagged) {
            return self.ask(settings.baud, format, Purpose::Verify);
        }
        let only_rate = self.sessions[self.stretch_sessions..]
            .iter()
            .all(|session| session.listen.settings.baud == settings.baud);
        if only_rate && !self.crossed && self.options.bauds.is_empty() {
            // A port whose rate has no effect reads clean at the very first one.
            let other = slower(settings.baud, 1.6);
            self.verified = Some(self.settings_of(&best));
            return self.leave_for(other, Purpose::CrossCheck);
        }
        self.stay(self.settings_of(&best));
    }

    fn stay(&mut self, settings: Settings) {
        self.verified = Some(settings);
        let same = |stretch: &mut Stretch| near(stretch.best.settings.baud, settings.baud.hz());
        if self.options.errors != LineErrors::PerByte
            && let Some(same) = self.stretches.pop_if(same)
        {
            self.changes.pop();
            self.stretch_from = same.from;
            self.false_alarm = true;
        }
        let protocol = self.options.protocol.clone();
        let mut scorer = self.scorers.scorer(&settings, protocol.as_deref());
        if let Some(session) = self.sessions.last() {
            let decoded: Vec<LineEvent> = session
                .events
                .iter()
                .map(|event| decoded(event, session.listen.settings, settings))
                .collect();
            scorer.hear(&decoded);
        }
        self.scorer = Some(scorer);
        if self.options.stay.is_zero() {
            return self.finish();
        }
        self.phase = Phase::Staying { until: None };
    }

    /// While staying: a device that changes its rate is searched for again.
    fn watch(&mut self, event: &LineEvent) {
        let (Some(settings), Some(session)) = (self.verified, self.sessions.last()) else { return };
        if let Some(scorer) = &mut self.scorer {
            scorer.hear(&[decoded(event, session.listen.settings, settings)]);
        }
        const WINDOW: usize = 12;
        if settings.inverted || session.words.len() < ENOUGH + WINDOW {
            return;
        }
        let recent = &session.words[session.words.len() - WINDOW..];
        let mut fresh = Candidates::new(&self.options.bauds, self.options.fastest, self.options.errors);
        let unexplained = match self.options.errors {
            LineErrors::PerByte => self.read(recent).unexplained,
            LineErrors::Packet if session.listen.settings.format != Format::N8 => {
                recent.iter().filter(|word| word.bad).count()
            }
            _ if self.false_alarm => 0,
            _ => {
                // Only every few words: this is a whole posterior.
                if session.words.len() % WINDOW != 0 {
                    return;
                }
                fresh.listen(session.listen.settings.baud);
                recent.iter().for_each(|word| fresh.hear(*word));
                if fresh.posterior().near(settings.baud.hz()) < 0.001 { WINDOW } else { 0 }
            }
        };
        if unexplained * 2 > WINDOW {
            self.change();
        }
    }

    /// The line is not what it was: what was found becomes a stretch, and the search begins anew.
    fn change(&mut self) {
        let posterior = self.candidates.posterior();
        if let Some(best) = self.ranking(&posterior).into_iter().next() {
            let to = best.settings.baud;
            self.stretches.push(Stretch { from: self.stretch_from, until: self.now, best });
            self.changes.push(Evidence::RateChanged { at: self.now, from: to, to });
        }
        self.candidates.forget();
        self.stretch_from = self.now;
        self.stretch_sessions = self.sessions.len();
        self.verified = None;
        self.scorer = None;
        self.walk = None;
        self.ask(self.options.fastest, Format::N8, Purpose::Measure);
    }

    fn leave_for(&mut self, baud: Baud, purpose: Purpose) {
        // A listen that contradicts all earlier ones: the line has changed in between.
        let listens = self.sessions.len() - self.stretch_sessions;
        if listens > 1 && self.candidates.changed() > 18.0 {
            self.candidates.forget_earlier();
        }
        if self.walk.is_some() && purpose != Purpose::CrossCheck {
            self.lingered += 1;
            if self.lingered > LINGER {
                return self.finish();
            }
        }
        if listens >= PATIENCE && purpose != Purpose::CrossCheck && self.walk.is_none() {
            return self.fall_back();
        }
        self.ask(baud, Format::N8, purpose);
    }

    /// The rate whose words would tell most, with how much.
    fn most_telling(&self, posterior: &Posterior) -> Option<(Baud, f64)> {
        let tried = |baud: Baud| {
            let listens = self.sessions[self.stretch_sessions..].iter();
            listens.filter(|session| session.listen.asked == baud).count()
        };
        let rates =
            STANDARD_BAUDS.iter().filter(|rate| **rate >= 1200).map(|rate| Baud::nearest(f64::from(*rate)));
        // Off the customary grid: where standard rates lie on a plateau of one another, a rate between them tells.
        let between = [45_000.0, 90_000.0, 170_000.0, 330_000.0, 700_000.0].map(Baud::nearest);
        let best = posterior.classes(3);
        // Slower than the sender a receiver learns little, and what it learns is less certain.
        let slowest = best.iter().filter(|class| class.mass > 0.02).map(|class| class.measured);
        let slowest = slowest.fold(f64::INFINITY, f64::min) * 0.93;
        let slowest = if slowest.is_finite() { slowest } else { 0.0 };
        let most = if self.walk.is_some() { 6 } else { 2 };
        let here = self.sessions.last().map(|session| session.listen.asked);
        let rates = rates.chain(between).chain(best.iter().map(|class| class.nominal));
        rates
            .filter(|baud| {
                *baud <= self.options.fastest
                    && baud.hz() >= slowest
                    && !self.is_refused(*baud)
                    && tried(*baud) < most
                    && Some(*baud) != here
            })
            .map(|baud| (baud, self.candidates.worth(posterior, baud)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
    }

    // ---- formats by trial, the cross-check ---------------------------------------------------------------------

    /// Where a flag belongs to a packet, a parity is found by setting it: the right one is read clean.
    fn next_trial(&self, baud: Baud) -> Option<Format> {
        let tried = |format: Format| {
            let sessions = &self.sessions[self.stretch_sessions..];
            sessions.iter().any(|s| s.listen.settings.format == format && s.listen.settings.baud == baud)
        };
        [Format::E8, Format::O8].into_iter().find(|format| {
            !tried(*format) && (self.options.formats.is_empty() || self.options.formats.contains(format))
        })
    }

    fn after_trial(&mut self) {
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

    fn after_cross_check(&mut self) {
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
        let best = self.weighed(&posterior).first().copied();
        if best.is_some_and(|best| best.mass >= DECISIVE && near(settings.baud, best.nominal.hz())) {
            return self.stay(settings);
        }
        // The other rate has cast a doubt.
        self.verified = None;
        match self.most_telling(&posterior) {
            Some((baud, _)) => self.leave_for(baud, Purpose::Measure),
            None => self.fall_back(),
        }
    }

    // ---- the walk ----------------------------------------------------------------------------------------------

    fn walk_rates(&self) -> VecDeque<Baud> {
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

    fn fall_back(&mut self) {
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

    fn step_walk(&mut self) {
        match self.walk.as_mut().and_then(VecDeque::pop_front) {
            Some(baud) => self.ask(baud, Format::N8, Purpose::Walk),
            None => self.after_walk(),
        }
    }

    fn after_walk_step(&mut self) {
        let posterior = self.candidates.posterior();
        let best = posterior.classes(1).first().copied();
        let settings = self.sessions.last().map(|session| session.listen.settings);
        let best = best.filter(|best| !self.options.exhaustive && self.confirmed(best));
        if let Some((best, settings)) = best.zip(settings).filter(|(b, s)| near(s.baud, b.nominal.hz())) {
            return self.settle(best, settings);
        }
        self.step_walk();
    }

    /// All steps are done: the best class, if it was listened at, is verified by what came there.
    fn after_walk(&mut self) {
        let posterior = self.candidates.posterior();
        let Some(best) = posterior.classes(1).first().copied() else { return self.finish() };
        let heard =
            self.sessions.iter().rev().find(|session| near(session.listen.settings.baud, best.nominal.hz()));
        match heard {
            Some(session) if best.mass >= DECISIVE && self.words_confirm(session, &best) => {
                self.verified = Some(self.settings_of(&best));
                self.finish();
            }
            None if best.mass >= WORTH_VERIFYING && !self.is_refused(best.nominal) => {
                self.ask(best.nominal, Format::N8, Purpose::Walk);
            }
            _ if self.options.exhaustive => self.finish(),
            _ => self.leave_for(best.nominal, Purpose::Verify),
        }
    }

    fn words_confirm(&self, session: &Session, best: &Class) -> bool {
        best.inverted || self.read(&session.words).confirms()
    }

    fn finish(&mut self) {
        if !self.is_done() {
            self.phase = Phase::Done;
            self.actions.push_back(Action::Done);
        }
    }

    // ---- what is known -----------------------------------------------------------------------------------------

    fn read(&self, words: &[Word]) -> Reading {
        // What a packet's flag says of its bytes is little: if the last packets were clean, they are read alone.
        let clean = clean_end(words);
        let words =
            if self.options.errors == LineErrors::Packet && !clean.is_empty() { clean } else { words };
        verify::read(words, self.options.errors, &self.options.formats)
    }

    /// All characters heard as 8N1 at a rate.
    fn words_at(&self, baud: Baud) -> Vec<Word> {
        let sessions = self.sessions[self.stretch_sessions.min(self.sessions.len())..].iter();
        let at_rate = |session: &&Session| {
            let settings = session.listen.settings;
            near(settings.baud, baud.hz()) && settings.format == Format::N8
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

    fn settings_of(&self, class: &Class) -> Settings {
        let format = if class.inverted {
            if class.parity > 0.5 { Format::E8 } else { Format::N8 }
        } else {
            self.read(&self.words_at(class.nominal)).best()
        };
        Settings { inverted: class.inverted, ..Settings::new(class.nominal, format) }
    }

    fn nominal(&self, baud: Baud) -> Baud {
        let classes = self.candidates.posterior().classes(3);
        classes.iter().find(|class| near(baud, class.nominal.hz())).map_or(baud, |class| class.nominal)
    }

    fn ranking(&self, posterior: &Posterior) -> Vec<Candidate> {
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
    fn by_trial(&self, baud: Baud) -> Option<(Format, usize)> {
        let verified = self.verified.filter(|v| near(v.baud, baud.hz()) && v.format != Format::N8)?;
        let sessions = self.sessions[self.stretch_sessions..].iter();
        let tried = sessions.filter(|session| session.listen.settings.format == verified.format);
        let clean = tried.map(|session| clean_end(&session.words).len()).max()?;
        (clean > 0).then_some((verified.format, clean))
    }

    /// Classes by mass. One whose own rate was listened at and read as its format says is worth more than the tempered likelihood gives.
    fn weighed(&self, posterior: &Posterior) -> Vec<Class> {
        const CONFIRMED: f64 = 30.0;
        let mut classes = posterior.classes(5);
        let told: f64 = classes.iter().map(|class| class.mass).sum();
        // At the fastest rate nothing excludes a sender that is a little faster still.
        let top = self.options.fastest.hz() / 1.1;
        for class in classes.iter_mut().filter(|class| !class.inverted && class.nominal.hz() < top) {
            let words = self.words_at(class.nominal);
            let told = match self.options.errors {
                LineErrors::PerByte => self.read(&words).confirms(),
                LineErrors::Packet => !clean_end(&words).is_empty() && self.read(&words).confirms(),
                LineErrors::Counter | LineErrors::Never => false,
            };
            if told || self.by_trial(class.nominal).is_some() {
                class.mass *= CONFIRMED;
            }
        }
        let total: f64 = classes.iter().map(|class| class.mass).sum::<f64>() + (1.0 - told).max(0.0);
        classes.iter_mut().for_each(|class| class.mass /= total);
        classes.sort_by(|a, b| b.mass.total_cmp(&a.mass));
        classes
    }

    fn candidate(
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

    fn protocol(&self) -> Option<ProtocolScore> {
        self.scorer.as_ref().and_then(|scorer| scorer.ranking().into_iter().next())
    }

    fn evidence(&self, settings: &[Candidate], received: usize) -> Vec<Evidence> {
        let mut evidence = self.changes.clone();
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

    fn is_refused(&self, baud: Baud) -> bool {
        self.refused.iter().any(|(refused, _)| *refused == baud)
    }

    /// When a line that has been silent all the time is left.
    fn given_up(&self) -> Option<Instant> {
        let silence = self.options.silence?;
        let heard = self.sessions.iter().any(|session| session.listen.bytes > 0);
        (!heard).then(|| self.started + silence)
    }

    fn deadline_of_step(&self) -> Option<Instant> {
        let walk = self.walk.as_ref()?;
        let session = self.sessions.last().filter(|s| s.listen.purpose == Purpose::Walk)?;
        let left = (self.started + self.options.time) - session.listen.from;
        Some(session.listen.from + left / (walk.len() as u32 + 1))
    }
}

impl Task for Search {
    fn on_event(&mut self, event: &LineEvent) {
        self.now = self.now.max(event.at);
        let listening = matches!(self.phase, Phase::Listening | Phase::Staying { .. });
        let Some(session) = self.sessions.last_mut().filter(|s| listening && event.at >= s.listen.from)
        else {
            return;
        };
        if event.direction == crate::line::Direction::Tx {
            return;
        }
        count(&mut session.listen, event);
        let Some(word) = Word::of(event) else { return };
        if session.words.len() < KEPT {
            session.words.push(word);
            session.events.push(*event);
        }
        match self.phase {
            Phase::Staying { .. } => self.watch(event),
            _ => {
                let settings = session.listen.settings;
                if settings.format == Format::N8 {
                    self.candidates.hear(word);
                }
                self.decide();
            }
        }
    }

    fn on_time(&mut self, now: Instant) {
        self.now = self.now.max(now);
        if let Some(session) = self.sessions.last_mut().filter(|_| !matches!(self.phase, Phase::Asked(_))) {
            session.listen.until = self.now;
        }
        if self.begun && !self.is_done() {
            if let Phase::Staying { until: until @ None } = &mut self.phase {
                *until = Some(self.now + self.options.stay);
            }
            let staying = matches!(self.phase, Phase::Staying { until: Some(until) } if self.now >= until);
            let over = self.started + self.options.time;
            if staying || self.now >= over || self.given_up().is_some_and(|at| self.now >= at) {
                self.finish();
            } else if matches!(self.phase, Phase::Listening)
                && self.deadline_of_step().is_some_and(|t| self.now >= t)
            {
                self.after_walk_step();
            }
        }
    }

    fn on_settings(&mut self, now: Instant, settings: Settings) {
        self.now = self.now.max(now);
        match self.phase {
            Phase::Waiting => self.begin(now),
            Phase::Asked(purpose) => self.listen(now, settings, purpose),
            Phase::Listening | Phase::Staying { .. } | Phase::Done => {}
        }
    }

    fn on_refused(&mut self, now: Instant, settings: Settings, reason: &str) {
        self.now = self.now.max(now);
        let Phase::Asked(purpose) = self.phase else { return };
        self.refused.push((settings.baud, reason.into()));
        if self.walk.is_some() {
            return self.step_walk();
        }
        // The next slower standard rate that was not refused; a walk when there are too many.
        let mut next = STANDARD_BAUDS.into_iter().rev().map(|rate| Baud::nearest(f64::from(rate)));
        let next = next.find(|baud| *baud < settings.baud && !self.is_refused(*baud));
        match next {
            Some(baud) if self.refused.len() <= 8 => self.ask(baud, settings.format, purpose),
            _ => self.fall_back(),
        }
    }

    fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        if !self.begun || self.is_done() {
            return None;
        }
        let end = self.started + self.options.time;
        let staying = match self.phase {
            Phase::Staying { until } => until.or(Some(self.now)),
            _ => None,
        };
        [staying, self.deadline_of_step(), self.given_up(), Some(end)].into_iter().flatten().min()
    }
}

/// The last characters, as far as none of them carries a flag; empty when they are too few to tell.
fn clean_end(words: &[Word]) -> &[Word] {
    let clean = words.iter().rev().take_while(|word| !word.bad).count();
    if clean >= ENOUGH { &words[words.len() - clean..] } else { &[] }
}

fn near(baud: Baud, rate: f64) -> bool {
    (baud.hz() / rate).ln().abs() <= CLASS
}

/// The standard rate nearest to a part of another.
fn slower(baud: Baud, times: f64) -> Baud {
    Baud::standard_near(baud.hz() / times, 0.5).unwrap_or_else(|| Baud::nearest(baud.hz() / times))
}

fn count(listen: &mut Listen, event: &LineEvent) {
    listen.until = listen.until.max(event.at);
    listen.bytes += usize::from(event.seen != Seen::Marker);
    match event.fault {
        Some(Fault::Framing | Fault::FramingOrParity) => listen.faults.framing += 1,
        Some(Fault::Parity) => listen.faults.parity += 1,
        Some(Fault::Break) => listen.faults.breaks += 1,
        Some(Fault::Overrun) => listen.faults.overrun += 1,
        None => {}
    }
}

/// An event as a receiver with the found settings would have reported it.
fn decoded(event: &LineEvent, heard: Settings, found: Settings) -> LineEvent {
    let Some(word) = Word::of(event).filter(|_| heard.format == Format::N8 && !found.inverted) else {
        return *event;
    };
    let mask = found.format.data.mask() as u8;
    let byte = LineEvent { seen: Seen::Byte(word.byte & mask), fault: None, ..*event };
    match (found.format.parity.bit(u16::from(word.byte)), found.format.data.count()) {
        // The stop bit's place held the parity bit: as it should be, or a parity error.
        (Some(mark), 8) if mark != word.bad => byte,
        (Some(_), 8) => byte.with_fault(Fault::Parity),
        (Some(_), 7) if !word.bad => {
            let wanted = found.format.parity.bit(u16::from(word.byte & mask)) == Some(word.byte & 0x80 != 0);
            if wanted { byte } else { byte.with_fault(Fault::Parity) }
        }
        (None, 7) if !word.bad => byte,
        _ => *event,
    }
}
