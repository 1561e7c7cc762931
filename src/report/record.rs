//! What a recording holds.

use serde::Serialize;

use super::json::ErrorFace;
use super::{Page, Report};

/// A recording that has ended.
#[derive(Clone, Debug, Serialize)]
pub struct Recorded {
    pub port: String,
    pub file: String,
    pub baud: u32,
    pub format: String,
    /// Bytes and breaks, received and sent.
    pub events: u64,
    /// Events that carry a fault; `null` where the port cannot report any.
    pub faults: Option<u64>,
    pub seconds: f64,
    /// Ended by Ctrl-C.
    pub interrupted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorFace>,
}

impl Report for Recorded {
    const SCHEMA: &'static str = "hsdiag.record/1";

    fn text(&self, page: &mut Page) {
        let faults = match self.faults {
            Some(faults) => format!("{faults} of them with a fault"),
            None => "faults unknown: this port reports none".into(),
        };
        let Recorded { file, port, baud, format, events, seconds, .. } = self;
        page.paragraph(&format!(
            "{file}: {events} events in {seconds:.3} s from {port} at {baud} {format} ({faults})"
        ));
        if self.events > 0 {
            page.command(&format!("hsdiag decode {}", super::escape::quoted(file)));
        }
    }
}
