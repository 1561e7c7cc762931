//! What a sweep found: settings ranked, why, and the next command to type.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::diagnose::Diagnosis;
use crate::line::{Format, LineErrors};
use crate::sweep::{Candidate, Evidence, Faults, Findings, Purpose, Verdict};

use super::diagnosis::DiagnosisFace;
use super::escape::{escaped, quoted};
use super::evidence::{OTHER_ANSWER, counted, told};
use super::json::{ErrorFace, rounded};
use super::paint::{BAD, FAINT, GOOD, STRONG, WARN};
use super::table::{Cell, Column, Table};
use super::{Next, Page, Report};

/// The result of a sweep, whole or as far as it came.
#[derive(Clone, Debug, Serialize)]
pub struct Sweep {
    pub port: String,
    pub verdict: &'static str,
    pub settings: Vec<Setting>,
    /// Settings per stretch of time, where the device changed its rate; else empty.
    pub stretches: Vec<Stretch>,
    pub elapsed_s: f64,
    /// How often a port was opened.
    pub opens: u32,
    /// Bytes and breaks in all listens.
    pub received: usize,
    /// How exactly the port reports line errors.
    pub line_errors: &'static str,
    pub rate_has_no_effect: bool,
    pub listens: Vec<Listen>,
    pub refused: Vec<Refused>,
    pub evidence: Vec<Sentence>,
    /// Why the line is as it was found.
    #[serde(flatten)]
    pub why: DiagnosisFace,
    /// What was wanted and this port cannot do.
    pub not_possible: Vec<String>,
    pub interrupted: bool,
    /// What to type next; likeliest first.
    pub next: Vec<Next>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorFace>,
}

/// How a sweep ended, beside what it found.
#[derive(Clone, Debug, Default)]
pub struct SweepEnd {
    pub opens: u32,
    pub not_possible: Vec<String>,
    pub interrupted: bool,
    pub error: Option<ErrorFace>,
}

/// One answer to "which settings?".
#[derive(Clone, Debug, Serialize)]
pub struct Setting {
    pub baud: u32,
    pub measured_baud: f64,
    pub format: String,
    pub inverted: bool,
    pub msb_first: bool,
    pub protocol: Option<String>,
    pub probability: f64,
    pub bytes: usize,
    pub faults: FaultCounts,
    pub frames: FrameCounts,
    /// Formats that listening cannot tell from this one.
    pub alike: Vec<String>,
    /// Confirmed by a listen at this rate, or by an answer.
    pub verified: bool,
}

/// `null` where the port cannot report them: not seen is not the same as not there.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct FaultCounts {
    pub framing: Option<usize>,
    pub parity: Option<usize>,
    #[serde(rename = "break")]
    pub breaks: Option<usize>,
    pub overrun: Option<usize>,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct FrameCounts {
    pub valid: usize,
    pub invalid: usize,
}

/// Settings that held for a while.
#[derive(Clone, Debug, Serialize)]
pub struct Stretch {
    pub from_s: f64,
    pub until_s: f64,
    #[serde(flatten)]
    pub setting: Setting,
}

/// One listen of the search.
#[derive(Clone, Debug, Serialize)]
pub struct Listen {
    pub from_s: f64,
    pub until_s: f64,
    pub asked_baud: u32,
    pub baud: u32,
    pub format: String,
    pub purpose: &'static str,
    pub bytes: usize,
    pub faults: FaultCounts,
}

#[derive(Clone, Debug, Serialize)]
pub struct Refused {
    pub baud: u32,
    pub reason: String,
}

/// A piece of evidence: its stable name, words, and numbers.
#[derive(Clone, Debug, Serialize)]
pub struct Sentence {
    pub kind: &'static str,
    pub text: String,
    pub numbers: serde_json::Value,
}

impl Sweep {
    /// `port` is the address as the user gave it.
    pub fn new(port: &str, found: &Findings, why: &Diagnosis, end: SweepEnd) -> Sweep {
        let errors = found.line_errors;
        let settings: Vec<Setting> = found.settings.iter().map(|one| Setting::new(one, errors)).collect();
        Sweep {
            port: port.into(),
            verdict: found.verdict.word(),
            next: next(port, found, settings.first()),
            settings,
            stretches: stretches(found),
            elapsed_s: rounded(found.elapsed.as_secs_f64(), 3),
            opens: end.opens,
            received: found.received,
            line_errors: errors.word(),
            rate_has_no_effect: found.rate_has_no_effect,
            listens: listens(found),
            refused: refused(found),
            evidence: found
                .evidence
                .iter()
                .map(|evidence| {
                    let (kind, text, numbers) = told(evidence);
                    Sentence { kind, text, numbers }
                })
                .collect(),
            why: DiagnosisFace::new(why),
            not_possible: end.not_possible,
            interrupted: end.interrupted,
            error: end.error,
        }
    }
}

impl Setting {
    fn new(candidate: &Candidate, errors: LineErrors) -> Setting {
        let protocol = candidate.protocol.as_ref();
        Setting {
            baud: candidate.settings.baud.get(),
            measured_baud: rounded(candidate.measured_baud, 1),
            format: candidate.settings.format.to_string(),
            inverted: candidate.settings.inverted,
            msb_first: candidate.settings.msb_first,
            protocol: protocol.map(|score| score.name.clone()),
            probability: rounded(candidate.probability, 6),
            bytes: candidate.bytes,
            faults: FaultCounts::new(candidate.faults, errors),
            frames: FrameCounts {
                valid: protocol.map_or(0, |score| score.valid),
                invalid: protocol.map_or(0, |score| score.invalid),
            },
            alike: candidate.alike.iter().map(Format::to_string).collect(),
            verified: candidate.verified,
        }
    }
}

impl FaultCounts {
    fn new(faults: Faults, errors: LineErrors) -> FaultCounts {
        let told = |count| (errors != LineErrors::Never).then_some(count);
        FaultCounts {
            framing: told(faults.framing),
            parity: told(faults.parity),
            breaks: told(faults.breaks),
            overrun: told(faults.overrun),
        }
    }
}

fn stretches(found: &Findings) -> Vec<Stretch> {
    let stretch = |stretch: &crate::sweep::Stretch| Stretch {
        from_s: rounded(stretch.from.secs(), 3),
        until_s: rounded(stretch.until.secs(), 3),
        setting: Setting::new(&stretch.best, found.line_errors),
    };
    found.stretches.iter().map(stretch).collect()
}

fn listens(found: &Findings) -> Vec<Listen> {
    let listen = |listen: &crate::sweep::Listen| Listen {
        from_s: rounded(listen.from.secs(), 3),
        until_s: rounded(listen.until.secs(), 3),
        asked_baud: listen.asked.get(),
        baud: listen.settings.baud.get(),
        format: listen.settings.format.to_string(),
        purpose: purpose(listen.purpose),
        bytes: listen.bytes,
        faults: FaultCounts::new(listen.faults, found.line_errors),
    };
    found.listens.iter().map(listen).collect()
}

/// Each refused rate once, with its last reason.
fn refused(found: &Findings) -> Vec<Refused> {
    let rates: BTreeMap<u32, &String> =
        found.refused.iter().map(|(baud, reason)| (baud.get(), reason)).collect();
    rates.into_iter().map(|(baud, reason)| Refused { baud, reason: reason.clone() }).collect()
}

fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Measure => "measure",
        Purpose::Verify => "verify",
        Purpose::CrossCheck => "cross-check",
        Purpose::Walk => "walk",
        Purpose::Stay => "stay",
    }
}

/// More questions upon which something came, but no answer, are not told one by one to a person.
const MOST_OTHER_ANSWERS: usize = 3;

/// What to type next.
fn next(port: &str, found: &Findings, best: Option<&Setting>) -> Vec<Next> {
    let port = quoted(port);
    let say = |command: String, why: &str| Next::new(command, why);
    match (found.verdict, best) {
        (Verdict::Silent, _) => vec![
            say(
                format!("hsdiag sweep {port} --reset"),
                "pulses DTR and RTS: many boards speak when they start",
            ),
            if found.evidence.iter().any(|evidence| matches!(evidence, Evidence::NoAnswer { .. })) {
                say(
                    format!("hsdiag sweep {port} --probe --protocol NAME"),
                    "bootloaders, and whatever else a wrong device may take amiss, are asked by name alone; \
                     --dry-run shows what is sent",
                )
            } else {
                say(
                    format!("hsdiag sweep {port} --probe"),
                    "asks as a host would, harmless questions only; --dry-run lists them first",
                )
            },
        ],
        (Verdict::Found, Some(best)) if best.inverted => vec![say(
            format!("hsdiag record {port} --baud {} --format {} -o line.jsonl", best.baud, best.format),
            "no UART inverts its line: put an inverter between, or swap the polarity at the device, then",
        )],
        (Verdict::Found, Some(best)) => {
            let protocol = best.protocol.as_ref().map_or(String::new(), |name| format!(" --protocol {name}"));
            vec![say(
                format!("hsdiag monitor {port} --baud {} --format {}{protocol}", best.baud, best.format),
                "reads along",
            )]
        }
        _ => vec![
            say(format!("hsdiag sweep {port} --time 60s"), "listens for longer"),
            say(format!("hsdiag sweep {port} --exhaustive"), "walks every rate"),
        ],
    }
}

impl Report for Sweep {
    const SCHEMA: &'static str = "hsdiag.sweep/1";

    fn text(&self, page: &mut Page) {
        self.headline(page);
        if !self.settings.is_empty() {
            page.blank();
            page.table(&ranking(&self.settings));
        }
        if !self.stretches.is_empty() {
            page.head("What held when");
            for stretch in &self.stretches {
                let Setting { baud, format, .. } = &stretch.setting;
                page.point(&format!("{:.3} s to {:.3} s: {baud} {format}", stretch.from_s, stretch.until_s));
            }
        }
        self.why(page);
        page.blank();
        self.why.text(page);
        if self.error.is_none() && !self.interrupted {
            Next::write(&self.next, page);
        }
    }
}

impl Sweep {
    fn headline(&self, page: &mut Page) {
        let port = escaped(&self.port);
        let spent = format!("{:.1} s, {}", self.elapsed_s, counted(self.listens.len(), "listen"));
        let Some(best) = self.settings.first().filter(|_| self.verdict != "silent") else {
            let (what, style) = if self.verdict == "silent" { ("silent", WARN) } else { ("undecided", WARN) };
            page.line(format_args!(
                "{STRONG}{port}{STRONG:#}: {style}{what}{style:#}  {FAINT}({spent}){FAINT:#}"
            ));
            return;
        };
        let style = if self.verdict == "found" { GOOD } else { WARN };
        let inverted = if best.inverted { " inverted" } else { "" };
        let protocol = best.protocol.as_ref().map_or(String::new(), |name| format!(", {name}"));
        let what = format!("{} {}{inverted}{protocol}", best.baud, best.format);
        let verdict = match self.verdict {
            "found" => String::new(),
            other => format!("{other}; best guess "),
        };
        page.line(format_args!(
            "{STRONG}{port}{STRONG:#}: {verdict}{style}{what}{style:#}  {FAINT}({spent}){FAINT:#}"
        ));
    }

    fn why(&self, page: &mut Page) {
        page.head("Why");
        let mut others = 0;
        for evidence in &self.evidence {
            others += usize::from(evidence.kind == OTHER_ANSWER);
            if evidence.kind != OTHER_ANSWER || others <= MOST_OTHER_ANSWERS {
                page.point(&evidence.text);
            }
        }
        if let Some(more @ 1..) = others.checked_sub(MOST_OTHER_ANSWERS) {
            page.point(&format!(
                "something came upon {} more, and no answer: --json tells of each",
                counted(more, "question")
            ));
        }
        let uncertain = self.settings.first().filter(|best| !best.alike.is_empty());
        if let Some(best) = uncertain {
            page.point(&format!(
                "{} cannot be told from {} by listening here",
                best.alike.join(", "),
                best.format
            ));
        }
        if !self.refused.is_empty() {
            let rates: Vec<String> = self.refused.iter().map(|refused| refused.baud.to_string()).collect();
            page.point(&format!("the port refused {} baud", rates.join(", ")));
        }
        for said in &self.not_possible {
            page.point(&escaped(said));
        }
    }
}

fn ranking(settings: &[Setting]) -> Table {
    let mut table = Table::new(vec![
        Column::right("baud", 0),
        Column::right("measured", 5),
        Column::left("format", 0),
        Column::right("bytes", 4),
        Column::right("framing", 6),
        Column::right("parity", 6),
        Column::right("frames", 3),
        Column::right("invalid", 7),
        Column::left("protocol", 1),
        Column::right("probability", 0),
        Column::left("", 8),
    ]);
    for (place, setting) in settings.iter().enumerate() {
        let style = match (place, setting.verified) {
            (0, true) => GOOD,
            (0, false) => WARN,
            _ => FAINT,
        };
        let format = format!("{}{}", setting.format, if setting.inverted { " inverted" } else { "" });
        let recognised = setting.protocol.is_some();
        let frames = |count: usize| Cell::plain(if recognised { count.to_string() } else { String::new() });
        let errors = |count: Option<usize>| match count {
            None => Cell::styled("?", FAINT),
            Some(0) => Cell::plain(0),
            Some(count) => Cell::styled(count, BAD),
        };
        table.row(vec![
            Cell::styled(setting.baud, style),
            Cell::plain(format!("{:.0}", setting.measured_baud)),
            Cell::styled(format, style),
            Cell::plain(setting.bytes),
            errors(setting.faults.framing),
            errors(setting.faults.parity),
            frames(setting.frames.valid),
            frames(setting.frames.invalid),
            Cell::plain(setting.protocol.as_deref().map(escaped).unwrap_or_default()),
            Cell::plain(percent(setting.probability)),
            Cell::styled(bar(setting.probability), style),
        ]);
    }
    table
}

/// Never 100 % for what is not certain.
fn percent(probability: f64) -> String {
    match probability * 100.0 {
        percent if percent >= 99.95 => ">99.9 %".into(),
        percent => format!("{percent:.1} %"),
    }
}

/// Twenty eighths-of-a-character steps are finer than the number beside it.
fn bar(probability: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (probability.clamp(0.0, 1.0) * 80.0).round() as usize;
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}
