//! Which question a reply answers, by what answered it elsewhere in the same conversation: its own, an earlier one, or somebody else's.

use std::collections::BTreeMap;

use crate::line::Direction;
use crate::machine::{Item, ItemKind, Part};

use super::super::evidence::Evidence;
use super::super::window::Window;

/// Replies shorter than this answer anything.
const LEAST: usize = 2;
/// Earlier questions that a late reply may answer.
const MOST_EARLIER: usize = 8;

pub fn measure(window: &Window, evidence: &mut Evidence) {
    let homes = homes(window);
    let mut count = Count::default();
    let mut asked: Vec<Asked<'_>> = Vec::new();
    let mut before: Option<&[u8]> = None;
    let mut stranger = false;
    for item in window.items().filter(|item| !item.bytes.is_empty()) {
        let bytes = &item.bytes[..];
        if item.direction == Direction::Tx {
            asked.push(Asked { bytes, answered: false });
            (before, stranger) = (None, false);
            continue;
        }
        let now = asked.last().map(|asked| asked.bytes);
        if is_due(item) {
            count.right_after += usize::from(stranger);
            stranger = false;
            if let Some(asked) = asked.last_mut() {
                asked.answered = true;
            }
        } else if bytes.len() >= LEAST && before == Some(bytes) {
            count.again += 1;
        } else if let Some(home) = homes.get(bytes).filter(|home| now.is_some_and(|now| !home.contains(&now)))
        {
            let late = asked.iter_mut().rev().skip(1).take(MOST_EARLIER);
            let late = late.into_iter().find(|asked| !asked.answered && home.contains(&asked.bytes));
            match late {
                Some(asked) => {
                    count.earlier += 1;
                    asked.answered = true;
                }
                None => count.another += 1,
            }
            stranger = true;
        }
        before = Some(bytes);
    }
    evidence.count("again-at-once", count.again);
    evidence.count("answers-earlier", count.earlier);
    evidence.count("answers-another", count.another);
    evidence.count("right-one-after", count.right_after);
}

#[derive(Default)]
struct Count {
    again: usize,
    earlier: usize,
    another: usize,
    right_after: usize,
}

struct Asked<'a> {
    bytes: &'a [u8],
    answered: bool,
}

/// A healthy frame in its place.
fn is_due(item: &Item) -> bool {
    matches!(&item.kind, ItemKind::Frame(framed) if framed.wrong.is_empty() && framed.part == Part::Expected)
}

/// For each reply that was in its place, the questions that it came right after.
fn homes(window: &Window) -> BTreeMap<&[u8], Vec<&[u8]>> {
    let mut homes: BTreeMap<&[u8], Vec<&[u8]>> = BTreeMap::new();
    let mut question: Option<&[u8]> = None;
    for item in window.items().filter(|item| !item.bytes.is_empty()) {
        match (item.direction, question.take()) {
            (Direction::Tx, _) => question = Some(&item.bytes),
            (Direction::Rx, Some(asked)) if is_due(item) && item.bytes.len() >= LEAST => {
                let home = homes.entry(&item.bytes).or_default();
                if !home.contains(&asked) {
                    home.push(asked);
                }
            }
            (Direction::Rx, _) => {}
        }
    }
    homes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::Journal;
    use crate::diagnose::measure::said::frame;
    use crate::line::{Baud, Format, Instant, LineErrors, Settings, Span};

    fn said(direction: Direction, bytes: &'static [u8], part: Part) -> Item {
        frame(direction, (Instant::ZERO, Instant::ZERO), bytes, part)
    }

    fn measured(said: Vec<Item>) -> [f64; 4] {
        let settings = Settings::new(Baud::nearest(9600.0), Format::N8);
        let mut journal = Journal::new(settings, LineErrors::PerByte, Span::ZERO, false);
        for item in said {
            journal.on_item(item);
        }
        let window = journal.window();
        let mut evidence = Evidence::default();
        measure(&window, &mut evidence);
        let of = |name| evidence.features.iter().find(|f| f.name == name).map_or(-1.0, |f| f.count as f64);
        [of("again-at-once"), of("answers-earlier"), of("answers-another"), of("right-one-after")]
    }

    fn ask(bytes: &'static [u8]) -> Item {
        said(Direction::Tx, bytes, Part::Expected)
    }

    fn due(bytes: &'static [u8]) -> Item {
        said(Direction::Rx, bytes, Part::Expected)
    }

    fn odd(bytes: &'static [u8]) -> Item {
        said(Direction::Rx, bytes, Part::Repeat)
    }

    #[test]
    fn a_reply_that_comes_twice_is_told_from_one_that_answers_another_question() {
        let known = || vec![ask(b"q1"), due(b"a1"), ask(b"q2"), due(b"a2")];
        let twice = [known(), vec![odd(b"a2")]].concat();
        assert_eq!(measured(twice), [1.0, 0.0, 0.0, 0.0]);
        let foreign = [known(), vec![ask(b"q2"), odd(b"a1"), due(b"a2")]].concat();
        assert_eq!(measured(foreign), [0.0, 0.0, 1.0, 1.0]);
        let late = [known(), vec![ask(b"q1"), ask(b"q2"), odd(b"a1")]].concat();
        assert_eq!(measured(late), [0.0, 1.0, 0.0, 0.0]);
    }
}
