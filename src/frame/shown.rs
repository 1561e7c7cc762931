//! Values in messages: hex as on the wire, sets as ranges.

use super::value::Value;

/// A value in a message: hex as on the wire, or a number.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Int(number) if (0..256).contains(number) => format!("{number:02X}"),
        Value::Int(number) if *number >= 0 => format!("0x{number:X}"),
        Value::Int(number) => number.to_string(),
        Value::Bytes(blob) => {
            let shown: Vec<String> = blob.bytes.iter().take(16).map(|byte| format!("{byte:02X}")).collect();
            let more = if blob.bytes.len() > 16 { " …" } else { "" };
            format!("{}{more}", shown.join(" "))
        }
        Value::List(list) => {
            let shown: Vec<String> = list.iter().take(8).map(shown).collect();
            format!("[{}]", shown.join(", "))
        }
    }
}

pub fn shown_set(ranges: &[std::ops::RangeInclusive<i128>]) -> String {
    let shown: Vec<String> = ranges
        .iter()
        .map(|range| match range.start() == range.end() {
            true => shown(&Value::Int(*range.start())),
            false => {
                format!("{} to {}", shown(&Value::Int(*range.start())), shown(&Value::Int(*range.end())))
            }
        })
        .collect();
    format!("as one of {}", shown.join(", "))
}
