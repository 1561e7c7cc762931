//! One piece of a conversation on the terminal: when, which way, which bytes, and what they are.

use serde_json::Value as Json;

use super::Page;
use super::escape::escaped;
use super::item::{ElsewhereFace, ExpectedFace, ItemFace, MeansFace};
use super::paint::{BAD, FAINT, GOOD, STRONG, WARN};

/// Bytes shown of one item.
const MOST_BYTES: usize = 16;
/// Where the words about an item begin.
const INDENT: usize = 19;

pub fn write(page: &mut Page, item: &ItemFace) {
    let arrow = if item.dir == "tx" { ">" } else { "<" };
    let lead = format!("{FAINT}{:12.6} s{FAINT:#} {STRONG}{arrow}{STRONG:#}  ", item.at);
    page.hanging(&lead, INDENT, &what(item));
    if !item.hex.is_empty() {
        page.line(format_args!("{:INDENT$}{}", "", bytes(item)));
    }
    item.wrong.iter().for_each(|wrong| {
        page.hanging(
            &indent(),
            INDENT,
            &format!("byte {}: expected {}", wrong.byte + 1, escaped(&wrong.expected)),
        );
    });
    if item.kind == "unexpected" || item.kind == "silence" {
        item.expected.iter().take(4).for_each(|one| page.hanging(&indent(), INDENT, &expected(one)));
    }
    item.elsewhere.iter().take(4).for_each(|one| page.hanging(&indent(), INDENT, &elsewhere(one)));
    item.means.iter().for_each(|one| means(page, one));
}

fn indent() -> String {
    " ".repeat(INDENT)
}

fn what(item: &ItemFace) -> String {
    let state = item.state.as_ref().map_or(String::new(), |state| format!(" in state {state}"));
    match item.kind {
        "frame" => {
            let style = match (item.wrong.is_empty(), item.part) {
                (false, _) | (_, Some("refusal")) => BAD,
                (true, Some("found" | "repeat")) => WARN,
                (true, _) => GOOD,
            };
            let name = item.frame.as_deref().unwrap_or_default();
            let note = match (item.wrong.is_empty(), item.part) {
                (false, Some("foreign")) => " to another question",
                (false, _) => " damaged",
                (true, Some("refusal")) => " refusal",
                (true, Some("repeat")) => " repeated",
                (true, Some("unsolicited")) => " unsolicited",
                _ => "",
            };
            format!("{style}{name}{note}{style:#}{}", fields(item))
        }
        "unexpected" => format!("{BAD}unexpected{BAD:#}{state}"),
        "silence" => {
            format!("{BAD}no answer{BAD:#}{state} within {:.3} s", item.waited_s.unwrap_or_default())
        }
        "settings" => format!("the line is now at {}", item.settings.as_deref().unwrap_or_default()),
        _ => "break".into(),
    }
}

fn fields(item: &ItemFace) -> String {
    let Some(fields) = &item.fields else { return String::new() };
    let mut text = String::new();
    let told = fields.iter().filter(|(name, _)| !item.quiet.iter().any(|quiet| **quiet == **name));
    for (name, value) in told {
        let shown = item.shown.get(name).and_then(Json::as_str);
        let value = match (shown, value) {
            (Some(shown), _) => escaped(shown).into_owned(),
            (None, Json::String(hex)) => grouped(hex, 24),
            (None, other) => other.to_string(),
        };
        text += &format!(" {name}={value}");
    }
    text
}

/// The bytes, each with a fault in red and followed by the fault's letter.
fn bytes(item: &ItemFace) -> String {
    let (pairs, _) = item.hex.as_bytes().as_chunks::<2>();
    let mut text = format!("{FAINT}");
    for (place, pair) in pairs.iter().take(MOST_BYTES).enumerate() {
        let pair = String::from_utf8_lossy(pair);
        let fault = item.faults.iter().find(|fault| fault.byte == place);
        let space = if place == 0 { "" } else { " " };
        match fault {
            Some(fault) => {
                text += &format!("{space}{FAINT:#}{BAD}{pair}({}){BAD:#}{FAINT}", fault.fault);
            }
            None => text += &format!("{space}{pair}"),
        }
    }
    if pairs.len() > MOST_BYTES {
        text += &format!(" … {} bytes", pairs.len());
    }
    text + &format!("{FAINT:#}")
}

fn grouped(hex: &str, most: usize) -> String {
    let (pairs, _) = hex.as_bytes().as_chunks::<2>();
    let shown: Vec<_> = pairs.iter().take(most).map(|pair| String::from_utf8_lossy(pair)).collect();
    let more = if pairs.len() > most { format!(" … {} bytes", pairs.len()) } else { String::new() };
    format!("{}{more}", shown.join(" "))
}

fn expected(one: &ExpectedFace) -> String {
    let exchange = one.exchange.as_ref().map_or(String::new(), |exchange| format!(" of {exchange}"));
    match &one.wrong {
        Some(wrong) => {
            format!(
                "not {}{exchange}: byte {}, expected {}",
                one.frame,
                wrong.byte + 1,
                escaped(&wrong.expected)
            )
        }
        None => format!("expected {}{exchange}", one.frame),
    }
}

fn elsewhere(one: &ElsewhereFace) -> String {
    let what = match (&one.field, one.whole) {
        (Some(field), _) => format!("{field} of {}", one.frame),
        (None, true) => one.frame.clone(),
        (None, false) => format!("the beginning of {}", one.frame),
    };
    let exchange = one.exchange.as_ref().map_or(String::new(), |exchange| format!(" in {exchange}"));
    let state = one.state.as_ref().map_or(String::new(), |state| format!(", in state {state}"));
    format!("elsewhere: {what}{exchange}{state}")
}

fn means(page: &mut Page, one: &MeansFace) {
    page.hanging(&indent(), INDENT, &format!("{WARN}{}{WARN:#}: {}", escaped(&one.by), escaped(&one.means)));
    if let Some(cause) = &one.cause {
        page.hanging(&indent(), INDENT, &format!("cause: {}", escaped(cause)));
    }
    if let Some(remedy) = &one.remedy {
        page.hanging(&indent(), INDENT, &format!("remedy: {}", escaped(remedy)));
    }
}
