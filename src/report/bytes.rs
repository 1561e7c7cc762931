//! Bare bytes of a line, while no protocol is known.

use serde::Serialize;

use crate::line::{Direction, LineEvent, Seen};

use super::escape::{bytes_text, hex};
use super::paint::{BAD, FAINT, STRONG};
use super::{Page, Report};

/// Bytes that came one after the other.
#[derive(Clone, Debug, Serialize)]
pub struct BytesFace {
    /// When the last one was in, in seconds.
    pub at: f64,
    pub dir: &'static str,
    pub kind: &'static str,
    pub hex: String,
    /// The same as text, what is not printable escaped.
    pub text: String,
    /// How many of them carry a fault.
    pub faults: usize,
}

impl BytesFace {
    pub fn new(events: &[LineEvent]) -> BytesFace {
        let bytes: Vec<u8> = events.iter().filter_map(LineEvent::value).collect();
        let last = events.last();
        let sent = last.is_some_and(|event| event.direction == Direction::Tx);
        let broken = events.iter().all(|event| event.seen == Seen::Break);
        BytesFace {
            at: super::json::rounded(last.map_or(0.0, |event| event.at.secs()), 9),
            dir: if sent { "tx" } else { "rx" },
            kind: if broken { "break" } else { "bytes" },
            hex: bytes.iter().map(|byte| format!("{byte:02X}")).collect(),
            text: bytes_text(&bytes),
            faults: events.iter().filter(|event| event.fault.is_some()).count(),
        }
    }

    /// Text is shown as text, everything else in hex.
    fn shown(&self) -> String {
        let line = self.text.trim_end_matches("\\n").trim_end_matches("\\r");
        if !line.is_empty() && !line.contains('\\') {
            return line.into();
        }
        let (pairs, _) = self.hex.as_bytes().as_chunks::<2>();
        let digit = |digit: u8| char::from(digit).to_digit(16).unwrap_or(0) as u8;
        let bytes: Vec<u8> = pairs.iter().map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect();
        hex(&bytes)
    }
}

impl Report for BytesFace {
    const SCHEMA: &'static str = "hsdiag.monitor/1";

    fn text(&self, page: &mut Page) {
        let arrow = if self.dir == "tx" { ">" } else { "<" };
        let lead = format!("{FAINT}{:12.6} s{FAINT:#} {STRONG}{arrow}{STRONG:#}  ", self.at);
        let shown = if self.kind == "break" { "break".into() } else { self.shown() };
        let faults = match self.faults {
            0 => String::new(),
            count => format!(" {BAD}({} with a fault){BAD:#}", count),
        };
        page.hanging(&lead, 19, &format!("{shown}{faults}"));
    }
}
