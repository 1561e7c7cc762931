//! What would be flashed, before anything is sent.

use serde::Serialize;

use crate::flash::{Complaint, Estimate, Plan};
use crate::line::Settings;
use crate::protocol::FlashRun;

use super::escape::escaped;
use super::evidence::counted;
use super::paint::{BAD, FAINT, STRONG, WARN};
use super::{Page, Report};

/// A plan: what goes where, in which pieces, and how long it takes.
#[derive(Clone, Debug, Serialize)]
pub struct FlashPlan {
    pub port: String,
    pub file: String,
    pub kind: &'static str,
    pub protocol: String,
    /// The chip, where the user named it; else the device will tell.
    pub chip: Option<String>,
    pub baud: u32,
    pub format: String,
    /// Bytes that are written, with what fills whole pieces, and those of the image itself.
    pub bytes: u64,
    pub image: u64,
    pub blocks: u64,
    pub parts: Vec<PartFace>,
    /// Gaps within the image: from, size.
    pub gaps: Vec<RangeFace>,
    pub steps: Vec<StepFace>,
    /// How it is verified: "read-back", "device-check" or "none".
    pub verify: &'static str,
    pub estimate: Option<EstimateFace>,
    /// What the table changed in the image.
    pub patches: Vec<String>,
    /// What speaks against it.
    pub complaints: Vec<ComplaintFace>,
}

#[derive(Clone, Debug, Serialize)]
pub struct PartFace {
    pub at: String,
    pub end: String,
    pub size: u64,
    pub blocks: u64,
    /// Bytes of a block; `null` where the protocol moves the part as a whole.
    pub block: Option<u64>,
}

#[derive(Clone, Debug, Serialize)]
pub struct RangeFace {
    pub at: String,
    pub size: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct StepFace {
    pub step: &'static str,
    pub says: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct EstimateFace {
    pub seconds: f64,
    pub baud: u32,
    pub sent: u64,
    pub heard: u64,
    pub turns: u64,
    /// The least time in which the image's own bytes pass.
    pub least_s: f64,
    pub why: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct ComplaintFace {
    pub says: String,
    pub remedy: Option<String>,
}

impl ComplaintFace {
    pub fn new(complaint: &Complaint) -> ComplaintFace {
        ComplaintFace { says: complaint.says.clone(), remedy: complaint.remedy.clone() }
    }
}

impl FlashPlan {
    pub fn new(
        port: &str,
        file: &str,
        kind: &'static str,
        plan: &Plan,
        settings: Settings,
        estimate: Option<Estimate>,
        complaints: &[Complaint],
    ) -> FlashPlan {
        let block = plan.pieces(FlashRun::Write).map(|pieces| pieces.size);
        let parts: Vec<PartFace> = plan
            .parts
            .iter()
            .map(|part| {
                let size = part.bytes.len() as u64;
                // Blocks begin at multiples of their size.
                let blocks = block.map_or(1, |block| part.end().div_ceil(block) - part.at / block);
                let end = format!("{:#010x}", part.end().saturating_sub(1));
                PartFace { at: format!("{:#010x}", part.at), end, size, blocks, block }
            })
            .collect();
        FlashPlan {
            port: port.into(),
            file: file.into(),
            kind,
            protocol: plan.table.name.to_string(),
            chip: plan.chip().map(|chip| chip.title.clone()),
            baud: settings.baud.get(),
            format: settings.format.to_string(),
            bytes: plan.size(),
            image: plan.image.size(),
            blocks: parts.iter().map(|part| part.blocks).sum(),
            parts,
            gaps: plan
                .image
                .gaps()
                .map(|(from, to)| RangeFace { at: format!("{from:#010x}"), size: to - from })
                .collect(),
            steps: steps(plan),
            verify: match plan.flash() {
                flash if flash.run(FlashRun::Verify).is_some() => "device-check",
                flash if flash.run(FlashRun::Read).is_some() => "read-back",
                _ => "none",
            },
            estimate: estimate.map(|estimate| EstimateFace {
                seconds: super::json::rounded(estimate.time.as_secs_f64(), 2),
                baud: estimate.baud.get(),
                sent: estimate.sent,
                heard: estimate.heard,
                turns: estimate.turns,
                least_s: super::json::rounded(estimate.least.as_secs_f64(), 2),
                why: format!(
                    "{} characters out and {} in at {} baud, {} answers of some 2 ms; what the device takes to erase and program comes on top",
                    estimate.sent, estimate.heard, estimate.baud, estimate.turns
                ),
            }),
            patches: plan.patched.clone(),
            complaints: complaints.iter().map(ComplaintFace::new).collect(),
        }
    }

    /// What is about to be written, in a sentence.
    pub fn announcement(&self) -> String {
        let places: Vec<String> = self
            .parts
            .iter()
            .take(3)
            .map(|part| format!("{} bytes from {} to {}", part.size, part.at, part.end))
            .collect();
        let more = match self.parts.len() {
            0..=3 => String::new(),
            n => format!(" and {} more", counted(n - 3, "range")),
        };
        let takes = match &self.estimate {
            Some(estimate) => format!(", some {:.0} s", estimate.seconds.max(1.0)),
            None => String::new(),
        };
        let patched: String = self.patches.iter().map(|says| format!("; {says}")).collect();
        format!(
            "{}: writing {}{more} of {} by {} at {} {}{takes}{patched}",
            escaped(&self.port),
            places.join(", "),
            escaped(&self.file),
            self.protocol,
            self.baud,
            self.format
        )
    }
}

fn steps(plan: &Plan) -> Vec<StepFace> {
    let flash = plan.flash();
    let says = |run: FlashRun| match run {
        FlashRun::Begin => "into the loader; which chip is it?".to_string(),
        FlashRun::Speed => match plan.parameter(&"rate".into()).and_then(|rate| rate.as_int()) {
            Some(rate) if rate > 0 => format!("to {rate} baud"),
            _ => "stays at this rate".into(),
        },
        FlashRun::Erase => {
            let ranges: Vec<(u64, u64)> =
                plan.parts.iter().map(|part| (part.at, part.bytes.len() as u64)).collect();
            match plan.units(&ranges) {
                Some(units) => {
                    let bytes: u64 = units.iter().map(|(_, size)| size).sum();
                    format!(
                        "the pages or sectors that the image touches: {bytes} bytes, if the chip is as the table has it"
                    )
                }
                None => "the pages or sectors that the image touches".into(),
            }
        }
        FlashRun::EraseAll => "everything".into(),
        FlashRun::Write => format!("{} bytes", plan.size()),
        FlashRun::Verify => "the device checks what it holds".into(),
        FlashRun::Read => "everything is read back".into(),
        FlashRun::Recover => String::new(),
        FlashRun::Go => "starts the application".into(),
    };
    let either = |one, other| if flash.run(one).is_some() { one } else { other };
    let order = [
        FlashRun::Begin,
        FlashRun::Speed,
        either(FlashRun::Erase, FlashRun::EraseAll),
        FlashRun::Write,
        either(FlashRun::Verify, FlashRun::Read),
        FlashRun::Go,
    ];
    let there = order.into_iter().filter(|run| flash.run(*run).is_some());
    there
        .map(|run| {
            let step = if run == FlashRun::Read { "verify" } else { run.key() };
            StepFace { step, says: says(run) }
        })
        .collect()
}

impl Report for FlashPlan {
    const SCHEMA: &'static str = "hsdiag.flash-plan/1";

    fn text(&self, page: &mut Page) {
        page.line(format_args!(
            "{STRONG}{}{STRONG:#}  {FAINT}({}, {} bytes){FAINT:#}",
            escaped(&self.file),
            self.kind,
            self.image
        ));
        for part in &self.parts {
            let block = match part.block {
                Some(block) => format!("{} of {block}", counted(part.blocks as usize, "block")),
                None => "in one piece".into(),
            };
            page.line(format_args!("  {} to {}  {:>9} bytes, {block}", part.at, part.end, part.size));
        }
        for gap in &self.gaps {
            page.line(format_args!("  {FAINT}gap at {}, {} bytes{FAINT:#}", gap.at, gap.size));
        }
        for says in &self.patches {
            page.line(format_args!("  {WARN}changed in the image: {}{WARN:#}", escaped(says)));
        }
        page.head("Steps");
        for step in &self.steps {
            page.line(format_args!("  {:<10} {}", step.step, step.says));
        }
        if self.verify == "none" {
            page.line(format_args!(
                "  {WARN}verify     not possible: this protocol can neither read back nor check{WARN:#}"
            ));
        }
        page.head("Time");
        match &self.estimate {
            Some(estimate) => page.point(&format!(
                "about {:.1} s: {}; the image alone takes {:.1} s on the wire",
                estimate.seconds, estimate.why, estimate.least_s
            )),
            None => page.point("not known: the table's own device does not go along with this"),
        }
        for complaint in &self.complaints {
            page.blank();
            page.line(format_args!("{BAD}{}{BAD:#}", complaint.says));
            complaint.remedy.iter().for_each(|remedy| page.point(remedy));
        }
    }
}
