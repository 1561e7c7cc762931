//! How often the diagnosis is right, how well its probabilities hold, and the fit of its weights.
//!
//! `cargo run --release --example evaluate-diagnosis [-- --each N --seed S --wire first|second --fit FILE --figures FOLDER]`
//!
//! Captures are conversations of shipped tables, spoilt in a known way on a wire of one's choice. Fitting uses other seeds than testing.

mod captures;
mod figures;
mod fit;
mod score;

#[path = "../../tests/support/labelled/mod.rs"]
mod labelled;

use std::collections::BTreeMap;

use hsdiag::diagnose::{CLASSES, Cause, Evidence, Model, Weights};

use captures::{Sample, samples};
use labelled::{first_wire, second_wire};
use score::Score;

struct Arguments {
    each: usize,
    seed: u64,
    second: bool,
    fit: Option<String>,
    figures: Option<String>,
    verbose: bool,
}

fn arguments() -> Arguments {
    let mut read =
        Arguments { each: 200, seed: 2026, second: false, fit: None, figures: None, verbose: false };
    let mut given = std::env::args().skip(1);
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--each" => read.each = given.next().and_then(|n| n.parse().ok()).unwrap_or(read.each),
            "--seed" => read.seed = given.next().and_then(|n| n.parse().ok()).unwrap_or(read.seed),
            "--wire" => read.second = given.next().as_deref() == Some("second"),
            "--fit" => read.fit = given.next(),
            "--figures" => read.figures = given.next(),
            "--verbose" => read.verbose = true,
            "--show" => captures::show(),
            other => println!("ignored: {other}"),
        }
    }
    read
}

fn main() {
    let read = arguments();
    let begun = std::time::Instant::now();
    let wire = if read.second { second_wire::receive } else { first_wire::receive };
    let mut model = Model::shipped().clone();
    if let Some(file) = &read.fit {
        // Training and testing never share a seed: these are the odd ones.
        let training = samples(read.each * 2, read.seed * 2 + 1, wire);
        println!("{} captures to fit, made in {:.0} s", training.len(), begun.elapsed().as_secs_f64());
        let fitted = fit_model(&training);
        model.leading = fitted.leading;
        model.acting = fitted.acting;
        model.verdict = fitted.verdict;
        let text = write(&model);
        if let Err(error) = std::fs::write(file, text) {
            println!("{file}: {error}");
        }
        println!("fitted in {:.0} s", begun.elapsed().as_secs_f64());
    }
    let testing = samples(read.each, read.seed * 2, wire);
    println!("{} captures to test\n", testing.len());
    let mut score = Score::default();
    testing.iter().for_each(|sample| score.add(sample, &model, read.verbose));
    score.show();
    if let Some(folder) = &read.figures {
        figures::write(folder, &score);
    }
    println!("\n{:.0} s", begun.elapsed().as_secs_f64());
}

fn fit_model(training: &[Sample]) -> Model {
    let ids: Vec<&str> = Cause::ALL.iter().map(|cause| cause.id()).collect();
    let rows = fit::Rows::of(training.iter().map(|sample| &sample.evidence));
    let targets: Vec<Vec<f64>> = training.iter().map(target).collect();
    let leading = fit::softmax(&rows, &targets, &ids, fit::Effort { penalty: 4e-4, rounds: 700 });
    let acting: BTreeMap<String, Weights> = Cause::ALL
        .into_iter()
        .map(|cause| {
            let truths: Vec<bool> =
                training.iter().map(|s| s.cause == cause || s.second == Some(cause)).collect();
            (cause.id().into(), fit::logistic(&rows, &truths, fit::Effort { penalty: 4e-4, rounds: 300 }))
        })
        .collect();
    let model = Model { leading, acting, ..Model::shipped().clone() };
    // The verdict on a byte leans on the causes, as the fitted model weighs them.
    let mut bytes: Vec<(Evidence, usize)> = Vec::new();
    for sample in training {
        let posterior = model.posterior(&sample.evidence);
        bytes.extend(sample.bytes(&posterior).into_iter().take(120));
    }
    let rows = fit::Rows::of(bytes.iter().map(|(evidence, _)| evidence));
    let targets: Vec<Vec<f64>> = bytes
        .iter()
        .map(|(_, class)| (0..CLASSES.len()).map(|place| f64::from(u8::from(place == *class))).collect())
        .collect();
    let verdict = fit::softmax(&rows, &targets, &CLASSES, fit::Effort { penalty: 1e-6, rounds: 250 });
    Model { verdict, ..model }
}

/// What the fit is to say: the cause, or each of two that nothing tells apart.
fn target(sample: &Sample) -> Vec<f64> {
    let of = |cause: &Cause| {
        if sample.alike.is_empty() {
            f64::from(u8::from(*cause == sample.cause))
        } else if sample.alike.contains(cause) {
            1.0 / sample.alike.len() as f64
        } else {
            0.0
        }
    };
    Cause::ALL.iter().map(of).collect()
}

fn write(model: &Model) -> String {
    let head = "# Priors and weights of the diagnosis: natural logarithms, fitted to labelled captures.\n\
        #\n\
        # [leading.CAUSE]: the score of a cause is its prior plus weight times value over all features; the scores' softmax is its probability.\n\
        # [acting.CAUSE]: the same through a logistic function: whether the cause acts, whichever leads.\n\
        # [verdict.CLASS]: what a received byte was. The features are measured in src/diagnose/measure and src/diagnose/verdict.rs; words.toml\n\
        # says in words what each one is. Made by: cargo run --release --example evaluate-diagnosis -- --fit src/diagnose/model.toml\n\n";
    let bare = Model { feature: BTreeMap::new(), decide: Vec::new(), ..model.clone() };
    format!("{head}{}", toml::to_string(&bare).unwrap_or_default())
}
