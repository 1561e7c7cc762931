//! What a table knows of frames that failed: whether one bit the other way would make them healthy (then bits were changed, and nothing
//! was lost), and by which frames its device refuses.

use crate::frame::Name;
use crate::line::Direction;
use crate::machine::{Item, ItemKind, Part, Vocabulary};
use crate::protocol::{FrameId, Table};

/// Damaged frames that are tried, each as at most so many frames of the table, and the longest that is.
const MOST_ITEMS: usize = 8;
const MOST_FRAMES: usize = 2;
const LONGEST: usize = 40;
/// Pieces that are not what was due and whose sums are looked at.
const MOST_SUMMED: usize = 32;

/// Of the newest damaged frames, how many one bit would mend, and how many were tried.
pub fn mended<'i>(
    vocabulary: &Vocabulary,
    items: impl DoubleEndedIterator<Item = &'i Item>,
) -> (usize, usize) {
    let tried = items
        .rev()
        .filter(|item| item.direction == Direction::Rx && (2..=LONGEST).contains(&item.bytes.len()))
        .filter_map(|item| Some((item, meant(vocabulary.table(), item)?)))
        .take(MOST_ITEMS);
    tried.fold((0, 0), |(mended, tried), (item, frames)| {
        let mends = frames.iter().any(|frame| mends(vocabulary, *frame, &item.bytes));
        (mended + usize::from(mends), tried + 1)
    })
}

/// Of the newest pieces that are not what was due, how many have right sums all the same, so that they were sent as they came; and how many
/// were looked at. Only protocols whose frames have sums tell.
pub fn summed<'i>(
    vocabulary: &Vocabulary,
    items: impl DoubleEndedIterator<Item = &'i Item>,
) -> (usize, usize) {
    let sums_hold = |item: &Item| {
        let is_foreign = item.framed().is_some_and(|framed| framed.part == Part::Foreign);
        let frames = if is_foreign { Vec::new() } else { meant(vocabulary.table(), item)? };
        let sums = frames.iter().filter_map(|frame| vocabulary.sums_hold(*frame, &item.bytes));
        sums.reduce(|any, holds| any | holds).or(is_foreign.then_some(true))
    };
    let spoilt = items.rev().filter(|item| item.direction == Direction::Rx);
    let told = spoilt.filter_map(sums_hold).take(MOST_SUMMED);
    told.fold((0, 0), |(right, all), holds| (right + usize::from(holds), all + 1))
}

/// Frames by which a device of this protocol refuses.
pub fn refusals(table: &Table) -> Vec<Name> {
    let frames = table.refusals.frames.iter().filter_map(|frame| table.frames.get(frame.0));
    frames.map(|frame| frame.name().clone()).collect()
}

/// The frames that a damaged item was meant to be; `None` for an item that is not damaged.
fn meant(table: &Table, item: &Item) -> Option<Vec<FrameId>> {
    let frames: Vec<FrameId> = match &item.kind {
        ItemKind::Frame(framed) if !framed.wrong.is_empty() && framed.part != Part::Foreign => {
            named(table, &framed.frame).into_iter().collect()
        }
        ItemKind::Unexpected(unexpected) => unexpected
            .expected
            .iter()
            .filter(|candidate| candidate.direction == Direction::Rx)
            .filter_map(|candidate| named(table, &candidate.frame))
            .take(MOST_FRAMES)
            .collect(),
        _ => Vec::new(),
    };
    (!frames.is_empty()).then_some(frames)
}

fn named(table: &Table, name: &str) -> Option<FrameId> {
    table.frames.iter().position(|frame| &**frame.name() == name).map(FrameId)
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

    use crate::line::{Baud, Instant, LineEvent, Settings};
    use crate::machine::{Env, Observer, Program, Sides};
    use crate::protocol::Registry;

    /// Of the replies to a question for two registers that have something wrong, how many have right sums, and all.
    fn summed_of(reply: &[u8]) -> (usize, usize) {
        let table = Registry::shipped().get("modbus-rtu").expect("a shipped table");
        let settings = Settings::new(Baud::nearest(9600.0), table.line.format);
        let program = Arc::new(Program::compile(table));
        let mut observer = Observer::new(program.clone(), Sides::Both, settings, &Env::new());
        let question = [0x01, 0x03, 0x00, 0x21, 0x00, 0x02, 0x94, 0x01];
        let good = [0x01, 0x03, 0x04, 0x00, 0xC9, 0x01, 0x07, 0x6A, 0x5F];
        let mut now = Instant::ZERO;
        for (direction, bytes) in [
            (Direction::Tx, &question[..]),
            (Direction::Rx, &good),
            (Direction::Tx, &question),
            (Direction::Rx, reply),
        ] {
            now += settings.character_time() * 9;
            for byte in bytes {
                now += settings.character_time();
                observer.on_event(&LineEvent::byte(now, direction, *byte));
            }
        }
        observer.finish();
        summed(&Vocabulary::of(&program), observer.items().iter())
    }

    #[test]
    fn a_reply_to_another_question_has_a_right_sum_and_a_damaged_one_has_not() {
        assert_eq!(summed_of(&[0x01, 0x03, 0x04, 0x00, 0xC9, 0x01, 0x07, 0x6A, 0x5F]), (0, 0));
        assert_eq!(summed_of(&[0x01, 0x03, 0x04, 0x00, 0xC9, 0x25, 0x07, 0x6A, 0x5F]), (0, 1));
        // Three registers.
        let other = [0x01, 0x03, 0x06, 0x00, 0xC9, 0x01, 0x07, 0x00, 0x01, 0x8C, 0x98];
        assert_eq!(summed_of(&other), (1, 1));
    }

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
