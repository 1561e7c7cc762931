//! Why a conversation is as it is: the ranked causes of `hsdiag.decode/1` and `hsdiag.handshake/1`.

use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::diagnose::{Cause, Details, Diagnosis, Ranked};
use crate::line::Instant;

use super::escape::escaped;
use super::json::rounded;
use super::paint::{FAINT, GOOD, STRONG, WARN};
use super::{Page, Report};

/// A cause with its probability and its reasons.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CauseFace {
    pub cause: &'static str,
    pub probability: f64,
    pub explains: &'static str,
    /// Facts that belong to this cause: the sender's rate, the protocol that it is.
    pub detail: Map<String, Json>,
    pub evidence: Vec<EvidenceFace>,
    pub remedy: &'static str,
    pub link: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EvidenceFace {
    pub text: String,
    /// For (positive) or against the cause, as a natural logarithm.
    pub weight: f64,
}

/// A cause that acts beside the leading one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ContributingFace {
    pub cause: &'static str,
    pub probability: f64,
}

/// The whole diagnosis, as three keys of the result that carries it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DiagnosisFace {
    /// Likeliest first; the probabilities add up to 1.
    pub diagnosis: Vec<CauseFace>,
    pub contributing: Vec<ContributingFace>,
    /// What to measure, where the leading cause is not sure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measure: Option<String>,
}

/// What a live view tells when the leading cause becomes another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WhyFace {
    pub at: f64,
    #[serde(flatten)]
    pub why: DiagnosisFace,
}

impl WhyFace {
    pub fn new(at: Instant, why: &Diagnosis) -> WhyFace {
        WhyFace { at: rounded(at.secs(), 6), why: DiagnosisFace::new(why) }
    }
}

impl Report for WhyFace {
    const SCHEMA: &'static str = "hsdiag.diagnosis/1";

    fn text(&self, page: &mut Page) {
        self.why.text(page);
    }
}

/// Causes that a text names beside the leading one.
const SHOWN: f64 = 0.05;

impl DiagnosisFace {
    pub fn new(diagnosis: &Diagnosis) -> DiagnosisFace {
        DiagnosisFace {
            diagnosis: diagnosis.ranking.iter().map(|ranked| cause(ranked, &diagnosis.details)).collect(),
            contributing: diagnosis
                .contributing
                .iter()
                .map(|(cause, p)| ContributingFace { cause: cause.id(), probability: rounded(*p, 4) })
                .collect(),
            measure: diagnosis.measure.clone(),
        }
    }

    /// The leading cause with its reasons, what else it could be, and what to do.
    pub fn text(&self, page: &mut Page) {
        let Some(leading) = self.diagnosis.first() else { return };
        let style = if leading.cause == Cause::Clean.id() { GOOD } else { WARN };
        page.line(format_args!(
            "{STRONG}Diagnosis{STRONG:#}: {style}{}{style:#} ({})",
            leading.cause,
            percent(leading.probability)
        ));
        page.paragraph(leading.explains);
        for (key, value) in &leading.detail {
            let value = value.as_str().map_or_else(|| value.to_string(), |text| escaped(text).into_owned());
            page.line(format_args!("  {FAINT}{key}{FAINT:#} {value}"));
        }
        for evidence in &leading.evidence {
            let sign = if evidence.weight < 0.0 { '-' } else { '+' };
            page.line(format_args!("  {sign} {}", escaped(&evidence.text)));
        }
        let also = self.diagnosis.iter().skip(1).filter(|cause| cause.probability >= SHOWN);
        let also: Vec<String> =
            also.map(|cause| format!("{} ({})", cause.cause, percent(cause.probability))).collect();
        if !also.is_empty() {
            page.paragraph(&format!("Or: {}.", also.join(", ")));
        }
        let acting: Vec<&str> = self.contributing.iter().map(|one| one.cause).collect();
        if !acting.is_empty() {
            page.paragraph(&format!("Acting beside it: {}.", acting.join(", ")));
        }
        if leading.cause != Cause::Clean.id() {
            page.paragraph(&format!("Remedy: {}", leading.remedy));
        }
        if let Some(measure) = &self.measure {
            page.paragraph(&format!("What would decide: {measure}"));
        }
        page.blank();
    }
}

fn percent(probability: f64) -> String {
    match probability {
        p if p >= 0.995 => ">99 %".into(),
        p if p < 0.01 => "<1 %".into(),
        p => format!("{:.0} %", 100.0 * p),
    }
}

fn cause(ranked: &Ranked, details: &Details) -> CauseFace {
    CauseFace {
        cause: ranked.cause.id(),
        probability: ranked.probability,
        explains: ranked.cause.explains(),
        detail: detail(ranked.cause, details),
        evidence: ranked
            .reasons
            .iter()
            .map(|reason| EvidenceFace { text: reason.text.clone(), weight: rounded(reason.weight, 2) })
            .collect(),
        remedy: ranked.cause.remedy(),
        link: ranked.cause.link(),
    }
}

fn detail(cause: Cause, details: &Details) -> Map<String, Json> {
    let mut facts = Map::new();
    match cause {
        Cause::BaudMismatch => {
            let baud = details.sender_baud.map(|baud| baud.round() as u64);
            facts.extend(baud.map(|baud| ("sender_baud".into(), baud.into())));
        }
        Cause::FormatMismatch => {
            let format = details.sender_format.map(|format| format.to_string());
            facts.extend(format.map(|format| ("sender_format".into(), format.into())));
        }
        Cause::OtherProtocol => {
            if let Some(other) = &details.other_protocol {
                facts.insert("protocol".into(), other.name.clone().into());
                if !other.nearly.is_empty() {
                    facts.insert("or".into(), other.nearly.join(", ").into());
                }
                facts.insert(
                    "about".into(),
                    other.about.split_whitespace().collect::<Vec<_>>().join(" ").into(),
                );
            }
        }
        Cause::ApplicationRunning | Cause::DeviceReset => {
            facts.extend(details.text.as_ref().map(|text| ("text".into(), text.clone().into())));
        }
        Cause::NoAnswer => {
            facts.extend(details.silence.map(|(sent, moved)| {
                let seen = match moved {
                    0 => format!(
                        "{sent} bytes sent, and not even a break or a glitch came back: first suspect the receiving wire (TX and RX swapped, cable, ground), then power"
                    ),
                    _ => format!(
                        "{sent} bytes sent; the receiving wire moved {moved} times, so it is connected: look at power, boot pin, address and rate"
                    ),
                };
                ("seen".into(), seen.into())
            }));
        }
        Cause::Refused if !details.refusals.is_empty() => {
            facts.insert("refusals".into(), details.refusals.clone().into());
        }
        Cause::Turnaround => {
            let byte = details.edge_byte.map(|byte| format!("{byte:02X}"));
            facts.extend(byte.map(|byte| ("edge_byte".into(), byte.into())));
        }
        Cause::Echo => {
            let delay = details.echo_delay.map(|delay| rounded(delay, 2));
            facts.extend(delay.map(|delay| ("delay_characters".into(), delay.into())));
        }
        _ => {}
    }
    facts
}
