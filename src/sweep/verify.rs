//! Enough evidence to stop? What the characters heard at a candidate rate say about the format, and whether they confirm the rate.
//!
//! An 8N1 receiver at the right rate reads every format of ten or eleven bits; parity shows as bit 7 or as framing errors that follow
//! the weight of the byte exactly. Stop bits cannot be told from bytes.

use crate::line::{DataBits, Format, LineErrors, Parity, StopBits};

use super::candidates::Word;
use super::findings::Evidence;

/// Characters that a confirmation needs.
pub const ENOUGH: usize = 10;
/// The part of characters that noise may spoil without anything being wrong.
const SPOILED: f64 = 0.02;
/// Leading characters that may have been joined in their middle.
pub const JOINED: usize = 12;

/// What the characters at one rate say.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Formats with their probabilities, likeliest first; each stands for those listed as alike.
    pub formats: Vec<(Format, f64)>,
    /// Characters from the first one that was read whole, and how many of them the best format leaves unexplained.
    pub characters: usize,
    pub unexplained: usize,
}

impl Reading {
    pub fn best(&self) -> Format {
        self.formats.first().map_or(Format::N8, |(format, _)| *format)
    }

    /// At least ten characters, and (nearly) all of them as the format says.
    ///
    /// Bit 7 always at mark confirms nothing: a sender that is ten per cent faster looks the same.
    pub fn confirms(&self) -> bool {
        let best = self.best();
        (best.data, best.parity) != (DataBits::Seven, Parity::None)
            && self.characters >= ENOUGH
            && self.unexplained * 15 <= self.characters
    }
}

/// A format as an 8N1 receiver reads it.
struct Shape {
    format: Format,
    prior: f64,
    /// Whether the stop bit's place is mark, given the byte; `None`: cannot be (another byte would have come).
    expected: fn(u8) -> Option<bool>,
    /// How many times fewer bytes it can send than 8N1, as a power of two.
    narrower: i32,
}

const fn format(data: DataBits, parity: Parity, stop: StopBits) -> Format {
    Format { data, parity, stop }
}

const SHAPES: [Shape; 7] = {
    use DataBits::{Eight, Seven};
    use StopBits::{One, Two};
    [
        Shape { format: Format::N8, prior: 0.80, expected: |_| Some(true), narrower: 0 },
        Shape { format: Format::E8, prior: 0.11, expected: |byte| Some(weight_is_odd(byte)), narrower: 0 },
        Shape {
            format: format(Eight, Parity::Odd, One),
            prior: 0.03,
            expected: |byte| Some(!weight_is_odd(byte)),
            narrower: 0,
        },
        Shape {
            format: format(Eight, Parity::Space, One),
            prior: 0.001,
            expected: |_| Some(false),
            narrower: 0,
        },
        Shape {
            format: Format::E7,
            prior: 0.04,
            expected: |byte| if weight_is_odd(byte) { None } else { Some(true) },
            narrower: 1,
        },
        Shape {
            format: format(Seven, Parity::Odd, One),
            prior: 0.01,
            expected: |byte| if weight_is_odd(byte) { Some(true) } else { None },
            narrower: 1,
        },
        Shape {
            format: format(Seven, Parity::None, Two),
            prior: 0.007,
            expected: |byte| if byte & 0x80 == 0 { None } else { Some(true) },
            narrower: 1,
        },
    ]
};

fn weight_is_odd(byte: u8) -> bool {
    byte.count_ones() % 2 == 1
}

/// Reads the characters heard by an 8N1 receiver at one rate. `allowed` restricts the formats, if it is not empty.
pub fn read(words: &[Word], errors: LineErrors, allowed: &[Format]) -> Reading {
    // The best of the ways to leave out the first few, which may have been joined in their middle.
    let most = JOINED.min(words.len().saturating_sub(ENOUGH));
    let ways = (0..=most).map(|skip| read_from(&words[skip..], errors, allowed));
    ways.min_by(|a, b| rank(a).total_cmp(&rank(b))).unwrap_or_else(|| read_from(words, errors, allowed))
}

/// Unexplained characters cost much, left-out ones a little.
fn rank(reading: &Reading) -> f64 {
    3.0 * reading.unexplained as f64 - reading.characters as f64
}

fn read_from(words: &[Word], errors: LineErrors, allowed: &[Format]) -> Reading {
    let shapes: Vec<&Shape> = SHAPES.iter().filter(|shape| is_allowed(shape.format, allowed)).collect();
    let mut formats: Vec<(Format, f64, usize)> = shapes
        .iter()
        .map(|shape| {
            let (fits, unexplained) = fit(words, errors, shape);
            (shape.format, fits + shape.prior.ln(), unexplained)
        })
        .collect();
    if !told_apart(errors) {
        // Without reports, eight bits with parity read as eight bits without: one class, told by its commonest.
        let with_parity = |format: Format| format.data == DataBits::Eight && format.parity != Parity::None;
        if formats.iter().any(|(format, ..)| *format == Format::N8) {
            formats.retain(|(format, ..)| !with_parity(*format));
        }
    }
    formats.sort_by(|a, b| b.1.total_cmp(&a.1));
    let best = formats.first().map_or(0.0, |f| f.1);
    let total: f64 = formats.iter().map(|f| (f.1 - best).exp()).sum();
    let unexplained = formats.first().map_or(words.len(), |f| f.2);
    let formats = formats.into_iter().map(|f| (f.0, (f.1 - best).exp() / total)).collect();
    Reading { formats, characters: words.len(), unexplained }
}

fn is_allowed(format: Format, allowed: &[Format]) -> bool {
    allowed.is_empty() || allowed.iter().any(|a| *a == format || alike_by_stop(*a, format))
}

fn alike_by_stop(a: Format, b: Format) -> bool {
    (a.data, a.parity) == (b.data, b.parity)
}

/// Whether the port's reports can tell a parity bit from none.
fn told_apart(errors: LineErrors) -> bool {
    matches!(errors, LineErrors::PerByte | LineErrors::Packet)
}

/// Log-likelihood of the words, and how many the format leaves unexplained.
fn fit(words: &[Word], errors: LineErrors, shape: &Shape) -> (f64, usize) {
    let (good, spoiled) = ((1.0 - SPOILED).ln(), SPOILED.ln());
    let mut log = 0.0;
    let mut unexplained = 0;
    let mut seen = [false; 256];
    let mut start = 0;
    while start < words.len() {
        // Per byte a run is one character; where a flag belongs to a packet, all flagged neighbours share it.
        let shared = errors == LineErrors::Packet && words[start].bad;
        let end = if shared {
            words[start..].iter().position(|word| !word.bad).map_or(words.len(), |length| start + length)
        } else {
            start + 1
        };
        let run = &words[start..end];
        let impossible = run.iter().filter(|word| (shape.expected)(word.byte).is_none()).count();
        let flags_fit = match errors {
            LineErrors::PerByte => (shape.expected)(run[0].byte) != Some(run[0].bad),
            LineErrors::Packet if shared => run.iter().any(|word| (shape.expected)(word.byte) == Some(false)),
            LineErrors::Packet => (shape.expected)(run[0].byte) != Some(false),
            LineErrors::Counter | LineErrors::Never => true,
        };
        for word in run {
            // A byte that comes again says nothing new about which bytes can come.
            if (shape.expected)(word.byte).is_some()
                && !std::mem::replace(&mut seen[usize::from(word.byte)], true)
            {
                log += f64::from(shape.narrower) * std::f64::consts::LN_2;
            }
        }
        if impossible == 0 && flags_fit {
            log += run.len() as f64 * good;
        } else {
            let wrong = impossible.max(if flags_fit {
                0
            } else if shared {
                run.len()
            } else {
                1
            });
            log += wrong as f64 * spoiled + (run.len() - wrong) as f64 * good;
            unexplained += wrong;
        }
        start = end;
    }
    (log, unexplained)
}

/// Formats that cannot be told from this one by listening.
pub fn alike(format: Format, errors: LineErrors) -> Vec<Format> {
    let stop = if format.stop == StopBits::Two { StopBits::One } else { StopBits::Two };
    let mut alike = vec![Format { stop, ..format }];
    if format.data == DataBits::Eight && format.parity == Parity::None {
        alike.push(Format { parity: Parity::Mark, ..format });
        if !told_apart(errors) {
            alike.extend([Format::E8, Format::O8]);
        }
    }
    if format == (Format { data: DataBits::Seven, parity: Parity::None, stop: StopBits::Two }) {
        alike.push(Format { parity: Parity::Mark, stop: StopBits::One, ..format });
    }
    alike
}

/// Why this format.
pub fn evidence(words: &[Word], reading: &Reading) -> Option<Evidence> {
    let words = &words[words.len().saturating_sub(reading.characters)..];
    let even = reading.best().parity == Parity::Even;
    let flagged = words.iter().filter(|word| word.bad).count();
    let characters = words.len();
    match (reading.best().data, reading.best().parity) {
        (DataBits::Eight, Parity::Even | Parity::Odd) => {
            Some(Evidence::ParityByFraming { even, flagged, characters })
        }
        (DataBits::Seven, Parity::Even | Parity::Odd) => {
            let mut bytes: Vec<u8> = words.iter().map(|word| word.byte).collect();
            bytes.sort_unstable();
            bytes.dedup();
            let by_chance = 0.5f64.powi(bytes.len() as i32);
            Some(Evidence::ParityInBit7 { even, characters, by_chance })
        }
        (DataBits::Seven, Parity::None) => Some(Evidence::Bit7AlwaysMark { characters }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{Baud, Instant, Settings};
    use crate::wire::{Channel, Drift, Noise};

    fn heard(format: Format, text: &[u8]) -> Vec<Word> {
        let sender = Settings::new(Baud::nearest(9600.0), format);
        let receiver = sender.with_format(Format::N8);
        let drift = Drift { skew: 0.008, jitter: 0.01, late_mark: 0.0 };
        let mut channel = Channel::new(sender, drift, Noise::none(), receiver, 5);
        let end = channel.send(text, Instant::from_secs(0.01));
        channel.receive(end).iter().filter_map(Word::of).collect()
    }

    const TEXT: &[u8] = b"rst cause:2, boot mode:(3,6)\r\n";

    #[test]
    fn each_format_is_read_from_what_an_8n1_receiver_gets() {
        for format in [Format::N8, Format::E8, Format::O8, Format::E7] {
            let reading = read(&heard(format, TEXT), LineErrors::PerByte, &[]);
            assert_eq!(reading.best(), format);
            assert!(reading.confirms() && reading.formats[0].1 > 0.99, "{format}: {reading:?}");
        }
        assert!(alike(Format::N8, LineErrors::PerByte).contains(&Format::N8_2));
    }

    #[test]
    fn without_reports_eight_bits_with_parity_are_alike_but_seven_are_told() {
        let deaf = |words: Vec<Word>| words.into_iter().map(|w| Word { bad: false, ..w }).collect::<Vec<_>>();
        assert_eq!(read(&deaf(heard(Format::E8, TEXT)), LineErrors::Never, &[]).best(), Format::N8);
        assert!(alike(Format::N8, LineErrors::Never).contains(&Format::E8));
        assert_eq!(read(&deaf(heard(Format::E7, TEXT)), LineErrors::Never, &[]).best(), Format::E7);
    }

    #[test]
    fn one_byte_again_and_again_does_not_prove_parity() {
        let reading = read(&heard(Format::N8, &[0x55; 20]), LineErrors::PerByte, &[]);
        assert_eq!(reading.best(), Format::N8);
    }

    #[test]
    fn one_spoiled_character_of_twenty_does_not_refute() {
        let mut words = heard(Format::N8, TEXT);
        words[14].bad = true;
        assert!(read(&words, LineErrors::PerByte, &[]).confirms());
        words.iter_mut().step_by(3).for_each(|word| word.bad = true);
        assert!(!read(&words, LineErrors::PerByte, &[]).confirms());
    }
}
