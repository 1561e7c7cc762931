//! How often the diagnosis is right, by cause and by what the adapter reports, and whether its probabilities hold.

use std::collections::BTreeMap;

use hsdiag::diagnose::{CLASSES, Cause, Model, acting};
use hsdiag::line::LineErrors;

use super::captures::Sample;

#[derive(Default)]
pub struct Score {
    /// By true cause and leading cause.
    pub confusion: BTreeMap<(Cause, Cause), usize>,
    /// By whether faults are told for each byte: right, all.
    told: [[usize; 2]; 3],
    by_protocol: BTreeMap<&'static str, [usize; 2]>,
    /// Disturbances of which nothing was noticed: the conversation that was heard is healthy.
    unnoticed: BTreeMap<(Cause, Option<Cause>), usize>,
    /// Captures on which two causes look alike: named with both near their prior odds, all.
    alike: [usize; 2],
    /// Two causes at once: both named, all.
    pairs: BTreeMap<(Cause, Cause), [usize; 2]>,
    /// Of single causes, how many captures there are and how many causes were named beside the leading one.
    beside: [usize; 2],
    /// By tenths of probability: sum of probabilities, right, all.
    pub reliability: [(f64, usize, usize); 20],
    /// With errors told for each byte: real bytes kept, all; noise found, all.
    bytes: [[usize; 2]; 2],
    /// What noise was taken for, by cause.
    noise: BTreeMap<(Cause, &'static str), usize>,
}

impl Score {
    pub fn add(&mut self, sample: &Sample, model: &Model, verbose: bool) {
        if sample.unnoticed {
            *self.unnoticed.entry((sample.cause, sample.second)).or_default() += 1;
            return;
        }
        let posterior = model.leading(&sample.evidence, &sample.rest);
        let Some(&(leading, probability)) = posterior.iter().max_by(|a, b| a.1.total_cmp(&b.1)) else {
            return;
        };
        let contributing = model.contributing(&sample.evidence, &posterior, &sample.rest);
        self.add_bytes(sample, model, &acting(&posterior, &contributing));
        if let Some(second) = sample.second {
            let named = |cause: Cause| leading == cause || contributing.iter().any(|(c, _)| *c == cause);
            let both = named(sample.cause) && named(second);
            if verbose && !both {
                let likely =
                    |cause: Cause| posterior.iter().find(|(c, _)| *c == cause).map_or(0.0, |(_, p)| *p);
                let all = model.acts(&sample.evidence, &posterior, &model.left(&sample.rest));
                let acts = |cause: Cause| all[cause as usize].1;
                println!(
                    "{} {} ({:.2} acts {:.2}) + {} ({:.2} acts {:.2}) {:?} seed {:x}: {} ({:.2})\n{}",
                    sample.protocol,
                    sample.cause.id(),
                    likely(sample.cause),
                    acts(sample.cause),
                    second.id(),
                    likely(second),
                    acts(second),
                    sample.errors,
                    sample.seed,
                    leading.id(),
                    probability,
                    sample.look
                );
            }
            let row = self.pairs.entry((sample.cause, second)).or_default();
            row[0] += usize::from(both);
            row[1] += 1;
            return;
        }
        self.beside[0] += 1;
        self.beside[1] += contributing.iter().filter(|(cause, _)| *cause != sample.cause).count();
        let right = leading == sample.cause || sample.alike.contains(&leading);
        if sample.alike.is_empty() {
            *self.confusion.entry((sample.cause, leading)).or_default() += 1;
            let told = match sample.errors {
                LineErrors::PerByte => 0,
                LineErrors::Packet => 1,
                LineErrors::Counter | LineErrors::Never => 2,
            };
            self.told[told][0] += usize::from(right);
            self.told[told][1] += 1;
            let protocol = self.by_protocol.entry(sample.protocol).or_default();
            protocol[0] += usize::from(right);
            protocol[1] += 1;
            let bin = ((probability * 20.0) as usize).min(19);
            let bin = &mut self.reliability[bin];
            *bin = (bin.0 + probability, bin.1 + usize::from(right), bin.2 + 1);
        } else {
            self.alike[0] += usize::from(right);
            self.alike[1] += 1;
        }
        if verbose && !right {
            println!(
                "{} {} {:?} seed {:x}: {} ({:.2})\n{}",
                sample.protocol,
                sample.cause.id(),
                sample.errors,
                sample.seed,
                leading.id(),
                probability,
                sample.look
            );
        }
    }

    fn add_bytes(&mut self, sample: &Sample, model: &Model, posterior: &[(Cause, f64)]) {
        if sample.errors != LineErrors::PerByte {
            return;
        }
        for (features, class) in sample.bytes(posterior) {
            let Some((said, _)) = model.class(&features).into_iter().max_by(|a, b| a.1.total_cmp(&b.1))
            else {
                continue;
            };
            match CLASSES[class] {
                "real" => {
                    self.bytes[0][0] += usize::from(said != "noise");
                    self.bytes[0][1] += 1;
                }
                "noise" => {
                    *self.noise.entry((sample.cause, said)).or_default() += 1;
                    self.bytes[1][0] += usize::from(said == "noise");
                    self.bytes[1][1] += 1;
                }
                _ => {}
            }
        }
    }

    /// How far, on average, probabilities are from how often they hold.
    pub fn calibration_error(&self) -> f64 {
        let all: usize = self.reliability.iter().map(|bin| bin.2).sum();
        self.reliability.iter().map(|(sum, right, _)| (sum - *right as f64).abs()).sum::<f64>()
            / all.max(1) as f64
    }

    pub fn show(&self) {
        println!("{:<22} {:>6} {:>7}  taken for", "cause", "n", "right");
        for cause in Cause::ALL {
            let row = || self.confusion.iter().filter(|((truth, _), _)| *truth == cause);
            let all: usize = row().map(|(_, count)| count).sum();
            let right: usize = row().filter(|((_, said), _)| *said == cause).map(|(_, count)| count).sum();
            let mut wrong: Vec<(&str, usize)> =
                row().filter(|((_, said), _)| *said != cause).map(|((_, said), n)| (said.id(), *n)).collect();
            wrong.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            let wrong: Vec<String> =
                wrong.iter().take(5).map(|(id, count)| format!("{id} {count}")).collect();
            println!("{:<22} {all:>6} {:>6.1}%  {}", cause.id(), share(right, all), wrong.join(", "));
        }
        let unnoticed: Vec<String> = self
            .unnoticed
            .iter()
            .map(|((cause, second), count)| match second {
                None => format!("{} {count}", cause.id()),
                Some(second) => format!("{} + {} {count}", cause.id(), second.id()),
            })
            .collect();
        println!("\nleft out, for nothing was noticed: {}\n", unnoticed.join(", "));
        for (name, [right, all]) in ["per byte", "per packet", "never"].iter().zip(self.told) {
            println!("errors told {name:<12} {all:>6} {:>6.2}%", share(right, all));
        }
        for (name, [right, all]) in &self.by_protocol {
            println!("{name:<24} {all:>6} {:>6.2}%", share(*right, *all));
        }
        println!(
            "\nindistinguishable        {:>6} {:>6.2}%",
            self.alike[1],
            share(self.alike[0], self.alike[1])
        );
        for ((first, second), [both, all]) in &self.pairs {
            println!(
                "{:<20} + {:<16} {all:>5} {:>6.1}% both named",
                first.id(),
                second.id(),
                share(*both, *all)
            );
        }
        let pairs = self.pairs.values().fold([0, 0], |sum, row| [sum[0] + row[0], sum[1] + row[1]]);
        println!("two at once              {:>6} {:>6.2}% both named", pairs[1], share(pairs[0], pairs[1]));
        println!(
            "named beside a single cause {:.3} a capture",
            self.beside[1] as f64 / self.beside[0].max(1) as f64
        );
        println!("calibration error        {:>13.4}", self.calibration_error());
        let [real, noise] = self.bytes;
        println!("bytes of frames kept     {:>6} {:>6.2}%", real[1], share(real[0], real[1]));
        println!("noise found              {:>6} {:>6.2}%", noise[1], share(noise[0], noise[1]));
        for ((cause, said), count) in self.noise.iter().filter(|((_, said), _)| *said != "noise") {
            println!("    noise of {:<20} taken for {said:<12} {count:>5}", cause.id());
        }
        println!("said, held, captures:");
        for (sum, right, all) in self.reliability.iter().filter(|bin| bin.2 > 0) {
            println!("    {:.2} {:.2} {all}", sum / *all as f64, *right as f64 / *all as f64);
        }
    }
}

fn share(part: usize, all: usize) -> f64 {
    100.0 * part as f64 / all.max(1) as f64
}
