//! The sections of a table file as Markdown, from the list of keys.

use std::fmt::Write;

use crate::protocol::keys::{Key, Kind, Others, Section};

/// Every section below `section`, each once, depth first.
pub(super) fn sections(section: &'static Section) -> Vec<&'static Section> {
    let mut all = Vec::new();
    collect(section, &mut all);
    all
}

fn collect(section: &'static Section, all: &mut Vec<&'static Section>) {
    if all.iter().any(|known| std::ptr::eq(*known, section)) {
        return;
    }
    all.push(section);
    for key in section.keys {
        below(&key.kind, all);
    }
    if let Some(others) = &section.others {
        below(&others.kind, all);
    }
}

fn below(kind: &Kind, all: &mut Vec<&'static Section>) {
    match kind {
        Kind::Section(section) | Kind::Sections(section) => collect(section, all),
        Kind::List(of) => below(of, all),
        Kind::Either(kinds) => kinds.iter().for_each(|kind| below(kind, all)),
        _ => {}
    }
}

pub(super) fn write_section(section: &Section, text: &mut String) {
    let title = if section.path.is_empty() { "The file".into() } else { format!("`[{}]`", section.path) };
    let _ = write!(text, "### {title}\n\n{}.\n\n", capital(section.meaning));
    text.push_str("| key | value | without it | meaning | example |\n| --- | --- | --- | --- | --- |\n");
    for key in section.keys {
        write_key(key, text);
    }
    if let Some(others) = &section.others {
        write_others(others, text);
    }
    text.push('\n');
}

fn write_key(key: &Key, text: &mut String) {
    let default = match (key.required, key.default) {
        (true, _) => "a mistake",
        (false, Some(default)) => default,
        (false, None) => "nothing",
    };
    write_row(&format!("`{}`", key.name), &key.kind.describe(), default, key.meaning, key.example, text);
}

fn write_others(others: &Others, text: &mut String) {
    write_row(others.called, &others.kind.describe(), "", others.meaning, others.example, text);
}

fn write_row(name: &str, kind: &str, default: &str, meaning: &str, example: &str, text: &mut String) {
    let cell = |text: &str| text.replace('|', "\\|");
    let example = example.replace('|', "\\|");
    let _ = writeln!(
        text,
        "| {} | {} | {} | {} | `{example}` |",
        cell(name),
        cell(kind),
        cell(default),
        cell(meaning)
    );
}

pub(super) fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or(String::new(), |first| first.to_uppercase().chain(characters).collect())
}
