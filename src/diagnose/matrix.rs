//! Weights as they are computed with: one row a feature, all causes side by side.

use std::collections::{BTreeMap, HashMap};

use super::evidence::{Evidence, Feature};
use super::model::{Circumstances, Told, Weights};

/// What a row holds: a unit's weight, that it is there at all, and what a unit weighs more where errors are told otherwise, and where most is of
/// no frame.
const KINDS: usize = 5;

/// The weights of several things that are weighed by the same features.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Matrix {
    /// The prior of each; not a number for one that has no weights.
    priors: Vec<f64>,
    places: HashMap<String, usize>,
    cells: Vec<f64>,
}

impl Matrix {
    pub fn of<'a>(sets: &BTreeMap<String, Weights>, order: impl Iterator<Item = &'a str>) -> Matrix {
        let sets: Vec<Option<&Weights>> = order.map(|name| sets.get(name)).collect();
        let mut matrix = Matrix {
            priors: sets.iter().map(|set| set.map_or(f64::NAN, |set| set.prior)).collect(),
            ..Matrix::default()
        };
        for (column, set) in sets.iter().enumerate() {
            let Some(set) = set else { continue };
            let kinds = [&set.weights, &set.any, &set.packet, &set.never, &set.lost];
            for (kind, (name, weight)) in
                kinds.into_iter().enumerate().flat_map(|(kind, all)| all.iter().map(move |one| (kind, one)))
            {
                let place = matrix.place(name);
                let width = matrix.priors.len();
                matrix.cells[(place * KINDS + kind) * width + column] = *weight;
            }
        }
        matrix
    }

    fn place(&mut self, name: &str) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = self.places.len();
        self.places.insert(name.to_owned(), place);
        self.cells.resize(self.cells.len() + KINDS * self.priors.len(), 0.0);
        place
    }

    /// The score of each.
    pub fn scores(&self, evidence: &Evidence) -> Vec<f64> {
        let under = Circumstances::of(evidence);
        let mut scores = self.priors.clone();
        for feature in &evidence.features {
            self.add(feature, under, &mut scores);
        }
        scores
    }

    /// Adds what a feature weighs for each.
    pub fn add(&self, feature: &Feature, under: Circumstances, scores: &mut [f64]) {
        if feature.value == 0.0 {
            return;
        }
        let Some(place) = self.places.get(feature.name) else { return };
        let width = self.priors.len();
        let row = |kind: usize| self.cells[(place * KINDS + kind) * width..][..width].iter();
        scores.iter_mut().zip(row(0)).for_each(|(score, weight)| *score += weight * feature.value);
        scores.iter_mut().zip(row(1)).for_each(|(score, weight)| *score += weight);
        let told = match under.told {
            Told::PerByte => None,
            Told::Packet => Some(2),
            Told::Never => Some(3),
        };
        for kind in told.into_iter().chain(under.lost.then_some(4)) {
            scores.iter_mut().zip(row(kind)).for_each(|(score, weight)| *score += weight * feature.value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_causes_at_once_are_weighed_as_each_by_itself() {
        let set = |prior: f64, by: f64| Weights {
            prior,
            weights: [("a".to_owned(), by)].into(),
            any: [("b".to_owned(), 2.0 * by)].into(),
            packet: [("a".to_owned(), 3.0 * by)].into(),
            never: BTreeMap::new(),
            lost: [("b".to_owned(), -by)].into(),
        };
        let sets: BTreeMap<String, Weights> =
            [("one".to_owned(), set(0.5, 1.0)), ("other".to_owned(), set(-1.0, -2.0))].into();
        let matrix = Matrix::of(&sets, ["one", "missing", "other"].into_iter());
        let mut evidence = Evidence::default();
        evidence.number("a", 0.7);
        evidence.number("b", 1.5);
        evidence.number("tells-per-packet", 1.0);
        evidence.number("at-a-loss", 1.0);
        let scores = matrix.scores(&evidence);
        assert!((scores[0] - sets["one"].score(&evidence)).abs() < 1e-12, "{scores:?}");
        assert!((scores[2] - sets["other"].score(&evidence)).abs() < 1e-12, "{scores:?}");
        assert!(scores[1].is_nan());
    }
}
