//! How long the exact forward model takes: one row, and a whole format in the useful window.
//!
//! `cargo bench --bench forward_model`

use divan::{Bencher, black_box};
use hsdiag::line::Format;
use hsdiag::wire::{Source, words};

fn main() {
    divan::main();
}

/// The rates of the useful window: receiver 0.8 to 12 times as fast as the sender, in steps of half a per cent.
fn window() -> impl Iterator<Item = f64> {
    (0..).map(|step| 0.8 * 1.005_f64.powi(step)).take_while(|ratio| *ratio <= 12.0)
}

fn sources() -> [(&'static str, Source); 6] {
    let random = Source::random(Format::N8);
    [
        ("8N1", random),
        ("8E1", Source::random(Format::E8)),
        ("7E1", Source::random(Format::E7)),
        ("8N2", Source::random(Format::N8_2)),
        ("8N1 late edges", Source { late_mark: 0.2, ..random }),
        ("8N1 inverted", Source { inverted: true, ..random }),
    ]
}

#[divan::bench(args = ["8N1", "8E1", "7E1", "8N2", "8N1 late edges", "8N1 inverted"], sample_count = 10)]
fn useful_window(bencher: Bencher, name: &str) {
    let source =
        sources().into_iter().find(|(n, _)| *n == name).map_or(Source::random(Format::N8), |(_, s)| s);
    bencher.bench(|| window().map(|ratio| words(black_box(&source), ratio)[0]).sum::<f32>());
}

#[divan::bench(args = [0.3, 0.6, 1.0, 1.5, 3.0, 8.0])]
fn one_row(bencher: Bencher, ratio: f64) {
    let source = Source::random(Format::N8);
    bencher.bench(|| words(black_box(&source), ratio)[0]);
}
