//! The language reference as Markdown.

use std::fmt::Write;

use crate::frame::{Function, catalogue};
use crate::protocol::keys::TABLE;

use super::functions::gives;
use super::notation::{TOPICS, Topic};
use super::sections::{sections, write_section};

/// A whole table, small enough to be read at a glance; a test reads it.
pub(super) const EXAMPLE: &str = include_str!("example.toml");

const GRAMMAR: &str = include_str!("grammar.ebnf");

const HEAD: &str = "\
# The table language of hsdiag

A protocol is one TOML file: a description of the conversation as a bystander would write it down. hsdiag reads it in four ways: as the
observer who follows both sides, as the host, as the device, and backwards, to find out what a byte can be.

One notation stands on three levels: a *layout* is a regular expression over bytes, a *talk* one over frames, a *run* one over exchanges.
Lower-case names are names, upper-case pairs are bytes. `hsdiag protocols check FILE` tells every mistake of a table at its place.

## At a glance

";

/// Everything that can stand in a table: notations, functions, checksums, keys, and the grammar.
pub fn reference() -> String {
    let mut text = format!("{HEAD}```toml\n{EXAMPLE}```\n\n");
    for topic in &TOPICS {
        write_topic(topic, &mut text);
    }
    write_expressions(&mut text);
    write_checksums(&mut text);
    text.push_str("## Sections and keys\n\n");
    for section in sections(&TABLE) {
        write_section(section, &mut text);
    }
    let _ =
        write!(text, "## Grammar\n\nOf layouts, talks and expressions, in EBNF.\n\n```ebnf\n{GRAMMAR}```\n");
    text
}

fn write_topic(topic: &Topic, text: &mut String) {
    let _ = write!(text, "## {}\n\n", topic.title);
    if !topic.about.is_empty() {
        let _ = write!(text, "{}\n\n", topic.about);
    }
    text.push_str("| written | says |\n| --- | --- |\n");
    for construct in topic.constructs {
        let _ = writeln!(
            text,
            "| `{}` | {} |",
            construct.written.replace('|', "\\|"),
            construct.says.replace('|', "\\|")
        );
    }
    text.push('\n');
}

fn write_expressions(text: &mut String) {
    text.push_str(
        "## Expressions\n\nNumbers have 64 bits and are checked; there are no loops, no variables and no side effects. Operators bind, weakest \
         first: `? :`, `||`, `&&`, comparisons and `in`, `|`, `^`, `&`, shifts, `+ -`, `* / %`, and `- ~ !` before an operand. A name may \
         have a dot: `frame.field`, `piece.at`, `data.size`, `asked.sequence`, `last.fcb`.\n\n| function | gives |\n| --- | --- |\n",
    );
    for function in Function::ALL {
        let _ = writeln!(text, "| `{}` | {} |", function.usage(), gives(function));
    }
    text.push('\n');
}

fn write_checksums(text: &mut String) {
    text.push_str("## Checksums\n\nNames for `crc(NAME, …)`, from the catalogue of CRC algorithms:\n\n");
    let names: Vec<String> = catalogue().map(|name| format!("`{name}`")).collect();
    let _ = write!(text, "{}.\n\nOthers are described in `[checksums]`.\n\n", names.join(", "));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Table, keys::Section};

    #[test]
    fn the_example_is_a_table_without_a_mistake() {
        match Table::read("example.toml", EXAMPLE) {
            Ok((_, warnings)) => assert!(warnings.is_empty(), "{warnings:?}"),
            Err(mistakes) => panic!("{mistakes}"),
        }
    }

    #[test]
    fn every_key_function_and_checksum_is_in_the_reference() {
        let text = reference();
        let has_key =
            |section: &Section| section.keys.iter().all(|key| text.contains(&format!("| `{}` |", key.name)));
        assert!(sections(&TABLE).into_iter().all(has_key));
        assert!(Function::ALL.into_iter().all(|function| text.contains(function.usage())));
        assert!(catalogue().all(|name| text.contains(name)));
        assert!(sections(&TABLE).len() > 25);
    }

    #[test]
    fn the_constructs_of_layouts_and_talks_can_be_read_as_they_are_written() {
        use crate::frame::{Envelope, Layout};
        use crate::protocol::{Talk, Time};
        let topic = |title: &str| {
            TOPICS.iter().find(|topic| topic.title == title).map(|topic| topic.constructs).unwrap()
        };
        for construct in topic("Layouts") {
            assert!(Layout::parse(construct.written).is_ok(), "{}", construct.written);
        }
        for construct in topic("Envelopes").iter().skip(1) {
            assert!(Envelope::parse(construct.written).is_ok(), "{}", construct.written);
        }
        for construct in topic("Talks").iter().chain(topic("Runs")) {
            let whole = construct.written.strip_prefix("each").map(|each| format!("( < a ) each{each}"));
            let written = whole.as_deref().unwrap_or(construct.written);
            assert!(Talk::parse(written).is_ok(), "{written}");
        }
        for construct in topic("Times, scripts, vectors").iter().take(3) {
            assert!(Time::parse(construct.written).is_ok(), "{}", construct.written);
        }
    }
}
