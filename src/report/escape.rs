//! What came from a device, made harmless for a terminal: nothing in it may move the cursor, ring, or look like something else.

use std::borrow::Cow;
use std::fmt::Write;

/// The text with every character that a terminal would act upon, or that hides or turns round others, written as an escape.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => safe.push_str("\\n"),
            '\r' => safe.push_str("\\r"),
            '\t' => safe.push_str("\\t"),
            c if is_unsafe(c) && c.is_ascii() => push(&mut safe, format_args!("\\x{:02X}", c as u32)),
            c if is_unsafe(c) => push(&mut safe, format_args!("\\u{{{:X}}}", c as u32)),
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// Bytes as text: what is printable as itself, everything else as an escape.
pub fn bytes_text(bytes: &[u8]) -> String {
    let mut safe = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        safe.push_str(&escaped(chunk.valid()));
        for byte in chunk.invalid() {
            push(&mut safe, format_args!("\\x{byte:02X}"));
        }
    }
    safe
}

/// Bytes as people write them: "68 06 06 68".
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for (place, byte) in bytes.iter().enumerate() {
        push(&mut text, format_args!("{}{byte:02X}", if place == 0 { "" } else { " " }));
    }
    text
}

/// An argument as a shell takes it: in quotes where it holds anything a shell would act upon.
pub fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=+@".contains(c) || c == OF_THE_SHELL;
    if !argument.is_empty() && argument.chars().all(plain) {
        return argument.into();
    }
    if cfg!(windows) {
        return format!("\"{}\"", escaped(argument).replace('"', "\"\""));
    }
    format!("'{}'", escaped(argument).replace('\'', r"'\''"))
}

/// A character that only this system's shells leave alone: a path's, and one that Windows would put a variable in place of.
const OF_THE_SHELL: char = if cfg!(windows) { '\\' } else { '%' };

/// Controls of C0 and C1, separators that break lines, and marks that change the direction of text or have no width.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

fn push(text: &mut String, what: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(what); // a String takes everything
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_a_device_reaches_the_terminal_as_a_command() {
        assert_eq!(escaped("\x1b[2Jgone\x07\r\n"), "\\x1B[2Jgone\\x07\\r\\n");
        assert_eq!(escaped("\u{202E}txt.exe \u{9b}31m"), "\\u{202E}txt.exe \\u{9B}31m");
        assert_eq!(bytes_text(b"U-Boot\xff\x00\x1b]0;x\x07"), "U-Boot\\xFF\\x00\\x1B]0;x\\x07");
    }

    #[test]
    fn an_address_with_a_query_can_be_pasted_into_a_shell() {
        assert_eq!(quoted("/dev/ttyUSB0"), "/dev/ttyUSB0");
        let (sim, its) = (quoted("sim://mbus?baud=2400&format=8E1"), quoted("it's"));
        if cfg!(windows) {
            assert_eq!([&*sim, &its], ["\"sim://mbus?baud=2400&format=8E1\"", "\"it's\""]);
            assert_eq!(quoted(r"C:\images\app.hex"), r"C:\images\app.hex");
        } else {
            assert_eq!([&*sim, &its], ["'sim://mbus?baud=2400&format=8E1'", r"'it'\''s'"]);
        }
    }

    #[test]
    fn what_is_readable_stays_as_it_is() {
        assert!(matches!(escaped("Größe 5 µs 表"), Cow::Borrowed("Größe 5 µs 表")));
        assert_eq!(bytes_text("23 °C".as_bytes()), "23 °C");
    }
}
