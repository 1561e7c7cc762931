//! Which rates could it be? The posterior over rate and kind of sender, and where to listen next to learn most.

use crate::line::{Baud, Fault, Format, LineErrors, LineEvent, STANDARD_BAUDS, Seen, commonness};

use super::likelihood::{Flag, STEP, Table, kinds, place, ratios};
use super::verify::JOINED;

mod posterior;
mod question;

pub use posterior::{CLASS, Class, Posterior};
pub use question::{BESIDE, Question};

/// The slowest rate that is looked for.
const SLOWEST: f64 = 280.0;
/// Received words are not as independent as the model takes them: each counts for half.
const TEMPER: f32 = 0.5;
/// Without error reports the model's small faults are all there is to go by.
const TEMPER_UNTOLD: f32 = 0.4;
/// Words of a listen that count in full, what those behind them count for, and after how many no more are weighed: a busy machine may hand
/// over thousands at once.
const FRESH: usize = 26;
const STALE: f32 = 0.2;
const MOST: usize = 40;
/// Receivers this near to the sender's rate (natural logarithm) that have begun in the middle of a character stay there until a gap comes.
/// It takes in all rates that are asked about, at any rate at which they are.
const ALIGNED: f64 = 0.22;
/// What a word that is read there adds (natural logarithm): any word may come, and the next one may be read right. And that it began so.
const ASTRAY: f32 = -6.46;
const ASTRAY_UNTOLD: f32 = -5.77;
const BEGUN_ASTRAY: f32 = -1.2;
/// What is so much less likely than the best (natural logarithm) adds nothing that could be told.
const NOTHING: f64 = -30.0;
/// How much likelier a standard rate is than another.
const FAVOUR: f64 = 80.0;

/// A byte or break as the likelihood sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    pub byte: u8,
    pub bad: bool,
}

impl Word {
    /// `None` for what is no character. A break is a 00 whose stop bit was low.
    pub fn of(event: &LineEvent) -> Option<Word> {
        let bad = matches!(
            event.fault,
            Some(Fault::Framing | Fault::Parity | Fault::FramingOrParity | Fault::Break)
        );
        match event.seen {
            Seen::Byte(byte) => Some(Word { byte, bad }),
            Seen::Break => Some(Word { byte: 0, bad: true }),
            Seen::Marker => None,
        }
    }
}

/// A logarithm for each kind and rate.
type Logs = Vec<Vec<f32>>;

/// The posterior over (rate, kind).
pub struct Candidates {
    /// Natural logarithms of the rates.
    rates: Vec<f64>,
    prior: Vec<f64>,
    /// Per kind, per rate: log-likelihood of all earlier listens, and of the present one.
    earlier: Logs,
    present: Logs,
    /// The run of flagged bytes that is not over yet, where a flag belongs to a whole packet: log-likelihood of its bytes, and of its
    /// bytes being all good.
    run: Option<(Logs, Logs)>,
    errors: LineErrors,
    listening: f64,
    /// Words of the present listen.
    heard: usize,
    /// Its log-likelihood if all of them were read astray.
    astray: f32,
}

impl Candidates {
    /// Before anything was heard. `bauds` restricts the rates, if it is not empty.
    pub fn new(bauds: &[Baud], fastest: Baud, errors: LineErrors) -> Candidates {
        let top =
            (fastest.hz() * 1.3).max(1.3e6).max(bauds.iter().map(|b| b.hz() * 1.05).fold(0.0, f64::max));
        let bottom = bauds.iter().map(|b| b.hz() * 0.95).fold(SLOWEST, f64::min);
        let count = ((top / bottom).ln() / STEP) as usize + 1;
        let rates: Vec<f64> = (0..count).map(|i| bottom.ln() + i as f64 * STEP).collect();
        let prior = rates.iter().map(|rate| prior(*rate, bauds)).collect();
        let zero = || vec![vec![0.0; count]; kinds().len()];
        Candidates {
            rates,
            prior,
            earlier: zero(),
            present: zero(),
            run: None,
            errors,
            listening: 0.0,
            heard: 0,
            astray: 0.0,
        }
    }

    /// A listen at this rate begins.
    pub fn listen(&mut self, baud: Baud) {
        self.close();
        self.listening = baud.hz().ln();
        self.heard = 0;
        self.astray = 0.0;
    }

    /// A word of the present listen.
    pub fn hear(&mut self, word: Word) {
        if self.heard == MOST {
            return;
        }
        // What the model does not know of the sender is the same in every word of a listen: the first ones say most.
        let weight = if self.heard < FRESH { 1.0 } else { STALE };
        self.heard += 1;
        match self.errors {
            LineErrors::PerByte => {
                let flag = if word.bad { Flag::Bad } else { Flag::Clean };
                self.each(word.byte, flag, |candidates, kind, logs| {
                    add(&mut candidates.present[kind], logs, weight * TEMPER)
                });
            }
            LineErrors::Never | LineErrors::Counter => {
                self.each(word.byte, Flag::Untold, |candidates, kind, logs| {
                    add(&mut candidates.present[kind], logs, weight * TEMPER_UNTOLD);
                });
            }
            LineErrors::Packet if word.bad => {
                let zero = || vec![vec![0.0; self.rates.len()]; kinds().len()];
                self.run.get_or_insert_with(|| (zero(), zero()));
                for (flag, sign) in [(Flag::Untold, 1.0), (Flag::Clean, 0.0)] {
                    self.each(word.byte, flag, |candidates, kind, logs| {
                        let Some((bytes, good)) = &mut candidates.run else { return };
                        if sign > 0.0 {
                            add(&mut bytes[kind], logs, weight);
                            add(&mut good[kind], logs, -1.0);
                        } else {
                            add(&mut good[kind], logs, 1.0);
                        }
                    });
                }
            }
            LineErrors::Packet => {
                self.close_run();
                self.each(word.byte, Flag::Clean, |candidates, kind, logs| {
                    add(&mut candidates.present[kind], logs, weight * TEMPER);
                });
            }
        }
        self.join(word);
    }

    /// The first words of a listen may have been read astray, which says nothing of the rate: at the sender's own one a receiver that
    /// begins in the middle of a character reads one wrong character after the other until there is a gap.
    fn join(&mut self, word: Word) {
        if self.heard > JOINED {
            return;
        }
        let (temper, astray) = match self.errors {
            LineErrors::PerByte => (TEMPER, ASTRAY),
            LineErrors::Packet => (TEMPER, if word.bad { ASTRAY_UNTOLD } else { ASTRAY }),
            LineErrors::Never | LineErrors::Counter => (TEMPER_UNTOLD, ASTRAY_UNTOLD),
        };
        self.astray += temper * if self.heard == 1 { BEGUN_ASTRAY + astray } else { astray };
        let near: Vec<usize> = (0..self.rates.len())
            .filter(|rate| (self.listening - self.rates[*rate]).abs() <= ALIGNED)
            .collect();
        for (kind, _) in kinds().iter().enumerate().filter(|(_, (what, _))| !what.inverted) {
            for rate in near.iter().copied() {
                match &mut self.run {
                    // The flag of its packet says nothing of one of its bytes either.
                    Some((bytes, good)) => {
                        let before = self.present[kind][rate];
                        if before + temper * bytes[kind][rate] < self.astray {
                            bytes[kind][rate] = (self.astray - before) / temper;
                            good[kind][rate] = good[kind][rate].min(-std::f32::consts::LN_2);
                        }
                    }
                    None => self.present[kind][rate] = self.present[kind][rate].max(self.astray),
                }
            }
        }
    }

    /// Everything heard before the present listen is forgotten: the line has changed.
    pub fn forget_earlier(&mut self) {
        self.earlier.iter_mut().for_each(|kind| kind.fill(0.0));
    }

    /// Everything is forgotten.
    pub fn forget(&mut self) {
        self.forget_present();
        self.forget_earlier();
    }

    /// The present listen is forgotten: it was of another kind.
    pub fn forget_present(&mut self) {
        self.run = None;
        self.astray = 0.0;
        self.present.iter_mut().for_each(|kind| kind.fill(0.0));
    }

    /// How well everything heard fits, over all rates and kinds (natural logarithm).
    pub fn fit(&self) -> f64 {
        let present = self.with_run();
        let total: f64 = self.prior.iter().sum();
        let mut logs = Vec::new();
        for (kind, (_, share)) in kinds().iter().enumerate() {
            for (rate, prior) in self.prior.iter().enumerate() {
                logs.push(
                    f64::from(self.earlier[kind][rate] + present[kind][rate]) + (prior / total * share).ln(),
                );
            }
        }
        log_sum(&logs)
    }

    /// How much better the present listen fits a line that has just changed than one that has not (natural logarithm).
    pub fn changed(&self) -> f64 {
        let present = self.with_run();
        let sum = |with_earlier: bool, with_present: bool| {
            let mut logs = Vec::new();
            for (kind, (_, share)) in kinds().iter().enumerate() {
                for (rate, prior) in self.prior.iter().enumerate() {
                    let earlier = if with_earlier { f64::from(self.earlier[kind][rate]) } else { 0.0 };
                    let present = if with_present { f64::from(present[kind][rate]) } else { 0.0 };
                    logs.push(earlier + present + (prior * share).ln());
                }
            }
            log_sum(&logs)
        };
        sum(false, true) - sum(false, false) - (sum(true, true) - sum(true, false))
    }

    /// The posterior, summed over kinds: for each rate the mass of normal and of inverted polarity.
    pub fn posterior(&self) -> Posterior {
        let present = self.with_run();
        let mut best = f64::NEG_INFINITY;
        let mut logs = vec![vec![0.0; self.rates.len()]; kinds().len()];
        let priors: Vec<f64> = self.prior.iter().map(|prior| prior.ln()).collect();
        for (kind, (_, share)) in kinds().iter().enumerate() {
            let share = share.ln();
            for (rate, prior) in priors.iter().enumerate() {
                let log = f64::from(self.earlier[kind][rate] + present[kind][rate]) + prior + share;
                logs[kind][rate] = log;
                best = best.max(log);
            }
        }
        let mut mass = vec![[0.0; 2]; self.rates.len()];
        let mut parity = vec![0.0; self.rates.len()];
        let mut odd = vec![0.0; self.rates.len()];
        let mut flat = vec![0.0; self.rates.len()];
        let mut total = 0.0;
        for (kind, (what, _)) in kinds().iter().enumerate() {
            let told = logs[kind].iter().enumerate().filter(|(_, log)| **log - best > NOTHING);
            for (rate, log) in told {
                let part = (log - best).exp();
                mass[rate][usize::from(what.inverted)] += part;
                flat[rate] += part / self.prior[rate].max(1e-12);
                if matches!(what.format, Format::E8 | Format::O8) {
                    parity[rate] += part;
                }
                if what.format == Format::O8 {
                    odd[rate] += part;
                }
                total += part;
            }
        }
        mass.iter_mut().flatten().chain(&mut parity).chain(&mut odd).for_each(|part| *part /= total);
        Posterior { rates: self.rates.clone(), mass, parity, odd, flat }
    }

    /// How many bits one word of a listen at `baud` is expected to tell about the class of rates and the polarity.
    pub fn worth(&self, posterior: &Posterior, baud: Baud) -> f64 {
        let told = self.errors == LineErrors::PerByte;
        let [normal, inverted] = [false, true].map(lines_of);
        let mut mix = [0.0f64; 512];
        let mut inner = 0.0;
        let mut total = 0.0;
        // Classes of four neighbouring rates, each by one in its middle.
        for (chunk, masses) in posterior.mass.chunks(4).enumerate() {
            let rate = posterior.rates[(chunk * 4 + 1).min(posterior.rates.len() - 1)];
            let row = place(baud.hz().ln() - rate).clamp(0, ratios() as i64 - 1) as usize;
            for (polarity, lines) in [normal, inverted].into_iter().enumerate() {
                let mass: f64 = masses.iter().map(|m| m[polarity]).sum();
                if mass < 1e-3 {
                    continue;
                }
                let line = &lines[row];
                for (mix, part) in mix.iter_mut().zip(&line.words) {
                    *mix += mass * f64::from(*part);
                }
                inner += mass * if told { line.entropy } else { line.entropy_untold };
                total += mass;
            }
        }
        if total <= 0.0 {
            return 0.0;
        }
        if !told {
            let (clean, bad) = mix.split_at_mut(256);
            clean.iter_mut().zip(bad).for_each(|(clean, bad)| *clean += std::mem::take(bad));
        }
        let outer: f64 = mix.iter().filter(|m| **m > 0.0).map(|m| -m / total * (m / total).log2()).sum();
        outer - inner / total
    }

    fn each(&mut self, byte: u8, flag: Flag, mut to: impl FnMut(&mut Candidates, usize, &[f32])) {
        // Ratios fall as rates rise; beyond the tables their borders hold.
        let first = self.rates.first().map_or(0, |rate| place(self.listening - rate));
        let last = ratios() as i64 - 1;
        let mut logs = vec![0.0; self.rates.len()];
        for kind in 0..kinds().len() {
            let column = Table::of(kind).column(byte, flag);
            for (rate, log) in (0i64..).zip(&mut logs) {
                *log = column[(first - rate).clamp(0, last) as usize];
            }
            to(self, kind, &logs);
        }
    }

    fn close(&mut self) {
        self.close_run();
        for (earlier, present) in self.earlier.iter_mut().zip(&mut self.present) {
            for (earlier, present) in earlier.iter_mut().zip(present) {
                *earlier += *present;
                *present = 0.0;
            }
        }
    }

    fn close_run(&mut self) {
        if self.run.is_some() {
            self.present = self.with_run();
            self.run = None;
        }
    }

    /// The present listen with the open run: its bytes, and that at least one of them was bad.
    fn with_run(&self) -> Logs {
        let mut present = self.present.clone();
        if let Some((bytes, good)) = &self.run {
            for ((present, bytes), good) in present.iter_mut().zip(bytes).zip(good) {
                for ((present, bytes), good) in present.iter_mut().zip(bytes).zip(good) {
                    let some_bad = (1.0 - good.exp()).max(0.01).ln();
                    *present += TEMPER * (bytes + some_bad);
                }
            }
        }
        present
    }
}

/// The probabilities of all words at one ratio, and how many bits a word tells of itself, with its flag and without.
struct Line {
    words: [f32; 512],
    entropy: f64,
    entropy_untold: f64,
}

/// Words by ratio for a sender of random 8N1.
fn lines_of(inverted: bool) -> &'static [Line] {
    static LINES: std::sync::OnceLock<[Vec<Line>; 2]> = std::sync::OnceLock::new();
    let both = LINES.get_or_init(|| {
        [false, true].map(|inverted| {
            let kind = kinds().iter().position(|(kind, _)| kind.inverted == inverted).unwrap_or(0);
            let table = Table::of(kind);
            let mut lines = vec![[0.0; 512]; ratios()];
            for byte in 0..=255u8 {
                for (flag, word) in [(Flag::Clean, usize::from(byte)), (Flag::Bad, 256 + usize::from(byte))] {
                    for (line, log) in lines.iter_mut().zip(table.column(byte, flag)) {
                        line[word] = log.exp();
                    }
                }
            }
            lines.into_iter().map(Line::new).collect()
        })
    });
    &both[usize::from(inverted)]
}

impl Line {
    fn new(words: [f32; 512]) -> Line {
        let of = |part: f64| if part > 0.0 { -part * part.log2() } else { 0.0 };
        let entropy = words.iter().map(|part| of(f64::from(*part))).sum();
        let (clean, bad) = words.split_at(256);
        let both = clean.iter().zip(bad).map(|(clean, bad)| f64::from(clean + bad));
        Line { words, entropy, entropy_untold: both.map(of).sum() }
    }
}

fn add(to: &mut [f32], logs: &[f32], factor: f32) {
    to.iter_mut().zip(logs).for_each(|(to, log)| *to += factor * log);
}

/// The prior of a rate: standard ones are favoured, each with a clock error of about a per cent.
fn prior(rate: f64, bauds: &[Baud]) -> f64 {
    let near = |baud: f64| (-0.5 * ((rate - baud.ln()) / 0.009).powi(2)).exp();
    if !bauds.is_empty() {
        return bauds.iter().map(|baud| near(baud.hz())).fold(1e-9, f64::max);
    }
    let standard =
        STANDARD_BAUDS.iter().map(|baud| near(f64::from(*baud)) * commonness(*baud)).fold(0.0, f64::max);
    1.0 + FAVOUR * standard
}

fn log_sum(logs: &[f64]) -> f64 {
    let best = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    best + logs.iter().map(|log| (log - best).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{Instant, Settings, Span};
    use crate::wire::{Channel, Drift, Noise};

    /// How much of the mass is at a sender's rate when it was heard at these, in parts of its own.
    fn mass_of(rate: f64, format: Format, late_mark: f64, at: &[f64]) -> f64 {
        let sender = Settings::new(Baud::nearest(rate), format);
        let drift = Drift { skew: 0.0, jitter: 0.01, late_mark };
        let mut candidates = Candidates::new(&[], Baud::nearest(921_600.0), LineErrors::PerByte);
        for (seed, part) in (1..).zip(at) {
            let receiver = Settings::new(Baud::nearest((rate * part).round()), Format::N8);
            let mut channel = Channel::new(sender, drift, Noise::none(), receiver, seed);
            candidates.listen(receiver.baud);
            let end = channel.send(b"\r\ntail 12 rst cause:", Instant::from_secs(0.01));
            channel.receive(end).iter().filter_map(Word::of).take(16).for_each(|word| candidates.hear(word));
        }
        candidates.posterior().near(rate)
    }

    #[test]
    fn edges_between_two_latenesses_of_the_tables_do_not_make_it_another_rate() {
        for late in [0.02, 0.03, 0.045, 0.052, 0.09, 0.16, 0.19, -0.05, -0.16] {
            let mass = mass_of(2417.0, Format::N8, late, &[4.3, 0.955, 4.3]);
            assert!(mass > 0.1, "{late}: {mass}");
        }
    }

    #[test]
    fn late_and_early_edges_of_any_format_are_known() {
        for late in [0.2, -0.2] {
            for format in ["8N1", "8E1", "8O1", "7E1", "8N2"] {
                let mass = mass_of(18_204.0, format.parse().unwrap(), late, &[6.9, 3.2, 1.6, 1.05]);
                assert!(mass > 0.5, "{format} {late}: {mass}");
            }
        }
    }

    #[test]
    fn a_receiver_that_begins_in_the_middle_of_a_character_does_not_exclude_the_right_rate() {
        let sender = Settings::new(Baud::nearest(1200.0), Format::E8);
        let drift = Drift { skew: 0.006, jitter: 0.01, late_mark: 0.0 };
        let receiver = Settings::new(Baud::nearest(7200.0), Format::N8);
        let mut channel = Channel::new(sender, drift, Noise::none(), receiver, 3);
        let mut candidates = Candidates::new(&[], Baud::nearest(921_600.0), LineErrors::PerByte);
        candidates.listen(receiver.baud);
        let end = channel.send(b"tail 12", Instant::from_secs(0.01));
        channel.receive(end).iter().filter_map(Word::of).for_each(|word| candidates.hear(word));
        let mut masses = Vec::new();
        // No gap: it reads on as it has begun.
        for bits in [3.3, 4.6, 5.5, 7.2] {
            let begin = channel.free_at() + Span::from_secs_f64(bits / 1200.0);
            let end = channel.send(b"tail 12 rst cause:", Instant::ZERO);
            channel.set_receiver(begin, receiver.with_baud(sender.baud));
            candidates.listen(sender.baud);
            let events = channel.receive(end);
            events.iter().filter_map(Word::of).take(10).for_each(|word| candidates.hear(word));
            masses.push(candidates.posterior().near(sender.baud.hz()));
        }
        assert!(masses.iter().all(|mass| *mass > 0.5), "{masses:?}");
    }

    #[test]
    fn a_fast_listen_that_gives_only_breaks_leaves_the_slow_rates() {
        let fast = Baud::nearest(921_600.0);
        let mut candidates = Candidates::new(&[], fast, LineErrors::PerByte);
        candidates.listen(fast);
        for _ in 0..8 {
            candidates.hear(Word { byte: 0, bad: true });
        }
        let posterior = candidates.posterior();
        assert!(posterior.near(115_200.0) < 0.02);
        assert!(posterior.near(9600.0) > 0.02);
        let (same, slower) =
            (candidates.worth(&posterior, fast), candidates.worth(&posterior, Baud::nearest(57_600.0)));
        assert!(slower > 4.0 * same, "{slower} {same}");
    }

    #[test]
    fn thousands_of_words_at_once_are_not_weighed_one_by_one() {
        let fast = Baud::nearest(921_600.0);
        let fit = |words: usize| {
            let mut candidates = Candidates::new(&[], fast, LineErrors::PerByte);
            candidates.listen(fast);
            (0..words).for_each(|_| candidates.hear(Word { byte: 0, bad: true }));
            candidates.fit()
        };
        assert!(fit(MOST) < fit(FRESH));
        assert_eq!(fit(MOST), fit(50_000));
    }
}
