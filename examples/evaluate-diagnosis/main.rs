//! How often the diagnosis is right, how well its probabilities hold, and the fit of its weights.
//!
//! `cargo run --release --example evaluate-diagnosis [-- --each N --seed S --wire first|second --fit FILE --model FILE --figures FOLDER]`
//!
//! Captures are conversations of shipped tables, spoilt in a known way on a wire of one's choice. Fitting uses other seeds than testing.

mod captures;
mod figures;
mod fit;
mod score;

#[path = "../../tests/support/labelled/mod.rs"]
mod labelled;

use std::collections::BTreeMap;

use hsdiag::diagnose::{CLASSES, Cause, Evidence, Model, Weights, chances};

use captures::{Sample, samples};
use labelled::{first_wire, second_wire};
use score::Score;

struct Arguments {
    each: usize,
    seed: u64,
    second: bool,
    fit: Option<String>,
    model: Option<String>,
    figures: Option<String>,
    verbose: bool,
}

fn arguments() -> Arguments {
    let mut read = Arguments {
        each: 200,
        seed: 2026,
        second: false,
        fit: None,
        model: None,
        figures: None,
        verbose: false,
    };
    let mut given = std::env::args().skip(1);
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--each" => read.each = given.next().and_then(|n| n.parse().ok()).unwrap_or(read.each),
            "--seed" => read.seed = given.next().and_then(|n| n.parse().ok()).unwrap_or(read.seed),
            "--wire" => read.second = given.next().as_deref() == Some("second"),
            "--model" => read.model = given.next(),
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
    if let Some(file) = &read.model {
        match std::fs::read_to_string(file).map(|text| Model::read(&text)) {
            Ok(Ok(read)) => model = read,
            Ok(Err(error)) => println!("{file}: {error}"),
            Err(error) => println!("{file}: {error}"),
        }
    }
    if let Some(file) = &read.fit {
        // Training and testing never share a seed: these are the odd ones.
        let training = samples(read.each * 2, read.seed * 2 + 1, wire, false);
        let training: Vec<Sample> = training.into_iter().filter(|sample| !sample.unnoticed).collect();
        println!("{} captures to fit, made in {:.0} s", training.len(), begun.elapsed().as_secs_f64());
        let fitted = fit_model(&training);
        let text = write(&fitted);
        if let Err(error) = std::fs::write(file, &text) {
            println!("{file}: {error}");
        }
        // What is judged is what was written, rounded as it is there.
        match Model::read(&text) {
            Ok(read) => model = read,
            Err(error) => println!("{file}: {error}"),
        }
        println!("fitted in {:.0} s", begun.elapsed().as_secs_f64());
    }
    let testing = samples(read.each, read.seed * 2, wire, read.verbose);
    println!("{} captures to test\n", testing.len());
    let mut score = Score::default();
    testing.iter().for_each(|sample| score.add(sample, &model, read.verbose));
    score.show();
    if let Some(folder) = &read.figures {
        figures::write(folder, if read.second { "second" } else { "first" }, &score);
    }
    println!("\n{:.0} s", begun.elapsed().as_secs_f64());
}

/// How strongly weights may be drawn to 0: which is best, a part of the captures that is set aside decides.
const PENALTIES: [f64; 2] = [2e-4, 4e-4];
/// One capture in so many is set aside.
const ASIDE: usize = 5;

fn fit_model(training: &[Sample]) -> Model {
    let ids: Vec<&str> = Cause::ALL.iter().map(|cause| cause.id()).collect();
    let rows = fit::Rows::of(training.iter().map(|sample| &sample.evidence));
    let targets: Vec<Vec<f64>> = training.iter().map(target).collect();
    let aside = |place: usize| place.is_multiple_of(ASIDE);
    let single = |place: usize| training[place].second.is_none() && training[place].alike.is_empty();
    // Two causes at once are rarer than one: one in three of these captures is learnt from.
    let learnt = |place: usize| training[place].second.is_none() || place.is_multiple_of(3);
    let some = |wanted: &dyn Fn(usize) -> bool| {
        let targets = targets.iter().enumerate().filter(|(place, _)| wanted(*place));
        (rows.some(wanted), targets.map(|(_, target)| target.clone()).collect::<Vec<_>>())
    };
    let (kept, kept_targets) = some(&|place| !aside(place) && learnt(place));
    let mut best: Option<(f64, f64, f64)> = None;
    for penalty in PENALTIES {
        let leading = fit::softmax(&kept, &kept_targets, &ids, fit::Effort { penalty, rounds: 150 });
        for step in 0..12 {
            let by = 0.7 + 0.1 * f64::from(step);
            let tempered = leading.iter().map(|(id, w)| (id.clone(), w.tempered(by))).collect();
            let model = Model::of(tempered, BTreeMap::new(), BTreeMap::new());
            let judged = (0..training.len()).filter(|place| aside(*place) && single(*place));
            let loss: f64 = judged.map(|place| loss(&model, &training[place], &targets[place])).sum();
            if best.is_none_or(|(least, ..)| loss < least) {
                best = Some((loss, penalty, by));
            }
        }
    }
    let (_, penalty, by) = best.unwrap_or((0.0, PENALTIES[0], 1.0));
    println!("penalty {penalty:.0e}, tempered by {by:.1}");
    let (all, all_targets) = some(&learnt);
    let leading = fit::softmax(&all, &all_targets, &ids, fit::Effort { penalty, rounds: 250 });
    let leading = leading.into_iter().map(|(id, weights)| (id, weights.tempered(by))).collect();
    let model = Model::of(leading, BTreeMap::new(), BTreeMap::new());
    let posteriors: Vec<Vec<(Cause, f64)>> =
        training.iter().map(|sample| model.posterior(&sample.evidence)).collect();
    let left: Vec<_> = training.iter().map(|sample| model.left(&sample.rest)).collect();
    let acting = |(place, cause): (usize, Cause)| {
        let with_chances = |(at, sample): (usize, &Sample)| {
            let mut evidence = sample.evidence.clone();
            let leading = posteriors[at].get(place).map_or(0.0, |(_, p)| *p);
            evidence.features.extend(chances(leading, left[at][place]));
            evidence
        };
        let evidence: Vec<Evidence> = training.iter().enumerate().map(with_chances).collect();
        let rows = fit::Rows::of(evidence.iter());
        let truths: Vec<bool> =
            training.iter().map(|s| s.cause == cause || s.second == Some(cause)).collect();
        (cause.id().to_owned(), fit::logistic(&rows, &truths, fit::Effort { penalty: 3e-5, rounds: 220 }))
    };
    let acting: BTreeMap<String, Weights> = on_two_threads(Cause::ALL.into_iter().enumerate(), acting);
    let model = Model::of(model.leading, acting, BTreeMap::new());
    // The verdict on a byte leans on the causes, as the fitted model weighs them.
    let mut bytes: Vec<(Evidence, usize)> = Vec::new();
    for sample in training {
        let posterior = model.posterior(&sample.evidence);
        let contributing = model.contributing(&sample.evidence, &posterior, &sample.rest);
        bytes
            .extend(sample.bytes(&hsdiag::diagnose::acting(&posterior, &contributing)).into_iter().take(120));
    }
    let rows = fit::Rows::plain(bytes.iter().map(|(evidence, _)| evidence));
    let targets: Vec<Vec<f64>> = bytes
        .iter()
        .map(|(_, class)| (0..CLASSES.len()).map(|place| f64::from(u8::from(place == *class))).collect())
        .collect();
    let effort = fit::Effort { penalty: 1e-7, rounds: 260 };
    let mut verdict = fit::softmax(&rows, &targets, &CLASSES, effort);
    lean_to_noise(&mut verdict, &bytes);
    Model::of(model.leading, model.acting, verdict)
}

/// Each of these, half of them on a thread of its own.
fn on_two_threads<T: Send, K: Ord + Send, V: Send>(
    all: impl Iterator<Item = T>,
    make: impl Fn(T) -> (K, V) + Sync,
) -> BTreeMap<K, V> {
    let (even, odd): (Vec<_>, Vec<_>) = all.enumerate().partition(|(place, _)| place.is_multiple_of(2));
    std::thread::scope(|scope| {
        let later = scope.spawn(|| odd.into_iter().map(|(_, one)| make(one)).collect::<Vec<_>>());
        let mut made: BTreeMap<K, V> = even.into_iter().map(|(_, one)| make(one)).collect();
        made.extend(later.join().unwrap_or_default());
        made
    })
}

/// So many bytes of frames may be taken for noise: no more, and no fewer, for each that is spared lets noise pass.
const SPARED: f64 = 0.9958;

/// Raises the prior of noise as far as the bytes of frames allow.
fn lean_to_noise(verdict: &mut BTreeMap<String, Weights>, bytes: &[(Evidence, usize)]) {
    let Some(noise) = CLASSES.iter().position(|class| *class == "noise") else { return };
    let told = |evidence: &Evidence| evidence.get("byte-fault") + evidence.get("byte-clean") > 0.0;
    // By how much each byte of a frame is nearer to what it is than to noise.
    let mut margins: Vec<f64> = bytes
        .iter()
        .filter(|(evidence, class)| *class == 0 && told(evidence))
        .map(|(evidence, _)| {
            let score = |class: &str| verdict.get(class).map_or(0.0, |weights| weights.score(evidence));
            let others = CLASSES.iter().enumerate().filter(|(place, _)| *place != noise);
            others.map(|(_, class)| score(class)).fold(f64::MIN, f64::max) - score(CLASSES[noise])
        })
        .collect();
    margins.sort_by(f64::total_cmp);
    let lean = margins.get((margins.len() as f64 * (1.0 - SPARED)) as usize).copied().unwrap_or(0.0);
    println!("noise leant to by {lean:.2}");
    if let Some(weights) = verdict.get_mut(CLASSES[noise]) {
        weights.prior += lean;
    }
}

/// How surprised the model is by what is true.
fn loss(model: &Model, sample: &Sample, target: &[f64]) -> f64 {
    let posterior = model.posterior(&sample.evidence);
    posterior.iter().zip(target).map(|((_, p), t)| -t * p.max(1e-9).ln()).sum()
}

/// What the fit is to say: the cause, or each of two that nothing tells apart.
fn target(sample: &Sample) -> Vec<f64> {
    let of = |cause: &Cause| {
        if sample.second.is_some() {
            // Either may lead.
            if *cause == sample.cause || sample.second == Some(*cause) { 0.5 } else { 0.0 }
        } else if sample.alike.is_empty() {
            f64::from(u8::from(*cause == sample.cause))
        } else if sample.alike.contains(cause) {
            1.0 / sample.alike.len() as f64
        } else {
            0.0
        }
    };
    Cause::ALL.iter().map(of).collect()
}

/// To what means something.
fn rounded(weights: &mut Weights) {
    let round = fit::round;
    weights.prior = round(weights.prior);
    for part in [&mut weights.weights, &mut weights.any, &mut weights.packet, &mut weights.never] {
        part.values_mut().for_each(|weight| *weight = round(*weight));
        part.retain(|_, weight| *weight != 0.0);
    }
}

fn write(model: &Model) -> String {
    let head = "# Priors and weights of the diagnosis: natural logarithms, fitted to labelled captures.\n\
        #\n\
        # [leading.CAUSE]: the score of a cause is its prior plus weight times value over all features; the scores' softmax is its probability.\n\
        # any, packet, never: what it weighs that a number is not 0, and what a unit weighs more where errors are told for packets, or never.\n\
        # [acting.CAUSE]: the same through a logistic function: whether the cause acts, whichever leads.\n\
        # [verdict.CLASS]: what a received byte was. The features are measured in src/diagnose/measure and src/diagnose/verdict.rs; words.toml\n\
        # says in words what each one is. Made by: cargo run --release --example evaluate-diagnosis -- --fit src/diagnose/model.toml\n\n";
    let mut bare = Model::of(model.leading.clone(), model.acting.clone(), model.verdict.clone());
    let all = bare.leading.values_mut().chain(bare.acting.values_mut()).chain(bare.verdict.values_mut());
    all.for_each(rounded);
    format!("{head}{}", toml::to_string(&bare).unwrap_or_default())
}
