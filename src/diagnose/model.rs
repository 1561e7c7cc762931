//! The model's parameters: priors and weights, from model.toml, the one place where they stand.
//!
//! A cause's score is its prior plus, for each feature, weight times value: a sum of logarithms of likelihood ratios. The weights are
//! fitted to labelled captures by `examples/evaluate-diagnosis.rs --fit`, and can be read and changed by hand.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::cause::Cause;
use super::evidence::{Evidence, Feature};
use super::matrix::Matrix;

/// Weights by name of feature, and what holds without any.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    pub prior: f64,
    /// What each unit of a feature weighs.
    #[serde(default)]
    pub weights: BTreeMap<String, f64>,
    /// What it weighs that a feature is there at all: the first of a kind tells more than the next.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub any: BTreeMap<String, f64>,
    /// What a unit weighs in addition where the adapter tells errors for whole packets...
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub packet: BTreeMap<String, f64>,
    /// ... and where it never tells them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub never: BTreeMap<String, f64>,
    /// What a unit weighs in addition where most of what was received belongs to no healthy frame: then it is asked which settings are
    /// wrong, and not what came between.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lost: BTreeMap<String, f64>,
}

impl Weights {
    pub fn score(&self, evidence: &Evidence) -> f64 {
        let under = Circumstances::of(evidence);
        evidence.features.iter().fold(self.prior, |score, feature| score + self.of(feature, under))
    }

    /// What a feature adds to the score.
    pub fn of(&self, feature: &Feature, under: Circumstances) -> f64 {
        if feature.value == 0.0 {
            return 0.0;
        }
        let weight = |weights: &BTreeMap<String, f64>| weights.get(feature.name).copied().unwrap_or(0.0);
        let unit = weight(&self.weights)
            + match under.told {
                Told::PerByte => 0.0,
                Told::Packet => weight(&self.packet),
                Told::Never => weight(&self.never),
            }
            + if under.lost { weight(&self.lost) } else { 0.0 };
        unit * feature.value + weight(&self.any)
    }

    /// The same preference, less sure of itself (or more).
    pub fn tempered(&self, by: f64) -> Weights {
        let all =
            |weights: &BTreeMap<String, f64>| weights.iter().map(|(k, w)| (k.clone(), w * by)).collect();
        Weights {
            prior: self.prior * by,
            weights: all(&self.weights),
            any: all(&self.any),
            packet: all(&self.packet),
            never: all(&self.never),
            lost: all(&self.lost),
        }
    }
}

/// How an adapter tells line errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    PerByte,
    Packet,
    Never,
}

/// What the meaning of numbers depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Circumstances {
    pub told: Told,
    /// Most of what was received belongs to no healthy frame.
    pub lost: bool,
}

impl Circumstances {
    pub fn of(evidence: &Evidence) -> Circumstances {
        let told = match (evidence.get("tells-per-packet") > 0.0, evidence.get("tells-never") > 0.0) {
            (true, _) => Told::Packet,
            (_, true) => Told::Never,
            _ => Told::PerByte,
        };
        Circumstances { told, lost: evidence.get("at-a-loss") > 0.0 }
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
    /// The sentence when the value is below 0, where another one says it better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<String>,
    /// Causes of which it tells something; empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<String>,
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
    /// The weights as they are computed with, made when first asked for.
    #[serde(skip)]
    matrices: OnceLock<Matrices>,
}

#[derive(Clone, Debug, PartialEq)]
struct Matrices {
    leading: Matrix,
    acting: Matrix,
    verdict: Matrix,
}

impl Model {
    /// A model of weights alone, without words.
    pub fn of(
        leading: BTreeMap<String, Weights>,
        acting: BTreeMap<String, Weights>,
        verdict: BTreeMap<String, Weights>,
    ) -> Model {
        Model { leading, acting, verdict, ..Model::default() }
    }

    fn matrices(&self) -> &Matrices {
        self.matrices.get_or_init(|| Matrices {
            leading: Matrix::of(&self.leading, Cause::ALL.into_iter().map(Cause::id)),
            acting: Matrix::of(&self.acting, Cause::ALL.into_iter().map(Cause::id)),
            verdict: Matrix::of(&self.verdict, CLASSES.into_iter()),
        })
    }

    /// The shipped model.
    pub fn shipped() -> &'static Model {
        static MODEL: OnceLock<Model> = OnceLock::new();
        MODEL.get_or_init(|| {
            // Made of model.toml and words.toml when the program is built: a test holds it against them.
            serde_json::from_slice(include_bytes!(concat!(env!("OUT_DIR"), "/model.json")))
                .unwrap_or_default()
        })
    }

    pub fn read(text: &str) -> Result<Model, toml::de::Error> {
        toml::from_str(text)
    }

    /// Probabilities of all causes, which add up to 1.
    pub fn posterior(&self, evidence: &Evidence) -> Vec<(Cause, f64)> {
        let scores = self.matrices().leading.scores(evidence);
        softmax(Cause::ALL.into_iter().zip(scores).collect())
    }

    /// The same where it is known what is left when the bytes are taken out that a cause explains.
    ///
    /// A conversation that is clean but for its echo, or for pulses at the turns of the line, has no other cause: whatever else spoils bytes
    /// does not make those that were just sent, and does not choose the turns.
    pub fn leading(&self, evidence: &Evidence, rest: &[(Cause, Evidence)]) -> Vec<(Cause, f64)> {
        let beside = self.beside_what_explains_all(evidence, rest);
        let weigh = |(cause, p)| (cause, p * beside(cause));
        let weighed: Vec<(Cause, f64)> = self.posterior(evidence).into_iter().map(weigh).collect();
        let all: f64 = weighed.iter().map(|(_, p)| p).sum();
        weighed.into_iter().map(|(cause, p)| (cause, if all > 0.0 { p / all } else { 0.0 })).collect()
    }

    /// What is left of a cause's probability beside the one that may explain everything.
    fn beside_what_explains_all(
        &self,
        evidence: &Evidence,
        rest: &[(Cause, Evidence)],
    ) -> impl Fn(Cause) -> f64 + use<> {
        let (alone, certain) = self.alone(evidence, rest);
        move |cause| if cause == alone { 1.0 } else { 1.0 - certain }
    }

    /// The cause that may explain by itself all that is wrong, and how likely it does.
    fn alone(&self, evidence: &Evidence, rest: &[(Cause, Evidence)]) -> (Cause, f64) {
        if evidence.get("all-clean") > 0.0 {
            return (Cause::Clean, 0.0);
        }
        let echoed = evidence.features.iter().find(|feature| feature.name == "echoed");
        let is_enough = echoed.is_some_and(|echoed| echoed.count >= LEAST_ECHOED);
        let has = |cause: Cause| rest.iter().any(|(taken, _)| *taken == cause);
        let clean_without = |cause: Cause| {
            let left = rest.iter().filter(|(taken, left)| *taken == cause && left.get("all-clean") > 0.0);
            left.map(|(_, left)| self.posterior(left)[Cause::Clean as usize].1).fold(0.0, f64::max)
        };
        let echo = if is_enough { clean_without(Cause::Echo) } else { 0.0 };
        // Pulses that may be glitches are no dips at the turns alone.
        let turns = if has(Cause::NoiseGlitch) { 0.0 } else { clean_without(Cause::Turnaround) };
        if echo >= turns { (Cause::Echo, echo) } else { (Cause::Turnaround, turns) }
    }

    /// Causes that act beside the leading one, each with its own probability, likeliest first.
    ///
    /// `rest` is what is left when the bytes are taken out that a cause explains: whatever leads there acts beside that cause.
    pub fn contributing(
        &self,
        evidence: &Evidence,
        posterior: &[(Cause, f64)],
        rest: &[(Cause, Evidence)],
    ) -> Vec<(Cause, f64)> {
        self.contributing_from(ACTS, evidence, posterior, rest)
    }

    /// The same with those that are at least as likely as `least`.
    pub fn contributing_from(
        &self,
        least: f64,
        evidence: &Evidence,
        posterior: &[(Cause, f64)],
        rest: &[(Cause, Evidence)],
    ) -> Vec<(Cause, f64)> {
        let Some((leading, _)) = posterior.iter().max_by(|a, b| a.1.total_cmp(&b.1)) else {
            return Vec::new();
        };
        // Of a healthy line nothing is to be told, and of a silent one nothing can.
        if *leading == Cause::Clean || evidence.get("nothing-back") > 0.0 {
            return Vec::new();
        }
        let none = |cause: &Cause| matches!(cause, Cause::Clean | Cause::Undecided);
        let acts = self.acts(evidence, posterior, &self.left(rest));
        let left_beside = self.beside_what_explains_all(evidence, rest);
        let mut contributing: Vec<(Cause, f64)> = acts
            .into_iter()
            .map(|(cause, p)| (cause, p * left_beside(cause)))
            .filter(|(cause, _)| cause != leading && !none(cause))
            .filter(|(_, probability)| *probability >= least)
            .collect();
        // What leads where the bytes of an acting cause are taken out acts beside it.
        for (taken, left) in rest {
            let acts = taken == leading || contributing.iter().any(|(cause, _)| cause == taken);
            let beside = self.posterior(left).into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
            let Some((cause, probability)) = beside.filter(|(_, p)| acts && *p >= least) else { continue };
            if cause == *leading || cause == *taken || none(&cause) {
                continue;
            }
            match contributing.iter_mut().find(|(known, _)| *known == cause) {
                Some((_, known)) => *known = known.max(probability),
                None => contributing.push((cause, probability)),
            }
        }
        contributing.sort_by(|a, b| b.1.total_cmp(&a.1));
        contributing
    }

    /// By cause: how likely it leads in what is left when another cause's bytes are taken out.
    pub fn left(&self, rest: &[(Cause, Evidence)]) -> [f64; Cause::ALL.len()] {
        let mut left = [0.0f64; Cause::ALL.len()];
        for (taken, evidence) in rest {
            for (cause, p) in self.posterior(evidence).into_iter().filter(|(cause, _)| cause != taken) {
                left[cause as usize] = left[cause as usize].max(p);
            }
        }
        left
    }

    /// The probability of each cause that it acts at all, when they are as likely as this to be the leading one, and to lead in what is
    /// left.
    pub fn acts(
        &self,
        evidence: &Evidence,
        posterior: &[(Cause, f64)],
        left: &[f64; Cause::ALL.len()],
    ) -> Vec<(Cause, f64)> {
        let acting = &self.matrices().acting;
        let under = Circumstances::of(evidence);
        let scores = acting.scores(evidence);
        let acts = |(cause, leading): &(Cause, f64)| {
            let place = *cause as usize;
            let mut by_chance = vec![0.0; scores.len()];
            chances(*leading, left[place]).iter().for_each(|one| acting.add(one, under, &mut by_chance));
            let score = scores[place] + by_chance[place];
            (*cause, if score.is_nan() { 0.0 } else { 1.0 / (1.0 + (-score).exp()) })
        };
        posterior.iter().map(acts).collect()
    }

    /// Of each class how likely it is that a byte with these features is of it.
    pub fn class(&self, features: &Evidence) -> Vec<(&'static str, f64)> {
        softmax(CLASSES.into_iter().zip(self.matrices().verdict.scores(features)).collect())
    }
}

/// What a received byte can have been, as the model weighs it; what a real byte is in particular, the tables tell.
pub const CLASSES: [&str; 4] = ["real", "missampled", "noise", "echo"];

/// So many bytes in order are no answer that happens to be what was asked.
const LEAST_ECHOED: usize = 4;

/// A contributing cause has to be as likely as this: to keep silent of one that acts costs more than to name one that may not.
const ACTS: f64 = 0.4;

/// Causes as likely as they are to lead, or to act at all where that is more.
pub fn acting(posterior: &[(Cause, f64)], contributing: &[(Cause, f64)]) -> Vec<(Cause, f64)> {
    let acts = |cause: Cause| contributing.iter().find(|(c, _)| *c == cause).map_or(0.0, |(_, p)| *p);
    posterior.iter().map(|(cause, p)| (*cause, p.max(acts(*cause)))).collect()
}

/// What speaks for a cause acting that may lead, in all that was heard or in what is left without another cause's bytes: the logarithms of
/// those probabilities, 0 when it cannot be.
pub fn chances(leading: f64, left: f64) -> [Feature; 2] {
    const LEAST: f64 = 1e-4;
    let value = |chance: f64| (chance.clamp(LEAST, 1.0) / LEAST).ln() / 2.0;
    let feature = |name, chance| Feature { name, value: value(chance), count: 0, of: 0 };
    [feature("chance", leading), feature("left", left)]
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
        let shipped = Model::shipped();
        assert!(shipped.leading == model.leading && shipped.acting == model.acting, "model.json is another");
        assert!(shipped.verdict == model.verdict, "model.json is another");
        assert!(shipped.feature == words.feature && shipped.decide == words.decide, "model.json is another");
        let weighed = model
            .leading
            .values()
            .chain(model.acting.values())
            .flat_map(|w| w.weights.keys().chain(w.any.keys()));
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
