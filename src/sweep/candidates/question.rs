//! A rate or one beside it? What is left to ask when a rate is read clean: senders up to a tenth faster or slower may be, too.
//!
//! Eleven bits a character (8E1, 8O1, 8N2) at 1.07 times a rate are read clean as 8N1 at that rate: one bit is passed over, and the parity
//! bit stands where bit 7 does. That a standard rate is likelier than one beside it settles nothing here: it is favoured little. And a line
//! of the other polarity may be: bytes that are flagged throughout are those of an inverted line, or of a parity bit.

use crate::line::{Baud, LineErrors};

use super::super::likelihood::{Flag, Table, kinds, place, ratios};
use super::{CLASS, Candidates};

/// Rates this near (natural logarithm) are asked about.
pub const BESIDE: f64 = 0.12;
/// To this power standard rates are favoured.
const LITTLE: f64 = 0.3;
/// Of each side so many pairs of kind and rate are looked at, likeliest first.
const MOST: usize = 24;
/// And those that hold less than this of the likeliest are left out.
const FEW: f64 = 0.03;

/// What is believed of a rate and of those beside it.
pub struct Question {
    /// The part of the mass that lies beside.
    pub doubt: f64,
    sides: [Side; 4],
}

/// The rates within a class of the named one, those below, those above, or all of them with the other polarity.
#[derive(Default)]
struct Side {
    mass: f64,
    /// Kind, rate, and their part.
    parts: Vec<(usize, usize, f64)>,
}

impl Candidates {
    /// Whether it is `named` or a rate beside it.
    pub fn question(&self, named: Baud, inverted: bool) -> Question {
        let present = self.with_run();
        let named = named.hz().ln();
        let beside = self.rates.iter().map(|rate| rate - named).enumerate();
        let mut logs: Vec<(usize, usize, usize, f64)> = Vec::new();
        for (rate, off) in beside.filter(|(_, off)| off.abs() <= BESIDE) {
            let side = if off.abs() <= CLASS { 0 } else { 1 + usize::from(off > 0.0) };
            for (kind, (what, share)) in kinds().iter().enumerate() {
                let side = if what.inverted == inverted { side } else { 3 };
                let heard = f64::from(self.earlier[kind][rate] + present[kind][rate]);
                logs.push((side, kind, rate, heard + share.ln() + LITTLE * self.prior[rate].ln()));
            }
        }
        let best = logs.iter().map(|(.., log)| *log).fold(f64::NEG_INFINITY, f64::max);
        let mut sides: [Side; 4] = Default::default();
        for (side, kind, rate, log) in logs {
            let part = (log - best).exp();
            sides[side].mass += part;
            sides[side].parts.push((kind, rate, part));
        }
        let total: f64 = sides.iter().map(|side| side.mass).sum();
        for side in &mut sides {
            side.parts.sort_by(|a, b| b.2.total_cmp(&a.2));
            side.parts.truncate(MOST);
            let few = side.parts.first().map_or(0.0, |(.., part)| FEW * part);
            side.parts.retain(|(.., part)| *part >= few);
            let told: f64 = side.parts.iter().map(|(.., part)| part).sum::<f64>().max(f64::MIN_POSITIVE);
            side.parts.iter_mut().for_each(|(.., part)| *part /= told);
            side.mass /= total.max(f64::MIN_POSITIVE);
        }
        Question { doubt: sides[1..].iter().map(|side| side.mass).sum(), sides }
    }

    /// How many bits one word of a listen at `baud` is expected to tell of the question, were the rate and those beside it as likely.
    pub fn answers(&self, question: &Question, baud: Baud) -> f64 {
        let flags: &[Flag] =
            if self.errors == LineErrors::PerByte { &[Flag::Clean, Flag::Bad] } else { &[Flag::Untold] };
        let beside = question.doubt.max(f64::MIN_POSITIVE);
        let [_, others @ ..] = &question.sides;
        let [below, above, turned] = others.each_ref().map(|side| 0.5 * side.mass / beside);
        let weights = [0.5, below, above, turned];
        // A side that hardly counts is not worth computing.
        let asked = [0, 1, 2, 3].map(|side| weights[side] > 0.005);
        let expected = |side: &Side, byte: u8, flag: Flag| -> f64 {
            let part = |(kind, rate, part): &(usize, usize, f64)| {
                let row = place(baud.hz().ln() - self.rates[*rate]).clamp(0, ratios() as i64 - 1);
                part * f64::from(Table::of(*kind).column(byte, flag)[row as usize].exp())
            };
            side.parts.iter().map(part).sum()
        };
        let mut bits = 0.0;
        for flag in flags {
            for byte in 0..=255 {
                let words = [0, 1, 2, 3]
                    .map(|side| if asked[side] { expected(&question.sides[side], byte, *flag) } else { 0.0 });
                let mix: f64 = weights.iter().zip(words).map(|(weight, word)| weight * word).sum();
                let told = weights.iter().zip(words).filter(|(weight, word)| **weight > 0.0 && *word > 0.0);
                bits += told.map(|(weight, word)| weight * word * (word / mix).log2()).sum::<f64>();
            }
        }
        bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{Format, Instant, Settings};
    use crate::sweep::candidates::Word;
    use crate::wire::{Channel, Drift, Noise};

    const NAMED: u32 = 9600;

    fn heard(sender: Settings, baud: Baud, sent: &[u8]) -> Vec<Word> {
        let receiver = Settings::new(baud, Format::N8);
        let drift = Drift { skew: 0.0, jitter: 0.01, late_mark: 0.02 };
        let mut channel = Channel::new(sender, drift, Noise::none(), receiver, 7);
        let end = channel.send(sent, Instant::from_secs(0.01));
        channel.receive(end).iter().filter_map(Word::of).collect()
    }

    /// Listens at the named rate, then at the one that tells most; the doubt after either.
    fn doubts(sender: Settings) -> [f64; 2] {
        let named = Baud::nearest(f64::from(NAMED));
        let sent: Vec<u8> = (0..24u8).map(|byte| byte.wrapping_mul(97).wrapping_add(29)).collect();
        let mut candidates = Candidates::new(&[], Baud::nearest(921_600.0), LineErrors::PerByte);
        let doubt = |candidates: &mut Candidates, baud: Baud| {
            candidates.listen(baud);
            heard(sender, baud, &sent).into_iter().for_each(|word| candidates.hear(word));
            candidates.question(named, false)
        };
        let first = doubt(&mut candidates, named);
        let rates = (-12..=12).map(|part| Baud::nearest(named.hz() * (f64::from(part) / 100.0).exp()));
        let best =
            rates.max_by(|a, b| candidates.answers(&first, *a).total_cmp(&candidates.answers(&first, *b)));
        let second = doubt(&mut candidates, best.unwrap_or(named));
        [first.doubt, second.doubt]
    }

    #[test]
    fn eleven_bits_at_a_rate_seven_per_cent_higher_are_doubted_at_the_lower_one() {
        let sender = |factor: f64, format: &str| {
            Settings::new(Baud::nearest(f64::from(NAMED) * factor), format.parse().unwrap())
        };
        let [clean, asked] = doubts(sender(1.07, "8E1"));
        assert!(clean > 0.1 && asked > clean, "{clean} {asked}");
        let [clean, asked] = doubts(sender(1.0, "8N1"));
        assert!(clean > 0.01 && asked < 0.5 * clean, "{clean} {asked}");
    }

    #[test]
    fn an_inverted_line_is_doubted_while_a_parity_bit_may_be_it() {
        // Late edges and even parity behind an adapter that flags whole packets: no byte is told from one of an inverted line.
        let sender = Settings::new(Baud::nearest(f64::from(NAMED)), Format::E8);
        let named = sender.baud;
        let mut candidates = Candidates::new(&[], Baud::nearest(921_600.0), LineErrors::Packet);
        candidates.listen(Baud::nearest(4.0 * named.hz()));
        let sent: Vec<u8> = (0..4u8).map(|byte| byte.wrapping_mul(97).wrapping_add(29)).collect();
        let words = heard(sender, Baud::nearest(4.0 * named.hz()), &sent);
        words.into_iter().for_each(|word| candidates.hear(Word { bad: true, ..word }));
        let [upright, inverted] = [false, true].map(|inverted| candidates.question(named, inverted));
        assert!(inverted.doubt > 0.5 && inverted.sides[3].mass > 0.3, "{}", inverted.doubt);
        assert!(upright.doubt < inverted.doubt, "{}", upright.doubt);
        let told = |part: f64| candidates.answers(&inverted, Baud::nearest(part * named.hz()));
        assert!(told(1.0) > 0.0 && told(1.0).is_finite());
    }
}
