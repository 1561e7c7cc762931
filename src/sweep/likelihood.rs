//! How well each received word fits each ratio of rates, for each kind of sender: tables of the exact forward model, made at first use.
//!
//! Real senders drift, real edges jitter and real noise happens, so the exact probabilities are smoothed over the neighbouring ratios and
//! over how late edges come, and mixed with a small part of "anything".

use std::sync::{Once, OnceLock};

use crate::line::{Format, Parity};
use crate::wire::{RATIOS, Source, words};

/// Distance of neighbouring ratios, and of neighbouring rates in the search, as a natural logarithm.
pub const STEP: f64 = 0.01;

/// A kind of sender whose words differ from the others'.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kind {
    pub format: Format,
    pub inverted: bool,
    late_mark: Lateness,
    traffic: Traffic,
}

/// How late edges to mark come, in bit times.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Lateness {
    middle: f64,
    /// It stands for those up to twice this far from the middle: half of the table is made on either side. Between two of them a low
    /// pulse, four bit times of the receiver long, would else be read as one of another rate.
    spread: f64,
}

/// How often each bit is set.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Traffic {
    Random,
    Text,
    Fields,
}

const fn late(middle: f64, spread: f64) -> Lateness {
    Lateness { middle, spread }
}

/// How late edges to mark come; share; how many of the senders are looked at.
const LATENESS: [(Lateness, f64, usize); 6] = [
    (late(0.0, 0.018), 0.45, 14),
    (late(0.06, 0.018), 0.3, 14),
    (late(0.13, 0.025), 0.08, 9),
    (late(0.24, 0.03), 0.06, 9),
    (late(-0.1, 0.035), 0.06, 9),
    (late(-0.22, 0.035), 0.05, 9),
];

/// Formats and what is sent in them, with their shares; those that differ most from the ones before come first. Seven random bits and
/// parity are eight random bits.
const SENDERS: [(Format, Traffic, f64); 14] = {
    use Traffic::{Fields, Random, Text};
    const O7: Format = Format { parity: Parity::Odd, ..Format::E7 };
    [
        (Format::N8, Random, 0.17),
        (Format::N8, Text, 0.27),
        (Format::N8, Fields, 0.17),
        (Format::E8, Random, 0.06),
        (Format::E8, Text, 0.04),
        (Format::O8, Random, 0.02),
        (Format::O8, Text, 0.02),
        (Format::E7, Text, 0.06),
        (Format::N8_2, Random, 0.03),
        (Format::E8, Fields, 0.06),
        (Format::O8, Fields, 0.02),
        (O7, Text, 0.02),
        (Format::N8_2, Text, 0.03),
        (Format::N8_2, Fields, 0.03),
    ]
};

/// What the port says of a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    Clean,
    Bad,
    /// The port cannot tell, or not for this byte alone.
    Untold,
}

impl Kind {
    /// Every so many ratios are computed: what is rare is known less exactly.
    fn step(&self) -> usize {
        if self.inverted || self.late_mark.middle.abs() >= 0.1 { 2 } else { 1 }
    }
}

/// The kinds with their shares among devices, as one would guess them beforehand.
pub fn kinds() -> &'static [(Kind, f64)] {
    static KINDS: OnceLock<Vec<(Kind, f64)>> = OnceLock::new();
    KINDS.get_or_init(|| {
        let mut kinds = Vec::new();
        for (inverted, polarity) in [(false, 0.98), (true, 0.02)] {
            for (late_mark, part, senders) in LATENESS {
                // Inverted lines are rare: their commonest senders will do.
                let senders = if inverted { senders.min(4) } else { senders };
                let total: f64 = SENDERS[..senders].iter().map(|(.., share)| share).sum();
                for (format, traffic, share) in SENDERS[..senders].iter().copied() {
                    kinds.push((
                        Kind { format, inverted, late_mark, traffic },
                        polarity * part * share / total,
                    ));
                }
            }
        }
        kinds
    })
}

/// Ratios in a table, lowest first.
pub fn ratios() -> usize {
    ((RATIOS.end() / RATIOS.start()).ln() / STEP) as usize + 1
}

/// The place of a ratio (receiver over sender, as a natural logarithm) in the tables; it may lie outside.
pub fn place(log_ratio: f64) -> i64 {
    ((log_ratio - RATIOS.start().ln()) / STEP).round() as i64
}

/// For one kind: the logarithm of the probability of each word, as columns over the ratios.
pub struct Table {
    /// 512 columns of words with their flag, then 256 of bytes whose flag is not told.
    columns: Vec<f32>,
}

const FLOOR: f32 = 0.05;

impl Table {
    /// The table of the `kind`-th kind.
    pub fn of(kind: usize) -> &'static Table {
        static TABLES: OnceLock<Vec<OnceLock<Table>>> = OnceLock::new();
        let tables = TABLES.get_or_init(|| kinds().iter().map(|_| OnceLock::new()).collect());
        let kind = kind.min(tables.len() - 1);
        tables[kind].get_or_init(|| Table::compute(&kinds()[kind].0))
    }

    /// Begins to make all tables, on all processors, while the line settles. Whoever needs one that is not there yet waits for it.
    pub fn prepare() {
        static BEGUN: Once = Once::new();
        BEGUN.call_once(|| {
            let workers = std::thread::available_parallelism().map_or(1, usize::from).min(8);
            for worker in 0..workers {
                std::thread::spawn(move || {
                    for kind in (worker..kinds().len()).step_by(workers) {
                        Table::of(kind);
                    }
                });
            }
        });
    }

    /// One value for each ratio.
    pub fn column(&self, byte: u8, flag: Flag) -> &[f32] {
        let column = match flag {
            Flag::Clean => usize::from(byte),
            Flag::Bad => 256 + usize::from(byte),
            Flag::Untold => 512 + usize::from(byte),
        };
        &self.columns[column * ratios()..(column + 1) * ratios()]
    }

    fn compute(kind: &Kind) -> Table {
        let source = match kind.traffic {
            Traffic::Random => Source::random(kind.format),
            Traffic::Text => Source::text(kind.format),
            Traffic::Fields => Source::fields(kind.format),
        };
        let count = ratios();
        let ratio = |place: usize| RATIOS.start() * (place as f64 * STEP).exp();
        let step = kind.step();
        let mut rows: Vec<crate::wire::Words> = Vec::with_capacity(count);
        for place in 0..count {
            let Lateness { middle, spread } = kind.late_mark;
            // Far below 1 little can be learned, and it costs most: every fifth ratio is computed there.
            let (each, spread) = if ratio(place) < 0.7 { (5 * step, 0.0) } else { (step, spread) };
            let late_mark = if (place / step).is_multiple_of(2) { middle + spread } else { middle - spread };
            let source = Source { inverted: kind.inverted, late_mark, ..source };
            match rows.last() {
                Some(last) if place % each != 0 => rows.push(*last),
                _ => rows.push(words(&source, ratio(place))),
            }
        }
        let mut columns = vec![0.0; 768 * count];
        for place in 0..count {
            let row = |place: usize| &rows[place.min(count - 1)];
            // As much of one side of the middle as of the other.
            let near = match place % step {
                0 => [(place.saturating_sub(step), 0.25), (place, 0.5), (place + step, 0.25)],
                past => [(place - past, 0.5), (place, 0.0), (place - past + step, 0.5)],
            };
            let near = near.map(|(place, part)| (row(place), part));
            let smooth = |word: usize| near.iter().map(|(row, part)| part * row[word]).sum::<f32>();
            for byte in 0..256 {
                let (clean, bad) = (smooth(byte), smooth(256 + byte));
                let log = |part: f32, words: f32| ((1.0 - FLOOR) * part + FLOOR / words).ln();
                columns[byte * count + place] = log(clean, 512.0);
                columns[(256 + byte) * count + place] = log(bad, 512.0);
                columns[(512 + byte) * count + place] = log(clean + bad, 256.0);
            }
        }
        Table { columns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_of_the_kinds_add_up() {
        let total: f64 = kinds().iter().map(|(_, share)| share).sum();
        assert!((total - 1.0).abs() < 1e-9, "{total}");
    }

    #[test]
    fn far_too_fast_a_receiver_expects_nulls_with_framing_errors() {
        let table = Table::of(0);
        let last = ratios() - 1;
        assert!(table.column(0, Flag::Bad)[last] > -0.1);
        assert!(table.column(0x41, Flag::Clean)[last] < -5.0);
        assert_eq!(place(0.0), ((1.0 / RATIOS.start()).ln() / STEP).round() as i64);
    }
}
