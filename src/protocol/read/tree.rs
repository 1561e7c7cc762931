//! Walks the TOML tree by the list of keys: what is unknown, missing or of another type is told here, once for all sections.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use crate::frame::Name;

use super::super::findings::Findings;
use super::super::keys::{Key, Kind, Naming, Others, Section};

/// A value of the file with the key it stands under.
#[derive(Clone, Copy)]
pub(super) struct Entry<'t> {
    pub(super) key: &'t str,
    key_from: usize,
    key_to: usize,
    value: &'t Spanned<DeValue<'t>>,
    kind: &'static Kind,
    example: &'static str,
}

/// A string of the file, and where it is written.
#[derive(Clone, Debug)]
pub(super) struct Text<'t> {
    pub(super) value: &'t str,
    pub(super) range: Range<usize>,
}

impl Text<'_> {
    /// Reads it by one of the languages of layouts, talks and expressions.
    pub(super) fn read<T, E: IntoMistakes>(
        &self,
        found: &mut Findings<'_>,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        match read(self.value) {
            Ok(value) => Some(value),
            Err(mistakes) => {
                mistakes.into_mistakes().into_iter().for_each(|mistake| found.inside(&self.range, mistake));
                None
            }
        }
    }
}

/// One mistake, or several.
pub(super) trait IntoMistakes {
    fn into_mistakes(self) -> Vec<crate::frame::Mistake>;
}

impl IntoMistakes for crate::frame::Mistake {
    fn into_mistakes(self) -> Vec<crate::frame::Mistake> {
        vec![self]
    }
}

impl IntoMistakes for Vec<crate::frame::Mistake> {
    fn into_mistakes(self) -> Vec<crate::frame::Mistake> {
        self
    }
}

impl<'t> Entry<'t> {
    pub(super) fn key_range(&self) -> Range<usize> {
        self.key_from..self.key_to
    }

    pub(super) fn range(&self) -> Range<usize> {
        let range = self.value.span();
        // A table under a header has no value of its own in the file.
        if range.is_empty() { self.key_range() } else { range }
    }

    pub(super) fn value(&self) -> &'t DeValue<'t> {
        self.value.get_ref()
    }

    /// The key as a name of the table's own.
    pub(super) fn name(&self) -> Name {
        Name::new(self.key)
    }

    pub(super) fn wrong_type(&self, found: &mut Findings<'_>) {
        let is = match self.value() {
            DeValue::String(_) => "text",
            DeValue::Integer(_) => "a number",
            DeValue::Float(_) => "a number with a point",
            DeValue::Boolean(_) => "a truth value",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let says = format!("`{}` is {is}; expected {}", self.key, self.kind.describe());
        found.error(self.range(), says).help(format!("such as `{}`", self.example));
    }

    pub(super) fn text(&self, found: &mut Findings<'_>) -> Option<Text<'t>> {
        let text = self.maybe_text();
        if text.is_none() {
            self.wrong_type(found);
        }
        text
    }

    pub(super) fn maybe_text(&self) -> Option<Text<'t>> {
        let DeValue::String(text) = self.value() else { return None };
        Some(Text { value: text, range: self.range() })
    }

    pub(super) fn truth(&self, found: &mut Findings<'_>) -> Option<bool> {
        let DeValue::Boolean(truth) = self.value() else {
            self.wrong_type(found);
            return None;
        };
        Some(*truth)
    }

    /// A whole number within the borders that the key list gives.
    pub(super) fn number(&self, found: &mut Findings<'_>) -> Option<i128> {
        let DeValue::Integer(integer) = self.value() else {
            self.wrong_type(found);
            return None;
        };
        let (least, most) = self.borders();
        match integer_value(integer) {
            Some(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                let expected = Kind::Number { least, most }.describe();
                let says = format!("`{}` is out of range; expected {expected}", self.key);
                found.error(self.range(), says);
                None
            }
        }
    }

    fn borders(&self) -> (i128, i128) {
        let of = |kind: &Kind| match kind {
            Kind::Number { least, most } => Some((*least, *most)),
            _ => None,
        };
        let any = (i128::from(i64::MIN), i128::from(u64::MAX));
        match self.kind {
            Kind::Either(kinds) => kinds.iter().find_map(of).unwrap_or(any),
            kind => of(kind).unwrap_or(any),
        }
    }

    /// One of the words that the key list gives, by its place there.
    pub(super) fn word(&self, found: &mut Findings<'_>) -> Option<&'static str> {
        let Kind::OneOf(words) = self.kind else { return None };
        let text = self.text(found)?;
        let known = words.iter().find(|word| **word == text.value).copied();
        if known.is_none() {
            let says = format!("`{}` is not {}", text.value, self.kind.describe());
            found.error(text.range, says).did_you_mean(text.value, words.iter().copied());
        }
        known
    }

    /// The items of a list; a single value where the key list allows one.
    pub(super) fn list(&self, found: &mut Findings<'_>) -> Vec<Entry<'t>> {
        let item_kind = match self.kind {
            Kind::List(of) => Some(*of),
            Kind::Either(kinds) => kinds.iter().find_map(|kind| match kind {
                Kind::List(of) => Some(*of),
                _ => None,
            }),
            _ => None,
        };
        let kind = item_kind.unwrap_or(self.kind);
        match self.value() {
            DeValue::Array(items) => items.iter().map(|value| Entry { value, kind, ..*self }).collect(),
            _ if matches!(self.kind, Kind::Either(_)) => vec![Entry { kind, ..*self }],
            _ => {
                self.wrong_type(found);
                Vec::new()
            }
        }
    }

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

    pub(super) fn is_table(&self) -> bool {
        matches!(self.value(), DeValue::Table(_))
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self.value(), DeValue::Array(_))
    }
}

/// What TOML's own reader leaves as digits.
pub(super) fn integer_value(integer: &DeInteger<'_>) -> Option<i128> {
    i128::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// The entries of one table, in the order of the file.
pub(super) struct Fields<'t> {
    section: &'static Section,
    /// What it is called in the file.
    title: String,
    /// Where the table's own name stands.
    pub(super) at: Range<usize>,
    known: Vec<Entry<'t>>,
    others: Vec<Entry<'t>>,
}

impl<'t> Fields<'t> {
    /// Sorts the entries into those of the key list and those the table names itself, and tells what is unknown or missing.
    pub(super) fn open(
        table: &'t DeTable<'t>,
        section: &'static Section,
        key: &str,
        at: Range<usize>,
        found: &mut Findings<'_>,
    ) -> Fields<'t> {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let title = title(section, key);
        let mut fields = Fields { section, title, at, known: Vec::new(), others: Vec::new() };
        for (key, value) in entries {
            let entry = |kind, example| Entry {
                key: key.get_ref(),
                key_from: key.span().start,
                key_to: key.span().end,
                value,
                kind,
                example,
            };
            match (section.key(key.get_ref()), &section.others) {
                (Some(Key { kind, example, .. }), _) => fields.known.push(entry(kind, example)),
                (None, Some(others)) if fields.takes(others, value.get_ref()) => {
                    let other = entry(&others.kind, others.example);
                    if is_well_named(&other, others, found) {
                        fields.others.push(other);
                    }
                }
                (None, _) => unknown_key(key.get_ref(), key.span(), &fields, found),
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

    /// Where a section has both keys and names of the table's own, only a table can be one of the latter, or a field of `like`.
    fn takes(&self, others: &Others, value: &DeValue<'_>) -> bool {
        let only_tables = !self.section.keys.is_empty() && matches!(others.kind, Kind::Section(_));
        !only_tables || matches!(value, DeValue::Table(_))
    }

    /// " in `line`"; nothing for the file itself.
    fn within(&self, word: &str) -> String {
        if self.title.is_empty() { String::new() } else { format!("{word}`{}`", self.title) }
    }

    pub(super) fn get(&self, name: &str) -> Option<Entry<'t>> {
        debug_assert!(self.section.key(name).is_some(), "`{name}` is not in the list of keys");
        self.known.iter().find(|entry| entry.key == name).copied()
    }

    /// What the table names itself.
    pub(super) fn others(&self) -> &[Entry<'t>] {
        &self.others
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
        self.list(name, found).iter().filter_map(|item| item.text(found)).collect()
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
        self.others
            .iter()
            .filter_map(|entry| Some((*entry, entry.section(section_of(entry.kind)?, found)?)))
            .collect()
    }
}

impl<'t> Entry<'t> {
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

fn is_well_named(entry: &Entry<'_>, others: &Others, found: &mut Findings<'_>) -> bool {
    let key = entry.key;
    let is_well = match others.naming {
        Naming::Name => is_name(key),
        Naming::Number => parse_number(key).is_some(),
        Naming::NumberOrBytes => parse_number(key).is_some() || parse_hex_bytes(key).is_some(),
    };
    if !is_well {
        let expected = match others.naming {
            Naming::Name => "lower-case letters, digits and `_`, a letter first",
            Naming::Number => "a number, such as `0x10`",
            Naming::NumberOrBytes => "a number such as 0x0410, or hex bytes such as \"1E 95 0F\"",
        };
        let says = format!("`{key}` cannot be {}; expected {expected}", others.called);
        found.error(entry.key_range(), says);
    }
    is_well
}

pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// A number as a key is written: decimal, or hexadecimal behind `0x`.
pub(super) fn parse_number(text: &str) -> Option<i128> {
    let (digits, radix) = match text.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    // `from_str_radix` takes a sign.
    let is_digits = digits.chars().all(|c| c.is_ascii_alphanumeric());
    i128::from_str_radix(digits, radix).ok().filter(|number| is_digits && *number <= i128::from(u64::MAX))
}

/// `1E 95 0F`.
pub(super) fn parse_hex_bytes(text: &str) -> Option<Vec<u8>> {
    text.split_whitespace()
        .map(|pair| u8::from_str_radix(pair, 16).ok().filter(|_| pair.len() == 2 && !pair.starts_with('+')))
        .collect()
}
