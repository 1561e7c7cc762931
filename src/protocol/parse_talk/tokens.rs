//! What all steps of a talk are read with: words, names, numbers, lists, and the way back to a step behind a mistake.

use crate::frame::{At, Mistake, Name, Scanner};

/// More mistakes in one talk help nobody.
pub(super) const MOST_MISTAKES: usize = 20;

/// A talk that is being read, and what was wrong with it so far.
pub(super) struct Tokens<'a> {
    pub(super) scan: Scanner<'a>,
    pub(super) mistakes: Vec<Mistake>,
    /// Groups around the place that is read.
    pub(super) depth: u32,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Tokens<'a> {
        Tokens { scan: Scanner::new(text), mistakes: Vec::new(), depth: 0 }
    }
}

impl Tokens<'_> {
    /// Items with commas between them, up to and with `end`.
    pub(super) fn list<T>(
        &mut self,
        end: &str,
        mut item: impl FnMut(&mut Self) -> Result<T, Mistake>,
    ) -> Result<Vec<T>, Mistake> {
        let mut list = Vec::new();
        if self.scan.take(end) {
            return Ok(list);
        }
        loop {
            list.push(item(self)?);
            if self.scan.take(end) {
                return Ok(list);
            }
            if !self.scan.take(",") {
                return Err(self.scan.expected(&format!("`,` or `{end}`")));
            }
        }
    }

    pub(super) fn close<T>(&mut self, end: &str, inner: T) -> Result<T, Mistake> {
        if self.scan.take(end) { Ok(inner) } else { Err(self.scan.expected(&format!("`{end}`"))) }
    }

    pub(super) fn word(&mut self, word: &str) -> Result<(), Mistake> {
        if self.scan.take(word) { Ok(()) } else { Err(self.scan.expected(&format!("`{word}`"))) }
    }

    pub(super) fn name(&mut self, what: &str) -> Result<(Name, At), Mistake> {
        self.scan.name().ok_or_else(|| self.scan.expected(what))
    }

    /// Takes `=`, but not the beginning of `==`.
    pub(super) fn takes_equals(&mut self) -> bool {
        !self.scan.rest().starts_with("==") && self.scan.take("=")
    }

    pub(super) fn number(&mut self, most: u64) -> Result<u64, Mistake> {
        let from = self.scan.at();
        let rest = self.scan.rest();
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let word = &rest[..length];
        if !word.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(self.scan.expected("a number"));
        }
        let number = match word.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => word.parse(),
        };
        self.scan.advance(length);
        match number {
            Ok(number) if number <= most => Ok(number),
            _ => Err(mistake(
                self.scan.since(from),
                format!("expected a number of at most {most}, found `{word}`"),
            )),
        }
    }

    /// Behind a mistake inside brackets, goes on behind the closing one, so that the next step is read as one.
    pub(super) fn or_skip<T>(&mut self, opened: char, read: Result<T, Mistake>) -> Result<T, Mistake> {
        if read.is_err() {
            let closes = match opened {
                '(' => ')',
                '[' => ']',
                _ => '}',
            };
            self.skip_past(opened, closes);
        }
        read
    }

    /// The same, and goes on with what can be had: nothing.
    pub(super) fn or_told<T: Default>(&mut self, opened: char, read: Result<T, Mistake>) -> T {
        self.or_skip(opened, read).unwrap_or_else(|mistake| {
            self.mistakes.push(mistake);
            T::default()
        })
    }

    pub(super) fn skip_past(&mut self, opens: char, closes: char) {
        let (mut depth, mut quoted) = (1_u32, false);
        let rest = self.scan.rest();
        let end = rest.char_indices().find(|&(_, c)| {
            quoted ^= c == '"';
            if !quoted {
                depth += u32::from(c == opens);
                depth -= u32::from(c == closes);
            }
            depth == 0
        });
        self.scan.advance(end.map_or(rest.len(), |(at, c)| at + c.len_utf8()));
    }

    /// Goes to where the next step visibly begins: an arrow, a bracket, or the end of this group.
    pub(super) fn skip_to_step(&mut self) {
        let rest = self.scan.rest();
        let end = rest.find(['>', '<', '(', ')', '|', '[', '{', '@']).unwrap_or(rest.len());
        // A `->` begins before its `>`.
        let end = if rest[..end].ends_with('-') { end - 1 } else { end };
        self.scan.advance(end);
    }
}

pub(super) fn mistake(at: At, says: String) -> Mistake {
    Mistake { at, says, help: None }
}
