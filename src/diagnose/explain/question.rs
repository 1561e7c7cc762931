//! What was asked, in every way it can be read: `68` is a hex byte to one and a decimal number to another.

use super::sentence::Sentence;

/// A question, and all its readings; the likeliest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    pub text: String,
    pub readings: Vec<Reading>,
    /// Numbers that the question tells of, where it is words.
    pub sentence: Sentence,
}

/// One way to read the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// How it was read.
    pub asked: Asked,
    /// The bytes as they stand on the wire.
    pub bytes: Vec<u8>,
    /// The same as a number, most significant byte first, if it is one.
    pub number: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Asked {
    Hex,
    Decimal,
    Binary,
    /// The name of a control character.
    Control,
    Text,
}

/// Names of the control characters 00 to 1F; 7F is DEL.
pub(super) const CONTROLS: [&str; 32] = [
    "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "TAB", "LF", "VT", "FF", "CR", "SO", "SI",
    "DLE", "XON", "DC2", "XOFF", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS",
    "US",
];

/// Nobody pastes more; what is longer is cut.
const LONGEST: usize = 64 * 1024;

impl Question {
    pub fn new(text: &str) -> Question {
        let text: String = text.trim().chars().take(LONGEST).collect();
        let mut readings: Vec<Reading> = Vec::new();
        let mut found = [hex(&text), decimal(&text), binary(&text), control(&text), as_text(&text)];
        // Bytes have an even number of digits: 104 is a decimal number first.
        if text.len() % 2 == 1 && found[1].is_some() {
            found.swap(0, 1);
        }
        for reading in found.into_iter().flatten() {
            if !readings.iter().any(|known| known.bytes == reading.bytes) {
                readings.push(reading);
            }
        }
        let is_words = readings.iter().all(|reading| reading.asked == Asked::Text);
        let sentence = if is_words { Sentence::of(&text) } else { Sentence::default() };
        Question { text, readings, sentence }
    }

    /// The question is a byte or a number, and not words.
    pub fn is_number(&self) -> bool {
        self.readings.iter().any(|reading| reading.asked != Asked::Text)
    }
}

impl Reading {
    /// One byte, as hex.
    pub fn of_byte(byte: u8) -> Reading {
        Reading::of_bytes(Asked::Hex, vec![byte])
    }

    /// A number that is written in so many bytes.
    pub(super) fn of_hex(number: u64, width: usize) -> Reading {
        Reading::of_bytes(Asked::Hex, number.to_be_bytes()[8 - width.clamp(1, 8)..].to_vec())
    }

    fn of_number(asked: Asked, number: u64, least: usize) -> Reading {
        let width = (8 - number.leading_zeros() as usize / 8).max(least).max(1);
        Reading { asked, bytes: number.to_be_bytes()[8 - width..].to_vec(), number: Some(number) }
    }

    fn of_bytes(asked: Asked, bytes: Vec<u8>) -> Reading {
        let number = (bytes.len() <= 8)
            .then(|| bytes.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte)));
        Reading { asked, bytes, number }
    }
}

/// `0x68`, `-0x6800`, `6D00`, `68h`, `68 0B 0B 68`, `\x68\x0b`, `68:0B`.
fn hex(text: &str) -> Option<Reading> {
    let plain = text.strip_prefix('-').unwrap_or(text);
    // `0b01` is a number in binary, though it could be the bytes 0B 01.
    if binary(plain).is_some() {
        return None;
    }
    let mut bytes = Vec::new();
    for word in plain.split([' ', ',', ':', ';', '\t', '\n', '\\']).filter(|word| !word.is_empty()) {
        let digits = word
            .strip_prefix("0x")
            .or(word.strip_prefix("0X"))
            .or(word.strip_prefix('x'))
            .or(word.strip_prefix('$'));
        let digits = digits.unwrap_or(word);
        let digits = digits.strip_suffix(['h', 'H']).unwrap_or(digits).replace('_', "");
        if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let digits = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits };
        bytes.extend(
            (0..digits.len()).step_by(2).filter_map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()),
        );
    }
    // A program that prints a 32-bit code as a signed long puts this before it.
    if let [0xFF, 0xFF, 0xFF, 0xFF, _, _, _, _] = bytes.as_slice() {
        bytes.drain(..4);
    }
    (!bytes.is_empty()).then(|| Reading::of_bytes(Asked::Hex, bytes))
}

/// `104`, `-110`.
fn decimal(text: &str) -> Option<Reading> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let number = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some(Reading::of_number(Asked::Decimal, number, 1))
}

/// `0b01101000`.
fn binary(text: &str) -> Option<Reading> {
    let digits = text.strip_prefix("0b").or(text.strip_prefix("0B"))?.replace('_', "");
    let number = u64::from_str_radix(&digits, 2).ok()?;
    Some(Reading::of_number(Asked::Binary, number, digits.len().div_ceil(8)))
}

/// `NAK`, `esc`.
fn control(text: &str) -> Option<Reading> {
    let upper = text.to_uppercase();
    let byte = match upper.as_str() {
        "DEL" => 0x7F,
        "XON" | "DC1" => 0x11,
        "XOFF" | "DC3" => 0x13,
        name => CONTROLS.iter().position(|control| *control == name)? as u8,
    };
    Some(Reading::of_bytes(Asked::Control, vec![byte]))
}

/// `'h'`, `"OK\r\n"`, or words as they are.
fn as_text(text: &str) -> Option<Reading> {
    let inner = ['"', '\''].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    let quoted = inner.map(|inner| inner.replace("\\r", "\r").replace("\\n", "\n").replace("\\t", "\t"));
    let bytes = match quoted {
        Some(quoted) => quoted.into_bytes(),
        None => {
            let is_number = hex(text).is_some() || decimal(text).is_some() || binary(text).is_some();
            let is_word = text.bytes().all(|byte| byte.is_ascii_alphabetic());
            (!is_number || is_word).then(|| text.as_bytes().to_vec())?
        }
    };
    (!bytes.is_empty()).then_some(Reading { asked: Asked::Text, bytes, number: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(Asked, Vec<u8>)> {
        Question::new(text).readings.into_iter().map(|reading| (reading.asked, reading.bytes)).collect()
    }

    #[test]
    fn a_question_is_read_in_every_way_it_can_be_read() {
        assert_eq!(read("0x68"), [(Asked::Hex, vec![0x68])]);
        assert_eq!(read("68"), [(Asked::Hex, vec![0x68]), (Asked::Decimal, vec![68])]);
        assert_eq!(read("104"), [(Asked::Decimal, vec![0x68]), (Asked::Hex, vec![0x01, 0x04])]);
        assert_eq!(read("6D00"), [(Asked::Hex, vec![0x6D, 0x00])]);
        assert_eq!(read("6881"), [(Asked::Hex, vec![0x68, 0x81]), (Asked::Decimal, vec![0x1A, 0xE1])]);
        assert_eq!(read("68 0b 0B 68"), [(Asked::Hex, vec![0x68, 0x0B, 0x0B, 0x68])]);
        assert_eq!(read("\\x68\\x0b"), [(Asked::Hex, vec![0x68, 0x0B])]);
        assert_eq!(read("0b0110_1000"), [(Asked::Binary, vec![0x68])]);
        assert_eq!(read("nak"), [(Asked::Control, vec![0x15]), (Asked::Text, b"nak".to_vec())]);
        assert_eq!(read("h"), [(Asked::Text, vec![b'h'])]);
        assert_eq!(read("\"OK\\r\\n\""), [(Asked::Text, b"OK\r\n".to_vec())]);
        assert_eq!(read("-0x6800"), [(Asked::Hex, vec![0x68, 0x00])]);
        assert_eq!(read("0xFFFFFFFF80100068"), [(Asked::Hex, vec![0x80, 0x10, 0x00, 0x68])]);
        assert_eq!(read("cafe"), [(Asked::Hex, vec![0xCA, 0xFE]), (Asked::Text, b"cafe".to_vec())]);
        assert_eq!(read("e5"), [(Asked::Hex, vec![0xE5])]);
        assert_eq!(read(""), []);
    }
}
