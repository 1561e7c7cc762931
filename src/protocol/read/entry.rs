//! A value of the TOML tree with its key: what is of another type than the list of keys says is told here.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeInteger, DeValue};

use crate::frame::Name;

use super::super::findings::Findings;
use super::super::keys::Kind;

/// A value of the file with the key it stands under.
#[derive(Clone, Copy)]
pub(super) struct Entry<'t> {
    pub(super) key: &'t str,
    pub(super) key_from: usize,
    pub(super) key_to: usize,
    pub(super) value: &'t Spanned<DeValue<'t>>,
    pub(super) kind: &'static Kind,
    pub(super) example: &'static str,
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
        self.items(found).collect()
    }

    pub(super) fn items(&self, found: &mut Findings<'_>) -> impl Iterator<Item = Entry<'t>> + use<'t> {
        let item_kind = match self.kind {
            Kind::List(of) => Some(*of),
            Kind::Either(kinds) => kinds.iter().find_map(|kind| match kind {
                Kind::List(of) => Some(*of),
                _ => None,
            }),
            _ => None,
        };
        let kind = item_kind.unwrap_or(self.kind);
        let values = match self.value() {
            DeValue::Array(items) => &items[..],
            _ if matches!(self.kind, Kind::Either(_)) => std::slice::from_ref(self.value),
            _ => {
                self.wrong_type(found);
                &[]
            }
        };
        let entry = *self;
        values.iter().map(move |value| Entry { value, kind, ..entry })
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
    // Nearly all are short, and what is narrower is read far quicker.
    match i64::from_str_radix(integer.as_str(), integer.radix()) {
        Ok(number) => Some(number.into()),
        Err(_) => i128::from_str_radix(integer.as_str(), integer.radix()).ok(),
    }
}

pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
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
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut rest = text.trim();
    let mut bytes = Vec::with_capacity(rest.len() / 3 + 1);
    while let &[high, low, ..] = rest.as_bytes() {
        bytes.push((digit(high)? << 4 | digit(low)?) as u8);
        let behind = &rest[2..];
        rest = behind.trim_start();
        if rest.len() == behind.len() {
            break;
        }
    }
    rest.is_empty().then_some(bytes)
}
