//! What a table knows of frames that failed: whether one bit the other way would make them healthy (then bits were changed, and nothing
//! was lost), and by which frames its device refuses.

use std::collections::VecDeque;

use crate::frame::Name;
use crate::line::Direction;
use crate::machine::{Item, ItemKind, Part, Vocabulary};
use crate::protocol::{FrameId, Table};

/// Damaged frames that are tried, each as at most so many frames of the table, and the longest that is.
const MOST_ITEMS: usize = 8;
const MOST_FRAMES: usize = 2;
const LONGEST: usize = 40;

/// Of the newest damaged frames, how many one bit would mend, and how many were tried.
pub fn mended(vocabulary: &Vocabulary, items: &VecDeque<Item>) -> (usize, usize) {
    let tried = items
        .iter()
        .rev()
        .filter(|item| item.direction == Direction::Rx && (2..=LONGEST).contains(&item.bytes.len()))
        .filter_map(|item| Some((item, meant(vocabulary.table(), item)?)))
        .take(MOST_ITEMS);
    tried.fold((0, 0), |(mended, tried), (item, frames)| {
        let mends = frames.iter().any(|frame| mends(vocabulary, *frame, &item.bytes));
        (mended + usize::from(mends), tried + 1)
    })
}

/// Frames by which a device of this protocol refuses.
pub fn refusals(table: &Table) -> Vec<Name> {
    let frames = table.refusals.frames.iter().filter_map(|frame| table.frames.get(frame.0));
    frames.map(|frame| frame.name().clone()).collect()
}

/// The frames that a damaged item was meant to be; `None` for an item that is not damaged.
fn meant(table: &Table, item: &Item) -> Option<Vec<FrameId>> {
    let named = |name: &str| table.frames.iter().position(|frame| &**frame.name() == name).map(FrameId);
    let frames: Vec<FrameId> = match &item.kind {
        ItemKind::Frame(framed) if !framed.wrong.is_empty() && framed.part != Part::Foreign => {
            named(&framed.frame).into_iter().collect()
        }
        ItemKind::Unexpected(unexpected) => unexpected
            .expected
            .iter()
            .filter(|candidate| candidate.direction == Direction::Rx)
            .filter_map(|candidate| named(&candidate.frame))
            .take(MOST_FRAMES)
            .collect(),
        _ => Vec::new(),
    };
    (!frames.is_empty()).then_some(frames)
}

fn mends(vocabulary: &Vocabulary, frame: FrameId, bytes: &[u8]) -> bool {
    if vocabulary.is(frame, bytes) {
        return false; // a frame that takes in anything: there is nothing to mend
    }
    let mut bytes = bytes.to_vec();
    (0..bytes.len() * 8).any(|bit| {
        let (byte, mask) = (bit / 8, 1 << (bit % 8));
        bytes[byte] ^= mask;
        let healthy = vocabulary.is(frame, &bytes);
        bytes[byte] ^= mask;
        healthy
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::machine::Program;
    use crate::protocol::Registry;

    #[test]
    fn one_changed_bit_is_mended_and_a_lost_byte_is_not() {
        let table = Registry::shipped().get("modbus-rtu").expect("a shipped table");
        let frame = table.frames.iter().position(|frame| &**frame.name() == "exception").expect("a frame");
        let vocabulary = Vocabulary::of(&Arc::new(Program::compile(table)));
        assert!(mends(&vocabulary, FrameId(frame), &[0x01, 0x83, 0x02, 0xC0, 0xF5]));
        assert!(!mends(&vocabulary, FrameId(frame), &[0x01, 0x83, 0xC0, 0xF1]));
    }

    #[test]
    fn what_takes_in_any_bytes_is_not_mended() {
        let table = Registry::shipped().get("stm32").expect("a shipped table");
        let frame = table.frames.iter().position(|frame| &**frame.name() == "contents").expect("a frame");
        let vocabulary = Vocabulary::of(&Arc::new(Program::compile(table)));
        assert!(!mends(&vocabulary, FrameId(frame), &[0x86, 0xA6, 0xD7, 0x71]));
    }
}
