//! The face for programs: one object with its schema's name first.

use serde::Serialize;

use super::Report;

#[derive(Serialize)]
struct Tagged<'a, R> {
    schema: &'static str,
    #[serde(flatten)]
    report: &'a R,
}

/// One object over several lines, for people who look at it.
pub fn json_text<R: Report>(report: &R) -> String {
    written(serde_json::to_string_pretty(&Tagged { schema: R::SCHEMA, report }))
}

/// One object on one line, for results that come one after another.
pub fn json_line<R: Report>(report: &R) -> String {
    written(serde_json::to_string(&Tagged { schema: R::SCHEMA, report }))
}

fn written(text: serde_json::Result<String>) -> String {
    // Reports have text keys and numbers that are checked; what else can go wrong is said where the object should be.
    text.unwrap_or_else(|error| {
        let said = serde_json::Value::from(error.to_string());
        format!(r#"{{"schema":"hsdiag.error/1","message":{said}}}"#)
    })
}

/// Why a command could not answer, as part of a result or alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ErrorFace {
    /// What went wrong, where, what was expected.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The exit code the command ends with.
    pub exit: u8,
}

impl Report for ErrorFace {
    const SCHEMA: &'static str = "hsdiag.error/1";

    fn text(&self, page: &mut super::Page) {
        use super::paint::{BAD, STRONG};
        page.hanging(&format!("{BAD}error:{BAD:#} "), 7, &self.message);
        if let Some(next) = &self.next {
            page.hanging(&format!("{STRONG}next:{STRONG:#}  "), 7, next);
        }
    }
}

/// A number with so many decimals, so that a report does not claim more than was measured.
pub(super) fn rounded(value: f64, decimals: i32) -> f64 {
    let factor = 10f64.powi(decimals);
    let rounded = (value * factor).round() / factor;
    if rounded.is_finite() { rounded } else { 0.0 }
}
