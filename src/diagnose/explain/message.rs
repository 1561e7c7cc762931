//! Lines that other tools print, recognised by the patterns of tables: `not in sync: resp=0x{byte}`.

use std::ops::Range;

use crate::protocol::{Registry, ToolMessage};

use super::answer::{FieldRead, MessageFound};

/// A recognised line, and what of it goes on to be explained.
pub(super) struct Recognised {
    pub found: MessageFound,
    /// The byte that came, and the one that was expected in its place.
    pub byte: Option<u8>,
    pub expected: Option<u8>,
    /// How much of the pattern was literal: the more, the more particular.
    literal: usize,
}

/// Every pattern of the tables that the text holds; of one tool only the most particular for each place in the text.
pub(super) fn recognise(text: &str, registry: &Registry) -> Vec<Recognised> {
    let lower = text.to_ascii_lowercase();
    let mut all: Vec<(Range<usize>, Recognised)> = Vec::new();
    let with_messages = registry.sources().filter(|source| source.text().contains("[[message]]"));
    for table in with_messages.filter_map(|source| source.table().ok()) {
        for message in &table.messages {
            if let Some((place, holes)) = fits(&lower, &message.text.to_ascii_lowercase()) {
                let pasted = text.get(place.clone()).unwrap_or(&message.text);
                all.push((place, recognised(message, pasted, holes, registry)));
            }
        }
    }
    all.sort_by_key(|(place, one)| (place.start, std::cmp::Reverse(one.literal)));
    let mut particular: Vec<(Range<usize>, Recognised)> = Vec::new();
    for (place, one) in all {
        let within = |(other, known): &(Range<usize>, Recognised)| {
            known.found.tool == one.found.tool && other.start <= place.start && place.end <= other.end
        };
        if !particular.iter().any(within) {
            particular.push((place, one));
        }
    }
    particular.into_iter().map(|(_, recognised)| recognised).collect()
}

/// `pasted`: what of the text fits the pattern.
fn recognised(message: &ToolMessage, pasted: &str, holes: Holes, registry: &Registry) -> Recognised {
    let table = message.table.as_ref().and_then(|name| registry.get(name).ok());
    let number = |digits: &str| i128::from_str_radix(digits, 16).ok();
    let byte = holes.iter().find(|(name, _)| name == "byte").and_then(|(_, digits)| number(digits));
    let whole = message.text.rfind("0x").and_then(|at| message.text.get(at + 2..at + 4));
    let byte = byte.or(whole.and_then(number)).and_then(|byte| u8::try_from(byte).ok());
    let read = holes.iter().map(|(name, digits)| {
        let values = table.as_ref().and_then(|table| table.values.get(name.as_str()));
        let named = values.and_then(|values| values.iter().find(|value| Some(value.value) == number(digits)));
        let says = named.map(|named| named.means.clone().unwrap_or_else(|| named.name.to_string()));
        FieldRead { name: name.clone(), value: digits.to_uppercase(), says }
    });
    Recognised {
        byte: byte.filter(|_| message.expected.is_some()),
        expected: message.expected,
        literal: literal_length(&message.text),
        found: MessageFound {
            tool: message.tool.clone(),
            text: pasted.to_owned(),
            holes: read.collect(),
            table: message.table.as_ref().map(|name| name.to_string()),
            says: message.means.clone(),
            cause: message.cause.clone(),
            remedy: message.remedy.clone(),
        },
    }
}

fn literal_length(pattern: &str) -> usize {
    pieces(pattern).iter().map(|piece| piece.0.len()).sum()
}

/// Literal pieces of a pattern, each with the name of the hole behind it.
fn pieces(pattern: &str) -> Vec<(&str, Option<&str>)> {
    let mut pieces = Vec::new();
    let mut rest = pattern;
    while let Some((literal, hole, after)) = rest
        .split_once('{')
        .and_then(|(literal, behind)| behind.split_once('}').map(|(hole, after)| (literal, hole, after)))
    {
        pieces.push((literal, Some(hole)));
        rest = after;
    }
    pieces.push((rest, None));
    pieces
}

/// The holes of a pattern by name, with the digits in them.
type Holes = Vec<(String, String)>;

/// Where the pattern stands in the text, and the digits in its holes.
fn fits(text: &str, pattern: &str) -> Option<(Range<usize>, Holes)> {
    let pieces = pieces(pattern);
    let (first, _) = pieces.first()?;
    let first = if first.is_empty() { return None } else { first };
    text.match_indices(first).find_map(|(start, _)| {
        let mut rest = &text[start..];
        let mut holes = Vec::new();
        for (literal, hole) in &pieces {
            rest = rest.strip_prefix(literal)?;
            let Some(hole) = hole else { continue };
            let end = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
            let digits = Some(&rest[..end]).filter(|digits| !digits.is_empty())?;
            holes.push((hole.to_string(), digits.to_string()));
            rest = &rest[end..];
        }
        // A pattern that ends in digits is not the beginning of a longer number.
        let cut = pattern.ends_with(|c: char| c.is_ascii_hexdigit())
            && rest.starts_with(|c: char| c.is_ascii_hexdigit());
        (!cut).then_some((start..text.len() - rest.len(), holes))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_found_anywhere_and_its_holes_take_digits() {
        let line = "avrdude: stk500_getsync() attempt 1 of 10: not in sync: resp=0x68";
        let (place, holes) = fits(line, "not in sync: resp=0x{byte}").unwrap();
        assert_eq!((&line[place], holes), ("not in sync: resp=0x68", vec![("byte".into(), "68".into())]));
        assert!(fits(line, "not in sync: resp=0x6").is_none());
        assert!(fits(line, "not in sync: resp=0x68").is_some());
        assert!(fits("resp=0x", "resp=0x{byte}").is_none());
    }
}
