//! What is coloured how. A page always carries colours; the terminal's side takes them out where they are not wanted.

use anstyle::{AnsiColor, Color, Style};

const fn color(color: AnsiColor) -> Style {
    Style::new().fg_color(Some(Color::Ansi(color)))
}

/// What went well: a verified rate, a valid frame.
pub const GOOD: Style = color(AnsiColor::Green);
/// What is likely, not certain.
pub const WARN: Style = color(AnsiColor::Yellow);
/// What went wrong.
pub const BAD: Style = color(AnsiColor::Red);
/// The thing itself, among words about it.
pub const STRONG: Style = Style::new().bold();
/// Heads of columns and parts.
pub const HEAD: Style = Style::new().bold().underline();
/// What is there for completeness.
pub const FAINT: Style = Style::new().dimmed();
/// Something to type.
pub const COMMAND: Style = color(AnsiColor::Cyan);
