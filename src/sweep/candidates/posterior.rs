//! What is believed of the rate after all that was heard, and which rates are one answer.

use crate::line::{Baud, STANDARD_BAUDS};

use super::super::likelihood::STEP;

/// Rates this near (natural logarithm, 4 %) are one class: a UART reads either.
pub const CLASS: f64 = 0.04;
/// How far a clock and the measurement together take a rate from its name (natural logarithm).
const MISMEASURED: f64 = 0.035;
/// A name that is off what was measured must tell this part of what that would.
const AS_MUCH: f64 = 0.95;

/// What is believed of the rate.
pub struct Posterior {
    pub(super) rates: Vec<f64>,
    /// Normal and inverted.
    pub(super) mass: Vec<[f64; 2]>,
    /// The part of each rate's mass that speaks for a parity bit, and for an odd one.
    pub(super) parity: Vec<f64>,
    pub(super) odd: Vec<f64>,
    /// Without the preference for standard rates, not normalised.
    pub(super) flat: Vec<f64>,
}

/// Rates that a UART cannot tell apart, with one polarity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Class {
    /// The standard rate nearest to the peak, if one is in the class; else the measured rate, rounded.
    pub nominal: Baud,
    pub measured: f64,
    pub inverted: bool,
    /// Around the peak.
    pub mass: f64,
    /// Around the nominal rate, which is what is told in the end: a name is only as good as it is near.
    pub told: f64,
    /// The part of the mass that speaks for a parity bit, and for an odd one.
    pub parity: f64,
    pub odd: f64,
}

/// Whether a UART that is so far off (natural logarithm) reads a sender; between yes and no, for what was measured is a per cent wide.
fn readable(off: f64) -> f64 {
    ((CLASS - off.abs()) / (3.0 * STEP) + 0.5).clamp(0.0, 1.0)
}

impl Posterior {
    /// Classes of rates by mass, heaviest first, until `few` or 99.9 % are told.
    pub fn classes(&self, few: usize) -> Vec<Class> {
        let mut left = self.mass.clone();
        let mut classes = Vec::new();
        let reach = (CLASS / STEP) as usize;
        while classes.len() < few {
            let window = |center: usize, polarity: usize, left: &[[f64; 2]]| -> f64 {
                let range = center.saturating_sub(reach)..(center + reach + 1).min(left.len());
                left[range].iter().map(|m| m[polarity]).sum()
            };
            let centers = (0..left.len()).flat_map(|i| [(i, 0), (i, 1)]);
            // A rate that is a peak itself, not one beside a heavy neighbour.
            let peak = centers.max_by(|a, b| left[a.0][a.1].total_cmp(&left[b.0][b.1]));
            let Some((center, polarity)) = peak.filter(|(i, p)| left[*i][*p] > 1e-6) else { break };
            let mass = window(center, polarity, &left);
            let range = center.saturating_sub(reach)..(center + reach + 1).min(left.len());
            let weigh = range.clone().map(|i| self.flat[i]).sum::<f64>().max(f64::MIN_POSITIVE);
            let measured = (range.clone().map(|i| self.rates[i] * self.flat[i]).sum::<f64>() / weigh).exp();
            let nominal = self.nominal(center, polarity, measured);
            let all =
                range.clone().map(|i| self.mass[i][0] + self.mass[i][1]).sum::<f64>().max(f64::MIN_POSITIVE);
            let part = |of: &[f64]| range.clone().map(|i| of[i]).sum::<f64>() / all;
            let (parity, odd) = (part(&self.parity), part(&self.odd));
            let told = self.told(nominal.hz(), polarity, &left);
            classes.push(Class { nominal, measured, inverted: polarity == 1, mass, told, parity, odd });
            for (left, rate) in left.iter_mut().zip(&self.rates) {
                left[polarity] *= 1.0 - readable(rate - nominal.hz().ln());
            }
            range.for_each(|i| left[i][polarity] = 0.0);
        }
        classes.sort_by(|a, b| b.mass.total_cmp(&a.mass));
        classes
    }

    /// What of some mass a UART at this rate would read.
    fn told(&self, baud: f64, polarity: usize, mass: &[[f64; 2]]) -> f64 {
        let rates = self.rates.iter().zip(mass);
        rates.map(|(rate, mass)| mass[polarity] * readable(rate - baud.ln())).sum()
    }

    /// The standard rate with most mass close to it, if the peak and what was measured are near one and it tells as much; else what was
    /// measured.
    fn nominal(&self, peak: usize, polarity: usize, measured: f64) -> Baud {
        let here = self.rates[peak];
        let close = |baud: f64| -> f64 {
            let near =
                self.rates.iter().zip(&self.mass).filter(|(rate, _)| (*rate - baud.ln()).abs() <= 0.017);
            near.map(|(_, mass)| mass[polarity]).sum()
        };
        let told = |baud: f64| self.told(baud, polarity, &self.mass);
        let standard = STANDARD_BAUDS.iter().map(|baud| f64::from(*baud));
        let standard = standard.filter(|baud| (baud.ln() - here).abs() <= 0.033);
        let best = standard.map(|baud| (baud, close(baud))).max_by(|a, b| a.1.total_cmp(&b.1));
        match best {
            // What was measured is a few per cent wide: a standard rate within it is the likelier name unless it is all but excluded.
            Some((baud, mass))
                if mass >= 0.1 * close(here.exp())
                    && (baud / measured).ln().abs() <= MISMEASURED
                    && told(baud) >= AS_MUCH * told(measured) =>
            {
                Baud::nearest(baud)
            }
            _ => rounded(measured),
        }
    }

    /// The mass within a class of `baud`, with either polarity.
    pub fn near(&self, baud: f64) -> f64 {
        let near = self.rates.iter().zip(&self.mass).filter(|(rate, _)| (*rate - baud.ln()).abs() <= CLASS);
        near.map(|(_, mass)| mass[0] + mass[1]).sum()
    }

    /// The mass of inverted lines.
    pub fn inverted(&self) -> f64 {
        self.mass.iter().map(|mass| mass[1]).sum()
    }
}

/// A rate to three digits: more are not measured.
fn rounded(rate: f64) -> Baud {
    let unit = 10f64.powf(rate.log10().floor() - 2.0);
    Baud::nearest((rate / unit).round() * unit)
}

#[cfg(test)]
mod tests {
    use super::super::{Candidates, Word};
    use super::*;
    use crate::line::LineErrors;

    #[test]
    fn the_mass_that_is_told_of_a_class_lies_around_its_name() {
        let mut candidates = Candidates::new(&[], Baud::nearest(921_600.0), LineErrors::PerByte);
        candidates.listen(Baud::nearest(56_000.0));
        [0xF0, 0xF0, 0x00, 0xF8].into_iter().for_each(|byte| candidates.hear(Word { byte, bad: false }));
        let classes = candidates.posterior().classes(3);
        let total: f64 = classes.iter().map(|class| class.told).sum();
        assert!(total <= 1.0 + 1e-9, "{total}");
        assert_eq!((readable(0.0), readable(0.02), readable(-0.04), readable(0.06)), (1.0, 1.0, 0.5, 0.0));
        // A standard rate near by lends its name, but not where it would tell less.
        let posterior = |place: f64| {
            let rates: Vec<f64> = (-10..=10).map(|step| 460_800f64.ln() + f64::from(step) * STEP).collect();
            let bell = |rate: &f64| (-0.5 * ((rate - 460_800f64.ln() - place) / 0.012).powi(2)).exp();
            let total: f64 = rates.iter().map(bell).sum();
            let mass: Vec<[f64; 2]> = rates.iter().map(|rate| [bell(rate) / total, 0.0]).collect();
            let none = vec![0.0; rates.len()];
            let flat = mass.iter().map(|mass| mass[0]).collect();
            Posterior { rates, mass, parity: none.clone(), odd: none, flat }
        };
        let told = |place: f64| posterior(place).classes(1)[0];
        assert_eq!(told(0.01).nominal.get(), 460_800);
        assert!(told(0.01).told > 0.95);
        let far = told(0.03);
        assert!((far.nominal.hz() / far.measured).ln().abs() < 0.01, "{far:?}");
    }

    #[test]
    fn a_measured_rate_is_told_to_three_digits() {
        assert_eq!(rounded(345_678.0).get(), 346_000);
        assert_eq!(rounded(1337.4).get(), 1340);
    }
}
