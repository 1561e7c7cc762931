//! From evidence to a ranking of causes, with what speaks for and against each, and what to measure when it is not enough.

use super::cause::Cause;
use super::evidence::{Details, Evidence, Feature};
use super::model::Model;

/// Why a conversation is as it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    /// Likeliest first; the probabilities add up to 1.
    pub ranking: Vec<Ranked>,
    /// Causes that act beside the leading one, each with its own probability.
    pub contributing: Vec<(Cause, f64)>,
    /// Facts that the causes are told with.
    pub details: Details,
    /// What to measure, when the leading cause is not sure.
    pub measure: Option<String>,
}

/// A cause with its probability and its reasons.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    pub cause: Cause,
    pub probability: f64,
    /// The heaviest reasons for and against.
    pub reasons: Vec<Reason>,
}

/// A measured number, and how much it speaks for a cause (natural logarithm, against the other causes as likely as they are).
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    pub feature: Feature,
    pub weight: f64,
    pub text: String,
}

/// A leading cause that is less likely is not sure.
const SURE: f64 = 0.8;
/// Causes that are told with reasons.
const TOLD: f64 = 0.01;
/// Reasons that are told of a cause, and the least weight that is worth telling.
const MOST_REASONS: usize = 6;
const LEAST_WEIGHT: f64 = 0.1;
/// A contributing cause has to be as likely as this.
const ACTS: f64 = 0.5;

impl Diagnosis {
    pub fn of(evidence: Evidence, model: &Model) -> Diagnosis {
        let mut posterior = model.posterior(&evidence);
        if posterior.is_empty() {
            posterior = vec![(Cause::Undecided, 1.0)];
        }
        let average = |feature: &str| {
            let weigh = |(cause, p): &(Cause, f64)| p * weight(model, *cause, feature);
            posterior.iter().map(weigh).sum::<f64>()
        };
        let average: Vec<f64> = evidence.features.iter().map(|feature| average(feature.name)).collect();
        let mut ranking: Vec<Ranked> = posterior
            .iter()
            .map(|(cause, probability)| {
                let reasons = if *probability < TOLD {
                    Vec::new()
                } else {
                    reasons(model, *cause, &evidence, &average)
                };
                Ranked { cause: *cause, probability: *probability, reasons }
            })
            .collect();
        ranking.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        let leading = ranking[0].cause;
        let mut contributing: Vec<(Cause, f64)> = Cause::ALL
            .into_iter()
            .filter(|cause| *cause != leading && !matches!(cause, Cause::Clean | Cause::Undecided))
            .filter_map(|cause| Some((cause, model.acts(cause, &evidence)?)))
            .filter(|(_, probability)| *probability >= ACTS)
            .collect();
        contributing.sort_by(|a, b| b.1.total_cmp(&a.1));
        let measure = measure(model, &ranking);
        Diagnosis { ranking, contributing, details: evidence.details, measure }
    }

    pub fn leading(&self) -> &Ranked {
        &self.ranking[0]
    }

    pub fn probability(&self, cause: Cause) -> f64 {
        self.ranking.iter().find(|ranked| ranked.cause == cause).map_or(0.0, |ranked| ranked.probability)
    }

    pub fn is_sure(&self) -> bool {
        self.leading().probability >= SURE && self.leading().cause != Cause::Undecided
    }
}

fn weight(model: &Model, cause: Cause, feature: &str) -> f64 {
    model.leading.get(cause.id()).map_or(0.0, |weights| weights.weight(feature))
}

fn reasons(model: &Model, cause: Cause, evidence: &Evidence, average: &[f64]) -> Vec<Reason> {
    let of = |(feature, average): (&Feature, &f64)| {
        let weight = (weight(model, cause, feature.name) - average) * feature.value;
        let text = words(model, feature)?;
        (weight.abs() >= LEAST_WEIGHT).then_some(Reason { feature: *feature, weight, text })
    };
    let mut reasons: Vec<Reason> = evidence.features.iter().zip(average).filter_map(of).collect();
    reasons.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    reasons.truncate(MOST_REASONS);
    reasons
}

/// The sentence that words.toml has for a feature; `None` for those that are only conditions of others.
fn words(model: &Model, feature: &Feature) -> Option<String> {
    let words = model.feature.get(feature.name)?;
    let says = if feature.value == 0.0 { words.absent.as_deref()? } else { &words.says };
    if says.is_empty() {
        return None;
    }
    let percent =
        if feature.of > 0 { 100.0 * feature.count as f64 / feature.of as f64 } else { 100.0 * feature.value };
    let text = says
        .replace("{count}", &feature.count.to_string())
        .replace("{of}", &feature.of.to_string())
        .replace("{percent}", &format!("{percent:.0}"))
        .replace("{number}", &format!("{:.0}", feature.value.exp() - 1.0))
        .replace("{factor}", &format!("{:+.1}", 10.0 * feature.value))
        .replace("{value}", &format!("{:.2}", feature.value));
    Some(text)
}

/// What would part the two likeliest causes.
fn measure(model: &Model, ranking: &[Ranked]) -> Option<String> {
    let [first, second, ..] = ranking else { return None };
    if first.probability >= SURE && first.cause != Cause::Undecided {
        return None;
    }
    let pair = [first.cause.id(), second.cause.id()];
    let parts = |decide: &&super::model::Decide| {
        let [a, b] = [decide.between[0].as_str(), decide.between[1].as_str()];
        pair == [a, b] || pair == [b, a]
    };
    let about = |decide: &&super::model::Decide| {
        decide.between.iter().all(|id| id == "any" || pair.contains(&id.as_str()))
    };
    let found = model.decide.iter().find(parts).or_else(|| model.decide.iter().find(about));
    found.map(|decide| decide.measure.clone())
}
