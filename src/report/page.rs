//! A page of text for a person: lines with colours, wrapped to a width.

use std::fmt::Display;

use super::paint::{COMMAND, HEAD};
use super::table::Table;

/// Text that grows line by line.
pub struct Page {
    text: String,
    width: usize,
}

impl Page {
    /// `width` is how many characters fit into a line.
    pub fn new(width: usize) -> Page {
        Page { text: String::new(), width: width.max(20) }
    }

    pub fn width(&self) -> usize {
        self.width
    }

    pub fn into_text(self) -> String {
        self.text
    }

    /// One line as it is, however long.
    pub fn line(&mut self, line: impl Display) {
        self.text.push_str(line.to_string().trim_end());
        self.text.push('\n');
    }

    pub fn blank(&mut self) {
        self.text.push('\n');
    }

    /// The head of a part, with an empty line before it.
    pub fn head(&mut self, head: &str) {
        if !self.text.is_empty() {
            self.blank();
        }
        self.line(format_args!("{HEAD}{head}{HEAD:#}"));
    }

    /// Words wrapped to the width.
    pub fn paragraph(&mut self, words: &str) {
        self.hanging("", 0, words);
    }

    /// One point of a list.
    pub fn point(&mut self, words: &str) {
        self.hanging("  - ", 4, words);
    }

    /// Words behind a lead that takes `indent` characters; further lines begin below the first word.
    pub fn hanging(&mut self, lead: &str, indent: usize, words: &str) {
        let room = self.width.saturating_sub(indent).max(10);
        for (place, line) in wrapped(words, room).iter().enumerate() {
            match place {
                0 => self.line(format_args!("{lead}{line}")),
                _ => self.line(format_args!("{:indent$}{line}", "")),
            }
        }
    }

    /// Something to type: never wrapped, so that it can be copied.
    pub fn command(&mut self, command: &str) {
        self.line(format_args!("  {COMMAND}{command}{COMMAND:#}"));
    }

    pub fn table(&mut self, table: &Table) {
        for line in table.lines(self.width) {
            self.line(line);
        }
    }
}

/// Lines of at most `room` characters, broken at spaces; a longer word gets a line of its own.
fn wrapped(words: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in words.lines() {
        let (mut line, mut length) = (String::new(), 0);
        for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
            let long = anstream::adapter::strip_str(word).to_string().chars().count(); // colours take no room
            if length > 0 && length + 1 + long > room {
                lines.push(std::mem::take(&mut line));
                length = 0;
            }
            if length > 0 {
                line.push(' ');
                length += 1;
            }
            line.push_str(word);
            length += long;
        }
        lines.push(line);
    }
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_broken_at_spaces_and_hang_below_their_first_word() {
        let mut page = Page::new(20);
        page.point("one two three four five and averyverylongwordindeed");
        assert_eq!(page.into_text(), "  - one two three\n    four five and\n    averyverylongwordindeed\n");
    }

    #[test]
    fn a_command_is_never_broken() {
        let mut page = Page::new(20);
        page.command("hsdiag monitor /dev/ttyUSB0 --baud 57600");
        assert!(page.into_text().contains("hsdiag monitor /dev/ttyUSB0 --baud 57600"));
    }
}
