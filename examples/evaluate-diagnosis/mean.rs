//! Two models as one: what either was misled into by the captures it was fitted to counts for half.

use std::collections::BTreeMap;

use hsdiag::diagnose::{Model, Weights};

/// The mean of two models, weight by weight; one that a model does not have is 0 there.
pub fn mean(first: &Model, second: &Model) -> Model {
    let all = |first: &BTreeMap<String, Weights>, second: &BTreeMap<String, Weights>| {
        let none = Weights::default();
        let of = |key: &String| between(first.get(key).unwrap_or(&none), second.get(key).unwrap_or(&none));
        first.keys().chain(second.keys()).map(|key| (key.clone(), of(key))).collect()
    };
    Model::of(
        all(&first.leading, &second.leading),
        all(&first.acting, &second.acting),
        all(&first.verdict, &second.verdict),
    )
}

fn between(first: &Weights, second: &Weights) -> Weights {
    let all = |first: &BTreeMap<String, f64>, second: &BTreeMap<String, f64>| {
        let of = |key: &String| {
            (first.get(key).copied().unwrap_or(0.0) + second.get(key).copied().unwrap_or(0.0)) / 2.0
        };
        first.keys().chain(second.keys()).map(|key| (key.clone(), of(key))).collect()
    };
    Weights {
        prior: (first.prior + second.prior) / 2.0,
        weights: all(&first.weights, &second.weights),
        any: all(&first.any, &second.any),
        packet: all(&first.packet, &second.packet),
        never: all(&first.never, &second.never),
        lost: all(&first.lost, &second.lost),
    }
}
