//! Values of fields: as JSON has them, and as people write them.

use serde_json::Value as Json;

use crate::frame::Value;
use crate::protocol::{Show, Table};

use super::escape::{bytes_text, hex};

/// Numbers as numbers where JSON can hold them exactly, bytes as hex digits without spaces.
pub fn json(value: &Value) -> Json {
    match value {
        Value::Int(int) => match (i64::try_from(*int), u64::try_from(*int)) {
            (Ok(int), _) => int.into(),
            (_, Ok(int)) => int.into(),
            _ => int.to_string().into(),
        },
        Value::Bytes(blob) => blob.bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>().into(),
        Value::List(values) => values.iter().map(json).collect(),
    }
}

/// How people write this field, by `[show]` and `[values]` of the table; `None` when it has nothing to say.
pub fn shown(table: &Table, name: &str, value: &Value) -> Option<String> {
    if let (Some(named), Value::Int(int)) = (table.values.get(name), value)
        && let Some(known) = named.iter().find(|known| known.value == *int)
    {
        return Some(known.name.to_string());
    }
    if let Some(show) = table.show.get(name) {
        return Some(written(*show, value));
    }
    // What tells chips apart stands in hex in every data sheet.
    let tells_chips = table.chips.first().is_some_and(|chip| &*chip.by == name);
    tells_chips.then(|| written(Show::Hex, value))
}

/// Bytes that are text, in quotes.
pub fn quoted(value: &Value) -> Option<String> {
    let text = |bytes: &[u8]| format!("\"{}\"", bytes_text(bytes));
    match value {
        Value::Bytes(blob) => Some(text(&blob.bytes)),
        Value::List(values) => {
            let texts: Vec<String> = values.iter().filter_map(quoted).collect();
            Some(format!("[{}]", texts.join(", ")))
        }
        Value::Int(_) => None,
    }
}

/// A value for the terminal: as the table has people write it, else numbers in decimal, bytes in hex.
pub fn text(table: &Table, name: &str, value: &Value) -> String {
    if let Some(shown) = shown(table, name, value) {
        return shown;
    }
    match value {
        Value::Int(int) => int.to_string(),
        Value::Bytes(blob) => shortened(&blob.bytes),
        Value::List(values) => {
            let texts: Vec<String> = values.iter().take(8).map(|value| text(table, name, value)).collect();
            let more = if values.len() > texts.len() { ", …" } else { "" };
            format!("[{}{more}]", texts.join(", "))
        }
    }
}

fn written(show: Show, value: &Value) -> String {
    match (show, value) {
        (Show::Hex, Value::Int(int)) if *int >= 0 => format!("0x{int:02X}"),
        (Show::Hex, Value::Bytes(blob)) => hex(&blob.bytes),
        (Show::Text, Value::Bytes(blob)) => format!("\"{}\"", bytes_text(&blob.bytes)),
        (Show::BcdBig, value) => digits(bytes_of(value, false), value),
        (Show::BcdLittle, value) => digits(bytes_of(value, true), value),
        (Show::Decimal, Value::Bytes(blob)) => {
            blob.bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(" ")
        }
        (_, Value::Int(int)) => int.to_string(),
        (show, Value::List(values)) => {
            let texts: Vec<String> = values.iter().map(|value| written(show, value)).collect();
            format!("[{}]", texts.join(", "))
        }
    }
}

/// Bytes from the highest digits down. A number has been put together already: its hex digits are its BCD digits.
fn bytes_of(value: &Value, lowest_first: bool) -> Vec<u8> {
    match value {
        Value::Bytes(blob) if lowest_first => blob.bytes.iter().rev().copied().collect(),
        Value::Bytes(blob) => blob.bytes.to_vec(),
        Value::Int(_) | Value::List(_) => Vec::new(),
    }
}

fn digits(bytes: Vec<u8>, value: &Value) -> String {
    match value {
        Value::Int(int) => format!("{int:X}"),
        _ => bytes.iter().map(|byte| format!("{byte:02X}")).collect(),
    }
}

/// Long bytes by their beginning and their length.
fn shortened(bytes: &[u8]) -> String {
    const MOST: usize = 24;
    match bytes.get(..MOST) {
        Some(begin) if bytes.len() > MOST + 2 => format!("{} … ({} bytes)", hex(begin), bytes.len()),
        _ => hex(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_json_cannot_hold_exactly_is_text() {
        assert_eq!(json(&Value::Int(u64::MAX.into())), serde_json::json!(u64::MAX));
        assert_eq!(json(&Value::Int(i128::from(u64::MAX) + 1)), serde_json::json!("18446744073709551616"));
        assert_eq!(json(&Value::bytes(vec![0x68, 6])), serde_json::json!("6806"));
    }

    #[test]
    fn bcd_is_written_as_the_digits_on_the_meter() {
        let address = Value::bytes(vec![0x42, 0x00, 0x17, 0x99]);
        assert_eq!(written(Show::BcdLittle, &address), "99170042");
        assert_eq!(written(Show::BcdBig, &address), "42001799");
    }

    #[test]
    fn text_of_a_device_is_escaped() {
        assert_eq!(written(Show::Text, &Value::bytes(&b"v1\x1b[2J"[..])), "\"v1\\x1B[2J\"");
    }
}
