//! The model's parameters: priors and weights, read from model.toml, the one place where they stand.
//!
//! A cause's score is its prior plus, for each feature, weight times value: a sum of logarithms of likelihood ratios. The weights are
//! fitted to labelled captures by `examples/evaluate-diagnosis.rs --fit`, and can be read and changed by hand.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::cause::Cause;
use super::evidence::Evidence;

/// Weights by name of feature, and what holds without any.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    pub prior: f64,
    #[serde(default)]
    pub weights: BTreeMap<String, f64>,
}

impl Weights {
    pub fn score(&self, evidence: &Evidence) -> f64 {
        self.weights.iter().fold(self.prior, |score, (name, weight)| score + weight * evidence.get(name))
    }

    pub fn weight(&self, feature: &str) -> f64 {
        self.weights.get(feature).copied().unwrap_or(0.0)
    }
}

/// What a feature is, in words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// A sentence about a measured value: `{count}`, `{of}`, `{value}` and `{percent}` stand for the numbers.
    pub says: String,
    /// The sentence when the value is 0, where that tells something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent: Option<String>,
}

/// Two causes that look alike, and the measurement that parts them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decide {
    pub between: [String; 2],
    pub measure: String,
}

/// Everything that is fitted or worded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// By identifier: which cause leads.
    pub leading: BTreeMap<String, Weights>,
    /// By identifier: whether a cause acts, whichever leads.
    pub acting: BTreeMap<String, Weights>,
    /// By verdict: what an unexpected byte was.
    pub verdict: BTreeMap<String, Weights>,
    #[serde(default)]
    pub feature: BTreeMap<String, Words>,
    #[serde(default)]
    pub decide: Vec<Decide>,
}

impl Model {
    /// The shipped model.
    pub fn shipped() -> &'static Model {
        static MODEL: OnceLock<Model> = OnceLock::new();
        MODEL.get_or_init(|| {
            let mut model = Model::read(include_str!("model.toml")).unwrap_or_default();
            let words = Model::read(include_str!("words.toml")).unwrap_or_default();
            (model.feature, model.decide) = (words.feature, words.decide);
            model
        })
    }

    pub fn read(text: &str) -> Result<Model, toml::de::Error> {
        toml::from_str(text)
    }

    /// Probabilities of all causes, which add up to 1.
    pub fn posterior(&self, evidence: &Evidence) -> Vec<(Cause, f64)> {
        let scores: Vec<(Cause, f64)> = Cause::ALL
            .into_iter()
            .filter_map(|cause| Some((cause, self.leading.get(cause.id())?.score(evidence))))
            .collect();
        softmax(scores)
    }

    /// The probability that a cause acts at all.
    pub fn acts(&self, cause: Cause, evidence: &Evidence) -> Option<f64> {
        let score = self.acting.get(cause.id())?.score(evidence);
        Some(1.0 / (1.0 + (-score).exp()))
    }
}

/// Scores to probabilities; what is not a number becomes the least likely.
pub fn softmax<K>(scores: Vec<(K, f64)>) -> Vec<(K, f64)> {
    let best = scores.iter().map(|(_, score)| *score).fold(f64::NEG_INFINITY, f64::max);
    let parts: Vec<(K, f64)> = scores
        .into_iter()
        .map(|(what, score)| (what, if score.is_nan() { 0.0 } else { (score - best).exp() }))
        .collect();
    let total: f64 = parts.iter().map(|(_, part)| part).sum();
    parts.into_iter().map(|(what, part)| (what, if total > 0.0 { part / total } else { 0.0 })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_model_reads_and_knows_every_cause() {
        let model = Model::read(include_str!("model.toml")).expect("model.toml");
        let words = Model::read(include_str!("words.toml")).expect("words.toml");
        for cause in Cause::ALL {
            assert!(model.leading.contains_key(cause.id()), "{}", cause.id());
        }
        let weighed = model.leading.values().chain(model.acting.values()).flat_map(|w| w.weights.keys());
        for feature in weighed {
            assert!(words.feature.contains_key(feature), "words.toml has no words for `{feature}`");
        }
    }

    #[test]
    fn probabilities_add_up_even_where_a_score_is_no_number() {
        let parts = softmax(vec![("a", 1.0), ("b", f64::NAN), ("c", -800.0)]);
        assert!((parts.iter().map(|p| p.1).sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(parts.iter().all(|p| p.1.is_finite()));
    }
}
