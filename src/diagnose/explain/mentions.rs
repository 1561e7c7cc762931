//! Which tables are worth reading for a question: a look at their text, a hundred times quicker than to read them.

use memchr::memmem;

use super::question::{Asked, Question, Reading};

/// Whether the text of a table can have anything to say to the question. It may say yes too often, never no too often.
pub(super) fn mentions(table: &str, question: &Question) -> bool {
    is_dictionary_of_frames(table) || question.readings.iter().any(|reading| reads(table, reading))
}

/// Its frames may be bits alone, which no text shows.
fn is_dictionary_of_frames(table: &str) -> bool {
    table.contains("from = \"") && !table.contains("[exchanges]")
}

fn reads(table: &str, reading: &Reading) -> bool {
    if reading.asked == Asked::Text {
        return holds_words(table, &reading.bytes);
    }
    let Some(first) = reading.bytes.first() else { return false };
    // A checksum may hold a frame together that has no fixed byte at all.
    let may_be_a_frame = reading.bytes.len() > LONGEST_WORD;
    may_be_a_frame || has_number(table, &[u64::from(*first)], 2) || mentions_word(table, reading)
}

/// Words of up to so many bytes are numbers to most who ask; longer ones are frames.
pub(super) const LONGEST_WORD: usize = 4;

/// Whether the text of a table names the whole word, as a number or as bytes in a row.
pub(super) fn mentions_word(table: &str, reading: &Reading) -> bool {
    let bytes = &reading.bytes;
    let Some(number) = reading.number.filter(|_| bytes.len() > 1) else { return false };
    let swapped = bytes.iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    let row: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    is_dictionary_of_frames(table)
        || has_number(table, &[number, swapped], 2 * bytes.len())
        || table.contains(&row.join(" "))
        || (bytes.is_ascii() && holds_words(table, bytes))
}

/// The numbers as they may be written: in hex of so many digits or as few as will do, in decimal, or within a range.
fn has_number(table: &str, numbers: &[u64], digits: usize) -> bool {
    let written = |number: &u64| {
        let short = format!("{number:X}");
        let long = format!("{number:0digits$X}");
        [
            format!("0x{short}"),
            format!("0x{}", short.to_lowercase()),
            format!("0x{long}"),
            format!("0x{}", long.to_lowercase()),
            number.to_string(),
            long,
        ]
    };
    numbers.iter().flat_map(written).any(|token| has_token(table, &token)) || has_range(table, numbers)
}

/// The token on its own, outside of comments and vectors.
fn has_token(table: &str, token: &str) -> bool {
    let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let bytes = table.as_bytes();
    memmem::find_iter(bytes, token.as_bytes()).any(|at| {
        let alone = !is_word(at.checked_sub(1).and_then(|before| bytes.get(before)))
            && !is_word(bytes.get(at + token.len()));
        alone && !is_aside(table, at)
    })
}

/// In a comment, or in a piece of a real conversation.
fn is_aside(table: &str, at: usize) -> bool {
    let line = table[..at].rfind('\n').map_or(0, |end| end + 1);
    let header = table[..at].rfind("\n[").map_or("", |start| &table[start + 1..at]);
    table[line..at].trim_start().starts_with('#') || header.starts_with("[[vector]]")
}

/// `0x64..0x6F`, and `value = 0x61, to = 0x6F`, with one of the numbers in it.
fn has_range(table: &str, numbers: &[u64]) -> bool {
    let has = |low: Option<u64>, high: Option<u64>| {
        low.zip(high).is_some_and(|(low, high)| numbers.iter().any(|number| (low..=high).contains(number)))
    };
    let written = memmem::find_iter(table.as_bytes(), b"..")
        .any(|at| has(number_before(&table[..at]), number_at_start(&table[at + 2..])));
    written
        || memmem::find_iter(table.as_bytes(), b", to = ")
            .any(|at| has(number_before(&table[..at]), number_at_start(&table[at + 7..])))
}

fn number_at_start(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    number(&text[..end])
}

fn number_before(text: &str) -> Option<u64> {
    let start = text.rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
    number(text.get(start..)?)
}

fn number(word: &str) -> Option<u64> {
    match word.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => word.parse().ok(),
    }
}

/// Words as they are, in any case.
fn holds_words(table: &str, words: &[u8]) -> bool {
    let words = String::from_utf8_lossy(words).to_lowercase();
    words.len() > 1 && table.to_lowercase().contains(words.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "name = \"x\"\n[frames]\n# 99\nlong = \"68 n:u8 16\"\nsw = { like = \"s\", sw1 = [\"0x64..0x6F\"] }\n\
                         code = { value = 104 }\nrange = { value = 0x6C00, to = 0x6CFF, as = \"wrong Le\" }\n\
                         [[vector]]\nname = \"one\"\ntalk = \"> 77\"\n[device]\n";

    fn asks(question: &str) -> bool {
        mentions(TABLE, &Question::new(question))
    }

    #[test]
    fn bytes_numbers_ranges_and_words_are_found_and_comments_and_vectors_are_not() {
        for question in ["0x68", "104", "0x66", "16", "0x6C42", "wrong le", "68 16"] {
            assert!(asks(question), "{question}");
        }
        for question in ["0x99", "0x77", "0x22", "0x7D00", "flash"] {
            assert!(!asks(question), "{question}");
        }
    }
}
