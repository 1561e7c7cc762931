//! What is wrong in a table: where, what was found, what was expected, and what to do.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode};

use super::source_text::SourceText;

/// Whether a table can be used with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can, but probably does not do what was meant.
    Warning,
}

/// Something wrong in a table, at its place in the file.
#[derive(Clone, Debug)]
pub struct Mistake {
    pub severity: Severity,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// In bytes of the file.
    pub range: Range<usize>,
    /// "nothing in this frame is called `contrl`".
    pub says: String,
    /// "did you mean `control`?"
    pub help: Option<String>,
    pub(super) source: Arc<SourceText>,
}

/// A mistake with which a table can be used all the same.
pub type Warning = Mistake;

impl Mistake {
    /// The name that the file was read under.
    pub fn file(&self) -> &str {
        &self.source.name
    }
}

/// `mbus.toml:24:31: nothing in this frame is called `contrl`; did you mean `control`?`
impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_head(self, f)?;
        match &self.help {
            Some(help) => write!(f, "; {help}"),
            None => Ok(()),
        }
    }
}

fn write_head(mistake: &Mistake, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{}:{}:{}: ", mistake.file(), mistake.line, mistake.column)?;
    if mistake.severity == Severity::Warning {
        f.write_str("warning: ")?;
    }
    f.write_str(&mistake.says)
}

impl std::error::Error for Mistake {}

/// Everything wrong in one file, in the order of the file; at least one of them is an error.
#[derive(Clone, Debug)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    pub(super) fn new(list: Vec<Mistake>) -> Mistakes {
        Mistakes(list)
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Mistake> {
        self.0.iter()
    }

    /// For people: each with the lines of the file it stands in, and a caret.
    pub fn render(&self, colour: bool) -> String {
        self.0.iter().map(|mistake| mistake.render(colour)).collect()
    }
}

/// One line each.
impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, mistake) in self.0.iter().enumerate() {
            if nth > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

impl Mistake {
    /// For people: with the lines of the file it stands in, and a caret.
    pub fn render(&self, colour: bool) -> String {
        let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_wrap_lines(false);
        let mut rendered = String::new();
        match handler.render_report(&mut rendered, &Pictured(self)) {
            Ok(()) => rendered,
            // Only a writer that fails makes it fail, and a string does not.
            Err(fmt::Error) => format!("{self}\n"),
        }
    }
}

/// A mistake as miette draws it: the help stands on its own line below the picture.
#[derive(Debug)]
struct Pictured<'a>(&'a Mistake);

impl fmt::Display for Pictured<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_head(self.0, f)
    }
}

impl std::error::Error for Pictured<'_> {}

impl miette::Diagnostic for Pictured<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.0.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'h>(&'h self) -> Option<Box<dyn fmt::Display + 'h>> {
        self.0.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&*self.0.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new_with_span(None, self.0.range.clone());
        Some(Box::new(std::iter::once(label)))
    }
}
