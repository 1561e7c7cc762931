//! Fits log-linear weights to labelled evidence: the likelihood, less a penalty for large weights, climbed by Adam.

use std::collections::{BTreeMap, BTreeSet};

use hsdiag::diagnose::{Circumstances, Evidence, Told, Weights};

/// Evidence as rows of columns that are not 0.
pub struct Rows {
    names: Vec<String>,
    rows: Vec<Vec<(u32, f32)>>,
    kinds: usize,
}

/// What a feature's columns are: its value, that it is there, and its value again where errors are told otherwise, and where most is of no
/// frame.
const KINDS: usize = 5;

impl Rows {
    /// With all columns of each feature.
    pub fn of<'a>(evidence: impl Iterator<Item = &'a Evidence> + Clone) -> Rows {
        Rows::with(evidence, KINDS)
    }

    /// With each feature's value alone.
    pub fn plain<'a>(evidence: impl Iterator<Item = &'a Evidence> + Clone) -> Rows {
        Rows::with(evidence, 1)
    }

    fn with<'a>(evidence: impl Iterator<Item = &'a Evidence> + Clone, kinds: usize) -> Rows {
        let names: BTreeSet<&str> =
            evidence.clone().flat_map(|e| e.features.iter().map(|f| f.name)).collect();
        let names: Vec<String> = names.into_iter().map(String::from).collect();
        let place: BTreeMap<&str, usize> = names.iter().enumerate().map(|(n, name)| (&**name, n)).collect();
        let row = |evidence: &Evidence| {
            let under = Circumstances::of(evidence);
            let mut row = vec![(0u32, 1.0f32)];
            for feature in evidence.features.iter().filter(|feature| feature.value != 0.0) {
                let first = 1 + place[feature.name] * kinds;
                let mut add = |kind: usize, value: f64| row.push(((first + kind) as u32, value as f32));
                add(0, feature.value);
                if kinds > 1 {
                    add(1, 1.0);
                    match under.told {
                        Told::PerByte => {}
                        Told::Packet => add(2, feature.value),
                        Told::Never => add(3, feature.value),
                    }
                    if under.lost {
                        add(4, feature.value);
                    }
                }
            }
            row
        };
        let rows = evidence.map(row).collect();
        Rows { names, rows, kinds }
    }

    fn width(&self) -> usize {
        1 + self.names.len() * self.kinds
    }

    /// Which weights make next to nothing of a usual value of their column, priors aside.
    fn slight(&self, weights: &[f64], count: usize) -> Vec<bool> {
        let mut usual = vec![(0.0f64, 0usize); self.width()];
        for (column, value) in self.rows.iter().flatten() {
            let (sum, times) = &mut usual[*column as usize];
            (*sum, *times) = (*sum + f64::from(value.abs()), *times + 1);
        }
        let slight = |(place, weight): (usize, &f64)| {
            let (sum, times) = usual[place / count];
            place >= count && weight.abs() * sum / (times.max(1) as f64) < LEAST
        };
        weights.iter().enumerate().map(slight).collect()
    }

    /// Only these rows.
    pub fn some(&self, wanted: impl Fn(usize) -> bool) -> Rows {
        let rows = self.rows.iter().enumerate().filter(|(place, _)| wanted(*place));
        Rows {
            names: self.names.clone(),
            rows: rows.map(|(_, row)| row.clone()).collect(),
            kinds: self.kinds,
        }
    }

    /// Weights by name, rounded to what means something.
    fn named(&self, weights: &[f64]) -> Weights {
        let kind = |kind: usize| -> BTreeMap<String, f64> {
            let of = |(place, name): (usize, &String)| {
                (name.clone(), round(weights.get(1 + place * self.kinds + kind).copied().unwrap_or(0.0)))
            };
            self.names.iter().enumerate().map(of).filter(|(_, weight)| *weight != 0.0).collect()
        };
        let more = |number: usize| if self.kinds > 1 { kind(number) } else { BTreeMap::new() };
        Weights {
            prior: round(weights[0]),
            weights: kind(0),
            any: more(1),
            packet: more(2),
            never: more(3),
            lost: more(4),
        }
    }
}

/// To what means something.
pub fn round(weight: f64) -> f64 {
    (weight * 100.0).round() / 100.0
}

/// What a weight makes of a usual value of its feature; one that makes less is left out, and the others make up for it.
const LEAST: f64 = 0.03;

/// How strongly weights are drawn to 0, and how long is climbed.
#[derive(Clone, Copy)]
pub struct Effort {
    pub penalty: f64,
    pub rounds: usize,
}

/// Weights for each class such that softmax gives the targets their probabilities. A target is a distribution over the classes.
pub fn softmax(
    rows: &Rows,
    targets: &[Vec<f64>],
    classes: &[&str],
    effort: Effort,
    held: Option<&Held<'_>>,
) -> BTreeMap<String, Weights> {
    let (width, count) = (rows.width(), classes.len());
    let mut climb = Climb::new(count * width, effort.rounds);
    // Column by column, so that a row touches neighbours.
    let mut weights = vec![0.0f64; count * width];
    let mut left_out = vec![false; count * width];
    let free = held.map(|held| held.put(rows, classes, &mut weights));
    for round in 0..effort.rounds {
        if round == effort.rounds * 3 / 5 && held.is_none() {
            left_out = rows.slight(&weights, count);
        }
        let mut gradient: Vec<f64> = weights.iter().map(|w| -effort.penalty * w).collect();
        for (row, target) in rows.rows.iter().zip(targets) {
            let mut off = scores(&weights, row, count);
            to_chances(&mut off);
            off.iter_mut()
                .zip(target)
                .for_each(|(off, target)| *off = (target - *off) / rows.rows.len() as f64);
            for (column, value) in row {
                let part = &mut gradient[*column as usize * count..][..count];
                part.iter_mut().zip(&off).for_each(|(g, off)| *g += off * f64::from(*value));
            }
        }
        if let Some(free) = &free {
            gradient.iter_mut().zip(free).filter(|(_, free)| !**free).for_each(|(g, _)| *g = 0.0);
        }
        climb.step(&mut weights, &gradient);
        weights.iter_mut().zip(&left_out).filter(|(_, out)| **out).for_each(|(weight, _)| *weight = 0.0);
    }
    let of = |class: usize| (0..width).map(|column| weights[column * count + class]).collect::<Vec<f64>>();
    classes.iter().enumerate().map(|(class, name)| (String::from(*name), rows.named(&of(class)))).collect()
}

/// Weights that stay as they are, but for those of these features.
pub struct Held<'a> {
    pub weights: &'a BTreeMap<String, Weights>,
    pub free: &'a [String],
}

impl Held<'_> {
    /// Puts the weights into their places, and tells which may move.
    fn put(&self, rows: &Rows, classes: &[&str], weights: &mut [f64]) -> Vec<bool> {
        let count = classes.len();
        let mut free = vec![false; weights.len()];
        for (class, id) in classes.iter().enumerate() {
            let Some(held) = self.weights.get(*id) else { continue };
            weights[class] = held.prior;
            for (place, name) in rows.names.iter().enumerate() {
                let kinds = [&held.weights, &held.any, &held.packet, &held.never, &held.lost];
                for (kind, of) in kinds.into_iter().enumerate().take(rows.kinds) {
                    let at = (1 + place * rows.kinds + kind) * count + class;
                    free[at] = self.free.contains(name);
                    weights[at] = of.get(name).copied().filter(|_| !free[at]).unwrap_or(0.0);
                }
            }
        }
        free
    }
}

fn scores(weights: &[f64], row: &[(u32, f32)], count: usize) -> Vec<f64> {
    let mut scores = vec![0.0; count];
    for (column, value) in row {
        let part = &weights[*column as usize * count..][..count];
        scores.iter_mut().zip(part).for_each(|(score, weight)| *score += weight * f64::from(*value));
    }
    scores
}

fn to_chances(scores: &mut [f64]) {
    let best = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    scores.iter_mut().for_each(|score| *score = (*score - best).exp());
    let total: f64 = scores.iter().sum();
    scores.iter_mut().for_each(|score| *score /= total);
}

/// Weights such that the logistic function gives each row its truth.
pub fn logistic(rows: &Rows, truths: &[bool], effort: Effort) -> Weights {
    let targets: Vec<Vec<f64>> =
        truths.iter().map(|truth| if *truth { vec![1.0, 0.0] } else { vec![0.0, 1.0] }).collect();
    let mut fitted = softmax(rows, &targets, &["yes", "no"], effort, None);
    let (yes, no) = (fitted.remove("yes").unwrap_or_default(), fitted.remove("no").unwrap_or_default());
    less(yes, &no)
}

/// The difference of two sets of weights.
fn less(mut yes: Weights, no: &Weights) -> Weights {
    yes.prior -= no.prior;
    let take = |from: &mut BTreeMap<String, f64>, what: &BTreeMap<String, f64>| {
        what.iter().for_each(|(name, weight)| *from.entry(name.clone()).or_default() -= weight);
        from.values_mut().for_each(|weight| *weight = round(*weight));
    };
    take(&mut yes.weights, &no.weights);
    take(&mut yes.any, &no.any);
    take(&mut yes.packet, &no.packet);
    take(&mut yes.never, &no.never);
    take(&mut yes.lost, &no.lost);
    yes
}

/// Adam: steps whose length does not depend on how steep it is, shorter towards the end.
struct Climb {
    mean: Vec<f64>,
    square: Vec<f64>,
    steps: i32,
    rounds: usize,
}

impl Climb {
    fn new(width: usize, rounds: usize) -> Climb {
        Climb { mean: vec![0.0; width], square: vec![0.0; width], steps: 0, rounds }
    }

    fn step(&mut self, weights: &mut [f64], gradient: &[f64]) {
        const RATE: f64 = 0.08;
        const FIRST: f64 = 0.9;
        const SECOND: f64 = 0.99;
        self.steps += 1;
        let (a, b) = (1.0 - FIRST.powi(self.steps), 1.0 - SECOND.powi(self.steps));
        let done = f64::from(self.steps) / self.rounds as f64;
        let rate = RATE * (1.0 - 0.95 * done);
        for (place, g) in gradient.iter().enumerate() {
            self.mean[place] = FIRST * self.mean[place] + (1.0 - FIRST) * g;
            self.square[place] = SECOND * self.square[place] + (1.0 - SECOND) * g * g;
            weights[place] += rate * (self.mean[place] / a) / ((self.square[place] / b).sqrt() + 1e-9);
        }
    }
}
