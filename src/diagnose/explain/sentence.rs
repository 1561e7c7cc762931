//! Numbers within a sentence that no tool is known by: `handshaking error: unexpected response 0x68`.

use super::question::Reading;

/// What a sentence says of bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sentence {
    /// Numbers that are told of, in their order, each once.
    pub told: Vec<Reading>,
    /// The byte that should have come: `expected 0x79`, `instead of 0x79`.
    pub expected: Option<u8>,
}

/// Behind these words stands what should have come.
const DUE: [&str; 6] = ["expected", "expecting", "expects", "wanted", "wants", "instead"];
/// Nobody explains more numbers of one sentence.
const MOST: usize = 8;

impl Sentence {
    pub(super) fn of(text: &str) -> Sentence {
        let mut sentence = Sentence::default();
        let mut due = false;
        for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '\\') {
            let Some(reading) = number(word) else {
                // `got 0x68, expected 0x79` and `expected 0x79, got 0x68`: the last such word counts.
                let word = word.to_ascii_lowercase();
                due |= DUE.contains(&&*word);
                due &= !matches!(&*word, "got" | "received" | "was" | "found" | "read" | "but");
                continue;
            };
            match reading.bytes[..] {
                [byte] if due => sentence.expected = Some(byte),
                _ if sentence.told.len() < MOST && !sentence.told.contains(&reading) => {
                    sentence.told.push(reading)
                }
                _ => {}
            }
            due = false;
        }
        sentence
    }
}

/// `0x68`, `68h`, `\x68`: what is written as hex beyond doubt.
fn number(word: &str) -> Option<Reading> {
    let marked = ["0x", "0X", "\\x"].iter().find_map(|mark| word.strip_prefix(mark));
    let counted =
        || word.strip_suffix(['h', 'H']).filter(|digits| digits.starts_with(|c: char| c.is_ascii_digit()));
    let digits = marked.or_else(counted)?.replace('_', "");
    let number = u64::from_str_radix(&digits, 16).ok()?;
    Some(Reading::of_hex(number, digits.len().div_ceil(2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<Vec<u8>>, Option<u8>) {
        let sentence = Sentence::of(text);
        (sentence.told.into_iter().map(|reading| reading.bytes).collect(), sentence.expected)
    }

    #[test]
    fn numbers_are_found_and_what_was_due_is_told_from_what_came() {
        assert_eq!(read("handshaking error: unexpected response 0x68"), (vec![vec![0x68]], None));
        for both in [
            "expected 0x79, got 0x68",
            "got 0x68 (expected 0x79)",
            "received 68h instead of 79h",
            "wrong ack: 0x68; expecting byte 0x79",
            "wanted \\x79 but read \\x68",
        ] {
            assert_eq!(read(both), (vec![vec![0x68]], Some(0x79)), "{both}");
        }
        assert_eq!(read("SCardTransmit failed: 0x80100068"), (vec![vec![0x80, 0x10, 0x00, 0x68]], None));
        assert_eq!(read("0x68 0x68 then 0x0B"), (vec![vec![0x68], vec![0x0B]], None));
        assert_eq!(read("no number: 0x, 68, each, 0xZZ, 0x11112222333344445"), (vec![], None));
    }
}
