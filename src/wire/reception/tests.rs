//! Monte Carlo with the simulated line is the test of the exact model.

use fastrand::Rng;

use super::super::receive::Receiver;
use super::super::transmit::{Drift, Transmitter};
use super::super::waveform::Waveform;
use super::*;
use crate::line::{Baud, Fault, Instant, Settings};

/// What the simulated line gives: the part of each word among `characters` characters.
fn counted(source: &Source, format: Format, ratio: f64, characters: usize, seed: u64) -> Words {
    let receiver = Settings::new(Baud::nearest(1e6), format);
    let sender =
        Settings { inverted: source.inverted, ..Settings::new(Baud::nearest(1e6 / ratio), source.format) };
    let skew = 1e6 / ratio / sender.baud.hz() - 1.0;
    let drift = Drift { skew, jitter: 0.0, late_mark: source.late_mark };
    let mut rng = Rng::with_seed(seed);
    let mut sender = Transmitter::new(sender, drift, seed);
    let mut line = Waveform::resting(sender.resting());
    let mut words = [0.0; 512];
    let mut total = 0.0;
    let mut heard = Receiver::new(receiver, seed);
    for _ in 0..characters / 100 {
        let mut end = Instant::ZERO;
        for _ in 0..100 {
            let data = (0..9).fold(0u16, |data, bit| data | u16::from(rng.f64() < source.ones[bit]) << bit);
            end = sender.send(&mut line, data, Instant::ZERO);
            if rng.f64() < source.gaps {
                sender.rest(-source.gap_bits * (1.0 - rng.f64()).ln());
            }
        }
        for event in heard.receive(&line, end) {
            let low = matches!(event.fault, Some(Fault::Framing | Fault::Break | Fault::Parity));
            words[usize::from(event.value().unwrap_or(0)) | usize::from(low) << 8] += 1.0;
            total += 1.0;
        }
        line.forget_before(heard.done_until().secs());
    }
    words.iter_mut().for_each(|word| *word /= total);
    words
}

fn distance(a: &Words, b: &Words) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f32>() / 2.0
}

/// Over where the receiver's clock can stand within a tick.
fn averaged(source: &Source, format: Format, ratio: f64) -> Words {
    let mut mean = [0.0; 512];
    for step in 0..8 {
        let words = words_seen(source, format, ratio, (f64::from(step) + 0.5) / 128.0);
        mean.iter_mut().zip(words).for_each(|(mean, word)| *mean += word / 8.0);
    }
    mean
}

fn worst(sources: &[Source], ratios: &[f64]) -> Vec<String> {
    worst_as(Format::N8, sources, ratios)
}

fn worst_as(receiver: Format, sources: &[Source], ratios: &[f64]) -> Vec<String> {
    let mut far = Vec::new();
    for source in sources {
        for (seed, ratio) in ratios.iter().enumerate() {
            let exact = averaged(source, receiver, *ratio);
            let (one, two) = (
                counted(source, receiver, *ratio, 10_000, seed as u64),
                counted(source, receiver, *ratio, 10_000, 1000 + seed as u64),
            );
            let (floor, off) = (distance(&one, &two), distance(&exact, &one));
            if off > floor + 0.025 {
                far.push(format!(
                    "{} inverted {} late {} r {ratio}: {off:.3}, floor {floor:.3}",
                    source.format, source.inverted, source.late_mark
                ));
            }
        }
    }
    far
}

const RATIOS_TRIED: [f64; 9] = [0.37, 0.63, 1.03, 1.31, 1.93, 2.83, 4.6, 7.13, 9.1];

#[test]
fn exact_words_agree_with_the_simulated_line_in_every_format() {
    let sources = [Format::N8, Format::E8, Format::E7, Format::N8_2].map(Source::random);
    let far = worst(&sources, &RATIOS_TRIED);
    assert!(far.is_empty(), "{far:#?}");
    let far = worst(&[Source::text(Format::O8)], &RATIOS_TRIED);
    assert!(far.is_empty(), "{far:#?}");
}

#[test]
fn exact_words_agree_with_the_simulated_line_where_parity_is_checked_or_seven_bits_are() {
    for receiver in [Format::E8, Format::O8, Format::E7] {
        let sources = [Format::N8, Format::E8, Format::E7].map(Source::random);
        let far = worst_as(receiver, &sources, &[0.37, 0.63, 1.03, 1.31, 2.83]);
        assert!(far.is_empty(), "{receiver}: {far:#?}");
    }
}

#[test]
fn exact_words_agree_with_the_simulated_line_when_edges_are_late_or_early() {
    let sources =
        [-0.21, -0.1, 0.11, 0.23].map(|late_mark| Source { late_mark, ..Source::random(Format::N8) });
    let far = worst(&sources, &RATIOS_TRIED);
    assert!(far.is_empty(), "{far:#?}");
}

#[test]
fn exact_words_agree_with_the_simulated_line_when_it_is_inverted() {
    let sources = [Format::N8, Format::E8].map(|format| Source { inverted: true, ..Source::random(format) });
    let far = worst(&sources, &RATIOS_TRIED);
    assert!(far.is_empty(), "{far:#?}");
    let late = Source { inverted: true, late_mark: 0.2, ..Source::random(Format::N8) };
    let far = worst(&[late], &RATIOS_TRIED);
    assert!(far.is_empty(), "{far:#?}");
}

#[test]
fn probabilities_add_up_at_any_ratio() {
    for ratio in [f64::NAN, 0.0, 0.16, 0.5, 1.0, 3.0, 12.0, 1e9] {
        let total: f32 = words(&Source::text(Format::E7), ratio).iter().sum();
        assert!((total - 1.0).abs() < 1e-3, "{ratio}: {total}");
    }
}
