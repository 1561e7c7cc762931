//! Answers to reset of some two thousand cards, as people have listed them.

use hsdiag::frame::Outcome;

use crate::decoded::Decoder;
use crate::shared_data::{bytes, hex};

/// What became of the listed answers.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    whole: usize,
    /// People listed what came behind as well, mostly status bytes.
    behind: usize,
    wrong: usize,
    short: usize,
}

#[test]
fn listed_answers_to_reset_decode_but_for_those_that_were_listed_wrong() {
    let Some(list) = bytes("atr/smartcard_list.txt") else { return };
    let list = String::from_utf8_lossy(&list).into_owned();
    let cards = Decoder::new("iso7816-t0");
    let is_byte = |word: &str| word.len() == 2 && word.bytes().all(|digit| digit.is_ascii_hexdigit());
    let is_answer = |line: &&str| line.starts_with("3B ") || line.starts_with("3F ");
    let whole = |line: &&str| line.split_whitespace().all(is_byte);
    let mut tally = Tally::default();
    for answer in list.lines().filter(is_answer).filter(whole).map(hex) {
        match cards.read("atr", &answer) {
            Outcome::Complete(reading) if reading.len == answer.len() => tally.whole += 1,
            Outcome::Complete(_) => tally.behind += 1,
            Outcome::Wrong(mismatch) if mismatch.expected.contains("tck") => tally.wrong += 1,
            Outcome::Wrong(_) | Outcome::More(_) => tally.short += 1,
        }
    }
    assert_eq!(tally, Tally { whole: 1855, behind: 17, wrong: 11, short: 16 });
}
