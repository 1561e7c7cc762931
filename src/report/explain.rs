//! What something can mean, most specific first, and what the physics says of it.

use serde::Serialize;

use crate::diagnose::explain::{
    Asked, Bits, Character, Entry, Expected, Explanation, FieldRead, From, Kind, MessageFound, Part, Pulses,
    Relation, Relative, Section, Single, Utf8, Way,
};

use super::escape::{bytes_text, escaped, hex};
use super::paint::{FAINT, GOOD, STRONG};
use super::{Page, Report};

/// An explanation, as it is shown.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Explained {
    explanation: Explanation,
}

impl Explained {
    pub fn new(explanation: Explanation) -> Explained {
        Explained { explanation }
    }
}

/// More than these are not told to a person, who has asked for the likely ones.
const MOST_ENTRIES: usize = 24;

impl Report for Explained {
    const SCHEMA: &'static str = "hsdiag.explain/1";

    fn text(&self, page: &mut Page) {
        for message in &self.explanation.messages {
            write_message(message, page);
        }
        for part in &self.explanation.parts {
            page.head(&title(part));
            for section in &part.sections {
                write_section(section, page);
            }
        }
        let Explanation { parts, messages, .. } = &self.explanation;
        if parts.is_empty() && messages.is_empty() {
            page.line("Nothing to explain: give a byte, a word, a number, or a line that a tool printed.");
        } else if !self.explanation.says_something() {
            page.hanging("  ", 2, "No table knows it, and no byte is named in it, such as 0x68. What the device says itself, and why, shows:");
            page.line("    hsdiag sweep PORT");
            page.line("    hsdiag handshake PORT --protocol NAME");
        }
    }
}

fn title(part: &Part) -> String {
    let bytes = hex(&part.bytes);
    match (part.asked, part.bytes.as_slice(), part.number) {
        (Asked::Text, bytes, _) => format!("the text {}", bytes_text(bytes)),
        (Asked::Decimal, [byte], _) => format!("the number {byte} is the byte {bytes}"),
        (Asked::Decimal, _, Some(number)) => format!("the number {number} is {number:X} in hex"),
        (Asked::Control, ..) => format!("the control character {bytes}"),
        (_, [_], _) => format!("the byte {bytes}"),
        (_, _, Some(number)) => format!("the bytes {bytes}, the number {number:X}"),
        _ => format!("the bytes {bytes}"),
    }
}

fn write_message(message: &MessageFound, page: &mut Page) {
    page.line(format_args!("{STRONG}{}{STRONG:#}: {}", escaped(&message.tool), escaped(&message.text)));
    for hole in message.holes.iter().filter(|hole| hole.says.is_some()) {
        page.hanging("  ", 2, &field_read(hole));
    }
    page.hanging("  ", 2, &escaped(&message.says));
    write_advice(message.cause.as_deref(), message.remedy.as_deref(), page);
}

fn write_advice(cause: Option<&str>, remedy: Option<&str>, page: &mut Page) {
    if let Some(cause) = cause {
        page.hanging("    why: ", 9, &escaped(cause));
    }
    if let Some(remedy) = remedy {
        page.hanging("    do:  ", 9, &escaped(remedy));
    }
}

fn write_section(section: &Section, page: &mut Page) {
    match section {
        Section::Tables { entries } => {
            page.line("In the tables");
            for entry in entries.iter().take(MOST_ENTRIES) {
                write_entry(entry, page);
            }
            if let Some(more) = entries.len().checked_sub(MOST_ENTRIES).filter(|more| *more > 0) {
                page.line(format_args!(
                    "  {FAINT}and {more} less specific ones: --json tells them all{FAINT:#}"
                ));
            }
        }
        Section::Character(character) => write_character(character, page),
        Section::Bits(bits) => write_bits(bits, page),
        Section::Relatives { relatives } => {
            relatives.iter().for_each(|relative| write_relative(relative, page))
        }
        Section::Pulses(pulses) => write_pulses(pulses, page),
        Section::Expected(expected) => write_expected(expected, page),
        Section::Single { bytes } => bytes.iter().for_each(|single| write_single(single, page)),
    }
}

fn write_entry(entry: &Entry, page: &mut Page) {
    let Entry { kind, from, says, cause, remedy, bits } = entry;
    let said = says.as_deref().map(|says| format!(": {}", escaped(says))).unwrap_or_default();
    let what = match kind {
        Kind::Meaning => said.trim_start_matches(": ").to_string(),
        Kind::Frame { fields, wrong } => {
            let fields: Vec<String> =
                fields.iter().filter(|field| *bits >= 7.0 || field.says.is_some()).map(field_read).collect();
            let colon = if fields.is_empty() { "" } else { ": " };
            let but = wrong
                .as_ref()
                .map(|wrong| format!(", whose checksum does not hold (expected {})", escaped(wrong)));
            format!("the frame {}{}{colon}{}", frames(from), but.unwrap_or_default(), fields.join(", "))
        }
        Kind::Start => format!("start of {}", frames(from)),
        Kind::Within { offset: Some(offset) } => {
            format!("byte {} of {}{}", offset + 1, frames(from), field(from))
        }
        Kind::Within { offset: None } => format!("within {}{}", frames(from), field(from)),
        Kind::Value { name } => match says {
            Some(says) => format!("{} = {}", plain_field(from), escaped(says)),
            None => format!("{} = {}", plain_field(from), escaped(name)),
        },
        Kind::Allowed => format!("a value of {}{}", plain_field(from), in_frames(from)),
        Kind::Word { name } => format!("{}.{}{said}", plain_field(from), escaped(name)),
    };
    let mark = if from.refusal { " (a refusal)" } else { "" };
    let lead = format!("  {GOOD}{}{GOOD:#}  ", escaped(&from.table));
    page.hanging(&lead, from.table.chars().count() + 4, &format!("{what}{mark}{}", place(from, kind)));
    write_advice(cause.as_deref(), remedy.as_deref(), page);
}

/// "in state `linked`, from the device".
fn place(from: &From, kind: &Kind) -> String {
    let mut words = Vec::new();
    match from.senders.as_slice() {
        [sender] => words.push(format!("from the {sender}")),
        [_, _] => words.push("from either side".to_string()),
        _ => {}
    }
    if let Kind::Meaning = kind {
        words.extend((!from.frames.is_empty()).then(|| list(&from.frames, 3)));
        words.extend((!from.states.is_empty()).then(|| format!("in {}", list(&from.states, 3))));
        words.extend((!from.exchanges.is_empty()).then(|| format!("after {}", list(&from.exchanges, 4))));
    } else {
        words.extend((!from.states.is_empty()).then(|| format!("in {}", list(&from.states, 4))));
    }
    if words.is_empty() { String::new() } else { format!(" {FAINT}({}){FAINT:#}", words.join(", ")) }
}

fn frames(from: &From) -> String {
    if from.frames.is_empty() { from.title.clone() } else { list(&from.frames, 4) }
}

fn in_frames(from: &From) -> String {
    if from.frames.is_empty() { String::new() } else { format!(" in {}", list(&from.frames, 4)) }
}

fn field(from: &From) -> String {
    from.field.as_ref().map(|field| format!(", its {field}")).unwrap_or_default()
}

fn plain_field(from: &From) -> String {
    from.field.clone().unwrap_or_default()
}

fn list(names: &[String], most: usize) -> String {
    let shown: Vec<&str> = names.iter().take(most).map(String::as_str).collect();
    let more = names.len().saturating_sub(most);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

fn field_read(field: &FieldRead) -> String {
    match &field.says {
        Some(says) => format!("{} {} ({})", field.name, escaped(&field.value), escaped(says)),
        None => format!("{} {}", field.name, escaped(&field.value)),
    }
}

fn write_character(character: &Character, page: &mut Page) {
    let mut words = Vec::new();
    words.extend(character.printable.map(|c| format!("ASCII `{c}`")));
    words.extend(character.control.map(|name| format!("the control character {name}")));
    words.extend(character.utf8.map(|utf8| match utf8 {
        Utf8::Starts(count) => format!("first of {count} bytes of a character in UTF-8"),
        Utf8::Continues => "a later byte of a character in UTF-8".to_string(),
    }));
    words.extend(character.bcd.map(|number| format!("{number:02} in BCD")));
    if !words.is_empty() {
        page.hanging("As a character  ", 16, &words.join("; "));
    }
}

fn write_bits(bits: &Bits, page: &mut Page) {
    let parity = u8::from(bits.even_parity_bit);
    let words = format!(
        "{}, {} ones: the parity bit of 8E1 is {parity}; on the line {} (start, lowest bit first, stop)",
        bits.pattern, bits.ones, bits.on_the_line
    );
    page.hanging("Bits            ", 16, &words);
}

fn write_relative(relative: &Relative, page: &mut Page) {
    let relation = match relative.relation {
        Relation::Reversed => "bits in the other order",
        Relation::Complement => "every bit exchanged",
        Relation::ReversedComplement => "both, as in inverse convention",
        Relation::OtherTopBit => "the highest bit exchanged, as by a parity bit read as data",
    };
    let known = if relative.known_as.is_empty() {
        String::new()
    } else {
        format!(": {}", relative.known_as.join(", "))
    };
    page.hanging("Relative        ", 16, &format!("{:02X}, {relation}{known}", relative.byte));
}

fn write_single(single: &Single, page: &mut Page) {
    let printable = single.printable.map(|c| format!("ASCII `{c}`"));
    let mut words: Vec<String> = printable.or(single.control.map(str::to_string)).into_iter().collect();
    words.extend((!single.known_as.is_empty()).then(|| single.known_as.join(", ")));
    page.hanging("By itself       ", 16, &format!("{:02X}  {}", single.byte, words.join("; ")));
}

fn write_pulses(pulses: &Pulses, page: &mut Page) {
    let [upper, lower, names] = waveform(&pulses.levels);
    page.line(format_args!("On the line     {upper}"));
    page.line(format_args!("                {lower}"));
    page.line(format_args!("                {FAINT}{names}{FAINT:#}"));
    let (needed, byte) = (pulses.needed, pulses.byte);
    let words = if needed == 1 {
        format!(
            "one pulse of space makes {byte:02X}: a single glitch can be it, as it can be {}",
            hex(&pulses.by_one)
        )
    } else {
        format!(
            "one noise pulse cannot make {byte:02X}: it needs {needed} separate pulses of space; one pulse makes only {} ({} of 256 bytes need {needed})",
            hex(&pulses.by_one),
            pulses.as_many
        )
    };
    page.hanging("Noise           ", 16, &words);
}

/// Mark above, space below, three columns a bit, with the line resting before and after.
fn waveform(levels: &[bool]) -> [String; 3] {
    let mut levels: Vec<bool> = levels.to_vec();
    levels.insert(0, true);
    levels.push(true);
    let (mut upper, mut lower, mut names) = (String::new(), String::new(), String::new());
    for (index, level) in levels.iter().enumerate() {
        let before = index.checked_sub(1).map_or(*level, |before| levels[before]);
        let (high, low) = match (before, *level) {
            (true, true) => ("───", "   "),
            (false, false) => ("   ", "───"),
            (true, false) => ("┐  ", "└──"),
            (false, true) => ("┌──", "┘  "),
        };
        upper.push_str(high);
        lower.push_str(low);
        let name = match index {
            0 => "   ".to_string(),
            1 => " S ".to_string(),
            bit @ 2..=9 => format!(" {} ", bit - 2),
            10 => " P ".to_string(),
            _ => String::new(),
        };
        names.push_str(&name);
    }
    [upper, lower, names]
}

fn write_expected(expected: &Expected, page: &mut Page) {
    let Expected { expected: sent, received, baud, format, ways } = expected;
    page.line(format_args!("What turns {sent:02X} into {received:02X} at {baud} {format}"));
    for way in ways {
        page.point(&way_words(way, *baud));
    }
}

fn way_words(way: &Way, baud: u32) -> String {
    let fault = |fault: &Option<&'static str>| match fault {
        Some(fault) => format!(", with a {fault}"),
        None => ", without any error".to_string(),
    };
    match way {
        Way::Rate { from, to, rates, alone, framing_error } => {
            let hz = |ratio: &f64| (ratio * f64::from(baud)).round();
            let range = if (to / from) < 1.01 {
                format!("{:.0} baud", hz(from))
            } else {
                format!("{:.0} to {:.0} baud", hz(from), hz(to))
            };
            let named: Vec<String> = rates.iter().map(ToString::to_string).collect();
            let named = if named.is_empty() {
                ", no customary rate".into()
            } else {
                format!(", such as {}", named.join(", "))
            };
            let more = if *alone { "" } else { ", and more bytes come for it" };
            let error = if *framing_error { ", with a framing error" } else { "" };
            format!("rate: the sender is at {range} ({from:.2} to {to:.2} of ours){named}{error}{more}")
        }
        Way::Format { sender, fault: seen } => format!("format: the sender uses {sender}{}", fault(seen)),
        Way::Inverted { fault: seen } => format!("polarity: mark and space are exchanged{}", fault(seen)),
        Way::BitOrder => "bit order: the highest bit is sent first".into(),
        Way::Complement => "every bit is exchanged, behind the receiver".into(),
        Way::Slip { bits } => format!(
            "the start was found {bits} bit{} off, in a stream of this byte",
            if bits.abs() == 1 { "" } else { "s" }
        ),
        Way::BitFlips { mask, count } => format!(
            "damage: {count} bit{} flipped ({mask:02X}); {} it can always be",
            if *count == 1 { "" } else { "s" },
            if *count <= 2 { "few enough for noise;" } else { "many for noise;" }
        ),
    }
}
