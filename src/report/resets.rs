//! Which way of moving DTR and RTS brings a device into its bootloader.

use serde::Serialize;

use crate::protocol::ScriptStep;

use super::escape::escaped;
use super::paint::{BAD, FAINT, GOOD, STRONG, WARN};
use super::table::{Cell, Column, Table};
use super::{Next, Page, Report};

/// A search through the ways.
#[derive(Clone, Debug, Serialize)]
pub struct ResetSearch {
    pub port: String,
    pub protocol: String,
    /// The way that works; `none` when it answers without being reset, `null` when nothing works.
    pub found: Option<String>,
    pub tried: Vec<TriedReset>,
    pub interrupted: bool,
    pub not_possible: Vec<String>,
    pub next: Vec<Next>,
}

/// One way, and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct TriedReset {
    pub name: String,
    pub script: String,
    /// As of a handshake.
    pub ending: &'static str,
    pub heard: usize,
}

impl TriedReset {
    pub fn new(name: &str, script: &[ScriptStep], ending: &'static str, heard: usize) -> TriedReset {
        let steps: Vec<String> = script.iter().map(step).collect();
        TriedReset { name: name.into(), script: steps.join("|"), ending, heard }
    }
}

/// As tables write it.
fn step(step: &ScriptStep) -> String {
    match step {
        ScriptStep::Dtr(on) => format!("D{}", u8::from(*on)),
        ScriptStep::Rts(on) => format!("R{}", u8::from(*on)),
        ScriptStep::Rate(baud) => format!("S{baud}"),
        ScriptStep::Close => "O0".into(),
        ScriptStep::Open(seconds) => format!("O{seconds}"),
        ScriptStep::Break(on) => format!("B{}", u8::from(*on)),
        ScriptStep::Wait(seconds) => format!("W{seconds}"),
    }
}

impl Report for ResetSearch {
    const SCHEMA: &'static str = "hsdiag.reset-search/1";

    fn text(&self, page: &mut Page) {
        let mut table = Table::new(vec![
            Column::left("sequence", 0),
            Column::left("ends", 0),
            Column::right("bytes in", 1),
            Column::words("lines", 2),
        ]);
        for tried in &self.tried {
            let style = if tried.ending == "done" { GOOD } else { FAINT };
            table.row(vec![
                Cell::plain(&tried.name),
                Cell::styled(tried.ending, style),
                Cell::plain(tried.heard),
                Cell::plain(if tried.script.is_empty() { "not moved" } else { &tried.script }),
            ]);
        }
        page.table(&table);
        page.blank();
        let port = escaped(&self.port);
        match self.found.as_deref() {
            Some("none") => page.line(format_args!(
                "{STRONG}{port}{STRONG:#}: {WARN}{} answers without being reset{WARN:#}: it is in its bootloader already, so this says nothing of the wiring; start its application, then try again",
                self.protocol
            )),
            Some(name) => page.line(format_args!(
                "{STRONG}{port}{STRONG:#}: {GOOD}sequence {name} brings it into {}{GOOD:#}",
                self.protocol
            )),
            None if self.interrupted => page.line(format_args!("{STRONG}{port}{STRONG:#}: interrupted")),
            None => page.line(format_args!(
                "{STRONG}{port}{STRONG:#}: {BAD}no sequence brings it into {}{BAD:#}: DTR and RTS may not be wired; hold the boot pin and reset by hand",
                self.protocol
            )),
        }
        for said in &self.not_possible {
            page.line(format_args!("{WARN}{}{WARN:#}", escaped(said)));
        }
        Next::write(&self.next, page);
    }
}
