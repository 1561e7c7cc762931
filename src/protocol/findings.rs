//! Gathers what is wrong in one file while it is read and checked, and gives it its lines and columns in the end.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::frame::{self, nearest};

use super::mistake::{Mistake, Severity};
use super::source_text::SourceText;
use super::string_place::place_in_string;

/// Nobody reads more of one file, and drawing each costs the length of the file.
const MOST: usize = 100;
/// Beyond so many, no right spelling is looked for: a file of nothing but mistakes must not take minutes.
const MOST_SPELLED: usize = 300;
const MOST_CANDIDATES: usize = 2000;

const NOT_TOML: &str = "not TOML: ";

/// What was found wrong so far.
#[derive(Debug)]
pub(super) struct Findings<'a> {
    file: &'a str,
    text: &'a str,
    list: Vec<Found>,
    errors: usize,
    /// The file is no TOML: names may be missing because their lines could not be read, which is not told.
    pub(super) is_broken: bool,
    /// The lines that are no TOML: where they begin, and end.
    broken: BTreeMap<usize, usize>,
}

/// Something found, to which its remedy may be added.
#[derive(Debug)]
pub(super) struct Found {
    severity: Severity,
    range: Range<usize>,
    says: String,
    help: Option<String>,
    /// Whether a right spelling is worth looking for.
    is_spelled: bool,
}

impl Found {
    pub(super) fn help(&mut self, help: impl Into<String>) {
        self.help = Some(help.into());
    }

    /// Asks "did you mean …?" when one of `known` is near to `word`.
    pub(super) fn did_you_mean<'k>(&mut self, word: &str, known: impl IntoIterator<Item = &'k str>) {
        if !self.is_spelled {
            return;
        }
        if let Some(meant) = nearest(word, known.into_iter().take(MOST_CANDIDATES)) {
            self.help(format!("did you mean `{meant}`?"));
        }
    }
}

impl<'a> Findings<'a> {
    pub(super) fn new(file: &'a str, text: &'a str) -> Findings<'a> {
        Findings { file, text, list: Vec::new(), errors: 0, is_broken: false, broken: BTreeMap::new() }
    }

    pub(super) fn error(&mut self, range: Range<usize>, says: impl Into<String>) -> &mut Found {
        self.add(Severity::Error, range, says.into())
    }

    /// A place where TOML's own reader lost its way, and what it says.
    ///
    /// One such mistake makes it see others up to the next header, so only the first of a line is told, and nothing else of that line.
    pub(super) fn not_toml(&mut self, range: Range<usize>, says: &str) {
        self.is_broken = true;
        if self.is_on_broken_line(range.start) {
            return;
        }
        let (before, behind) = self.text.as_bytes().split_at(range.start.min(self.text.len()));
        let from = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let to = behind.iter().position(|byte| *byte == b'\n').unwrap_or(behind.len()) + before.len();
        self.broken.insert(from, to);
        self.error(range, format!("{NOT_TOML}{says}"));
    }

    fn is_on_broken_line(&self, place: usize) -> bool {
        self.broken.range(..=place).next_back().is_some_and(|(_, end)| place <= *end)
    }

    pub(super) fn warning(&mut self, range: Range<usize>, says: impl Into<String>) -> &mut Found {
        self.add(Severity::Warning, range, says.into())
    }

    /// A mistake in the value of the string that is written at `string`.
    pub(super) fn inside(&mut self, string: &Range<usize>, mistake: frame::Mistake) {
        let range = self.place(string, mistake.at);
        self.error(range, mistake.says).help = mistake.help;
    }

    /// Where `at` in the value of the string that is written at `string` stands in the file.
    pub(super) fn place(&self, string: &Range<usize>, at: frame::At) -> Range<usize> {
        place_in_string(self.text, string, at.from as usize, at.to as usize)
    }

    /// How many errors were found so far.
    pub(super) fn errors(&self) -> usize {
        self.errors
    }

    fn add(&mut self, severity: Severity, range: Range<usize>, says: String) -> &mut Found {
        self.errors += usize::from(severity == Severity::Error);
        let is_spelled = self.list.len() < MOST_SPELLED;
        self.list.push(Found { severity, range, says, help: None, is_spelled });
        let last = self.list.len() - 1;
        &mut self.list[last]
    }

    /// Everything found, in the order of the file, errors before warnings of the same place.
    pub(super) fn finish(mut self) -> Vec<Mistake> {
        let mut list = std::mem::take(&mut self.list);
        list.retain(|found| found.says.starts_with(NOT_TOML) || !self.is_on_broken_line(found.range.start));
        self.list = list;
        let key = |found: &Found| (found.range.start, found.severity, found.range.end);
        // A part that is read twice has its mistakes told once.
        self.list.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.says.cmp(&b.says)));
        self.list.dedup_by(|a, b| a.range == b.range && a.says == b.says);
        let left_out = self.list.len().saturating_sub(MOST);
        self.list.truncate(MOST);
        if self.list.is_empty() {
            return Vec::new();
        }
        let source = Arc::new(SourceText { name: self.file.to_string(), text: self.text.to_string() });
        let mut lines = Lines { text: self.text, at: 0, line: 1, line_start: 0 };
        let mut mistakes: Vec<Mistake> = self
            .list
            .into_iter()
            .map(|Found { severity, range, says, help, .. }| {
                let (line, column) = lines.of(range.start);
                Mistake { severity, line, column, range, says, help, source: source.clone() }
            })
            .collect();
        if let Some(last) = mistakes.last_mut().filter(|_| left_out > 0) {
            last.says += &format!(" (and {left_out} more mistakes behind it)");
        }
        mistakes
    }
}

/// Lines and columns of places that come in order.
struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    line_start: usize,
}

impl Lines<'_> {
    fn of(&mut self, place: usize) -> (usize, usize) {
        let mut place = place.min(self.text.len());
        while !self.text.is_char_boundary(place) {
            place -= 1;
        }
        let passed = &self.text[self.at..place];
        self.line += passed.matches('\n').count();
        if let Some(newline) = passed.rfind('\n') {
            self.line_start = self.at + newline + 1;
        }
        self.at = place;
        (self.line, self.text[self.line_start..place].chars().count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_comes_in_the_order_of_the_file_with_line_and_column() {
        let text = "first = 1\nsecond = \"é wrong\"\n";
        let mut found = Findings::new("t.toml", text);
        found.warning(0..5, "later");
        found.inside(
            &(19..29),
            frame::Mistake { at: frame::At { from: 3, to: 8 }, says: "unknown `wrong`".into(), help: None },
        );
        found.error(0..5, "sooner").did_you_mean("frist", ["first", "second"]);
        let lines: Vec<String> = found.finish().iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "t.toml:1:1: sooner; did you mean `first`?",
                "t.toml:1:1: warning: later",
                "t.toml:2:13: unknown `wrong`",
            ]
        );
    }

    #[test]
    fn more_mistakes_than_anybody_reads_are_counted() {
        let text = "x".repeat(1000);
        let mut found = Findings::new("t.toml", &text);
        (0..150).for_each(|at| {
            found.error(at..at + 1, "wrong");
        });
        let list = found.finish();
        assert_eq!(list.len(), MOST);
        assert_eq!(list[MOST - 1].says, "wrong (and 50 more mistakes behind it)");
    }
}
