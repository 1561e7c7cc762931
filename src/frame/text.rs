//! Names, places and mistakes: what every text of the table language has, be it a layout, a talk or an expression.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Where something stands in its text, in bytes: from, and one past the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct At {
    pub from: u32,
    pub to: u32,
}

/// The name of a field, frame, exchange, state or value; cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Name {
    pub fn new(text: &str) -> Name {
        Name(text.into())
    }
}

impl Deref for Name {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Name {
        Name::new(text)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Something wrong in a text of the table language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where, in the text that was read.
    pub at: At,
    /// What is wrong and what was expected: "nothing in this frame is called `contrl`".
    pub says: String,
    /// What to do: "did you mean `control`?".
    pub help: Option<String>,
}

/// Reads tokens of the table language from a text: layouts, talks and expressions share it.
///
/// Spaces and `#` comments are skipped before every token. Nothing here reads beyond what it takes.
#[derive(Clone, Debug)]
pub struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str) -> Scanner<'a> {
        Scanner { text, at: 0 }
    }

    /// The whole text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// Where the next token begins, after spaces and comments.
    pub fn at(&mut self) -> usize {
        self.skip_blank();
        self.at
    }

    /// What is left, from the next token on.
    pub fn rest(&mut self) -> &'a str {
        self.skip_blank();
        &self.text[self.at..]
    }

    /// What the next token begins with.
    pub fn next_byte(&mut self) -> Option<u8> {
        self.skip_blank();
        self.text.as_bytes().get(self.at).copied()
    }

    pub fn is_at_end(&mut self) -> bool {
        self.next_byte().is_none()
    }

    /// Whether the very next character (no blank between) is `c`: an argument's "(" touches its name.
    pub fn touches(&self, c: char) -> bool {
        self.text[self.at..].starts_with(c)
    }

    /// Takes `token` if it comes next. A word is only taken whole: `times` is not the beginning of `times_out`.
    pub fn take(&mut self, token: &str) -> bool {
        let (rest, token) = (self.rest().as_bytes(), token.as_bytes());
        // Most are asked for in vain.
        if rest.first() != token.first() || !rest.starts_with(token) {
            return false;
        }
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        if token.last().is_some_and(is_word) && rest.get(token.len()).is_some_and(is_word) {
            return false;
        }
        self.at += token.len();
        true
    }

    /// Moves on by `count` bytes, which the caller has seen in [`Scanner::rest`] and which end at a character's border.
    pub fn advance(&mut self, count: usize) {
        self.at += count;
    }

    /// A lower-case name.
    pub fn name(&mut self) -> Option<(Name, At)> {
        self.word().map(|(word, at)| (Name::new(word), at))
    }

    /// What is written like a name and only looked up, such as a type.
    pub fn word(&mut self) -> Option<(&'a str, At)> {
        let (from, rest) = (self.at(), self.rest());
        if !rest.as_bytes().first()?.is_ascii_lowercase() {
            return None;
        }
        let is_end = |byte: &u8| !matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        let length = rest.bytes().position(|byte| is_end(&byte)).unwrap_or(rest.len());
        self.at += length;
        Some((&rest[..length], self.since(from)))
    }

    /// The place from `from` to here.
    pub fn since(&self, from: usize) -> At {
        At { from: from as u32, to: self.at as u32 }
    }

    /// A mistake at the next token: what was found, what was expected.
    pub fn expected(&mut self, what: &str) -> Mistake {
        let from = self.at();
        let rest = &self.text[from..];
        let end = rest.find(|c: char| c.is_whitespace()).unwrap_or(rest.len()).max(1);
        let found: String = rest.chars().take(end.min(16)).collect();
        let says = if rest.is_empty() {
            format!("the text ends here; expected {what}")
        } else {
            format!("expected {what}, found `{found}`")
        };
        let width = rest.chars().next().map_or(0, char::len_utf8).max(found.len().min(rest.len()));
        Mistake { at: At { from: from as u32, to: (from + width) as u32 }, says, help: None }
    }

    #[inline]
    fn skip_blank(&mut self) {
        // Most tokens touch the one before, stand one space behind it, or the blank has been skipped already.
        while let Some(byte) = self.text.as_bytes().get(self.at) {
            match byte {
                b' ' | b'\n' => self.at += 1,
                b'#' => return self.skip_blank_here(),
                b'!'..=b'~' => return,
                _ => return self.skip_blank_here(),
            }
        }
    }

    #[cold]
    fn skip_blank_here(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with('#') {
                return;
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }
}
