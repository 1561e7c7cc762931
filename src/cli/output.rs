//! Where results go: standard output, with colours or without, as text or JSON. A reader that has gone away is no failure.

use std::cell::Cell;
use std::ffi::OsString;
use std::io::{self, ErrorKind, IsTerminal, Write};

use anstream::AutoStream;
use anstream::adapter::strip_str;
use clap::ColorChoice;

use super::failure::{Exit, Failure};
use crate::report::{ErrorFace, Page, Report, json_line, json_text};

/// Standard output and standard error of the process.
pub struct Output {
    color: ColorChoice,
    pub json: bool,
    /// Whoever read standard output has gone away.
    closed: Cell<bool>,
}

/// The choice of `--color` before the arguments are read as a whole.
pub fn color_choice(given: &[OsString]) -> ColorChoice {
    let mut texts = given.iter().filter_map(|argument| argument.to_str());
    while let Some(text) = texts.next() {
        let value = match text.strip_prefix("--color") {
            Some("") => texts.next(),
            Some(value) => value.strip_prefix('='),
            None => continue,
        };
        match value {
            Some("always") => return ColorChoice::Always,
            Some("never") => return ColorChoice::Never,
            _ => {}
        }
    }
    ColorChoice::Auto
}

impl Output {
    pub fn new(color: ColorChoice, json: bool) -> Output {
        Output { color, json, closed: Cell::new(false) }
    }

    /// Shows a whole result.
    pub fn show<R: Report>(&self, report: &R) -> Result<(), Failure> {
        if self.json {
            return self.write(&(json_text(report) + "\n"));
        }
        let mut page = Page::new(width());
        report.text(&mut page);
        self.write(&page.into_text())
    }

    /// Shows what there is of a result, and then tells people what ended it, if something went wrong.
    pub fn partial<R: Report>(&self, report: &R, error: Option<&ErrorFace>) -> Result<(), Failure> {
        self.show(report)?;
        if let Some(error) = error {
            self.error(error);
        }
        Ok(())
    }

    /// Shows one of many results that come one after another: in JSON, one line each.
    pub fn show_next<R: Report>(&self, report: &R) -> Result<(), Failure> {
        if self.json {
            return self.write(&(json_line(report) + "\n"));
        }
        self.show(report)
    }

    /// Writes text that is already what it should be.
    pub fn write(&self, text: &str) -> Result<(), Failure> {
        if self.closed.get() {
            return Ok(());
        }
        let mut to = io::stdout().lock();
        let choice = match self.choice() {
            anstream::ColorChoice::Auto => AutoStream::choice(&to),
            choice => choice,
        };
        let written = if choice == anstream::ColorChoice::Never {
            // A stream that strips writes each piece between two codes by itself.
            to.write_all(strip_str(text).to_string().as_bytes())
        } else {
            AutoStream::new(&mut to, choice).write_all(text.as_bytes())
        };
        match written.and_then(|()| to.flush()) {
            Err(error) if reader_gone(&error) => {
                self.closed.set(true);
                Ok(())
            }
            other => other.map_err(Failure::Output),
        }
    }

    /// Whether nobody reads any more: what would go on for ever may end.
    pub fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Says something beside the result, on standard error.
    pub fn note(&self, text: &str) {
        let mut to = AutoStream::new(io::stderr().lock(), self.choice());
        let _ = writeln!(to, "{text}"); // there is nowhere left to tell it
    }

    /// Whether progress can be shown.
    pub fn progress(&self) -> bool {
        io::stderr().is_terminal()
    }

    /// Tells a failure: to people on standard error, to programs as an object on standard output.
    pub fn failure(&self, failure: &Failure) -> Exit {
        let face = failure.face();
        match failure {
            Failure::Table(mistakes) => self.note(mistakes.render(true).trim_end()),
            _ => self.error(&face),
        }
        if self.json && !matches!(failure, Failure::Output(_)) {
            let _ = self.show(&face); // told above already
        }
        failure.exit()
    }

    /// Tells an error to people.
    pub fn error(&self, face: &ErrorFace) {
        let mut page = Page::new(width());
        face.text(&mut page);
        self.note(page.into_text().trim_end());
    }

    /// What clap has to say: help and version are answers, everything else is wrong usage.
    pub fn usage(&self, error: &clap::Error) -> Exit {
        let asked = !error.use_stderr();
        let text = error.render().ansi().to_string();
        if asked {
            return match self.write(&text) {
                Ok(()) => Exit::Yes,
                Err(failure) => self.failure(&failure),
            };
        }
        self.note(text.trim_end());
        if self.json {
            let message = error.render().to_string();
            let lines = message.lines().take_while(|line| !line.trim().is_empty()).map(str::trim);
            let message = lines.collect::<Vec<_>>().join(" ").trim_start_matches("error: ").into();
            let next = Some("`hsdiag --help` lists the commands and their options".into());
            let _ = self.show(&ErrorFace { message, next, exit: Exit::Usage as u8 }); // told above already
        }
        Exit::Usage
    }

    fn choice(&self) -> anstream::ColorChoice {
        match self.color {
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
            ColorChoice::Auto => anstream::ColorChoice::Auto,
        }
    }
}

/// Whether whoever read a pipe has gone away. Windows has a code for it that the standard library does not know
/// (ERROR_PIPE_NOT_CONNECTED).
fn reader_gone(error: &io::Error) -> bool {
    error.kind() == ErrorKind::BrokenPipe || (cfg!(windows) && error.raw_os_error() == Some(233))
}

/// Characters in a line of the terminal; what is not a terminal gets lines that fit most.
fn width() -> usize {
    terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_of_colour_is_known_before_the_arguments_are_read() {
        let choice = |text: &str| color_choice(&text.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(choice("hsdiag --color never ports"), ColorChoice::Never);
        assert_eq!(choice("hsdiag ports --color=always"), ColorChoice::Always);
        assert_eq!(choice("hsdiag ports --color purple"), ColorChoice::Auto);
    }
}
