//! Where the misses come from: noise that was taken for something else, second causes that were not named, and what another threshold
//! would give.

use std::collections::BTreeMap;

use hsdiag::diagnose::{CLASSES, Cause, Model, acting};
use hsdiag::line::LineErrors;

use super::captures::Sample;

/// Thresholds that are tried for a cause that acts beside the leading one.
const THRESHOLDS: [f64; 9] = [0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6];

/// Rows of noise that are shown.
const MOST_ROWS: usize = 40;

#[derive(Default)]
pub struct Misses {
    /// By causes, how a byte stands and whether it carries a fault: what noise was taken for, and how much there was.
    noise: BTreeMap<String, BTreeMap<&'static str, usize>>,
    /// The same for bytes of frames taken for noise.
    real: BTreeMap<String, BTreeMap<&'static str, usize>>,
    /// By pair: which of the two was missed, what led and how likely it was that the missed one acts.
    pairs: BTreeMap<(Cause, Cause), Vec<Missed>>,
    /// By threshold: pairs named, captures of single causes with causes beside, causes beside.
    curve: [[usize; 2]; THRESHOLDS.len()],
    captures: [usize; 2],
}

struct Missed {
    which: Vec<Cause>,
    leading: Cause,
    beside: Vec<Cause>,
    acts: f64,
}

impl Misses {
    fn add_curve(&mut self, sample: &Sample, model: &Model) {
        if sample.unnoticed {
            return;
        }
        let posterior = model.leading(&sample.evidence, &sample.rest);
        let Some(&(leading, _)) = posterior.iter().max_by(|a, b| a.1.total_cmp(&b.1)) else { return };
        let at = |least: f64| model.contributing_from(least, &sample.evidence, &posterior, &sample.rest);
        for (place, least) in THRESHOLDS.into_iter().enumerate() {
            let beside = at(least);
            let named = |cause: Cause| leading == cause || beside.iter().any(|(c, _)| *c == cause);
            match sample.second {
                Some(second) => self.curve[place][0] += usize::from(named(sample.cause) && named(second)),
                None => {
                    self.curve[place][1] += beside.iter().filter(|(c, _)| *c != sample.cause).count();
                }
            }
        }
        self.captures[usize::from(sample.second.is_none())] += 1;
    }

    pub fn add(&mut self, sample: &Sample, model: &Model) {
        self.add_curve(sample, model);
        if sample.unnoticed {
            return;
        }
        let posterior = model.leading(&sample.evidence, &sample.rest);
        let Some(&(leading, _)) = posterior.iter().max_by(|a, b| a.1.total_cmp(&b.1)) else { return };
        let contributing = model.contributing(&sample.evidence, &posterior, &sample.rest);
        if let Some(second) = sample.second {
            let named = |cause: Cause| leading == cause || contributing.iter().any(|(c, _)| *c == cause);
            let which: Vec<Cause> = [sample.cause, second].into_iter().filter(|c| !named(*c)).collect();
            let acts = model.acts(&sample.evidence, &posterior, &model.left(&sample.rest));
            let likely = which.first().map_or(1.0, |cause| acts[*cause as usize].1);
            let beside = contributing.iter().map(|(cause, _)| *cause).collect();
            let row = self.pairs.entry((sample.cause, second)).or_default();
            row.push(Missed { which, leading, beside, acts: likely });
        }
        self.add_bytes(sample, model, &acting(&posterior, &contributing));
    }

    fn add_bytes(&mut self, sample: &Sample, model: &Model, posterior: &[(Cause, f64)]) {
        if sample.errors != LineErrors::PerByte {
            return;
        }
        let second = sample.second.map_or("", Cause::id);
        for (features, class) in sample.bytes(posterior) {
            let likely = model.class(&features).into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
            let Some((said, _)) = likely else { continue };
            let rows = match CLASSES[class] {
                "noise" => &mut self.noise,
                "real" => &mut self.real,
                _ => continue,
            };
            let has = |name: &str| features.get(name) > 0.0;
            let standing = ["byte-in-frame", "byte-odd", "byte-damaged", "byte-open"];
            let standing = standing.into_iter().find(|name| has(name)).unwrap_or("byte-unexpected");
            let fault = if has("byte-fault") { "flagged" } else { "clean" };
            let key = format!("{}+{second} {standing} {fault}", sample.cause.id());
            *rows.entry(key).or_default().entry(said).or_default() += 1;
        }
    }

    pub fn show(&self) {
        for (rows, right) in [(&self.noise, "noise"), (&self.real, "real")] {
            println!("\nbytes that are {right}, and what the others were taken for:");
            let missed = |row: &BTreeMap<&'static str, usize>| -> usize {
                // Of a frame's bytes, only those that are taken for noise are missed.
                let wrong = |said: &str| if right == "real" { said == "noise" } else { said != "noise" };
                row.iter().filter(|(said, _)| wrong(said)).map(|(_, count)| count).sum()
            };
            let mut rows: Vec<_> = rows.iter().collect();
            rows.sort_by_key(|(_, row)| std::cmp::Reverse(missed(row)));
            for (key, row) in rows.into_iter().take(MOST_ROWS) {
                let all: usize = row.values().sum();
                println!("    {key:<56} {all:>6} missed {:>5} {row:?}", missed(row));
            }
        }
        println!("\npairs of which one was missed:");
        for ((first, second), all) in &self.pairs {
            let missed: Vec<&Missed> = all.iter().filter(|missed| !missed.which.is_empty()).collect();
            println!("  {} + {}: {} of {}", first.id(), second.id(), missed.len(), all.len());
            let mut kinds: BTreeMap<String, Vec<f64>> = BTreeMap::new();
            for missed in missed {
                let ids = |causes: &[Cause]| causes.iter().map(|c| c.id()).collect::<Vec<_>>().join(",");
                let leading = missed.leading.id();
                let key = format!("not {}: {leading} [{}]", ids(&missed.which), ids(&missed.beside));
                kinds.entry(key).or_default().push(missed.acts);
            }
            let mut kinds: Vec<_> = kinds.into_iter().collect();
            kinds.sort_by_key(|(_, acts)| std::cmp::Reverse(acts.len()));
            for (key, acts) in kinds {
                let acts: Vec<String> = acts.iter().map(|acts| format!("{acts:.2}")).collect();
                println!("    {:>3} {key}: acts {}", acts.len(), acts.join(" "));
            }
        }
        self.show_curve();
    }

    fn show_curve(&self) {
        println!("\na cause is named beside from | pairs both named | causes beside a single one");
        for (least, [both, beside]) in THRESHOLDS.iter().zip(self.curve) {
            let [pairs, singles] = self.captures.map(|count| count.max(1) as f64);
            println!("    {least:.2} {:>6.2}% {:>6.3}", 100.0 * both as f64 / pairs, beside as f64 / singles);
        }
    }
}
