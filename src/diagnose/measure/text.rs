//! Text where none was expected: an application, a shell, a boot banner.

use crate::line::Direction;
use crate::machine::ItemKind;
use crate::wire::single_pulse_bytes;

use super::super::evidence::Evidence;
use super::super::window::{Heard, Standing, Window, is_text};
use super::echo::echoes;

/// Bytes that make a text; fewer printable ones in a row are chance.
const ENOUGH: usize = 8;

pub fn measure(window: &Window, evidence: &mut Evidence) {
    // What comes back is no text of an application's.
    let strange = |heard: &Heard| {
        let standing = matches!(heard.standing, Standing::Unexpected | Standing::Open | Standing::Damaged);
        standing && heard.event.direction == Direction::Rx
    };
    let others = window.events.iter().zip(echoes(window)).filter(|(heard, own)| !own && strange(heard));
    let bad: Vec<u8> = others.filter_map(|(heard, _)| heard.event.value()).collect();
    let printable = bad.iter().filter(|byte| is_text(**byte)).count();
    let log = printable as f64 * (0.97f64 * 256.0 / 99.0).ln()
        + (bad.len() - printable) as f64 * (0.03f64 * 256.0 / 157.0).ln();
    evidence.ratio("text", if bad.len() >= 4 { log } else { 0.0 }, printable, bad.len());
    let runs = || bad.split(|byte| !is_text(*byte));
    let longest = runs().map(<[u8]>::len).max().unwrap_or(0);
    evidence.count("text-run", if longest >= ENOUGH { longest } else { 0 });
    let ends = bad.iter().filter(|byte| **byte == b'\n').count();
    evidence.count("text-lines", if longest >= ENOUGH { ends } else { 0 });
    evidence.count("text-with-pulses", pulses(&bad));
    let line = runs().filter(|run| run.len() >= ENOUGH).max_by_key(|run| run.len());
    evidence.details.text = line.map(|run| {
        let shown: String = run.iter().map(|byte| char::from(*byte)).collect();
        let shown = shown.trim().replace(['\r', '\n', '\t', '\x1b'], " ");
        shown.chars().take(60).collect()
    });
    banners(window, evidence);
}

/// Nothing but text, and more of it than chance.
pub(super) fn is_all_text(bytes: &[u8]) -> bool {
    bytes.len() >= ENOUGH && bytes.iter().all(|byte| is_text(*byte))
}

/// Bytes in a text, or at its ends, that are none of it and that one pulse can make.
fn pulses(bytes: &[u8]) -> usize {
    let pulse = |at: usize| {
        let near = [bytes.get(at.wrapping_sub(ENOUGH)..at), bytes.get(at + 1..at + 1 + ENOUGH)];
        single_pulse_bytes().any(|one| one == bytes[at]) && near.into_iter().flatten().any(is_all_text)
    };
    (0..bytes.len()).filter(|at| pulse(*at)).count()
}

/// Most of it is text, and a run of it is more than chance.
fn is_mostly_text(bytes: &[u8]) -> bool {
    let printable = bytes.iter().filter(|byte| is_text(**byte)).count();
    2 * printable >= bytes.len() && bytes.split(|byte| !is_text(*byte)).any(|run| run.len() >= ENOUGH)
}

/// What the tables' meanings say of unexpected bytes, and whether it came behind healthy frames.
fn banners(window: &Window, evidence: &mut Evidence) {
    let mut healthy = false;
    let (mut said, mut later) = (0, 0);
    for item in window.items().filter(|item| item.direction == Direction::Rx) {
        match &item.kind {
            ItemKind::Unexpected(unexpected) => {
                let means = !unexpected.said.is_empty();
                let text = is_mostly_text(&item.bytes);
                said += usize::from(means);
                later += usize::from(healthy && text);
            }
            ItemKind::Frame(framed) => healthy |= framed.wrong.is_empty(),
            _ => {}
        }
    }
    evidence.count("meanings", said);
    evidence.count("text-after-frames", later);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pulse_in_a_text_is_told_from_text_and_from_other_bytes() {
        assert_eq!(pulses(b"U-Boot 2023.01\xFE (Jan 16)\r\n"), 1);
        assert_eq!(pulses(b"U-Boot 2023.01\xFE"), 1);
        assert_eq!(pulses(b"U-Boot 2023.01\x68\x9A"), 0);
        assert_eq!(pulses(&[0xFE, 0x01, 0xFE]), 0);
    }

    #[test]
    fn a_banner_behind_half_a_frame_is_text_all_the_same() {
        assert!(is_mostly_text(b"\x82\xF1\x10U-Boot 2023.01\r\n"));
        assert!(!is_mostly_text(b"\x82\xF1\x10\x41\x0C\xD0"));
    }
}
