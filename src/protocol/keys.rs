//! Every key of the table language, once: reading, the language reference and the JSON Schema all follow from this.

mod device;
mod flash;
mod meaning;
mod talk;
mod top;

pub use top::TABLE;

/// What a key's value is.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Words for people.
    Text,
    /// A whole number within these borders.
    Number {
        least: i128,
        most: i128,
    },
    Truth,
    /// `350 ms`, `330 bits + 50 ms`.
    Time,
    /// `8E1`.
    Format,
    /// A number of symbols a second.
    Baud,
    Layout,
    /// A talk; without arrows where it is a run.
    Talk,
    Expression,
    Envelope,
    /// `00 FF`.
    HexBytes,
    /// A number, text, a list of bytes, or a list of such.
    Value,
    /// Numbers and ranges: `[3, "0x80..0xFF"]`.
    Set,
    /// `D1|R0|W0.1`.
    Script,
    /// `4 x 0x4000`.
    Sectors,
    /// A frame, perhaps with values: `refused(code = 4)`.
    Answer,
    /// Arrows and bytes.
    VectorTalk,
    OneOf(&'static [&'static str]),
    /// A new name.
    Name,
    /// The name of something that the table has.
    Named(Target),
    List(&'static Kind),
    /// Any of these.
    Either(&'static [Kind]),
    Section(&'static Section),
    /// `[[name]]`.
    Sections(&'static Section),
}

/// What a name in a table may stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Frame,
    Exchange,
    State,
    Field,
}

/// A key with a fixed name.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
    /// What holds without it, in words.
    pub default: Option<&'static str>,
    /// In one sentence, with neither a capital nor a full stop.
    pub meaning: &'static str,
    /// A value as it is written in TOML.
    pub example: &'static str,
}

/// Keys whose names the table chooses.
#[derive(Clone, Copy, Debug)]
pub struct Others {
    /// "the name of a frame".
    pub called: &'static str,
    pub naming: Naming,
    pub kind: Kind,
    pub meaning: &'static str,
    pub example: &'static str,
}

/// How a chosen key may be spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// Lower-case letters, digits and `_`, a letter first.
    Name,
    Number,
    /// A number, or hex bytes in quotes.
    NumberOrBytes,
}

/// A table of the TOML file, or an inline table.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// As it is written: `line`, `line.PHASE`, `[meaning]`; empty for the file itself.
    pub path: &'static str,
    pub meaning: &'static str,
    pub keys: &'static [Key],
    pub others: Option<Others>,
}

impl Section {
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

impl Kind {
    /// "text", "a number from 0 to 255", "a list of names".
    pub fn describe(&self) -> String {
        match self {
            Kind::Text => "text".into(),
            Kind::Number { least, most } if *least < 0 && *most > i128::from(i64::MAX) => {
                "a number of 64 bits".into()
            }
            Kind::Number { least, most } if *most > 0xFFFF_FFFF => {
                format!("a number from {least} to {most:#x}")
            }
            Kind::Number { least, most } => format!("a number from {least} to {most}"),
            Kind::Truth => "true or false".into(),
            Kind::Time => "a time in quotes".into(),
            Kind::Format => "a character format in quotes".into(),
            Kind::Baud => "a baud rate".into(),
            Kind::Layout => "a layout in quotes".into(),
            Kind::Talk => "a talk in quotes".into(),
            Kind::Expression => "an expression in quotes".into(),
            Kind::Envelope => "an envelope in quotes".into(),
            Kind::HexBytes => "hex bytes in quotes".into(),
            Kind::Value => "a number, text or a list of bytes".into(),
            Kind::Set => "a list of numbers and ranges".into(),
            Kind::Script => "a script in quotes".into(),
            Kind::Sectors => "a count and a size in quotes".into(),
            Kind::Answer => "a frame in quotes".into(),
            Kind::VectorTalk => "arrows and bytes in quotes".into(),
            Kind::OneOf(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                format!("one of {}", words.join(", "))
            }
            Kind::Name => "a name in quotes".into(),
            Kind::Named(target) => format!("the name of {} in quotes", target.with_article()),
            Kind::List(of) => format!("a list, each {}", of.describe()),
            Kind::Either(kinds) => kinds.iter().map(Kind::describe).collect::<Vec<_>>().join(", or "),
            Kind::Section(_) => "a table".into(),
            Kind::Sections(section) => format!("tables, each under `[{}]`", section.path),
        }
    }
}

impl Target {
    pub fn with_article(self) -> &'static str {
        match self {
            Target::Frame => "a frame",
            Target::Exchange => "an exchange",
            Target::State => "a state",
            Target::Field => "a field",
        }
    }
}

const fn key(name: &'static str, kind: Kind, meaning: &'static str, example: &'static str) -> Key {
    Key { name, kind, required: false, default: None, meaning, example }
}

impl Key {
    const fn required(self) -> Key {
        Key { required: true, ..self }
    }

    const fn default(self, default: &'static str) -> Key {
        Key { default: Some(default), ..self }
    }
}

/// One of them, or several in a list.
macro_rules! one_or_more {
    ($kind:expr) => {
        Kind::Either(&[$kind, Kind::List(&$kind)])
    };
}
use one_or_more;

const ANY_NUMBER: Kind = Kind::Number { least: i64::MIN as i128, most: u64::MAX as i128 };
const SIZE: Kind = Kind::Number { least: 1, most: 1 << 40 };
const ADDRESS: Kind = Kind::Number { least: 0, most: u64::MAX as i128 };
const BYTE: Kind = Kind::Number { least: 0, most: 255 };

#[cfg(test)]
mod tests {
    use super::*;
    use toml::de::DeValue;

    fn sections_in(kind: &'static Kind) -> Vec<&'static Section> {
        match kind {
            Kind::Section(section) | Kind::Sections(section) => vec![section],
            Kind::Either(kinds) => kinds.iter().flat_map(sections_in).collect(),
            Kind::List(of) => sections_in(of),
            _ => Vec::new(),
        }
    }

    fn all_sections() -> Vec<&'static Section> {
        let mut sections = vec![&TABLE];
        let mut next = 0;
        while let Some(section) = sections.get(next).copied() {
            let kinds = section
                .keys
                .iter()
                .map(|key| &key.kind)
                .chain(section.others.iter().map(|others| &others.kind));
            sections.extend(kinds.flat_map(sections_in));
            next += 1;
        }
        sections
    }

    fn fits(kind: &Kind, value: &DeValue<'_>) -> bool {
        match (kind, value) {
            (Kind::Either(kinds), value) => kinds.iter().any(|kind| fits(kind, value)),
            (Kind::List(of), DeValue::Array(items)) => items.iter().all(|item| fits(of, item.get_ref())),
            (Kind::Number { .. } | Kind::Baud | Kind::Value, DeValue::Integer(_)) => true,
            (Kind::Truth, DeValue::Boolean(_)) => true,
            (Kind::Value | Kind::Set | Kind::Sections(_), DeValue::Array(_)) => true,
            (Kind::Section(_), DeValue::Table(_)) => true,
            (Kind::OneOf(words), DeValue::String(text)) => words.iter().any(|word| *word == &**text),
            (Kind::Number { .. } | Kind::Truth | Kind::Set | Kind::Section(_) | Kind::Sections(_), _) => {
                false
            }
            (Kind::List(_), _) => false,
            (_, value) => value.is_str(),
        }
    }

    #[test]
    fn every_example_is_a_value_of_its_kind() {
        for section in all_sections() {
            let keys = section.keys.iter().map(|key| (key.name, &key.kind, key.example));
            let others = section.others.iter().map(|others| (others.called, &others.kind, others.example));
            for (name, kind, example) in keys.chain(others) {
                let value =
                    DeValue::parse(example).unwrap_or_else(|error| panic!("{name}: {example}: {error}"));
                assert!(fits(kind, value.get_ref()), "`{name}` in `{}`: {example}", section.path);
            }
        }
    }

    #[test]
    fn every_key_is_listed_once_and_explained() {
        for section in all_sections() {
            assert!(!section.meaning.is_empty(), "{}", section.path);
            for (nth, key) in section.keys.iter().enumerate() {
                assert!(!key.meaning.is_empty() && !key.meaning.ends_with('.'), "{}", key.name);
                assert!(section.keys[..nth].iter().all(|other| other.name != key.name), "{}", key.name);
            }
        }
    }
}
