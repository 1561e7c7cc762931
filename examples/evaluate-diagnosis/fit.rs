//! Fits log-linear weights to labelled evidence: the likelihood, less a penalty for large weights, climbed by Adam.

use std::collections::{BTreeMap, BTreeSet};

use hsdiag::diagnose::{Evidence, Weights};

/// Evidence as a row of numbers: the columns' names, and a row a sample.
pub struct Rows {
    pub names: Vec<String>,
    rows: Vec<Vec<f64>>,
}

impl Rows {
    pub fn of<'a>(evidence: impl Iterator<Item = &'a Evidence> + Clone) -> Rows {
        let names: BTreeSet<&str> =
            evidence.clone().flat_map(|e| e.features.iter().map(|f| f.name)).collect();
        let names: Vec<String> = names.into_iter().map(String::from).collect();
        let rows = evidence.map(|e| names.iter().map(|name| e.get(name)).chain([1.0]).collect()).collect();
        Rows { names, rows }
    }
}

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
) -> BTreeMap<String, Weights> {
    let width = rows.names.len() + 1;
    let mut climb = Climb::new(classes.len() * width);
    let mut weights = vec![0.0; classes.len() * width];
    for _ in 0..effort.rounds {
        let mut gradient: Vec<f64> = weights.iter().map(|w| -effort.penalty * w).collect();
        for (row, target) in rows.rows.iter().zip(targets) {
            let chances = chances(&weights, row, classes.len());
            for class in 0..classes.len() {
                let off = (target[class] - chances[class]) / rows.rows.len() as f64;
                if off.abs() > 1e-9 {
                    let part = &mut gradient[class * width..(class + 1) * width];
                    part.iter_mut().zip(row).for_each(|(g, x)| *g += off * x);
                }
            }
        }
        climb.step(&mut weights, &gradient);
    }
    classes
        .iter()
        .enumerate()
        .map(|(class, name)| {
            (String::from(*name), named(&rows.names, &weights[class * width..(class + 1) * width]))
        })
        .collect()
}

/// Weights such that a logistic function gives each row its truth.
pub fn logistic(rows: &Rows, truths: &[bool], effort: Effort) -> Weights {
    let width = rows.names.len() + 1;
    let mut climb = Climb::new(width);
    let mut weights = vec![0.0; width];
    for _ in 0..effort.rounds {
        let mut gradient: Vec<f64> = weights.iter().map(|w| -effort.penalty * w).collect();
        for (row, truth) in rows.rows.iter().zip(truths) {
            let score: f64 = weights.iter().zip(row).map(|(w, x)| w * x).sum();
            let off = (f64::from(u8::from(*truth)) - 1.0 / (1.0 + (-score).exp())) / rows.rows.len() as f64;
            gradient.iter_mut().zip(row).for_each(|(g, x)| *g += off * x);
        }
        climb.step(&mut weights, &gradient);
    }
    named(&rows.names, &weights)
}

fn chances(weights: &[f64], row: &[f64], classes: usize) -> Vec<f64> {
    let width = row.len();
    let scores: Vec<f64> = (0..classes)
        .map(|class| weights[class * width..(class + 1) * width].iter().zip(row).map(|(w, x)| w * x).sum())
        .collect();
    let best = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let parts: Vec<f64> = scores.iter().map(|score| (score - best).exp()).collect();
    let total: f64 = parts.iter().sum();
    parts.into_iter().map(|part| part / total).collect()
}

/// Weights by name, rounded to what means something; the last one is the prior.
fn named(names: &[String], weights: &[f64]) -> Weights {
    let round = |weight: f64| (weight * 1000.0).round() / 1000.0;
    let prior = round(*weights.last().unwrap_or(&0.0));
    let pairs = names.iter().zip(weights).map(|(name, weight)| (name.clone(), round(*weight)));
    Weights { prior, weights: pairs.filter(|(_, weight)| weight.abs() >= 0.005).collect() }
}

/// Adam: steps whose length does not depend on how steep it is.
struct Climb {
    mean: Vec<f64>,
    square: Vec<f64>,
    steps: i32,
}

impl Climb {
    fn new(width: usize) -> Climb {
        Climb { mean: vec![0.0; width], square: vec![0.0; width], steps: 0 }
    }

    fn step(&mut self, weights: &mut [f64], gradient: &[f64]) {
        const RATE: f64 = 0.05;
        const FIRST: f64 = 0.9;
        const SECOND: f64 = 0.999;
        self.steps += 1;
        let (a, b) = (1.0 - FIRST.powi(self.steps), 1.0 - SECOND.powi(self.steps));
        for (place, g) in gradient.iter().enumerate() {
            self.mean[place] = FIRST * self.mean[place] + (1.0 - FIRST) * g;
            self.square[place] = SECOND * self.square[place] + (1.0 - SECOND) * g * g;
            weights[place] += RATE * (self.mean[place] / a) / ((self.square[place] / b).sqrt() + 1e-9);
        }
    }
}
