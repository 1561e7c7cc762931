//! What a table knows of frames that failed: whether one bit the other way would make them healthy (then bits were changed, and nothing
//! was lost), and by which frames its device refuses.

use std::collections::VecDeque;

use crate::frame::{Frame, Name, Nothing, Outcome};
use crate::line::Direction;
use crate::machine::{Item, ItemKind, Part};
use crate::protocol::Table;

/// Damaged frames that are tried, each as at most so many frames of the table, and the longest that is.
const MOST_ITEMS: usize = 8;
const MOST_FRAMES: usize = 2;
const LONGEST: usize = 40;

/// Of the newest damaged frames, how many one bit would mend, and how many were tried.
pub fn mended(table: &Table, items: &VecDeque<Item>) -> (usize, usize) {
    let tried = items
        .iter()
        .rev()
        .filter(|item| item.direction == Direction::Rx && (2..=LONGEST).contains(&item.bytes.len()))
        .filter_map(|item| Some((item, meant(table, item)?)))
        .take(MOST_ITEMS);
    tried.fold((0, 0), |(mended, tried), (item, frames)| {
        let mends = frames.iter().any(|frame| mends(frame, &item.bytes));
        (mended + usize::from(mends), tried + 1)
    })
}

/// Frames by which a device of this protocol refuses.
pub fn refusals(table: &Table) -> Vec<Name> {
    let frames = table.refusals.frames.iter().filter_map(|frame| table.frames.get(frame.0));
    frames.map(|frame| frame.name().clone()).collect()
}

/// The frames that a damaged item was meant to be; `None` for an item that is not damaged.
fn meant<'a>(table: &'a Table, item: &Item) -> Option<Vec<&'a Frame>> {
    let named = |name: &str| table.frames.iter().find(|frame| &**frame.name() == name);
    let frames: Vec<&Frame> = match &item.kind {
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

fn mends(frame: &Frame, bytes: &[u8]) -> bool {
    let mut bytes = bytes.to_vec();
    (0..bytes.len() * 8).any(|bit| {
        let (byte, mask) = (bit / 8, 1 << (bit % 8));
        bytes[byte] ^= mask;
        let healthy = matches!(
            frame.parse(&bytes, true, &Nothing),
            Outcome::Complete(reading) if reading.len == bytes.len()
        );
        bytes[byte] ^= mask;
        healthy
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Registry;

    #[test]
    fn one_changed_bit_is_mended_and_a_lost_byte_is_not() {
        let table = Registry::shipped().get("modbus-rtu").expect("a shipped table");
        let frame = table.frames.iter().find(|frame| &**frame.name() == "exception").expect("a frame");
        assert!(mends(frame, &[0x01, 0x83, 0x02, 0xC0, 0xF5]));
        assert!(!mends(frame, &[0x01, 0x83, 0xC0, 0xF1]));
    }
}
