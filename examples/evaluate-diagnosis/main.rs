//! How often the diagnosis is right, how well its probabilities hold, and the fit of its weights.
//!
//! `cargo run --release --example evaluate-diagnosis [-- --each N --train N --seed S --wire first|second --fit FILE --beside FILE --only FEATURE,… --model FILE
//! --figures FOLDER --wide --misses --verbose]`
//!
//! `--each`: captures of every cause and pair to test. `--train`: to fit. `--beside`: what is written is the mean of the fit and that file. `--only`: of the model that is there, only the weights of these features are fitted. `--wide`: tested are captures of every kind, fitted to are as
//! many of them as usual ones. `--misses`: which noise was taken for what, which second causes were not named, and what another
//! threshold would give. `--verbose`: every capture that is told wrong, item by item.
//!
//! Captures are conversations of shipped tables, spoilt in a known way on a wire of one's choice. Fitting uses other seeds than testing.

mod captures;
mod figures;
mod fit;
mod mean;
mod misses;
mod score;

#[path = "../../tests/support/labelled/mod.rs"]
mod labelled;

use std::collections::BTreeMap;

use hsdiag::diagnose::{CLASSES, Cause, Evidence, Model, Weights, chances};

use captures::{Sample, samples};
use labelled::{first_wire, second_wire};
use mean::mean;
use misses::Misses;
use score::Score;

struct Arguments {
    each: usize,
    /// Captures of every cause and pair to fit; twice as many as those to test unless it is said.
    train: Option<usize>,
    seed: u64,
    second: bool,
    fit: Option<String>,
    model: Option<String>,
    beside: Option<String>,
    /// Features whose weights alone are fitted.
    only: Vec<String>,
    figures: Option<String>,
    /// Captures of every kind, not only usual ones.
    wide: bool,
    verbose: bool,
    misses: bool,
}

fn arguments() -> Arguments {
    let mut read = Arguments {
        each: 200,
        train: None,
        seed: 2026,
        second: false,
        fit: None,
        model: None,
        beside: None,
        only: Vec::new(),
        figures: None,
        wide: false,
        verbose: false,
        misses: false,
    };
    let mut given = std::env::args().skip(1);
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--each" => read.each = given.next().and_then(|n| n.parse().ok()).unwrap_or(read.each),
            "--train" => read.train = given.next().and_then(|n| n.parse().ok()),
            "--seed" => read.seed = given.next().and_then(|n| n.parse().ok()).unwrap_or(read.seed),
            "--wire" => read.second = given.next().as_deref() == Some("second"),
            "--model" => read.model = given.next(),
            "--beside" => read.beside = given.next(),
            "--only" => {
                read.only =
                    given.next().map_or_else(Vec::new, |names| names.split(',').map(String::from).collect())
            }
            "--fit" => read.fit = given.next(),
            "--figures" => read.figures = given.next(),
            "--verbose" => read.verbose = true,
            "--wide" => read.wide = true,
            "--misses" => read.misses = true,
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
    if let Some(read) = read.model.as_deref().and_then(model_in) {
        model = read;
    }
    if let Some(file) = &read.fit {
        // Training and testing never share a seed: these are the odd ones.
        let each = read.train.unwrap_or(2 * read.each);
        let made = |each: usize, wide: bool| samples(each, read.seed * 2 + 1, wire, wide, false);
        // Usual ones, or half of them usual and half of every kind.
        let usual = if read.wide { each / 2 } else { each };
        let training = [made(usual, false), made(each - usual, true)].into_iter().flatten();
        let training: Vec<Sample> = training.filter(|sample| !sample.unnoticed).collect();
        println!("{} captures to fit, made in {:.0} s", training.len(), begun.elapsed().as_secs_f64());
        let fitted = match &read.only[..] {
            [] => fit_model(&training),
            only => fit_only(&training, &model, only),
        };
        let beside = read.beside.as_deref().and_then(model_in);
        let text = write(&beside.map_or_else(|| fitted.clone(), |beside| mean(&fitted, &beside)));
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
    let testing = samples(read.each, read.seed * 2, wire, read.wide, read.verbose);
    println!("{} captures to test\n", testing.len());
    let mut score = Score::default();
    testing.iter().for_each(|sample| score.add(sample, &model, read.verbose));
    score.show();
    if read.misses {
        let mut misses = Misses::default();
        testing.iter().for_each(|sample| misses.add(sample, &model));
        misses.show();
    }
    if let Some(folder) = &read.figures {
        figures::write(folder, if read.second { "second" } else { "first" }, &score);
    }
    println!("\n{:.0} s", begun.elapsed().as_secs_f64());
}

/// The weights that a file holds.
fn model_in(file: &str) -> Option<Model> {
    match std::fs::read_to_string(file).map(|text| Model::read(&text)) {
        Ok(Ok(read)) => return Some(read),
        Ok(Err(error)) => println!("{file}: {error}"),
        Err(error) => println!("{file}: {error}"),
    }
    None
}

/// How strongly weights may be drawn to 0: which is best, a part of the captures that is set aside decides.
const PENALTIES: [f64; 2] = [1e-4, 2e-4];
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
        let leading = fit::softmax(&kept, &kept_targets, &ids, fit::Effort { penalty, rounds: 150 }, None);
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
    let leading = fit::softmax(&all, &all_targets, &ids, fit::Effort { penalty, rounds: 250 }, None);
    let leading = leading.into_iter().map(|(id, weights)| (id, weights.tempered(by))).collect();
    let model = Model::of(leading, BTreeMap::new(), BTreeMap::new());
    // What leads in a capture, by a model that has not learnt from it: of what it has learnt from, a model is too sure.
    let fold_of = |place: usize| place / 3 % FOLDS;
    let fold = |fold: usize| {
        let (rows, targets) = some(&|place| fold_of(place) != fold && learnt(place));
        let leading = fit::softmax(&rows, &targets, &ids, fit::Effort { penalty, rounds: 150 }, None);
        let leading = leading.into_iter().map(|(id, weights)| (id, weights.tempered(by))).collect();
        (fold, Model::of(leading, BTreeMap::new(), BTreeMap::new()))
    };
    let folds: BTreeMap<usize, Model> = on_two_threads(0..FOLDS, fold);
    let judged = |(place, sample): (usize, &Sample)| -> Judged {
        let model = folds.get(&fold_of(place)).unwrap_or(&model);
        (model.posterior(&sample.evidence), model.left(&sample.rest))
    };
    let judged: Vec<_> = training.iter().enumerate().map(judged).collect();
    let fit_acting = |penalty: f64| -> BTreeMap<String, Weights> {
        let acting = |(place, cause): (usize, Cause)| {
            let with_chances = |(sample, (posterior, left)): (&Sample, &Judged)| {
                let mut evidence = sample.evidence.clone();
                let leading = posterior.get(place).map_or(0.0, |(_, p)| *p);
                evidence.features.extend(chances(leading, left[place]));
                evidence
            };
            let evidence: Vec<Evidence> = training.iter().zip(&judged).map(with_chances).collect();
            let rows = fit::Rows::of(evidence.iter());
            let truths: Vec<bool> =
                training.iter().map(|s| s.cause == cause || s.second == Some(cause)).collect();
            (cause.id().to_owned(), fit::logistic(&rows, &truths, fit::Effort { penalty, rounds: 220 }))
        };
        on_two_threads(Cause::ALL.into_iter().enumerate(), acting)
    };
    let acting = fit_acting(ACTING_PENALTY);
    let model = Model::of(model.leading.clone(), acting, BTreeMap::new());
    let posteriors = judged.into_iter().map(|(posterior, _)| posterior).collect();
    fit_verdict(training, posteriors, model)
}

/// How strongly a few weights are drawn to 0 when they alone are fitted.
const ONLY_PENALTY: f64 = 2e-5;

/// The model with other weights of these features for which cause leads; all others stay.
fn fit_only(training: &[Sample], model: &Model, only: &[String]) -> Model {
    let ids: Vec<&str> = Cause::ALL.iter().map(|cause| cause.id()).collect();
    let learnt = |place: usize| training[place].second.is_none() || place.is_multiple_of(3);
    let samples =
        || training.iter().enumerate().filter(|(place, _)| learnt(*place)).map(|(_, sample)| sample);
    let rows = fit::Rows::of(samples().map(|sample| &sample.evidence));
    let targets: Vec<Vec<f64>> = samples().map(target).collect();
    let held = fit::Held { weights: &model.leading, free: only };
    let effort = fit::Effort { penalty: ONLY_PENALTY, rounds: 200 };
    let leading = fit::softmax(&rows, &targets, &ids, effort, Some(&held));
    Model::of(leading, model.acting.clone(), model.verdict.clone())
}

/// How likely each cause leads in a capture, and in what is left of it.
type Judged = (Vec<(Cause, f64)>, [f64; Cause::ALL.len()]);

/// How strongly the weights of causes that act are drawn to 0.
const ACTING_PENALTY: f64 = 1e-4;
/// Parts that the captures are taken apart into, so that each can be judged by what the others taught.
const FOLDS: usize = 3;

/// Bytes that are learnt from.
const MOST_BYTES: usize = 1_000_000;

/// Adds the weights of what a byte was; `posteriors` says of each capture what leads there.
fn fit_verdict(training: &[Sample], posteriors: Vec<Vec<(Cause, f64)>>, model: Model) -> Model {
    // The verdict on a byte leans on the causes, as the fitted model weighs them.
    let mut bytes: Vec<(Evidence, usize)> = Vec::new();
    let each = MOST_BYTES / training.len().max(1);
    for (sample, posterior) in training.iter().zip(posteriors) {
        let contributing = model.contributing(&sample.evidence, &posterior, &sample.rest);
        let acting = hsdiag::diagnose::acting(&posterior, &contributing);
        bytes.extend(evenly(sample.bytes(&acting), each));
    }
    let rows = fit::Rows::plain(bytes.iter().map(|(evidence, _)| evidence));
    let targets: Vec<Vec<f64>> = bytes
        .iter()
        .map(|(_, class)| (0..CLASSES.len()).map(|place| f64::from(u8::from(place == *class))).collect())
        .collect();
    let effort = fit::Effort { penalty: 1e-7, rounds: 260 };
    let mut verdict = fit::softmax(&rows, &targets, &CLASSES, effort, None);
    lean_to_noise(&mut verdict, &bytes);
    Model::of(model.leading, model.acting, verdict)
}

/// About so many of all, from the beginning to the end.
fn evenly<T>(all: Vec<T>, most: usize) -> impl Iterator<Item = T> {
    let step = all.len().div_ceil(most.max(1)).max(1);
    all.into_iter().step_by(step)
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
const SPARED: f64 = 0.993;

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
    let all =
        [&mut weights.weights, &mut weights.any, &mut weights.packet, &mut weights.never, &mut weights.lost];
    for part in all {
        part.values_mut().for_each(|weight| *weight = round(*weight));
        part.retain(|_, weight| *weight != 0.0);
    }
}

fn write(model: &Model) -> String {
    let head = "# Priors and weights of the diagnosis: natural logarithms, fitted to labelled captures.\n\
        #\n\
        # [leading.CAUSE]: the score of a cause is its prior plus weight times value over all features; the scores' softmax is its probability.\n\
        # any, packet, never, lost: what it weighs that a number is not 0, and what a unit weighs more where errors are told for packets, or\n\
        # never, and where most of what was received belongs to no healthy frame.\n\
        # [acting.CAUSE]: the same through a logistic function: whether the cause acts, whichever leads.\n\
        # [verdict.CLASS]: what a received byte was. The features are measured in src/diagnose/measure and src/diagnose/bytes.rs; words.toml\n\
        # says in words what each one is. Made by: cargo run --release --example evaluate-diagnosis -- --fit src/diagnose/model.toml\n\n";
    let mut bare = Model::of(model.leading.clone(), model.acting.clone(), model.verdict.clone());
    let all = bare.leading.values_mut().chain(bare.acting.values_mut()).chain(bare.verdict.values_mut());
    all.for_each(rounded);
    format!("{head}{}", toml::to_string(&bare).unwrap_or_default())
}
