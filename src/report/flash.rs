//! How a flash session went, and in what state it leaves the device.

use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::flash::{Ended, Outcome, Plan, State};
use crate::line::Settings;

use super::conversation::Handshake;
use super::diagnosis::DiagnosisFace;
use super::escape::escaped;
use super::evidence::counted;
use super::item::ItemFace;
use super::item_text::write;
use super::json::ErrorFace;
use super::paint::{BAD, FAINT, GOOD, STRONG, WARN};
use super::{Next, Page, Report};

/// The result of a flash session, whole or as far as it came.
#[derive(Clone, Debug, Serialize)]
pub struct Flashed {
    pub port: String,
    pub file: Option<String>,
    pub protocol: String,
    pub chip: Option<String>,
    /// "flash", "write", "verify", "read", "erase", "info" or "go".
    pub action: &'static str,
    /// "verified", "unverified", "differs", "unfit", "failed", "interrupted"; "done" for what verifies nothing.
    pub verdict: &'static str,
    /// Where it ended.
    pub stage: &'static str,
    /// How the run that failed ended, as in a handshake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub baud: u32,
    pub format: String,
    pub elapsed_s: f64,
    pub sent: usize,
    pub heard: usize,
    /// Bytes of the image, and how many of them are in which state.
    pub bytes: u64,
    pub states: States,
    pub extents: Vec<ExtentFace>,
    /// Bytes sent to be written, over all tries.
    pub written: u64,
    pub retries: u32,
    pub repairs: u32,
    pub reentries: u32,
    pub differing: u64,
    pub differences: Vec<DifferenceFace>,
    /// Whether the application was started; `null` where that was not asked for, or cannot be.
    pub started: Option<bool>,
    /// What that means for the device.
    pub left: Vec<String>,
    pub captured: Map<String, Json>,
    pub shown: Map<String, Json>,
    /// Why it went as it did; empty where it went well.
    #[serde(flatten)]
    pub why: DiagnosisFace,
    /// The end of the conversation, where it did not go well.
    pub items: Vec<ItemFace>,
    pub not_possible: Vec<String>,
    /// People are shown the conversation as well.
    #[serde(skip)]
    pub talks: bool,
    pub next: Vec<Next>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorFace>,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct States {
    pub untouched: u64,
    pub erased: u64,
    pub doubtful: u64,
    pub written: u64,
    pub differs: u64,
    pub verified: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct ExtentFace {
    pub at: String,
    pub size: u64,
    pub state: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub struct DifferenceFace {
    pub at: String,
    pub expected: String,
    pub found: String,
}

/// What a command knows beside the outcome.
#[derive(Clone, Debug)]
pub struct FlashEnd {
    pub port: String,
    pub file: Option<String>,
    pub action: &'static str,
    pub settings: Settings,
    pub elapsed_s: f64,
    pub why: DiagnosisFace,
    pub not_possible: Vec<String>,
    /// The conversation is told also where the result says enough.
    pub verbose: bool,
    pub error: Option<ErrorFace>,
    pub next: Vec<Next>,
}

impl Flashed {
    pub fn new(plan: &Plan, outcome: &Outcome, end: FlashEnd) -> Flashed {
        let verdict = match (&outcome.ended, &end.error) {
            (_, Some(_)) => "failed",
            (None, None) => "interrupted",
            (Some(Ended::Done), None) if matches!(end.action, "flash" | "verify") => "verified",
            (Some(Ended::Done), None) if end.action == "write" => "unverified",
            (Some(Ended::Done), None) => "done",
            (Some(Ended::Unverified), None) => "unverified",
            (Some(Ended::Differs), None) => "differs",
            (Some(Ended::Unfit(_)), None) => "unfit",
            (Some(Ended::Failed(_)), None) => "failed",
        };
        let ending = match &outcome.ended {
            Some(Ended::Failed(ending)) => Some(ending),
            _ => None,
        };
        let (word, reason) = ending.map(|ending| Handshake::ending(Some(ending))).unzip();
        let (captured, shown) = Handshake::learnt(&plan.table, &outcome.captured);
        let well = matches!(verdict, "verified" | "unverified" | "done" | "interrupted");
        let state = |state| outcome.extents.bytes(state);
        Flashed {
            protocol: plan.table.name.to_string(),
            chip: plan.chip().map(|chip| chip.title.clone()),
            verdict,
            stage: outcome.stage.word(),
            ending: word,
            reason: reason.flatten(),
            baud: end.settings.baud.get(),
            format: end.settings.format.to_string(),
            elapsed_s: end.elapsed_s,
            sent: outcome.sent,
            heard: outcome.heard,
            bytes: plan.size(),
            states: States {
                untouched: state(State::Untouched),
                erased: state(State::Erased),
                doubtful: state(State::Doubtful),
                written: state(State::Written),
                differs: state(State::Differs),
                verified: state(State::Verified),
            },
            extents: outcome
                .extents
                .iter()
                .map(|extent| ExtentFace {
                    at: format!("{:#010x}", extent.at),
                    size: extent.size,
                    state: extent.state.word(),
                })
                .collect(),
            written: outcome.written,
            retries: outcome.retries,
            repairs: outcome.repairs,
            reentries: outcome.reentries,
            differing: outcome.differing,
            differences: outcome
                .differences
                .iter()
                .map(|one| DifferenceFace {
                    at: format!("{:#010x}", one.at),
                    expected: format!("{:02X}", one.expected),
                    found: format!("{:02X}", one.found),
                })
                .collect(),
            started: outcome.started,
            left: left(plan, outcome, end.action),
            captured,
            shown,
            why: end.why,
            items: match well {
                true => Vec::new(),
                false => outcome.items.iter().map(|item| ItemFace::new(item, &plan.table)).collect(),
            },
            not_possible: end.not_possible,
            // Bytes that differ, or an image for another chip, say it all.
            talks: end.verbose || !matches!(outcome.ended, Some(Ended::Differs | Ended::Unfit(_))),
            next: end.next,
            error: end.error,
            port: end.port,
            file: end.file,
            action: end.action,
        }
    }

    fn headline(&self) -> &'static str {
        match self.verdict {
            "verified" if self.written == 0 && self.action == "flash" => {
                "verified: the device held the image already"
            }
            "verified" if self.action == "flash" => "written and verified",
            "verified" => "verified",
            "unverified" if self.action == "write" => "written; `hsdiag flash verify` would verify it",
            "unverified" => "sent, not verified: this protocol can neither read back nor check",
            "differs" => "the device does not hold the image",
            "unfit" => "the image is not for this device; nothing was erased or written",
            "interrupted" => "interrupted",
            "failed" => match self.ending {
                Some("refused") => "the device refused",
                Some("no-answer") => "no answer",
                Some("unexpected") => "something else came",
                _ => "it could not go on",
            },
            _ => match self.action {
                "read" => "read",
                "erase" => "erased",
                "go" => "started",
                _ => "it answers",
            },
        }
    }
}

/// What the device is left with, in sentences.
fn left(plan: &Plan, outcome: &Outcome, action: &str) -> Vec<String> {
    if !matches!(action, "flash" | "write" | "erase")
        || matches!(outcome.ended, Some(Ended::Done | Ended::Unverified))
    {
        return Vec::new();
    }
    let bytes = |state| outcome.extents.bytes(state);
    let all = plan.size();
    let touched = all - bytes(State::Untouched);
    if outcome.written == 0 && touched == 0 {
        return vec!["Nothing was erased or written: the device is as it was.".into()];
    }
    let mut said = Vec::new();
    let parts = [
        (State::Verified, "hold the image, as was read or checked"),
        (State::Written, "were written and acknowledged, and not read back yet"),
        (State::Erased, "are erased and not written yet"),
        (State::Doubtful, "are in doubt: they were under way when it ended"),
        (State::Differs, "were read back and are not what the image says"),
        (State::Untouched, "were not touched"),
    ];
    for (state, says) in parts.into_iter().filter(|(state, _)| bytes(*state) > 0) {
        said.push(format!("{} of {all} bytes {says}.", bytes(state)));
    }
    let interrupted = &plan.flash().interrupted;
    if !interrupted.is_empty() {
        let mut letters = interrupted.chars();
        let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
        said.push(format!("{first}{}.", letters.as_str()));
    }
    said
}

/// More ranges than these are counted only.
const MOST_EXTENTS: usize = 12;

/// The end of the conversation that is shown to people.
const MOST_ITEMS: usize = 12;

impl Report for Flashed {
    const SCHEMA: &'static str = "hsdiag.flash/1";

    fn text(&self, page: &mut Page) {
        let shown = if self.talks { MOST_ITEMS } else { 0 };
        let from = self.items.len().saturating_sub(shown);
        if from > 0 && shown > 0 {
            page.line(format_args!("{FAINT}{} before these{FAINT:#}", counted(from, "piece")));
        }
        self.items[from..].iter().for_each(|item| write(page, item));
        if from < self.items.len() {
            page.blank();
        }
        let style = match self.verdict {
            "verified" | "done" => GOOD,
            "unverified" => WARN,
            _ => BAD,
        };
        page.line(format_args!(
            "{STRONG}{}{STRONG:#}: {style}{}{style:#}  {FAINT}({}, {} at {} {}, {:.2} s, {} bytes out, {} in){FAINT:#}",
            escaped(&self.port),
            self.headline(),
            self.stage,
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
        if let Some(chip) = &self.chip {
            page.line(format_args!("  {:<16} {}", "chip", escaped(chip)));
        }
        if self.bytes > 0 && self.action != "read" {
            let mut retried = String::new();
            if self.retries > 0 {
                retried += &format!(", {} again", counted(self.retries as usize, "piece"));
            }
            if self.repairs > 0 {
                retried += &format!(", written anew {}", counted(self.repairs as usize, "time"));
            }
            if self.reentries > 0 {
                let times = counted(self.reentries as usize, "time");
                retried += &format!(", brought back into the bootloader {times}");
            }
            page.line(format_args!("  {:<16} {} bytes, {} sent{retried}", "image", self.bytes, self.written));
        }
        match self.started {
            Some(true) => page.line(format_args!("  {:<16} started", "application")),
            Some(false) => page.line(format_args!(
                "  {:<16} {WARN}did not answer to being started; reset the board{WARN:#}",
                "application"
            )),
            None => {}
        }
        for one in &self.differences {
            page.point(&format!("at {}: {} in the image, {} in the device", one.at, one.expected, one.found));
        }
        if self.differing > self.differences.len() as u64 {
            page.point(&format!("{} bytes differ in all", self.differing));
        }
        if !self.left.is_empty() {
            page.head("The device now");
            self.left.iter().for_each(|said| page.point(said));
            if self.extents.len() > 1 {
                for extent in self.extents.iter().take(MOST_EXTENTS) {
                    page.line(format_args!("      {} {:>9}  {}", extent.at, extent.size, extent.state));
                }
                if self.extents.len() > MOST_EXTENTS {
                    let more = counted(self.extents.len() - MOST_EXTENTS, "further range");
                    page.line(format_args!("      {more}; --json has them all"));
                }
            }
        }
        if !self.why.diagnosis.is_empty() {
            page.blank();
            self.why.text(page);
        }
        if !self.shown.is_empty() && self.action == "info" {
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
