//! `[line]` and its phases.

use toml::de::DeValue;

use crate::frame::Expr;
use crate::line::{Baud, Format, STANDARD_BAUDS};

use super::super::findings::Findings;
use super::super::model::{Line, Phase, Reply, ScriptStep};
use super::super::time::Time;
use super::entry::Entry;
use super::tree::Fields;
use super::values::hex_bytes;

/// A phase, with the place of what is looked up once the exchanges are known.
pub(super) struct PhaseDraft<'t> {
    pub(super) phase: Phase,
    pub(super) baud: Option<super::entry::Text<'t>>,
}

/// What holds for a table without frames, which has no line.
pub(super) fn no_line() -> Line {
    Line {
        format: Format::N8,
        formats: vec![Format::N8],
        inverted: false,
        msb_first: false,
        bauds: Vec::new(),
        reply: Reply { from: Time::secs(0.0), to: Time::secs(1.0) },
        gap: None,
        echo: false,
        skip: Default::default(),
        flow: None,
        tcp: Vec::new(),
    }
}

pub(super) fn line<'t>(section: &Fields<'t>, found: &mut Findings<'_>) -> (Line, Vec<PhaseDraft<'t>>) {
    let usual = no_line();
    let formats: Vec<Format> =
        section.list("format", found).iter().filter_map(|item| format(item, found)).collect();
    let bauds: Vec<Baud> = section.list("baud", found).iter().filter_map(|item| baud(item, found)).collect();
    for (key, is_empty) in [("format", formats.is_empty()), ("baud", bauds.is_empty())] {
        if let Some(entry) = section.get(key).filter(|entry| is_empty && is_empty_list(entry)) {
            found.error(entry.range(), format!("`{key}` is an empty list; expected at least one"));
        }
    }
    let line = Line {
        format: formats.first().copied().unwrap_or(usual.format),
        formats,
        inverted: section.truth("inverted", found),
        msb_first: section.truth("msb_first", found),
        bauds,
        reply: section.get("reply").and_then(|entry| reply(&entry, found)).unwrap_or(usual.reply),
        gap: section.get("gap").and_then(|entry| time(&entry, found)),
        echo: section.truth("echo", found),
        skip: section.get("skip").and_then(|entry| hex_bytes(&entry, found)).unwrap_or_default(),
        flow: section.maybe_words("flow", found),
        tcp: section
            .list("tcp", found)
            .iter()
            .filter_map(|item| item.number(found))
            .filter_map(|port| u16::try_from(port).ok())
            .collect(),
    };
    let phases = section.named_sections(found);
    (line, phases.into_iter().filter_map(|(name, fields)| phase(&name, &fields, found)).collect())
}

fn is_empty_list(entry: &Entry<'_>) -> bool {
    matches!(entry.value(), DeValue::Array(items) if items.is_empty())
}

fn phase<'t>(name: &Entry<'t>, fields: &Fields<'t>, found: &mut Findings<'_>) -> Option<PhaseDraft<'t>> {
    if name.key == "line" {
        found.error(name.key_range(), "no phase can be called `line`: `@line` returns to the first settings");
        return None;
    }
    let (mut rate, mut text) = (None, None);
    if let Some(entry) = fields.get("baud") {
        text = entry.maybe_text();
        rate = match &text {
            Some(text) => text.read(found, Expr::parse),
            None => baud(&entry, found).map(|baud| Expr {
                at: Default::default(),
                kind: crate::frame::ExprKind::Number(i128::from(baud.get())),
            }),
        };
    }
    let phase = Phase {
        name: name.name(),
        baud: rate,
        format: fields.get("format").and_then(|entry| format(&entry, found)),
        settle: fields.get("settle").and_then(|entry| time(&entry, found)),
        script: fields.get("script").and_then(|entry| script(&entry, found)).unwrap_or_default(),
        keyed: fields.truth("keyed", found),
    };
    Some(PhaseDraft { phase, baud: text })
}

fn reply(entry: &Entry<'_>, found: &mut Findings<'_>) -> Option<Reply> {
    if !entry.is_table() {
        return Some(Reply { from: Time::secs(0.0), to: time(entry, found)? });
    }
    let fields = entry.own_section(found)?;
    let from = fields.get("from").and_then(|entry| time(&entry, found)).unwrap_or(Time::secs(0.0));
    let to = fields.get("to").and_then(|entry| time(&entry, found))?;
    Some(Reply { from, to })
}

pub(super) fn time(entry: &Entry<'_>, found: &mut Findings<'_>) -> Option<Time> {
    entry.text(found)?.read(found, Time::parse)
}

fn format(entry: &Entry<'_>, found: &mut Findings<'_>) -> Option<Format> {
    let text = entry.text(found)?;
    match text.value.parse::<Format>() {
        Ok(format) => Some(format),
        Err(error) => {
            let usual = ["8N1", "8E1", "8O1", "8N2", "7E1", "7O1"];
            found.error(text.range, error.to_string()).did_you_mean(text.value, usual);
            None
        }
    }
}

pub(super) fn baud(entry: &Entry<'_>, found: &mut Findings<'_>) -> Option<Baud> {
    let rate = match entry.value() {
        DeValue::Integer(integer) => super::entry::integer_value(integer),
        DeValue::String(text) => return read_baud(entry, text, found),
        _ => {
            entry.wrong_type(found);
            return None;
        }
    };
    match rate.and_then(|rate| u32::try_from(rate).ok()).map(Baud::new) {
        Some(Ok(baud)) => Some(baud),
        _ => {
            let written = rate.map_or("this".into(), |rate| format!("`{rate}`"));
            let says =
                format!("{written} is not a baud rate; expected a whole number from 1 to {}", Baud::MAX);
            found.error(entry.range(), says);
            None
        }
    }
}

fn read_baud(entry: &Entry<'_>, text: &str, found: &mut Findings<'_>) -> Option<Baud> {
    match text.parse::<Baud>() {
        Ok(baud) => Some(baud),
        Err(error) => {
            let known: Vec<String> = STANDARD_BAUDS.iter().map(ToString::to_string).collect();
            let known = known.iter().map(String::as_str);
            found.error(entry.range(), error.to_string()).did_you_mean(text, known);
            None
        }
    }
}

/// `D1|R0|B1|W0.1|S1200|O0|O8`: DTR, RTS, break, waits in seconds, a rate, closing the port and opening it.
pub(super) fn script(entry: &Entry<'_>, found: &mut Findings<'_>) -> Option<Vec<ScriptStep>> {
    const LONGEST_WAIT: f64 = 600.0;
    let seconds = |text: &str| text.parse().ok().filter(|secs| (0.0..=LONGEST_WAIT).contains(secs));
    let text = entry.text(found)?;
    let mut steps = Some(Vec::new());
    let mut at = 0;
    for word in text.value.split('|') {
        let step = word.trim();
        let read = match (step.get(..1), step.get(1..)) {
            (Some("D"), Some("0" | "1")) => Some(ScriptStep::Dtr(step.ends_with('1'))),
            (Some("R"), Some("0" | "1")) => Some(ScriptStep::Rts(step.ends_with('1'))),
            (Some("B"), Some("0" | "1")) => Some(ScriptStep::Break(step.ends_with('1'))),
            (Some("W"), Some(secs)) => seconds(secs).map(ScriptStep::Wait),
            (Some("O"), Some("0")) => Some(ScriptStep::Close),
            (Some("O"), Some(secs)) => seconds(secs).map(ScriptStep::Open),
            (Some("S"), Some(rate)) => rate.parse().ok().map(ScriptStep::Rate),
            _ => None,
        };
        match read {
            Some(step) => {
                steps = steps.map(|mut steps| {
                    steps.push(step);
                    steps
                })
            }
            None => {
                let says = format!(
                    "`{step}` is no step of a script; expected D, R or B with 0 or 1, W or O with seconds, or S with a rate, such as `D1|W0.1|D0`"
                );
                let at = crate::frame::At { from: at as u32, to: (at + word.len()) as u32 };
                found.inside(&text.range, crate::frame::Mistake { at, says, help: None });
                steps = None;
            }
        }
        at += word.len() + 1;
    }
    steps
}
