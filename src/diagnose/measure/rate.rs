//! Which rate, format and polarity the unexplained bytes are of: the forward model, and the arithmetic of expected replies.

use crate::line::{Baud, Format, LineErrors, Settings, commonness};
use crate::wire::{Spacing, misread};

use super::super::evidence::Evidence;
use super::super::window::{Heard, Window};
use super::Otherwise;
use super::senders::{Row, STEP, Senders, column, senders};

/// Unexplained words that are weighed, and words of any kind; more would only repeat what these say.
const MOST_WORDS: usize = 64;
const MOST_OF_ALL: usize = 128;
/// Received words are not as independent as the model takes them.
const TEMPER: f64 = 0.6;
/// Ratios that are less likely than the best by no more than this, as a natural logarithm, fit nearly as well.
const NEARLY: f64 = 1.5;
/// Another format that is likelier than all else by this, as a natural logarithm, is told.
const DECISIVE: f64 = 6.0;

pub fn measure(window: &Window, otherwise: &Otherwise, evidence: &mut Evidence) {
    let told = window.line_errors == LineErrors::PerByte;
    let of = |heard: &Heard| column(heard.event.value().unwrap_or(0), heard.event.fault.is_some(), told);
    let unexplained = window.received().filter(|heard| !heard.standing.is_healthy());
    let columns: Vec<usize> = unexplained.map(of).take(MOST_WORDS).collect();
    let all: Vec<usize> = window.received().map(of).take(MOST_OF_ALL).collect();
    format(&all, window, evidence);
    let words = columns.len();
    let Some(fit) = (words > 0).then(|| fit(&columns, window.settings.format)) else {
        let names = ["rate-other", "rate-slower", "rate-faster", "rate-model", "polarity", "format-model"];
        let margins = ["rate-margin", "format-margin", "polarity-margin", "own-margin", "rate-standard"];
        names.into_iter().chain(margins).for_each(|name| evidence.number(name, 0.0));
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
    evidence.ratio("format-model", TEMPER * (fit.format - fit.same.max(fit.other)), words, words);
    // By how much each is better than all others: only one can be.
    let all = [fit.other, fit.format, fit.inverted, fit.same];
    let names = ["rate-margin", "format-margin", "polarity-margin", "own-margin"];
    for (place, name) in names.into_iter().enumerate() {
        let others = all.iter().enumerate().filter(|(other, _)| *other != place);
        let best = others.map(|(_, log)| *log).fold(f64::NEG_INFINITY, f64::max);
        evidence.ratio(name, TEMPER * (all[place] - best), words, words);
    }
    let sender = window.settings.baud.hz() / fit.ratio.exp();
    let standard = Baud::standard_near(sender, 0.03);
    evidence.number("rate-standard", f64::from(u8::from(standard.is_some())));
    if fit.other > fit.same {
        evidence.details.sender_baud = Some(fit.standard(window.settings.baud).map_or(sender, Baud::hz));
    }
    replies(window, otherwise, evidence);
}

/// Whether all words are those of a sender in another format: the data may be healthy, and only the line's reports tell.
fn format(all: &[usize], window: &Window, evidence: &mut Evidence) {
    if all.is_empty() {
        return evidence.number("format-of-all", 0.0);
    }
    let senders = senders(window.settings.format);
    let (format, sender) = other_format(&senders, all);
    let other = best(&senders.right, all).max(best(&senders.inverted, all));
    evidence.ratio("format-of-all", TEMPER * (format - other), all.len(), all.len());
    if format - other > DECISIVE && format - rates(&senders, all).0 > DECISIVE {
        evidence.details.sender_format = sender;
    }
}

/// Log-likelihoods of the words: at the right rate, at the best other one, inverted, in the best other format; and that other rate's ratio, receiver over sender, as a
/// logarithm.
struct Fit {
    same: f64,
    other: f64,
    inverted: f64,
    format: f64,
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
    let senders = senders(format);
    let (other, ratio, others) = rates(&senders, columns);
    let (format, _) = other_format(&senders, columns);
    let (same, inverted) = (best(&senders.right, columns), best(&senders.inverted, columns));
    Fit { same, other, inverted, format, ratio, others }
}

fn log(row: &Row, columns: &[usize]) -> f64 {
    columns.iter().map(|column| f64::from(row[*column])).sum()
}

fn best(rows: &[Row], columns: &[usize]) -> f64 {
    rows.iter().map(|row| log(row, columns)).fold(f64::NEG_INFINITY, f64::max)
}

/// At the right rate, in the best other format.
fn other_format(senders: &Senders, columns: &[usize]) -> (f64, Option<Format>) {
    let logs = senders.formats.iter().map(|(format, rows)| (best(rows, columns), Some(*format)));
    let (log, format) =
        logs.fold((f64::NEG_INFINITY, None), |best, one| if one.0 > best.0 { one } else { best });
    // The best of many is not as good as it looks: each had its own chance to fit.
    (log - (senders.formats.len() as f64).ln(), format)
}

/// At the best other rate, its ratio, and at every one.
fn rates(senders: &Senders, columns: &[usize]) -> (f64, f64, Vec<(f64, f64)>) {
    let all = senders.rates().iter();
    let others: Vec<(f64, f64)> =
        all.flat_map(|(ratio, rows)| rows.iter().map(|row| (log(row, columns), *ratio))).collect();
    let best =
        others.iter().fold((f64::NEG_INFINITY, 0.0), |best, one| if one.0 > best.0 { *one } else { best });
    (best.0 - (others.len() as f64 / 12.0).ln().max(0.0), best.1, others)
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
        let fit = |best| Fit {
            same: -90.0,
            other: best,
            inverted: -90.0,
            format: -90.0,
            ratio: 0.0,
            others: others(best),
        };
        // 115200 divided by 7.4 to 12.2: 14400 and 10400 are among them as well.
        assert_eq!(fit(-50.0).standard(receiver), Some(Baud::nearest(9600.0)));
        assert_eq!(fit(-1.0).standard(receiver), Some(Baud::nearest(57_600.0)));
    }
}
