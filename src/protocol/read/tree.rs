//! Walks the TOML tree by the list of keys: what is unknown or missing is told here, once for all sections.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::findings::Findings;
use super::super::keys::{Key, Kind, Naming, Others, Section};
use super::entry::{Entry, Text, is_name, parse_hex_bytes, parse_number};

/// The entries of one table.
pub(super) struct Fields<'t> {
    section: &'static Section,
    /// Its name in the file, where the table chose it.
    key: &'t str,
    /// Where the table's own name stands.
    pub(super) at: Range<usize>,
    /// Those of the key list, and behind them those that the table names itself, in the order of the file.
    entries: Vec<Entry<'t>>,
    /// How many are of the key list.
    known: usize,
}

impl<'t> Fields<'t> {
    /// Sorts the entries into those of the key list and those the table names itself, and tells what is unknown or missing.
    pub(super) fn open(
        table: &'t DeTable<'t>,
        section: &'static Section,
        key: &'t str,
        at: Range<usize>,
        found: &mut Findings<'_>,
    ) -> Fields<'t> {
        let mut fields = Fields { section, key, at, entries: Vec::with_capacity(table.len()), known: 0 };
        let mut misnamed: Vec<(Range<usize>, &str, Option<&Others>)> = Vec::new();
        for (key, value) in table {
            let (span, key) = (key.span(), &**key.get_ref());
            let entry =
                |kind, example| Entry { key, key_from: span.start, key_to: span.end, value, kind, example };
            match (section.key(key), &section.others) {
                (Some(Key { kind, example, .. }), _) => fields.add_known(entry(kind, example)),
                (None, Some(others)) if fields.takes(others, value.get_ref()) => {
                    if is_well_named(key, others.naming) {
                        fields.entries.push(entry(&others.kind, others.example));
                    } else {
                        misnamed.push((span, key, Some(others)));
                    }
                }
                (None, _) => misnamed.push((span, key, None)),
            }
        }
        fields.entries[fields.known..].sort_by_key(|entry| entry.key_from);
        misnamed.sort_by_key(|(span, ..)| span.start);
        for (span, key, others) in misnamed {
            match others {
                Some(others) => tell_badly_named(key, span, others, found),
                None => unknown_key(key, span, &fields, found),
            }
        }
        for key in section.keys.iter().filter(|key| key.required) {
            if fields.get(key.name).is_none() && !found.is_broken {
                let says = format!("`{}` is missing{}: {}", key.name, fields.within(" in "), key.meaning);
                found
                    .error(fields.at.clone(), says)
                    .help(format!("such as `{} = {}`", key.name, key.example));
            }
        }
        fields
    }

    fn add_known(&mut self, entry: Entry<'t>) {
        let last = self.entries.len();
        self.entries.push(entry);
        self.entries.swap(self.known, last);
        self.known += 1;
    }

    /// Where a section has both keys and names of the table's own, only a table can be one of the latter, or a field of `like`.
    fn takes(&self, others: &Others, value: &DeValue<'_>) -> bool {
        let only_tables = !self.section.keys.is_empty() && matches!(others.kind, Kind::Section(_));
        !only_tables || matches!(value, DeValue::Table(_))
    }

    /// " in `line`"; nothing for the file itself.
    fn within(&self, word: &str) -> String {
        let title = title(self.section, self.key);
        if title.is_empty() { String::new() } else { format!("{word}`{title}`") }
    }

    pub(super) fn get(&self, name: &str) -> Option<Entry<'t>> {
        debug_assert!(self.section.key(name).is_some(), "`{name}` is not in the list of keys");
        self.entries[..self.known].iter().find(|entry| entry.key == name).copied()
    }

    /// What the table names itself.
    pub(super) fn others(&self) -> &[Entry<'t>] {
        &self.entries[self.known..]
    }

    pub(super) fn text(&self, name: &str, found: &mut Findings<'_>) -> Option<Text<'t>> {
        self.get(name)?.text(found)
    }

    /// Text as a value of its own; empty without the key.
    pub(super) fn words(&self, name: &str, found: &mut Findings<'_>) -> String {
        self.text(name, found).map(|text| text.value.trim().to_string()).unwrap_or_default()
    }

    pub(super) fn maybe_words(&self, name: &str, found: &mut Findings<'_>) -> Option<String> {
        self.text(name, found).map(|text| text.value.trim().to_string())
    }

    pub(super) fn truth(&self, name: &str, found: &mut Findings<'_>) -> bool {
        self.get(name).and_then(|entry| entry.truth(found)).unwrap_or(false)
    }

    pub(super) fn number(&self, name: &str, found: &mut Findings<'_>) -> Option<i128> {
        self.get(name)?.number(found)
    }

    pub(super) fn list(&self, name: &str, found: &mut Findings<'_>) -> Vec<Entry<'t>> {
        self.get(name).map(|entry| entry.list(found)).unwrap_or_default()
    }

    /// Every text of a list, or the only one.
    pub(super) fn texts(&self, name: &str, found: &mut Findings<'_>) -> Vec<Text<'t>> {
        let Some(entry) = self.get(name) else { return Vec::new() };
        entry.items(found).filter_map(|item| item.text(found)).collect()
    }

    pub(super) fn section(&self, name: &str, found: &mut Findings<'_>) -> Option<Fields<'t>> {
        let entry = self.get(name)?;
        entry.section(section_of(entry.kind)?, found)
    }

    pub(super) fn sections(&self, name: &str, found: &mut Findings<'_>) -> Vec<Fields<'t>> {
        let Some(entry) = self.get(name) else { return Vec::new() };
        section_of(entry.kind).map(|section| entry.sections(section, found)).unwrap_or_default()
    }

    /// The tables that the section names itself, each with its entries.
    pub(super) fn named_sections(&self, found: &mut Findings<'_>) -> Vec<(Entry<'t>, Fields<'t>)> {
        self.others()
            .iter()
            .filter_map(|entry| Some((*entry, entry.section(section_of(entry.kind)?, found)?)))
            .collect()
    }
}

impl<'t> Entry<'t> {
    /// The entries of the table that this value is.
    pub(super) fn section(&self, section: &'static Section, found: &mut Findings<'_>) -> Option<Fields<'t>> {
        let DeValue::Table(table) = self.value() else {
            self.wrong_type(found);
            return None;
        };
        Some(Fields::open(table, section, self.key, self.key_range(), found))
    }

    /// The entries of each table of `[[…]]`.
    pub(super) fn sections(&self, section: &'static Section, found: &mut Findings<'_>) -> Vec<Fields<'t>> {
        let DeValue::Array(items) = self.value() else {
            self.wrong_type(found);
            return Vec::new();
        };
        let item = |value: &'t Spanned<DeValue<'t>>| {
            let header = value.span();
            Entry { value, key_from: header.start, key_to: header.end, ..*self }
        };
        items.iter().filter_map(|value| item(value).section(section, found)).collect()
    }

    /// The entries of this value, where it is a table and the key list allows one.
    pub(super) fn own_section(&self, found: &mut Findings<'_>) -> Option<Fields<'t>> {
        self.section(section_of(self.kind)?, found)
    }
}

/// The keys of the table at a path below the root, with their places; nothing is told.
pub(super) fn keys_below<'t>(root: &Fields<'t>, path: &[&str]) -> Vec<(&'t str, Range<usize>)> {
    let Some((first, rest)) = path.split_first() else { return Vec::new() };
    let mut value = root.get(first).map(|entry| entry.value());
    for key in rest {
        value = value.and_then(|value| value.get(*key)).map(|value| value.get_ref());
    }
    let Some(DeValue::Table(table)) = value else { return Vec::new() };
    table.keys().map(|key| (&**key.get_ref(), key.span())).collect()
}

fn section_of(kind: &'static Kind) -> Option<&'static Section> {
    match kind {
        Kind::Section(section) | Kind::Sections(section) => Some(section),
        Kind::Either(kinds) => kinds.iter().find_map(section_of),
        _ => None,
    }
}

/// Tells that a key, taken for a name of the table's own, is none.
pub(super) fn tell_unknown_key(entry: &Entry<'_>, of: &Fields<'_>, found: &mut Findings<'_>) {
    unknown_key(entry.key, entry.key_range(), of, found);
}

/// The section's path with the name that the table chose for it.
fn title(section: &'static Section, key: &str) -> String {
    match section.path.rsplit_once('.') {
        Some((path, last)) if last.chars().all(|c| c.is_ascii_uppercase()) => format!("{path}.{key}"),
        _ if section.path.starts_with('[') => format!("[{}]", section.path),
        _ => section.path.to_string(),
    }
}

fn unknown_key(key: &str, range: Range<usize>, of: &Fields<'_>, found: &mut Findings<'_>) {
    let names = || of.section.keys.iter().map(|key| key.name);
    let known = found.error(range, format!("`{key}` is no key{}", of.within(" of ")));
    known.help(match names().collect::<Vec<_>>() {
        names if names.is_empty() => "it has no keys of its own".to_string(),
        names => format!("its keys are {}", names.join(", ")),
    });
    known.did_you_mean(key, names());
}

fn is_well_named(key: &str, naming: Naming) -> bool {
    match naming {
        Naming::Name => is_name(key),
        Naming::Number => parse_number(key).is_some(),
        Naming::NumberOrBytes => parse_number(key).is_some() || parse_hex_bytes(key).is_some(),
    }
}

fn tell_badly_named(key: &str, range: Range<usize>, others: &Others, found: &mut Findings<'_>) {
    let expected = match others.naming {
        Naming::Name => "lower-case letters, digits and `_`, a letter first",
        Naming::Number => "a number, such as `0x10`",
        Naming::NumberOrBytes => "a number such as 0x0410, or hex bytes such as \"1E 95 0F\"",
    };
    found.error(range, format!("`{key}` cannot be {}; expected {expected}", others.called));
}
