//! Where a part of a TOML string's value stands in the file: quotes, escapes and continued lines move it.

use std::ops::Range;

/// The place in `file` of the bytes `from..to` of the value of the string that is written at `string`, quotes and all.
///
/// What lies beyond the value is moved to its end.
pub(super) fn place_in_string(file: &str, string: &Range<usize>, from: usize, to: usize) -> Range<usize> {
    let raw = file.get(string.clone()).unwrap_or("");
    let characters = Characters::new(raw);
    let end_of_value = characters.end;
    let (mut start, mut end) = (None, None);
    for character in characters {
        if start.is_none() && from < character.value.end {
            start = Some(character.raw.start);
        }
        if to > from && to <= character.value.end {
            // Where this one ends, not where the next one begins: a continued line may lie between.
            end = Some(character.raw.end);
            break;
        }
        if to <= from && start.is_some() {
            break;
        }
    }
    let start = start.unwrap_or(end_of_value);
    let end = if to > from { end.unwrap_or(end_of_value) } else { start };
    string.start + start..string.start + end.max(start)
}

/// A character of the value, and where it is written.
struct Character {
    value: Range<usize>,
    raw: Range<usize>,
}

struct Characters<'a> {
    raw: &'a str,
    /// Where the value ends, before the closing quotes.
    end: usize,
    at: usize,
    value: usize,
    escapes: bool,
}

impl<'a> Characters<'a> {
    fn new(raw: &'a str) -> Characters<'a> {
        let quote = if raw.starts_with('\'') { "'" } else { "\"" };
        let triple = quote.repeat(3);
        let is_multi_line = raw.len() >= 6 && raw.starts_with(&triple) && raw.ends_with(&triple);
        let width = if is_multi_line { 3 } else { usize::from(raw.starts_with(quote)) };
        let end = if raw.len() >= 2 * width && width > 0 { raw.len() - width } else { raw.len() };
        let mut at = width.min(end);
        // A newline right behind the opening quotes is no part of the value.
        if is_multi_line {
            at += ["\r\n", "\n"]
                .iter()
                .find(|newline| raw[at..end].starts_with(**newline))
                .map_or(0, |n| n.len());
        }
        Characters { raw, end, at, value: 0, escapes: quote == "\"" }
    }

    /// How long the escape that begins `rest` is, and how many bytes it puts into the value.
    fn escape(rest: &str) -> (usize, usize) {
        let digits = match rest.as_bytes().get(1) {
            Some(b'x') => 2,
            Some(b'u') => 4,
            Some(b'U') => 8,
            Some(c) if c.is_ascii_whitespace() => {
                let continued = rest[1..].trim_start_matches([' ', '\t', '\r', '\n']);
                return (rest.len() - continued.len(), 0);
            }
            Some(_) => return (1 + rest[1..].chars().next().map_or(0, char::len_utf8), 1),
            None => return (1, 1),
        };
        let hex = rest.get(2..2 + digits).unwrap_or("");
        match u32::from_str_radix(hex, 16).ok().and_then(char::from_u32) {
            Some(c) => (2 + digits, c.len_utf8()),
            None => (2, 1),
        }
    }
}

impl Iterator for Characters<'_> {
    type Item = Character;

    fn next(&mut self) -> Option<Character> {
        loop {
            let rest = &self.raw[self.at..self.end.max(self.at)];
            let first = rest.chars().next()?;
            let (length, value) = match first {
                '\\' if self.escapes => Characters::escape(rest),
                c => (c.len_utf8(), c.len_utf8()),
            };
            let character =
                Character { value: self.value..self.value + value, raw: self.at..self.at + length };
            self.at += length;
            self.value += value;
            if value > 0 {
                return Some(character);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use toml::de::{DeTable, DeValue};

    /// The file text that belongs to each word of the value.
    fn words(file: &str) -> Vec<(String, String)> {
        let table = DeTable::parse(file).expect("TOML");
        let value = table.get_ref().values().next().expect("a value");
        let DeValue::String(text) = value.get_ref() else { panic!("no string") };
        text.split_whitespace()
            .map(|word| {
                let from = word.as_ptr() as usize - text.as_ptr() as usize;
                let place = place_in_string(file, &value.span(), from, from + word.len());
                (word.to_string(), file[place].to_string())
            })
            .collect()
    }

    fn assert_plain(file: &str) {
        let words = words(file);
        assert!(!words.is_empty());
        for (value, written) in words {
            assert_eq!(value, written, "{file}");
        }
    }

    #[test]
    fn words_of_every_kind_of_string_are_found_where_they_are_written() {
        assert_plain("key = \"one two\"");
        assert_plain("key = 'one two'");
        assert_plain("key = \"\"\"\n  one\n  two \"\"\"");
        assert_plain("key = '''\r\none\r\ntwo'''");
        assert_plain("key = \"\"\"one \\\n     two \\\n three\"\"\"");
        assert_plain("key = \"é one ü two\"");
    }

    #[test]
    fn an_escape_is_as_long_as_it_is_written() {
        let pair = |value: &str, written: &str| (value.to_string(), written.to_string());
        assert_eq!(words(r#"key = "\"OK\" x""#), [pair("\"OK\"", r#"\"OK\""#), pair("x", "x")]);
        assert_eq!(words(r#"key = "\U0001F600 c""#), [pair("😀", r"\U0001F600"), pair("c", "c")]);
        assert_eq!(words(r#"key = "\u0041b c""#), [pair("Ab", r"\u0041b"), pair("c", "c")]);
    }

    #[test]
    fn what_lies_beyond_is_moved_to_the_end() {
        let file = "key = \"ab\"";
        assert_eq!(place_in_string(file, &(6..10), 7, 9), 9..9);
        assert_eq!(place_in_string(file, &(6..10), 2, 2), 9..9);
        assert_eq!(place_in_string(file, &(6..10), 1, 1), 8..8);
        assert_eq!(place_in_string(file, &(6..100), 0, 1), 6..6);
    }
}
