//! The adaptive search as a task: listen, estimate, listen where it decides most, verify.
//!
//! A receiver that is too fast samples the sender's bits, so its bytes carry the sender's bit time. The search begins at the fastest
//! rate, where every sender leaves a trace, and changes the rate on the open port. What it believes is in [`Candidates`]; what the
//! characters at one rate say of the format is in [`super::verify`]. When listening settles nothing, it walks all rates, high to low.

use std::collections::VecDeque;

use crate::line::{Action, Baud, Format, Instant, LineErrors, LineEvent, STANDARD_BAUDS, Settings};

use super::candidates::{CLASS, Candidates, Class, Posterior, Word};
use super::findings::{Candidate, Faults, Findings, Listen, Purpose, Stretch, Verdict};
use super::likelihood::Table;
use super::options::Options;
use super::protocol::{ProtocolScorer, ProtocolScorers};
use super::verify::ENOUGH;
use known::clean_end;
pub(super) use watch::decoded;

mod beside;
mod known;
mod task;
mod trial;
mod walk;
mod watch;

/// A class this heavy is worth a listen at its rate.
const WORTH_VERIFYING: f64 = 0.9;
/// A class this heavy, verified, is the answer.
const DECISIVE: f64 = 0.95;
/// Listens without an answer before the walk begins.
const PATIENCE: usize = 6;
/// Listens after the walk, when there is time left.
const LINGER: usize = 8;
/// A driver that sets another rate than this near one (natural logarithm) has none of its own for what was asked.
const SNAPPED: f64 = 0.03;
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
    /// Made beside a rate, to see whether it is that one: of that one's format it tells nothing.
    beside: bool,
}

enum Phase {
    /// Before the first settings are known.
    Waiting,
    /// New settings were asked for, for this purpose; so many were refused on the way.
    Asked(Purpose),
    Listening,
    /// Verified; listening on for protocols and changes of rate. The span begins when what was heard so far has been looked at.
    Staying {
        since: Option<Instant>,
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
    /// Words that have come since it was last decided what to do.
    unweighed: usize,
    /// The listen that was asked for will be beside a rate.
    beside: bool,
    actions: VecDeque<Action>,
    sessions: Vec<Session>,
    /// Sessions before this one belong to an earlier stretch.
    stretch_sessions: usize,
    stretch_from: Instant,
    stretches: Vec<Stretch>,
    /// A change was seen that led back to the same settings: without flags for each byte it will be seen again.
    false_alarm: bool,
    asked: Option<Settings>,
    refused: Vec<(Baud, String)>,
    /// The driver sets something else for a rate that it has no name for, and does not say so.
    snaps: bool,
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
            unweighed: 0,
            beside: false,
            actions: VecDeque::new(),
            sessions: Vec::new(),
            stretch_sessions: 0,
            stretch_from: Instant::ZERO,
            stretches: Vec::new(),
            false_alarm: false,
            asked: None,
            refused: Vec::new(),
            snaps: false,
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
        self.unweighed = 0;
        self.beside = false;
        self.phase = Phase::Asked(purpose);
        self.actions.extend([Action::Set(settings), Action::Discard]);
    }

    fn listen(&mut self, now: Instant, settings: Settings, purpose: Purpose) {
        let asked = self.asked.map_or(settings.baud, |asked| asked.baud);
        // A divider that cannot do better is near; one that is far off was another rate to begin with.
        let snapped = (asked.hz() / settings.baud.hz()).ln().abs() > SNAPPED;
        self.snaps |= snapped && !asked.is_customary();
        let from = now + self.options.settle;
        let listen =
            Listen { from, until: from, settings, asked, purpose, bytes: 0, faults: Faults::default() };
        let beside = std::mem::take(&mut self.beside);
        self.sessions.push(Session { listen, words: Vec::new(), events: Vec::new(), beside });
        self.candidates.listen(settings.baud);
        match self.verified.filter(|_| purpose == Purpose::Stay) {
            Some(verified) => self.stay(verified),
            None => self.phase = Phase::Listening,
        }
    }

    /// After so many more words: go on, or elsewhere, or stop?
    fn decide(&mut self, more: usize) {
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
            _ => self.after_words(count, more, purpose, settings),
        }
    }

    fn after_words(&mut self, count: usize, more: usize, purpose: Purpose, settings: Settings) {
        if count < 3 {
            return;
        }
        let posterior = self.candidates.posterior();
        let classes = posterior.classes(4);
        let Some(best) = classes.first().copied() else { return };
        let beside = self.sessions.last().is_some_and(|session| session.beside);
        let at_best =
            !beside && (near(settings.baud, best.measured) || near(settings.baud, best.nominal.hz()));
        let open = count < if at_best { MOST_TO_VERIFY } else { MOST_WORDS } + 2 * self.lingered;
        if best.mass >= WORTH_VERIFYING && at_best {
            if self.confirmed(&best) {
                // Whether the rate matters at all comes before whether it is one beside.
                if self.only_rate(settings.baud) || !self.ask_beside(&best) {
                    self.settle(best, settings);
                }
                return;
            }
            if open {
                return;
            }
        } else if best.mass >= WORTH_VERIFYING && !self.is_refused(best.nominal) {
            let confirmed = self.confirmed_before(&best).map(|session| self.trial_after(session, &best));
            return match confirmed {
                Some(_) if open && self.rivalled(&best) => {}
                Some(_) if self.ask_beside(&best) => {}
                Some(Some((baud, format))) => self.ask(baud, format, Purpose::Verify),
                Some(None) => self.stay_at(self.settings_of(&best)),
                None => self.leave_for(best.nominal, Purpose::Verify),
            };
        }
        let verifying = purpose == Purpose::Verify && at_best && best.mass >= 0.5;
        // One by one, every other word is asked: it costs computing.
        let lately = more == 1 && count % 2 == 1;
        if open && (verifying || count < FIRST_WORDS || lately) {
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
        self.sessions.last().is_some_and(|session| self.confirms(session, best))
    }

    /// The latest of the earlier listens at the rate of a class that has confirmed it.
    fn confirmed_before(&self, best: &Class) -> Option<&Session> {
        let (_, earlier) = self.sessions[self.stretch_sessions..].split_last()?;
        let at_rate = |session: &&Session| {
            let settings = session.listen.settings;
            !session.beside && settings.format == Format::N8 && near(settings.baud, best.nominal.hz())
        };
        let confirms = |session: &&Session| !best.inverted && self.confirms(session, best);
        earlier.iter().rev().filter(at_rate).find(confirms)
    }

    fn confirms(&self, session: &Session, best: &Class) -> bool {
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
        let trial = self.sessions.last().and_then(|session| self.trial_after(session, &best));
        if let Some((baud, format)) = trial {
            return self.ask(baud, format, Purpose::Verify);
        }
        if self.only_rate(settings.baud) {
            // A port whose rate has no effect reads clean at the very first one.
            let other = slower(settings.baud, 1.6);
            self.verified = Some(self.settings_of(&best));
            return self.leave_for(other, Purpose::CrossCheck);
        }
        self.stay(self.settings_of(&best));
    }

    /// Whether no other rate was listened at, and none need be to know that the rate matters.
    fn only_rate(&self, baud: Baud) -> bool {
        let sessions = &self.sessions[self.stretch_sessions..];
        let only = sessions.iter().all(|session| session.listen.settings.baud == baud);
        only && !self.crossed && self.options.bauds.is_empty()
    }

    /// A listen that contradicts all earlier ones: the line has changed in between.
    fn notice_change(&mut self) {
        if self.sessions.len() - self.stretch_sessions > 1 && self.candidates.changed() > 18.0 {
            self.candidates.forget_earlier();
        }
    }

    fn leave_for(&mut self, baud: Baud, purpose: Purpose) {
        self.notice_change();
        let listens = self.sessions.len() - self.stretch_sessions;
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

    fn finish(&mut self) {
        if !self.is_done() {
            self.phase = Phase::Done;
            self.actions.push_back(Action::Done);
        }
    }

    fn is_refused(&self, baud: Baud) -> bool {
        let unnamed = self.snaps && !baud.is_customary();
        unnamed || self.refused.iter().any(|(refused, _)| *refused == baud)
    }

    /// When a line that has been silent all the time is left.
    fn given_up(&self) -> Option<Instant> {
        let silence = self.options.silence?;
        let heard = self.sessions.iter().any(|session| session.listen.bytes > 0);
        (!heard).then(|| self.started + silence)
    }

    /// When listening on at verified settings ends.
    fn stays_until(&self) -> Option<Instant> {
        let Phase::Staying { since } = self.phase else { return None };
        let since = since.unwrap_or(self.now);
        let enough = since + self.options.stay;
        let more = self.now >= enough && self.scorer.as_ref().is_some_and(|scorer| scorer.wants_more());
        Some(if more { since + self.options.stay_at_most.max(self.options.stay) } else { enough })
    }

    fn deadline_of_step(&self) -> Option<Instant> {
        let walk = self.walk.as_ref()?;
        let session = self.sessions.last().filter(|s| s.listen.purpose == Purpose::Walk)?;
        let left = (self.started + self.options.time) - session.listen.from;
        Some(session.listen.from + left / (walk.len() as u32 + 1))
    }
}

fn near(baud: Baud, rate: f64) -> bool {
    (baud.hz() / rate).ln().abs() <= CLASS
}

/// The standard rate nearest to a part of another.
fn slower(baud: Baud, times: f64) -> Baud {
    Baud::standard_near(baud.hz() / times, 0.5).unwrap_or_else(|| Baud::nearest(baud.hz() / times))
}
