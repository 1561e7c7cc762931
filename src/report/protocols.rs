//! The tables: all of them in a list, and one in full.

use serde::Serialize;

use crate::protocol::{Risk, Table as Protocol};

use super::escape::escaped;
use super::paint::{BAD, FAINT, STRONG};
use super::table::{Cell, Column, Table};
use super::{Page, Report, value};

/// Every table there is.
#[derive(Clone, Debug, Serialize)]
pub struct Protocols {
    pub protocols: Vec<ProtocolFace>,
}

/// What is said of a table in a list.
#[derive(Clone, Debug, Serialize)]
pub struct ProtocolFace {
    pub name: String,
    pub title: String,
    pub aliases: Vec<String>,
    /// Where it was read from.
    pub file: String,
    /// It came with the program.
    pub shipped: bool,
    pub bauds: Vec<u32>,
    pub formats: Vec<String>,
    pub frames: usize,
    pub states: usize,
    pub handshake: bool,
    pub flash: bool,
    /// How risky its opener is; `null` when it has none.
    pub probe: Option<&'static str>,
    /// Mistakes, one each, when it cannot be used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mistakes: Vec<String>,
}

impl ProtocolFace {
    pub fn of(table: &Protocol, file: &str, shipped: bool) -> ProtocolFace {
        ProtocolFace {
            name: table.name.to_string(),
            title: table.title.clone(),
            aliases: table.aliases.iter().map(ToString::to_string).collect(),
            file: file.into(),
            shipped,
            bauds: table.line.bauds.iter().map(|baud| baud.get()).collect(),
            formats: table.line.formats.iter().map(ToString::to_string).collect(),
            frames: table.frames.len(),
            states: table.states.len(),
            handshake: table.handshake.is_some(),
            flash: table.flash.is_some(),
            probe: table.probe.as_ref().map(|probe| risk(probe.risk)),
            mistakes: Vec::new(),
        }
    }

    /// One that cannot be used.
    pub fn broken(name: &str, file: &str, mistakes: Vec<String>) -> ProtocolFace {
        ProtocolFace {
            name: name.into(),
            title: String::new(),
            aliases: Vec::new(),
            file: file.into(),
            shipped: false,
            bauds: Vec::new(),
            formats: Vec::new(),
            frames: 0,
            states: 0,
            handshake: false,
            flash: false,
            probe: None,
            mistakes,
        }
    }
}

pub(super) fn risk(risk: Risk) -> &'static str {
    match risk {
        Risk::Harmless => "harmless",
        Risk::Disturbing => "disturbing",
        Risk::Dangerous => "dangerous",
    }
}

impl Report for Protocols {
    const SCHEMA: &'static str = "hsdiag.protocols/1";

    fn text(&self, page: &mut Page) {
        let mut table = Table::new(vec![
            Column::left("name", 0),
            Column::left("line", 2),
            Column::left("can", 3),
            Column::left("from", 4),
            Column::words("what", 1),
        ]);
        for one in &self.protocols {
            let can = [("handshake", one.handshake), ("flash", one.flash), ("probe", one.probe.is_some())];
            let can: Vec<&str> = can.iter().filter(|(_, can)| *can).map(|(name, _)| *name).collect();
            let line = match (one.bauds.first(), one.formats.first()) {
                (Some(baud), Some(format)) => format!("{baud} {format}"),
                (None, Some(format)) => format.clone(),
                _ => String::new(),
            };
            let what = match one.mistakes.len() {
                0 => Cell::plain(escaped(&one.title)),
                count => Cell::styled(
                    format!("cannot be used: {}", super::evidence::counted(count, "mistake")),
                    BAD,
                ),
            };
            table.row(vec![
                Cell::styled(escaped(&one.name), STRONG),
                Cell::plain(line),
                Cell::styled(can.join(" "), FAINT),
                Cell::styled(
                    if one.shipped { String::new() } else { escaped(&one.file).into_owned() },
                    FAINT,
                ),
                what,
            ]);
        }
        page.table(&table);
    }
}

/// One table, as far as a user needs to know it.
#[derive(Clone, Debug, Serialize)]
pub struct ProtocolSheet {
    #[serde(flatten)]
    pub head: ProtocolFace,
    pub about: String,
    pub sources: Vec<String>,
    pub parameters: Vec<ParameterFace>,
    pub frame_names: Vec<String>,
    pub exchanges: Vec<NamedFace>,
    pub state_names: Vec<NamedFace>,
    pub warning: Option<String>,
    /// The whole file.
    pub text: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct ParameterFace {
    pub name: String,
    pub value: String,
    pub one_of: Vec<String>,
    pub about: String,
}

/// Something with a name, and what it is.
#[derive(Clone, Debug, Serialize)]
pub struct NamedFace {
    pub name: String,
    pub about: String,
}

impl ProtocolSheet {
    pub fn new(table: &Protocol, file: &str, shipped: bool, text: &str) -> ProtocolSheet {
        let parameter = |one: &crate::protocol::Parameter| ParameterFace {
            name: one.name.to_string(),
            value: value::text(table, &one.name, &one.value),
            one_of: one.one_of.iter().map(|other| value::text(table, &one.name, other)).collect(),
            about: one.about.clone(),
        };
        let named = |name: &str, about: &str| NamedFace { name: name.into(), about: about.into() };
        ProtocolSheet {
            head: ProtocolFace::of(table, file, shipped),
            about: table.about.clone(),
            sources: table.sources.clone(),
            parameters: table.parameters.iter().map(parameter).collect(),
            frame_names: table.frames.iter().map(|frame| frame.name().to_string()).collect(),
            exchanges: table.exchanges.iter().map(|one| named(&one.name, &one.about)).collect(),
            state_names: table.states.iter().map(|one| named(&one.name, &one.about)).collect(),
            warning: table.probe.as_ref().map(|probe| probe.warning.clone()).filter(|said| !said.is_empty()),
            text: text.into(),
        }
    }
}

impl Report for ProtocolSheet {
    const SCHEMA: &'static str = "hsdiag.protocol/1";

    fn text(&self, page: &mut Page) {
        let head = &self.head;
        let aliases = match head.aliases.len() {
            0 => String::new(),
            _ => format!("  {FAINT}also {}{FAINT:#}", escaped(&head.aliases.join(", "))),
        };
        page.line(format_args!(
            "{STRONG}{}{STRONG:#}: {}{aliases}",
            escaped(&head.name),
            escaped(&head.title)
        ));
        if !self.about.is_empty() {
            let about: Vec<_> = self.about.lines().map(escaped).collect();
            page.paragraph(&about.join(" "));
        }
        let bauds: Vec<String> = head.bauds.iter().map(u32::to_string).collect();
        page.blank();
        page.hanging("line      ", 10, &format!("{} at {}", head.formats.join(", "), bauds.join(", ")));
        page.hanging("frames    ", 10, &escaped(&self.frame_names.join(", ")));
        if let Some(risk) = head.probe {
            page.hanging(
                "probe     ",
                10,
                &format!("{risk}. {}", escaped(self.warning.as_deref().unwrap_or_default())),
            );
        }
        page.hanging("file      ", 10, &escaped(&head.file));
        names(page, "States", &self.state_names);
        names(page, "Exchanges", &self.exchanges);
        if !self.parameters.is_empty() {
            page.head("Parameters (--set NAME=VALUE)");
            for one in &self.parameters {
                let others = match one.one_of.len() {
                    0 => String::new(),
                    _ => format!(" (or {})", one.one_of.join(", ")),
                };
                page.hanging(
                    &format!("  {:<16}  ", escaped(&one.name)),
                    20,
                    &escaped(&format!("{}{others}. {}", one.value, one.about)),
                );
            }
        }
        if !self.sources.is_empty() {
            page.head("Written from");
            self.sources.iter().for_each(|source| page.point(&escaped(source)));
        }
    }
}

fn names(page: &mut Page, head: &str, names: &[NamedFace]) {
    if names.is_empty() {
        return;
    }
    page.head(head);
    for one in names {
        page.hanging(&format!("  {:<16}  ", escaped(&one.name)), 20, &escaped(&one.about));
    }
}

/// What a check of files found.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    pub files: Vec<CheckedFile>,
}

#[derive(Clone, Debug, Serialize)]
pub struct CheckedFile {
    pub file: String,
    /// It can be used.
    pub good: bool,
    pub mistakes: Vec<MistakeFace>,
}

#[derive(Clone, Debug, Serialize)]
pub struct MistakeFace {
    /// "error" or "warning".
    pub severity: &'static str,
    pub line: usize,
    pub column: usize,
    pub says: String,
    pub help: Option<String>,
    /// With the lines of the file and a caret, for people.
    #[serde(skip)]
    pub rendered: String,
}

impl Report for Checked {
    const SCHEMA: &'static str = "hsdiag.check/1";

    fn text(&self, page: &mut Page) {
        for file in &self.files {
            for mistake in &file.mistakes {
                mistake.rendered.trim_end().lines().for_each(|line| page.line(line));
                page.blank();
            }
            let (errors, warnings): (Vec<_>, Vec<_>) =
                file.mistakes.iter().partition(|mistake| mistake.severity == "error");
            let said = match (errors.len(), warnings.len()) {
                (0, 0) => "no mistakes".into(),
                (0, warnings) => super::evidence::counted(warnings, "warning"),
                (errors, 0) => super::evidence::counted(errors, "mistake"),
                (errors, warnings) => format!(
                    "{}, {}",
                    super::evidence::counted(errors, "mistake"),
                    super::evidence::counted(warnings, "warning")
                ),
            };
            page.line(format_args!("{STRONG}{}{STRONG:#}: {said}", escaped(&file.file)));
        }
    }
}
