//! What was found out, as values: the words are chosen by whoever shows it.

use serde::{Deserialize, Serialize};

use crate::line::Settings;

use super::question::Asked;

/// The whole answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// As it was asked.
    pub question: String,
    /// Lines of other tools' output that were recognised in it.
    pub messages: Vec<MessageFound>,
    /// One part for each way to read the question, the likeliest first.
    pub parts: Vec<Part>,
}

/// One reading of the question, and what it can mean.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    pub asked: Asked,
    #[serde(serialize_with = "as_hex")]
    pub bytes: Vec<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    pub sections: Vec<Section>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "section", rename_all = "lowercase")]
pub enum Section {
    /// What the tables say, most specific first.
    Tables {
        entries: Vec<Entry>,
    },
    /// What it is as a character.
    Character(Character),
    Bits(Bits),
    /// Bytes that a usual mistake turns into this one, or this one into.
    Relatives {
        relatives: Vec<Relative>,
    },
    /// Whether noise could make it.
    Pulses(Pulses),
    /// How another byte becomes this one.
    Expected(Expected),
    /// Each byte of a word by itself.
    Single {
        bytes: Vec<Single>,
    },
}

/// One thing that the tables say of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub kind: Kind,
    pub from: From,
    /// What it says, in the table's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// By how many bits it is told from other bytes: 8 for one byte that is fixed, less for one of a set.
    pub bits: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Kind {
    /// The table explains these very bytes, or this value.
    Meaning,
    /// A whole frame.
    Frame {
        fields: Vec<FieldRead>,
        /// The checksum in it that does not hold.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wrong: Option<String>,
    },
    /// A frame begins so.
    Start,
    /// It stands within a frame; the offset where it is always the same.
    Within { offset: Option<usize> },
    /// A number with a name.
    Value { name: String },
    /// A value that a field may have.
    Allowed,
    /// A word of the table.
    Word { name: String },
}

/// A field of a frame that was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldRead {
    pub name: String,
    pub value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
}

/// Where in which table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct From {
    pub table: String,
    pub title: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frames: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exchanges: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<String>,
    /// "host", "device", or both.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub senders: Vec<String>,
    /// It refuses what was asked.
    pub refusal: bool,
}

/// A byte as a character.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Character {
    /// Printable, as it looks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub printable: Option<char>,
    /// NUL to US, and DEL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<&'static str>,
    /// A byte of a character of UTF-8: how many bytes that has, or `None` for one that goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utf8: Option<Utf8>,
    /// Two decimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bcd: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Utf8 {
    Starts(u8),
    Continues,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bits {
    /// Most significant first.
    pub pattern: String,
    /// As 8N1 sends them: start bit, lowest bit first, stop bit.
    pub on_the_line: String,
    pub ones: u32,
    /// The parity bit of 8E1; 8O1 has the other one.
    pub even_parity_bit: bool,
}

/// Another byte that a usual mistake makes of this one, or the other way round.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Relative {
    pub relation: Relation,
    pub byte: u8,
    /// What that byte is in the tables, the most specific things alone.
    pub known_as: Vec<String>,
}

/// One byte among several.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Single {
    pub byte: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub printable: Option<char>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<&'static str>,
    /// What it is in the tables, the most specific things alone.
    pub known_as: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// Highest bit first.
    Reversed,
    /// Every bit exchanged.
    Complement,
    /// Both: inverse convention.
    ReversedComplement,
    /// Bit 7 is the other.
    OtherTopBit,
}

/// The arithmetic of noise.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pulses {
    pub byte: u8,
    /// Start bit, data bits, stop bit: true is mark.
    pub levels: Vec<bool>,
    /// Separate stretches of space that it needs.
    pub needed: u32,
    /// How many of the 256 bytes need as many.
    pub as_many: usize,
    /// Bytes that one pulse can make.
    #[serde(serialize_with = "as_hex")]
    pub by_one: Vec<u8>,
}

/// How one byte becomes another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Expected {
    pub expected: u8,
    pub received: u8,
    pub baud: u32,
    pub format: String,
    pub ways: Vec<Way>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "way", rename_all = "kebab-case")]
pub enum Way {
    /// The sender is so much faster or slower; `rates` are the customary ones among those.
    Rate {
        from: f64,
        to: f64,
        rates: Vec<u32>,
        alone: bool,
        framing_error: bool,
    },
    Format {
        sender: String,
        fault: Option<&'static str>,
    },
    Inverted {
        fault: Option<&'static str>,
    },
    BitOrder,
    Complement,
    Slip {
        bits: i32,
    },
    BitFlips {
        mask: u8,
        count: u32,
    },
}

/// A line of another tool's output.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MessageFound {
    pub tool: String,
    /// What of the question fits the table's pattern, as it was pasted.
    pub text: String,
    /// What stands in its holes.
    pub holes: Vec<FieldRead>,
    /// The protocol it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    pub says: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Explanation {
    /// Something was recognised, or some reading has more than what every byte has.
    pub fn says_something(&self) -> bool {
        !self.messages.is_empty() || self.parts.iter().any(|part| !part.sections.is_empty())
    }
}

impl Expected {
    pub(super) fn of(expected: u8, received: u8, settings: Settings, ways: Vec<Way>) -> Expected {
        let (baud, format) = (settings.baud.get(), settings.format.to_string());
        Expected { expected, received, baud, format, ways }
    }
}

fn as_hex<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    let words: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    serializer.serialize_str(&words.concat())
}
