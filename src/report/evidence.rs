//! The evidence of a sweep in words. Chosen here, last of all.

use serde_json::{Value, json};

use crate::line::Baud;
use crate::sweep::Evidence;

/// Its name where something came upon a question that is no answer: of these there may be many.
pub(super) const OTHER_ANSWER: &str = "other-answer";

/// A stable name, the sentence, and the numbers behind it.
pub(super) fn told(evidence: &Evidence) -> (&'static str, String, Value) {
    match evidence {
        Evidence::Clean { baud, characters, unexplained: 0 } => (
            "clean",
            format!("at {baud} baud {} came, every one as the format says", characters_of(*characters)),
            json!({"baud": baud, "characters": characters, "unexplained": 0}),
        ),
        Evidence::Clean { baud, characters, unexplained } => (
            "clean",
            format!(
                "at {baud} baud {} came, {unexplained} with a fault that the format does not explain",
                characters_of(*characters)
            ),
            json!({"baud": baud, "characters": characters, "unexplained": unexplained}),
        ),
        Evidence::ParityByFraming { even, flagged, characters } => (
            "parity-by-framing",
            format!(
                "heard as 8N1, {flagged} of {characters} characters had a framing error, exactly those that have \
                 an {} parity bit at space: the parity bit was read as a stop bit",
                parity(*even)
            ),
            json!({"parity": parity(*even), "flagged": flagged, "characters": characters}),
        ),
        Evidence::ParityInBit7 { even, characters, by_chance } => (
            "parity-in-bit-7",
            format!(
                "all {characters} characters have {} weight, by chance 1 in {:.0}: bit 7 is parity",
                parity(*even),
                1.0 / by_chance.max(1e-12)
            ),
            json!({"parity": parity(*even), "characters": characters, "by_chance": by_chance}),
        ),
        Evidence::Bit7AlwaysMark { characters } => (
            "bit-7-always-mark",
            format!("bit 7 was 1 in all {characters} characters: seven data bits and two stop bits"),
            json!({"characters": characters}),
        ),
        Evidence::BitTime { measured_baud, listens, characters } => (
            "bit-time",
            format!(
                "the bits of {} in {} lasted 1/{measured_baud:.0} s",
                characters_of(*characters),
                counted(*listens, "listen")
            ),
            json!({"measured_baud": super::json::rounded(*measured_baud, 1), "listens": listens, "characters": characters}),
        ),
        Evidence::Inverted { log_factor } => (
            "inverted",
            format!("mark and space are exchanged: the bytes fit that {} better", factor(*log_factor)),
            json!({"log_factor": log_factor}),
        ),
        Evidence::RateChanged { at, from, to } => (
            "rate-changed",
            format!(
                "{at} after the start the line no longer fitted {from} baud; searched anew, it fits {to}"
            ),
            json!({"at": at.secs(), "from": from, "to": to}),
        ),
        Evidence::NoErrorReports => (
            "no-error-reports",
            "this port reports no line errors, so a parity bit cannot be seen by listening".into(),
            json!({}),
        ),
        Evidence::Silence { listened } => (
            "silence",
            format!("not a single character in {:.1} s", listened.as_secs_f64()),
            json!({"listened_s": listened.as_secs_f64()}),
        ),
        Evidence::SameAtAnyRate { rates } => (
            "same-at-any-rate",
            format!(
                "the same clean bytes came at {} baud: the rate has no effect on this port (native USB, or a \
                 byte stream), so set whatever the device's program expects",
                listed(rates, "and")
            ),
            json!({"rates": rates}),
        ),
        Evidence::RatesAlike { bauds } => (
            "rates-alike",
            format!(
                "{} baud are within 4 % of each other: a receiver takes either for the other, and either works",
                listed(bauds, "and")
            ),
            json!({"bauds": bauds}),
        ),
        Evidence::Answered { protocol, settings, bytes, by_chance } => (
            "answered",
            format!(
                "asked as a host of {protocol} at {settings}, it answered with {} as {protocol} has it; noise does that \
                 once in {}",
                counted(*bytes, "byte"),
                once_in(*by_chance)
            ),
            json!({"protocol": protocol, "settings": settings.to_string(), "bytes": bytes, "by_chance": by_chance}),
        ),
        Evidence::OtherAnswer { protocol, settings, bytes } => (
            OTHER_ANSWER,
            format!(
                "asked as a host of {protocol} at {settings}, {} came that are no answer of {protocol}",
                counted(*bytes, "byte")
            ),
            json!({"protocol": protocol, "settings": settings.to_string(), "bytes": bytes}),
        ),
        Evidence::Echo { settings, bytes } => (
            "echo",
            format!(
                "what is sent comes back: at {settings} {} did. That is no answer, and taken out of what is received",
                counted(*bytes, "byte")
            ),
            json!({"settings": settings.to_string(), "bytes": bytes}),
        ),
        Evidence::NoAnswer { openers } => (
            "no-answer",
            format!("{} went unanswered", counted(*openers, "opener")),
            json!({"openers": openers}),
        ),
        Evidence::FellBackToWalk { after_listens } => (
            "walked",
            format!(
                "{} settled nothing, so the rates were walked, high to low",
                counted(*after_listens, "listen")
            ),
            json!({"after_listens": after_listens}),
        ),
    }
}

pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn characters_of(count: usize) -> String {
    counted(count, "character")
}

fn parity(even: bool) -> &'static str {
    if even { "even" } else { "odd" }
}

fn once_in(by_chance: f64) -> String {
    match 1.0 / by_chance.max(1e-12) {
        times if times > 1e6 => "over a million times".into(),
        times => format!("{times:.0} times"),
    }
}

fn factor(log: f64) -> String {
    match log.exp() {
        factor if factor > 1e6 => "over a million times".into(),
        factor => format!("{factor:.0} times"),
    }
}

fn listed(rates: &[Baud], last: &str) -> String {
    let words: Vec<String> = rates.iter().map(ToString::to_string).collect();
    match words.split_last() {
        Some((end, before)) if !before.is_empty() => format!("{} {last} {end}", before.join(", ")),
        _ => words.concat(),
    }
}
