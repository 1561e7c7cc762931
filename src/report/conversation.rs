//! A conversation piece by piece: what a recording holds, and how a handshake went.

use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::frame::{Name, Value};
use crate::machine::Ending;
use crate::protocol::Table;

use super::diagnosis::DiagnosisFace;
use super::escape::escaped;
use super::evidence::counted;
use super::item::ItemFace;
use super::item_text::write;
use super::json::ErrorFace;
use super::paint::{BAD, FAINT, GOOD, STRONG, WARN};
use super::{Next, Page, Report, value};

/// What a recording holds.
#[derive(Clone, Debug, Serialize)]
pub struct Decoded {
    pub file: String,
    /// The protocol it was read by; `null` when none was recognised.
    pub protocol: Option<String>,
    /// It was recognised, not named by the user.
    pub recognised: bool,
    /// Other protocols that explain the bytes too, best first.
    pub others: Vec<String>,
    /// "clean" when every item is as it should be, else "unclean"; "unknown" without a protocol, "empty" without an event.
    pub verdict: &'static str,
    pub frames: Counts,
    /// Why it is as it is; nothing without a protocol.
    #[serde(flatten)]
    pub why: DiagnosisFace,
    pub items: Vec<ItemFace>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorFace>,
}

/// Frames of a conversation, and what is no frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Counts {
    pub valid: usize,
    /// Of the valid ones, those that answer another question.
    pub foreign: usize,
    pub invalid: usize,
    pub unexpected: usize,
}

impl Counts {
    pub fn of(items: &[ItemFace]) -> Counts {
        let count = |wanted: &dyn Fn(&ItemFace) -> bool| items.iter().filter(|item| wanted(item)).count();
        Counts {
            valid: count(&|item| item.kind == "frame" && (item.wrong.is_empty() || item.is_foreign())),
            foreign: count(&|item| item.is_foreign()),
            invalid: count(&|item| item.kind == "frame" && !item.wrong.is_empty() && !item.is_foreign()),
            unexpected: count(&|item| item.kind == "unexpected"),
        }
    }
}

impl Report for Decoded {
    const SCHEMA: &'static str = "hsdiag.decode/1";

    fn text(&self, page: &mut Page) {
        for item in &self.items {
            write(page, item);
        }
        if !self.items.is_empty() {
            page.blank();
        }
        self.why.text(page);
        let file = escaped(&self.file);
        if self.verdict == "empty" {
            page.paragraph(&format!("{file}: nothing was recorded in it"));
            return;
        }
        let Some(protocol) = &self.protocol else {
            page.paragraph(&format!("{file}: no protocol of the tables was recognised"));
            return;
        };
        let style = if self.verdict == "clean" { GOOD } else { BAD };
        let how = if self.recognised { "recognised as " } else { "" };
        page.line(format_args!(
            "{STRONG}{file}{STRONG:#}: {style}{}{style:#}, {how}{protocol}: {}",
            self.verdict,
            counts(self.frames)
        ));
        if !self.others.is_empty() {
            page.paragraph(&format!("It could also be {}.", self.others.join(", ")));
        }
    }
}

fn counts(frames: Counts) -> String {
    let mut said = vec![counted(frames.valid, "frame")];
    if frames.foreign > 0 {
        said.push(format!("{} to another question", frames.foreign));
    }
    if frames.invalid > 0 {
        said.push(format!("{} damaged", frames.invalid));
    }
    if frames.unexpected > 0 {
        said.push(format!("{} unexpected", frames.unexpected));
    }
    said.join(", ")
}

/// How a handshake went.
#[derive(Clone, Debug, Serialize)]
pub struct Handshake {
    pub port: String,
    pub protocol: String,
    pub baud: u32,
    pub format: String,
    /// "done", "refused", "no-answer", "unexpected", "failed" or "interrupted".
    pub ending: &'static str,
    /// Why it failed, where the run itself could not go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub elapsed_s: f64,
    pub sent: usize,
    pub heard: usize,
    /// What was learnt of the device.
    pub captured: Map<String, Json>,
    /// The same as people write it.
    pub shown: Map<String, Json>,
    /// Why it went as it did.
    #[serde(flatten)]
    pub why: DiagnosisFace,
    pub items: Vec<ItemFace>,
    pub not_possible: Vec<String>,
    pub next: Vec<Next>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorFace>,
}

impl Handshake {
    /// Names and values that a run learnt.
    pub fn learnt(table: &Table, captured: &[(Name, Value)]) -> (Map<String, Json>, Map<String, Json>) {
        let raw = captured.iter().map(|(name, one)| (name.to_string(), value::json(one)));
        let shown =
            captured.iter().map(|(name, one)| (name.to_string(), value::text(table, name, one).into()));
        (raw.collect(), shown.collect())
    }

    /// The word of an ending, and its reason if it has one.
    pub fn ending(ending: Option<&Ending>) -> (&'static str, Option<String>) {
        match ending {
            None => ("interrupted", None),
            Some(Ending::Done) => ("done", None),
            Some(Ending::Refused) => ("refused", None),
            Some(Ending::NoAnswer) => ("no-answer", None),
            Some(Ending::Unexpected) => ("unexpected", None),
            Some(Ending::Failed(reason)) => ("failed", Some(reason.clone())),
        }
    }
}

impl Report for Handshake {
    const SCHEMA: &'static str = "hsdiag.handshake/1";

    fn text(&self, page: &mut Page) {
        for item in &self.items {
            write(page, item);
        }
        if !self.items.is_empty() {
            page.blank();
        }
        let style = if self.ending == "done" { GOOD } else { BAD };
        let how = match self.ending {
            "done" => "the handshake is done",
            "refused" => "the device refused",
            "no-answer" => "no answer",
            "unexpected" => "something else came",
            "interrupted" => "interrupted",
            _ => "it could not go on",
        };
        page.line(format_args!(
            "{STRONG}{}{STRONG:#}: {style}{how}{style:#}  {FAINT}({} at {} {}, {:.3} s, {} bytes out, {} in){FAINT:#}",
            escaped(&self.port),
            self.protocol,
            self.baud,
            self.format,
            self.elapsed_s,
            self.sent,
            self.heard
        ));
        if let Some(reason) = &self.reason {
            page.point(&escaped(reason));
        }
        if self.ending != "done" {
            page.blank();
            self.why.text(page);
        }
        if !self.shown.is_empty() {
            page.head("Learnt of the device");
            for (name, text) in &self.shown {
                page.line(format_args!("  {name:<16} {}", escaped(text.as_str().unwrap_or_default())));
            }
        }
        for said in &self.not_possible {
            page.line(format_args!("{WARN}{}{WARN:#}", escaped(said)));
        }
        Next::write(&self.next, page);
    }
}
