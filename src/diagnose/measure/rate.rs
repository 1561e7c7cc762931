//! Which rate the unexplained bytes are of: the forward model over ratios, and the arithmetic of expected replies.

use std::sync::OnceLock;

use crate::line::{Baud, Format, LineErrors, Parity, Settings, commonness};
use crate::wire::{RATIOS, Source, Spacing, misread, words};

use super::super::evidence::Evidence;
use super::super::window::{Heard, Standing, Window};
use super::Otherwise;

/// Distance of two ratios in the tables, as a natural logarithm: the width within which a UART reads either.
const STEP: f64 = 0.04;
/// Ratios nearer to 1 than this are the right rate.
const SAME: f64 = 0.045;
/// Unexplained words that are weighed; more would only repeat what these say.
const MOST_WORDS: usize = 64;
/// The part of words that follow no model: clocks drift and noise happens.
const ANYTHING: f32 = 0.05;
/// Received words are not as independent as the model takes them.
const TEMPER: f64 = 0.6;

/// Ratios that are less likely than the best by no more than this, as a natural logarithm, fit nearly as well.
const NEARLY: f64 = 1.5;

/// What the sender is taken for: how its bits are set, its format, its polarity.
fn sources() -> &'static [(Source, bool)] {
    static SOURCES: OnceLock<Vec<(Source, bool)>> = OnceLock::new();
    SOURCES.get_or_init(|| {
        let normal = [
            Source::random(Format::N8),
            Source::fields(Format::N8),
            Source::text(Format::N8),
            Source::random(Format::E8),
            Source::fields(Format::E8),
        ];
        let inverted = normal.map(|source| Source { inverted: true, ..source });
        normal.into_iter().map(|s| (s, false)).chain(inverted.into_iter().map(|s| (s, true))).collect()
    })
}

/// One row a ratio: the logarithm of each word's probability, then of each byte's whose fault is not told.
struct Table {
    rows: Vec<[f32; 768]>,
}

fn ratios() -> usize {
    ((RATIOS.end() / RATIOS.start()).ln() / STEP) as usize + 1
}

fn log_ratio(place: usize) -> f64 {
    RATIOS.start().ln() + place as f64 * STEP
}

/// The table of a source, computed when it is first asked for. Inverted senders are only looked at near the right rate.
fn table(source: usize) -> &'static Table {
    static TABLES: OnceLock<Vec<OnceLock<Table>>> = OnceLock::new();
    let tables = TABLES.get_or_init(|| sources().iter().map(|_| OnceLock::new()).collect());
    tables[source].get_or_init(|| {
        let (model, inverted) = &sources()[source];
        let row = |place: usize| {
            let mut row = [(1.0f32 / 512.0).ln(); 768];
            if *inverted && log_ratio(place).abs() > 2.0 * SAME {
                return row;
            }
            let chances = words(model, log_ratio(place).exp());
            let log = |part: f32, words: f32| ((1.0 - ANYTHING) * part + ANYTHING / words).ln();
            for byte in 0..256 {
                row[byte] = log(chances[byte], 512.0);
                row[256 + byte] = log(chances[256 + byte], 512.0);
                row[512 + byte] = log(chances[byte] + chances[256 + byte], 256.0);
            }
            row
        };
        Table { rows: (0..ratios()).map(row).collect() }
    })
}

/// A word as a column of the tables.
fn column(heard: &Heard, told: bool) -> usize {
    let byte = usize::from(heard.event.value().unwrap_or(0));
    match (told, heard.event.fault.is_some()) {
        (true, false) => byte,
        (true, true) => 256 + byte,
        (false, _) => 512 + byte,
    }
}

pub fn measure(window: &Window, otherwise: &Otherwise, evidence: &mut Evidence) {
    // The model's receiver is 8N1: with parity checked, its faults are not those of the model.
    let plain = window.settings.format == Format::N8 || window.settings.format == Format::N8_2;
    let told = window.line_errors == LineErrors::PerByte && plain;
    let columns: Vec<usize> = window
        .received()
        .filter(|heard| !matches!(heard.standing, Standing::Frame | Standing::Odd))
        .map(|heard| column(heard, told))
        .take(MOST_WORDS)
        .collect();
    let words = columns.len();
    let Some(fit) = (words > 0).then(|| fit(&columns, window.settings.format)) else {
        for name in ["rate-other", "rate-slower", "rate-faster", "rate-model", "polarity", "rate-standard"] {
            evidence.number(name, 0.0);
        }
        return replies(window, otherwise, evidence);
    };
    evidence.ratio("rate-other", TEMPER * (fit.other - fit.same), words, words);
    evidence.ratio(
        "rate-slower",
        if fit.ratio < 0.0 { TEMPER * (fit.other - fit.same) } else { 0.0 },
        words,
        words,
    );
    evidence.ratio(
        "rate-faster",
        if fit.ratio > 0.0 { TEMPER * (fit.other - fit.same) } else { 0.0 },
        words,
        words,
    );
    let anything = words as f64 * if told { (1.0f64 / 512.0).ln() } else { (1.0f64 / 256.0).ln() };
    evidence.ratio("rate-model", TEMPER * (fit.other.max(fit.same) - anything), words, words);
    evidence.ratio("polarity", TEMPER * (fit.inverted - fit.same.max(fit.other)), words, words);
    let sender = window.settings.baud.hz() / fit.ratio.exp();
    let standard = Baud::standard_near(sender, 0.03);
    evidence.number("rate-standard", f64::from(u8::from(standard.is_some())));
    if fit.other > fit.same {
        evidence.details.sender_baud = Some(fit.standard(window.settings.baud).map_or(sender, Baud::hz));
    }
    replies(window, otherwise, evidence);
}

/// Log-likelihoods of the words: at the right rate, at the best other one, inverted; and that other's ratio, receiver over sender, as a
/// logarithm.
struct Fit {
    same: f64,
    other: f64,
    inverted: f64,
    ratio: f64,
    /// Log-likelihoods at every ratio that is another one, and those ratios.
    others: Vec<(f64, f64)>,
}

impl Fit {
    /// The commonest standard rate of those that fit nearly as well as the best ratio: far too fast a receiver hears much the same of many.
    fn standard(&self, receiver: Baud) -> Option<Baud> {
        let best = self.others.iter().map(|(log, _)| *log).fold(f64::NEG_INFINITY, f64::max);
        let nearly = self.others.iter().filter(|(log, _)| TEMPER * (best - log) < NEARLY);
        let standards = nearly.filter_map(|(log, ratio)| {
            let standard = Baud::standard_near(receiver.hz() / ratio.exp(), STEP)?;
            Some((TEMPER * log + commonness(standard.get()).ln(), standard))
        });
        standards.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, standard)| standard)
    }
}

fn fit(columns: &[usize], format: Format) -> Fit {
    let mut fit = Fit {
        same: f64::NEG_INFINITY,
        other: f64::NEG_INFINITY,
        inverted: f64::NEG_INFINITY,
        ratio: 0.0,
        others: Vec::new(),
    };
    for (number, (source, inverted)) in sources().iter().enumerate() {
        // A sender is taken to have the receiver's parity: another format is another cause.
        if (source.format.parity != Parity::None) != (format.parity != Parity::None) {
            continue;
        }
        for (place, row) in table(number).rows.iter().enumerate() {
            let log: f64 = columns.iter().map(|column| f64::from(row[*column])).sum();
            let ratio = log_ratio(place);
            if *inverted {
                fit.inverted = fit.inverted.max(log);
            } else if ratio.abs() < SAME {
                fit.same = fit.same.max(log);
            } else {
                fit.others.push((log, ratio));
                if log > fit.other {
                    (fit.other, fit.ratio) = (log, ratio);
                }
            }
        }
    }
    // The best of many is not as good as it looks: each other ratio had its own chance to fit.
    fit.other -= (fit.others.len() as f64 / 12.0).ln().max(0.0);
    fit
}

/// Ratios of sender to receiver at which expected replies are misread for comparison.
const REPLY_RATIOS: [f64; 30] = [
    0.125, 0.1667, 0.25, 0.2604, 0.333, 0.3333, 0.417, 0.499, 0.501, 0.521, 0.5, 0.625, 0.6667, 0.75, 0.833,
    0.92, 1.087, 1.2, 1.333, 1.5, 1.54, 1.92, 1.999, 2.001, 2.5, 3.0, 3.84, 4.0, 6.0, 8.0,
];

/// Whether what came is what the expected reply looks like at another rate. Bytes shift when the sender leaves gaps, so a short prefix
/// is compared.
fn replies(window: &Window, otherwise: &Otherwise, evidence: &mut Evidence) {
    let heard: Vec<u8> = window
        .received()
        .filter(|heard| heard.standing.is_bad())
        .map(|heard| heard.event.value().unwrap_or(0))
        .take(4)
        .collect();
    let mut best = 0;
    if !heard.is_empty() {
        for expected in &otherwise.expected {
            for ratio in REPLY_RATIOS {
                let sender = window.settings.with_baud(Baud::nearest(window.settings.baud.hz() * ratio));
                best = best.max(alike(&heard, expected, sender, window.settings));
            }
        }
    }
    evidence.number("reply-misread", best as f64 / 2.0);
}

/// How many bytes of what was heard are those of the expected reply, sent by `sender`.
fn alike(heard: &[u8], expected: &[u8], sender: Settings, receiver: Settings) -> usize {
    let read = misread(&expected[..expected.len().min(6)], sender, receiver, Spacing::BackToBack);
    let same = read.iter().zip(heard).take_while(|(read, heard)| read.byte == **heard).count();
    // The whole of a short reply, or nothing: one byte of several that agrees is chance.
    if same == heard.len().min(read.len()) || same >= 3 { same } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_rates_that_fit_alike_the_commonest_is_named() {
        let receiver = Baud::nearest(115_200.0);
        let others = |best: f64| {
            let alike = (200..=250).map(|percent| (-10.0, f64::from(percent) / 100.0));
            alike.chain([(best, 0.7)]).collect::<Vec<_>>()
        };
        let fit = |best| Fit { same: -90.0, other: best, inverted: -90.0, ratio: 0.0, others: others(best) };
        // 115200 divided by 7.4 to 12.2: 14400 and 10400 are among them as well.
        assert_eq!(fit(-50.0).standard(receiver), Some(Baud::nearest(9600.0)));
        assert_eq!(fit(-1.0).standard(receiver), Some(Baud::nearest(57_600.0)));
    }
}
