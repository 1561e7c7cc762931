//! Types of fields in a layout: `u16le`, `bytes(n)`, `( … )(n)`, `cbor{…}`.

use super::expr::Expr;
use super::layout::{Allowed, CborKey, CborType, FieldType, Order};
use super::layout_parse::Reader;
use super::spelling::did_you_mean;
use super::text::{At, Mistake, Scanner};

const TYPES: [&str; 29] = [
    "u8", "i8", "u16le", "u16be", "u24le", "u24be", "u32le", "u32be", "u64le", "u64be", "i16le", "i16be",
    "i24le", "i24be", "i32le", "i32be", "i64le", "i64be", "ule", "ube", "dec", "hex", "bytes", "text", "uu",
    "cbor", "u16", "u32", "u64",
];

impl Reader<'_> {
    pub fn field_type(&mut self) -> Result<FieldType, Mistake> {
        if self.from.next_byte() == Some(b'(') {
            let body = self.parenthesized()?;
            let size = self.argument()?;
            return Ok(FieldType::Part { body, size });
        }
        let Some((word, at)) = self.from.word() else {
            return Err(self.from.expected("a type, such as u8, u16be, bytes or `(`"));
        };
        match word {
            "ule" => Ok(FieldType::Sized { bytes: self.needed(word)?, order: Order::Little }),
            "ube" => Ok(FieldType::Sized { bytes: self.needed(word)?, order: Order::Big }),
            "dec" => Ok(FieldType::Dec),
            "hex" => Ok(FieldType::Hex(self.needed(word)?)),
            "bytes" => Ok(FieldType::Bytes(self.argument()?)),
            "text" => Ok(FieldType::Text(self.argument()?)),
            "uu" => Ok(FieldType::Uu(self.needed(word)?)),
            "cbor" => {
                if !self.from.take("{") {
                    return Err(self.from.expected("`{` and the keys of the map"));
                }
                Ok(FieldType::Cbor(cbor_keys(&mut self.from)?))
            }
            _ => number_type(word, at),
        }
    }

    /// `(n)` that touches what stands before it.
    pub fn argument(&mut self) -> Result<Option<Expr>, Mistake> {
        if !self.from.touches('(') {
            return Ok(None);
        }
        let start = self.from.at();
        self.from.advance(1);
        let size = Expr::read(&mut self.from)?;
        if !self.from.take(")") {
            return Err(self.unclosed(start));
        }
        Ok(Some(size))
    }

    pub fn needed(&mut self, word: &str) -> Result<Expr, Mistake> {
        let argument = self.argument()?;
        argument.ok_or_else(|| self.from.expected(&format!("a size, as in `{word}(2)`")))
    }
}

/// Reads the keys of `cbor{…}` behind its brace.
pub fn cbor_keys(from: &mut Scanner<'_>) -> Result<Vec<CborKey>, Mistake> {
    let mut keys = Vec::new();
    while !from.take("}") {
        let Some((name, _)) = from.name() else {
            return Err(from.expected("a key as in `off:uint`, or `}`"));
        };
        if !from.take(":") {
            return Err(from.expected("`:` and the key's type"));
        }
        let kind = match from.word() {
            Some((word, at)) => match word {
                "uint" => CborType::Uint,
                "bytes" => CborType::Bytes,
                "text" => CborType::Text,
                "bool" => CborType::Bool,
                _ => return Err(unknown_type(word, at, &["uint", "bytes", "text", "bool"])),
            },
            None => return Err(from.expected("uint, bytes, text or bool")),
        };
        let optional = from.take("?");
        let allowed = if from.take("=") { Allowed::Equal(Expr::read_bits(from)?) } else { Allowed::Any };
        keys.push(CborKey { name, kind, optional, allowed });
    }
    Ok(keys)
}

/// `u8`, `i16le`, …
pub fn number_type(word: &str, at: At) -> Result<FieldType, Mistake> {
    let (signed, rest) = match word.as_bytes().first() {
        Some(b'u') => (false, &word[1..]),
        Some(b'i') => (true, &word[1..]),
        _ => return Err(unknown_type(word, at, &TYPES)),
    };
    let (digits, order) = match (rest.strip_suffix("le"), rest.strip_suffix("be")) {
        (Some(digits), _) => (digits, Some(Order::Little)),
        (_, Some(digits)) => (digits, Some(Order::Big)),
        _ => (rest, None),
    };
    let bytes = match digits {
        "8" => 1,
        "16" => 2,
        "24" => 3,
        "32" => 4,
        "64" => 8,
        _ => return Err(unknown_type(word, at, &TYPES)),
    };
    match (bytes, order) {
        (1, None) => Ok(FieldType::Number { bytes, signed, order: Order::Big }),
        (2.., Some(order)) => Ok(FieldType::Number { bytes, signed, order }),
        (1, Some(_)) => {
            let says = format!("`{word}` is one byte and has no order");
            Err(Mistake { at, says, help: Some(format!("write `{}8`", &word[..1])) })
        }
        _ => {
            let says = format!("`{word}` does not say in which order its bytes come");
            Err(Mistake { at, says, help: Some(format!("write `{word}le` or `{word}be`")) })
        }
    }
}

pub fn unknown_type(word: &str, at: At, known: &[&str]) -> Mistake {
    let help = did_you_mean(word, known.iter().copied());
    Mistake { at, says: format!("no type is called `{word}`"), help }
}
