//! From evidence to a ranking of causes, with what speaks for and against each, and what to measure when it is not enough.

use super::cause::Cause;
use super::evidence::{Details, Evidence, Feature};
use super::model::{Circumstances, Model, Words};

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

impl Diagnosis {
    /// `rest` is what is left when the bytes are taken out that a cause explains.
    pub fn of(evidence: Evidence, rest: &[(Cause, Evidence)], model: &Model) -> Diagnosis {
        let mut posterior = model.leading(&evidence, rest);
        if posterior.iter().all(|(_, p)| *p == 0.0) {
            posterior = vec![(Cause::Undecided, 1.0)];
        }
        let mut ranking: Vec<Ranked> = posterior
            .iter()
            .map(|(cause, probability)| {
                let reasons = if *probability < TOLD {
                    Vec::new()
                } else {
                    reasons(model, *cause, &evidence, &posterior)
                };
                Ranked { cause: *cause, probability: *probability, reasons }
            })
            .collect();
        ranking.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        let contributing = model.contributing(&evidence, &posterior, rest);
        let measure = measure(model, &ranking);
        Diagnosis { ranking, contributing, details: evidence.details, measure }
    }

    /// The same with what is known otherwise: a cause is at least as likely as this, and the others share what is left.
    pub fn knowing(mut self, cause: Cause, probability: f64) -> Diagnosis {
        let probability = if probability.is_finite() { probability.clamp(0.0, 1.0) } else { 0.0 };
        let before = self.probability(cause);
        if probability <= before {
            return self;
        }
        let rest = (1.0 - probability) / (1.0 - before).max(f64::MIN_POSITIVE);
        let mut found = false;
        for ranked in &mut self.ranking {
            let this = ranked.cause == cause;
            found |= this;
            ranked.probability = if this { probability } else { ranked.probability * rest };
        }
        if !found {
            self.ranking.push(Ranked { cause, probability, reasons: Vec::new() });
        }
        self.ranking.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        self.contributing.retain(|(other, _)| *other != self.ranking[0].cause);
        self.measure = self.measure.filter(|_| self.ranking[0].probability < SURE);
        self
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

fn weight(model: &Model, cause: Cause, feature: &Feature, under: Circumstances) -> f64 {
    model.leading.get(cause.id()).map_or(0.0, |weights| weights.of(feature, under))
}

/// What speaks for a cause and against it, beside the others: each counts as much as it is likely.
fn reasons(model: &Model, cause: Cause, evidence: &Evidence, posterior: &[(Cause, f64)]) -> Vec<Reason> {
    let under = Circumstances::of(evidence);
    let others = || posterior.iter().filter(|(other, _)| *other != cause);
    let all: f64 = others().map(|(_, p)| p).sum();
    let of_others = |feature: &Feature| {
        let weigh = |(other, p): &(Cause, f64)| p * weight(model, *other, feature, under);
        others().map(weigh).sum::<f64>() / all.max(f64::MIN_POSITIVE)
    };
    let of = |feature: &Feature| {
        let weight = weight(model, cause, feature, under) - of_others(feature);
        let about = |words: &&Words| words.about.is_empty() || words.about.iter().any(|id| id == cause.id());
        let text = model.feature.get(feature.name).filter(about).and_then(|words| told_as(words, feature))?;
        (weight.abs() >= LEAST_WEIGHT).then_some(Reason { feature: *feature, weight, text })
    };
    let mut reasons: Vec<Reason> = evidence.features.iter().filter_map(of).collect();
    reasons.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    reasons.truncate(MOST_REASONS);
    reasons
}

/// The sentence that words.toml has for a feature; `None` for those that are only conditions of others.
fn told_as(words: &Words, feature: &Feature) -> Option<String> {
    let says = match feature.value {
        0.0 => words.absent.as_deref()?,
        value if value < 0.0 => words.below.as_deref().unwrap_or(&words.says),
        _ => &words.says,
    };
    if says.is_empty() {
        return None;
    }
    let percent =
        if feature.of > 0 { 100.0 * feature.count as f64 / feature.of as f64 } else { 100.0 * feature.value };
    // A sentence of its own says already which way it is.
    let factor = match words.below {
        Some(_) if feature.value < 0.0 => format!("{:.1}", -10.0 * feature.value),
        _ => format!("{:+.1}", 10.0 * feature.value),
    };
    let text = says
        .replace("{count}", &feature.count.to_string())
        .replace("{of}", &feature.of.to_string())
        .replace("{percent}", &format!("{percent:.0}"))
        .replace("{number}", &feature.count.to_string())
        .replace("{factor}", &factor)
        .replace("{value}", &format!("{:.2}", feature.value));
    Some(text)
}

/// What would part the two likeliest causes.
fn measure(model: &Model, ranking: &[Ranked]) -> Option<String> {
    let [first, second, ..] = ranking else { return None };
    // Silence says that nobody answers, and never why: cable, port, power, boot pin, wires.
    if first.probability >= SURE && !matches!(first.cause, Cause::Undecided | Cause::NoAnswer) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_below_zero_is_told_by_its_own_sentence() {
        let words = &Model::shipped().feature["format-of-all"];
        let told = |value: f64| told_as(words, &Feature { name: "format-of-all", value, count: 0, of: 0 });
        assert_eq!(
            told(-0.5).as_deref(),
            Some("everything received fits our format better than another one (5.0 in natural logarithm)")
        );
        assert!(told(0.5).is_some_and(|text| text.starts_with("another format against ours")));
        assert_eq!(told(0.0), None);
    }

    #[test]
    fn a_count_is_told_as_it_is_however_little_more_of_it_weighs() {
        let mut evidence = Evidence::default();
        evidence.count_up_to("frames", 399, 48);
        evidence.count("spoilt-quietly", 1000);
        let told = |feature: &Feature| told_as(&Model::shipped().feature[feature.name], feature);
        let told: Vec<String> = evidence.features.iter().filter_map(told).collect();
        assert_eq!(
            told,
            ["399 healthy frames were received", "1000 replies are spoilt though the line reported nothing"]
        );
    }
}
