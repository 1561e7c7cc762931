//! Whom a receiver may be hearing: by the forward model, how likely each word is from a sender at any rate, in another format, inverted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::line::{Format, Parity};
use crate::protocol::on_every_core;
use crate::wire::{RATIOS, Source, words_as};

/// Distance of two ratios, as a natural logarithm: the width within which a UART reads either.
pub const STEP: f64 = 0.04;
/// Ratios nearer to 1 than this are the right rate.
const SAME: f64 = 0.045;
/// The part of words that follow no model: clocks drift and noise happens.
const ANYTHING: f32 = 0.05;
/// Formats that devices are met with.
const FORMATS: [Format; 5] =
    [Format::N8, Format::E8, Format::O8, Format::E7, Format { parity: Parity::Odd, ..Format::E7 }];

/// The logarithm of each word's probability: without a fault, with one, and where faults are not told.
pub type Row = [f32; 768];

/// Everybody whom a receiver of one format may be hearing.
pub struct Senders {
    receiver: Format,
    /// Of its own format, at its rate; several kinds of data.
    pub right: Vec<Row>,
    /// At its rate, in another format.
    pub formats: Vec<(Format, Vec<Row>)>,
    /// At its rate, inverted.
    pub inverted: Vec<Row>,
    rates: OnceLock<Vec<(f64, Vec<Row>)>>,
}

/// Those of a receiver's format, worked out when it is first asked for.
pub fn senders(receiver: Format) -> Arc<Senders> {
    static ALL: OnceLock<Mutex<BTreeMap<Format, Arc<Senders>>>> = OnceLock::new();
    let mut all = ALL.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    all.entry(receiver).or_insert_with(|| Arc::new(Senders::of(receiver))).clone()
}

/// A word as a place in the rows.
pub fn column(byte: u8, fault: bool, told: bool) -> usize {
    usize::from(byte)
        + match (told, fault) {
            (true, false) => 0,
            (true, true) => 256,
            (false, _) => 512,
        }
}

impl Senders {
    fn of(receiver: Format) -> Senders {
        let at_its_rate = |source: &Source| row(source, receiver, 0.0);
        let own = kinds(receiver);
        let others = FORMATS.into_iter().filter(|format| *format != receiver);
        let formats = others.map(|format| (format, kinds(format).iter().map(at_its_rate).collect()));
        let inverted = own.iter().map(|source| at_its_rate(&Source { inverted: true, ..*source }));
        Senders {
            receiver,
            right: own.iter().map(at_its_rate).collect(),
            formats: formats.collect(),
            inverted: inverted.collect(),
            rates: OnceLock::new(),
        }
    }

    /// Of the receiver's format, at every ratio of receiver to sender that is none of its own (natural logarithm).
    pub fn rates(&self) -> &[(f64, Vec<Row>)] {
        self.rates.get_or_init(|| {
            let own = kinds(self.receiver);
            let count = ((RATIOS.end() / RATIOS.start()).ln() / STEP) as usize + 1;
            let logs = (0..count).map(|place| RATIOS.start().ln() + place as f64 * STEP);
            let others: Vec<f64> = logs.filter(|log| log.abs() >= SAME).collect();
            let rows = |log: &f64| own.iter().map(|source| row(source, self.receiver, *log)).collect();
            on_every_core(&others, |log| (*log, rows(log)))
        })
    }
}

/// Kinds of data that a sender of a format sends. Text comes from a console, which checks no parity.
fn kinds(format: Format) -> Vec<Source> {
    let mut kinds = vec![Source::random(format), Source::fields(format)];
    if format.parity == Parity::None {
        kinds.push(Source::text(format));
    }
    kinds
}

fn row(source: &Source, receiver: Format, log_ratio: f64) -> Row {
    let chances = words_as(source, receiver, log_ratio.exp());
    let log = |part: f32, words: f32| ((1.0 - ANYTHING) * part + ANYTHING / words).ln();
    let mut row = [0.0; 768];
    for byte in 0..256 {
        row[byte] = log(chances[byte], 512.0);
        row[256 + byte] = log(chances[256 + byte], 512.0);
        row[512 + byte] = log(chances[byte] + chances[256 + byte], 256.0);
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_without_parity_is_told_from_one_with_it_by_a_receiver_that_checks_it() {
        let senders = senders(Format::E8);
        // Right parity only by chance: the bit that is checked is the next stop bit.
        let words = [(0x31u8, true), (0x42, true), (0x07, false), (0x10, false), (0x55, true), (0x0B, false)];
        let fit = |rows: &[Row]| {
            let log =
                |row: &Row| words.iter().map(|(byte, fault)| row[column(*byte, *fault, true)]).sum::<f32>();
            rows.iter().map(log).fold(f32::NEG_INFINITY, f32::max)
        };
        let of = |wanted: Format| {
            senders.formats.iter().find(|(format, _)| *format == wanted).map(|(_, rows)| fit(rows))
        };
        let (without, odd) = (of(Format::N8).expect("8N1"), of(Format::O8).expect("8O1"));
        assert!(without > fit(&senders.right) + 5.0, "{without} {}", fit(&senders.right));
        assert!(without > odd + 5.0, "{without} {odd}");
    }
}
