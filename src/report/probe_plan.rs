//! What a probe would send, before it is sent.

use std::fmt::Write;

use serde::Serialize;

use crate::protocol::Risk;
use crate::sweep::Opener;

use super::escape::{escaped, hex};
use super::evidence::counted;
use super::paint::{BAD, FAINT, STRONG, WARN};
use super::table::{Cell, Column, Table};
use super::{Page, Report};

/// All openers, in the order in which they would be sent.
#[derive(Clone, Debug, Serialize)]
pub struct ProbePlan {
    pub port: String,
    pub openers: Vec<OpenerFace>,
}

#[derive(Clone, Debug, Serialize)]
pub struct OpenerFace {
    pub protocol: String,
    pub baud: u32,
    pub format: String,
    /// The bytes that are sent first.
    pub hex: String,
    /// "harmless", "disturbing" or "dangerous".
    pub risk: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub warning: String,
}

impl ProbePlan {
    pub fn new(port: &str, openers: &[Opener]) -> ProbePlan {
        ProbePlan { port: port.into(), openers: openers.iter().map(OpenerFace::new).collect() }
    }

    /// One line that says what is about to be sent.
    pub fn announcement(port: &str, openers: &[Opener]) -> String {
        let mut protocols: Vec<(&str, usize)> = Vec::new();
        for opener in openers {
            let name = &*opener.table.name;
            match protocols.iter_mut().find(|(known, _)| *known == name) {
                Some((_, count)) => *count += 1,
                None => protocols.push((name, 1)),
            }
        }
        let mut text = format!("{} is silent; ", escaped(port));
        if openers.is_empty() {
            return text + "there is no opener that may be sent";
        }
        let _ = write!(text, "sending up to {}:", counted(openers.len(), "opener")); // a String takes everything
        for (place, (name, count)) in protocols.iter().enumerate() {
            let _ = write!(
                text,
                "{} {name} at {}",
                if place == 0 { "" } else { "," },
                counted(*count, "setting")
            );
        }
        text
    }
}

impl OpenerFace {
    fn new(opener: &Opener) -> OpenerFace {
        let warning = opener.table.probe.as_ref().map_or(String::new(), |probe| probe.warning.clone());
        OpenerFace {
            protocol: opener.table.name.to_string(),
            baud: opener.settings.baud.get(),
            format: opener.settings.format.to_string(),
            hex: opener.first_bytes().map_or_else(|reason| reason, |bytes| hex(&bytes)),
            risk: match opener.risk {
                Risk::Harmless => "harmless",
                Risk::Disturbing => "disturbing",
                Risk::Dangerous => "dangerous",
            },
            warning,
        }
    }
}

impl Report for ProbePlan {
    const SCHEMA: &'static str = "hsdiag.probe-plan/1";

    fn text(&self, page: &mut Page) {
        if self.openers.is_empty() {
            page.paragraph("Nothing would be sent: no protocol has an opener that may be.");
            return;
        }
        let mut table = Table::new(vec![
            Column::left("protocol", 0),
            Column::right("baud", 0),
            Column::left("format", 0),
            Column::left("risk", 1),
            Column::left("sends first", 2),
        ]);
        for opener in &self.openers {
            let style = match opener.risk {
                "harmless" => FAINT,
                "disturbing" => WARN,
                _ => BAD,
            };
            table.row(vec![
                Cell::styled(&opener.protocol, STRONG),
                Cell::plain(opener.baud),
                Cell::plain(&opener.format),
                Cell::styled(opener.risk, style),
                Cell::plain(&opener.hex),
            ]);
        }
        page.table(&table);
        let mut warned: Vec<&str> = Vec::new();
        for opener in self.openers.iter().filter(|opener| !opener.warning.is_empty()) {
            if !warned.contains(&opener.protocol.as_str()) {
                warned.push(&opener.protocol);
                page.point(&format!("{}: {}", opener.protocol, escaped(&opener.warning)));
            }
        }
        page.blank();
        page.paragraph(&format!(
            "{} to {}, one after another until one is answered. Nothing was sent now.",
            counted(self.openers.len(), "opener"),
            escaped(&self.port)
        ));
    }
}
