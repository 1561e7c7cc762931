//! What the line reported, and which rules its faults and its bytes follow.

use crate::line::{DataBits, Fault, Format, LineErrors, Parity, Seen};
use crate::wire::single_pulse_bytes;

use super::super::evidence::Evidence;
use super::super::window::{Heard, Standing, Window};

/// The part of characters that may break a rule by chance without the rule being wrong.
const EXCEPTIONS: f64 = 0.02;

pub fn measure(window: &Window, evidence: &mut Evidence) {
    let received: Vec<&Heard> = window.received().collect();
    let bytes = received.iter().filter(|heard| heard.event.value().is_some()).count();
    reports(window.line_errors, evidence);
    evidence.number("received", (1.0 + received.len() as f64).ln() / 3.0);
    evidence.number("parity-checked", f64::from(u8::from(window.settings.format.parity != Parity::None)));

    let fault = |kinds: &[Fault]| {
        received.iter().filter(|heard| heard.event.fault.is_some_and(|fault| kinds.contains(&fault))).count()
    };
    let framing = [Fault::Framing, Fault::FramingOrParity];
    let any = [Fault::Framing, Fault::FramingOrParity, Fault::Parity];
    evidence.share("faults", fault(&any), received.len());
    evidence.share("framing", fault(&framing), received.len());
    evidence.share("parity", fault(&[Fault::Parity]), received.len());
    evidence.count("overruns", fault(&[Fault::Overrun]));
    evidence.count("breaks", received.iter().filter(|heard| heard.event.seen == Seen::Break).count());
    let healthy = received.iter().filter(|heard| heard.standing == Standing::Frame);
    let spoiled = healthy.clone().filter(|heard| is_fault(heard)).count();
    evidence.share("faults-in-frames", spoiled, healthy.count());
    let bad = received.iter().filter(|heard| heard.standing.is_bad());
    let bad_flagged = bad.clone().filter(|heard| is_fault(heard)).count();
    evidence.share("faults-in-unexplained", bad_flagged, bad.count());

    parity_rules(window, &received, evidence);
    weights(&received, bytes, evidence);
    pulses(&received, evidence);
}

fn reports(errors: LineErrors, evidence: &mut Evidence) {
    let is = |yes: bool| f64::from(u8::from(yes));
    evidence.number("tells-per-byte", is(errors == LineErrors::PerByte));
    evidence.number("tells-per-packet", is(errors == LineErrors::Packet));
    evidence.number("tells-never", is(matches!(errors, LineErrors::Never | LineErrors::Counter)));
}

/// The line reported that it is not as the format says.
pub(super) fn is_fault(heard: &Heard) -> bool {
    matches!(heard.event.fault, Some(Fault::Framing | Fault::FramingOrParity | Fault::Parity))
}

/// Faults exactly on the bytes of even weight, or exactly on those of odd weight: a parity bit that the receiver does not expect, a
/// stop bit where it expects parity, or the other parity.
fn parity_rules(window: &Window, received: &[&Heard], evidence: &mut Evidence) {
    let words: Vec<(bool, bool)> = received
        .iter()
        .filter_map(|heard| Some((heard.event.value()?.count_ones() % 2 == 0, is_fault(heard))))
        .collect();
    let told = window.line_errors == LineErrors::PerByte;
    let flagged = words.iter().filter(|word| word.1).count();
    let matches = |even: bool| words.iter().filter(|(is_even, bad)| *bad == (*is_even == even)).count();
    // Against faults that fall where they like, as often as they were seen.
    let share = (flagged as f64 + 0.5) / (words.len() as f64 + 1.0);
    let free = flagged as f64 * share.ln() + (words.len() - flagged) as f64 * (1.0 - share).ln();
    let mut best = f64::NEG_INFINITY;
    for (name, even) in [("faults-on-even", true), ("faults-on-odd", false)] {
        let held = matches(even);
        let log =
            held as f64 * (1.0 - EXCEPTIONS).ln() + (words.len() - held) as f64 * EXCEPTIONS.ln() - free;
        let usable = told && flagged > 0 && flagged < words.len();
        evidence.ratio(name, if usable { log } else { 0.0 }, held, words.len());
        best = best.max(if usable { log } else { 0.0 });
        if usable && log > 4.0 && evidence.details.sender_format.is_none() {
            evidence.details.sender_format = Some(sender_of(window.settings.format, even));
        }
    }
    // One of the two rules, or neither: in a sum what speaks against both would speak for one.
    evidence.ratio("faults-by-weight", best, 0, 0);
    let all = told && !words.is_empty() && flagged * 20 >= words.len() * 19;
    if all && window.settings.format.parity != Parity::None {
        let other = if window.settings.format.parity == Parity::Even { Parity::Odd } else { Parity::Even };
        evidence.details.sender_format = Some(Format { parity: other, ..window.settings.format });
    }
}

/// Which sender makes faults on even (odd) weights at a receiver of this format.
fn sender_of(receiver: Format, on_even: bool) -> Format {
    match receiver.parity {
        // The parity bit stands where the stop bit is expected: a 0 is a framing error.
        Parity::None => Format { parity: if on_even { Parity::Even } else { Parity::Odd }, ..receiver },
        // The stop bit stands where parity is expected.
        _ => Format { parity: Parity::None, ..receiver },
    }
}

/// Bit 7 as a parity bit, as a second stop bit, or never set.
fn weights(received: &[&Heard], bytes: usize, evidence: &mut Evidence) {
    let values = || received.iter().filter_map(|heard| heard.event.value());
    let rule = |holds: fn(u8) -> bool| values().filter(|byte| holds(*byte)).count();
    // By chance half of all bytes hold each of the rules.
    let log = |held: usize| {
        held as f64 * (2.0 * (1.0 - EXCEPTIONS)).ln() + (bytes - held) as f64 * (2.0 * EXCEPTIONS).ln()
    };
    let even = rule(|byte| byte.count_ones() % 2 == 0);
    let mark = rule(|byte| byte & 0x80 != 0);
    evidence.ratio("weights-same", log(even).max(log(bytes - even)), even.max(bytes - even), bytes);
    // As far from half of the bytes as they are, however many there are.
    let beyond = |held: usize| if bytes == 0 { 0.0 } else { 2.0 * held as f64 / bytes as f64 - 1.0 };
    evidence.number("weights-lean", beyond(even.max(bytes - even)));
    evidence.number("bit7-lean", beyond(mark));
    // Only where bit 7 really varies can it be parity.
    let varies = mark.min(bytes - mark) * 8 >= bytes && bytes >= 6;
    for (held, parity) in [(even, Parity::Even), (bytes - even, Parity::Odd)] {
        if varies && log(held) > 4.0 && evidence.details.sender_format.is_none() {
            let stop = crate::line::StopBits::One;
            evidence.details.sender_format = Some(Format { data: DataBits::Seven, parity, stop });
        }
    }
}

/// Bytes that one pulse on a resting line can make.
fn pulses(received: &[&Heard], evidence: &mut Evidence) {
    let family: Vec<u8> = single_pulse_bytes().collect();
    let bad: Vec<u8> = received
        .iter()
        .filter(|heard| heard.standing.is_bad())
        .map(|heard| heard.event.value().unwrap_or(0))
        .collect();
    let inside = bad.iter().filter(|byte| family.contains(byte)).count();
    let chance = family.len() as f64 / 256.0;
    let log =
        inside as f64 * (0.95 / chance).ln() + (bad.len() - inside) as f64 * (0.05 / (1.0 - chance)).ln();
    evidence.ratio("one-pulse", log, inside, bad.len());
    evidence.share("one-pulse-share", inside, bad.len());
    let mut values = [0usize; 256];
    bad.iter().for_each(|byte| values[usize::from(*byte)] += 1);
    let commonest = values.iter().copied().max().unwrap_or(0);
    evidence.share("unexplained-same", if bad.len() > 1 { commonest } else { 0 }, bad.len());
}
