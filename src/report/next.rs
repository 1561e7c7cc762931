//! What to type next.

use serde::Serialize;

use super::Page;

/// A command, and what it is good for.
#[derive(Clone, Debug, Serialize)]
pub struct Next {
    pub command: String,
    pub why: String,
}

impl Next {
    pub fn new(command: impl Into<String>, why: &str) -> Next {
        Next { command: command.into(), why: why.into() }
    }

    /// The part of a page that ends it.
    pub fn write(next: &[Next], page: &mut Page) {
        if next.is_empty() {
            return;
        }
        page.head("Next");
        for next in next {
            page.command(&next.command);
            page.hanging("      ", 6, &next.why);
        }
    }
}
