//! Envelope text, as in `envelope = "line(\"$\", 0D 0A)"`, to an envelope.

use bytes::Bytes;

use super::envelope::LONGEST;
use super::layout::Envelope;
use super::literal;
use super::spelling::did_you_mean;
use super::text::{At, Mistake, Scanner};

const NAMES: [&str; 7] = ["slip", "slip_end", "hdlc", "cobs", "line", "hex", "lines"];

/// How long a line may be where the table does not say.
const USUAL_LINE: u32 = 1024;

impl Envelope {
    /// Reads `slip`, `slip_end`, `hdlc`, `hdlc(11 13)`, `cobs`, `line("$", 0D 0A)`, `hex(3A, 0D 0A)`, `lines(06 09, 04 14, 0A, base64, 127)`.
    pub fn parse(text: &str) -> Result<Envelope, Vec<Mistake>> {
        let mut from = Scanner::new(text);
        let read = envelope(&mut from);
        let read = read.and_then(|envelope| match from.is_at_end() {
            true => Ok(envelope),
            false => Err(from.expected("the end of the envelope")),
        });
        read.map_err(|mistake| vec![mistake])
    }
}

fn envelope(from: &mut Scanner<'_>) -> Result<Envelope, Mistake> {
    let Some((name, at)) = from.name() else {
        return Err(from.expected("an envelope: slip, slip_end, hdlc, cobs, line, hex or lines"));
    };
    match &*name {
        "slip" => Ok(Envelope::Slip),
        "slip_end" => Ok(Envelope::SlipEnd),
        "cobs" => Ok(Envelope::Cobs),
        "hdlc" => {
            let mut escaped = Vec::new();
            if from.take("(") {
                escaped = bytes(from)?.to_vec();
                close(from)?;
            }
            Ok(Envelope::Hdlc { escaped })
        }
        "line" => {
            open(from, "line(START, END)")?;
            let start = bytes(from)?;
            comma(from, "the end of a line")?;
            let end = some_bytes(from, "the end of a line")?;
            let longest = if from.take(",") { number(from, LONGEST as u32)? } else { USUAL_LINE };
            close(from)?;
            Ok(Envelope::Line { start, end, longest })
        }
        "hex" => {
            open(from, "hex(START, END)")?;
            let start = some_bytes(from, "what the text starts with")?;
            comma(from, "what the text ends with")?;
            let end = some_bytes(from, "what the text ends with")?;
            close(from)?;
            Ok(Envelope::Hex { start, end })
        }
        "lines" => base64_lines(from),
        _ => {
            let says = format!("no envelope is called `{name}`");
            let known = format!("known are {}", NAMES.join(", "));
            let help = did_you_mean(&name, NAMES).or(Some(known));
            Err(Mistake { at, says, help })
        }
    }
}

fn base64_lines(from: &mut Scanner<'_>) -> Result<Envelope, Mistake> {
    open(from, "lines(FIRST, NEXT, END, base64, WIDTH)")?;
    let first = some_bytes(from, "what the first line starts with")?;
    comma(from, "what further lines start with")?;
    let next = some_bytes(from, "what further lines start with")?;
    comma(from, "what a line ends with")?;
    let end = some_bytes(from, "what a line ends with")?;
    comma(from, "`base64`")?;
    if !from.take("base64") {
        return Err(from.expected("`base64`"));
    }
    comma(from, "the width of a line")?;
    let start = from.at();
    let width = number(from, LONGEST as u32)?;
    let at = from.since(start);
    let marks = first.len().max(next.len()) + end.len();
    if (width as usize) < marks + 4 {
        let says = format!("a line of {width} has no room for its marks and four characters of base64");
        return Err(Mistake { at, says, help: Some(format!("at least {}", marks + 4)) });
    }
    close(from)?;
    Ok(Envelope::Base64Lines { first, next, end, width })
}

fn open(from: &mut Scanner<'_>, usage: &str) -> Result<(), Mistake> {
    if from.take("(") { Ok(()) } else { Err(from.expected(&format!("`(` as in {usage}"))) }
}

fn comma(from: &mut Scanner<'_>, before: &str) -> Result<(), Mistake> {
    if from.take(",") { Ok(()) } else { Err(from.expected(&format!("`,` and {before}"))) }
}

fn close(from: &mut Scanner<'_>) -> Result<(), Mistake> {
    if from.take(")") { Ok(()) } else { Err(from.expected("`)`")) }
}

/// Pairs of hex digits and texts, one after the other; maybe none.
fn bytes(from: &mut Scanner<'_>) -> Result<Bytes, Mistake> {
    let mut bytes = Vec::new();
    loop {
        if let Some(byte) = literal::hex_byte(from) {
            bytes.push(byte);
        } else if let Some(text) = literal::text(from) {
            bytes.extend_from_slice(&text?);
        } else {
            return Ok(bytes.into());
        }
    }
}

fn some_bytes(from: &mut Scanner<'_>, what: &str) -> Result<Bytes, Mistake> {
    let bytes = bytes(from)?;
    if bytes.is_empty() { Err(from.expected(&format!("{what}, as in 0D 0A or \"$\""))) } else { Ok(bytes) }
}

fn number(from: &mut Scanner<'_>, most: u32) -> Result<u32, Mistake> {
    let start = from.at();
    let number = literal::number(from).ok_or_else(|| from.expected("a number"))??;
    let at: At = from.since(start);
    let fits = u32::try_from(number).ok().filter(|number| (1..=most).contains(number));
    fits.ok_or_else(|| Mistake { at, says: format!("{number} is not between 1 and {most}"), help: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str) -> Mistake {
        Envelope::parse(text).expect_err(text).remove(0)
    }

    #[test]
    fn every_envelope_is_read() {
        let marks = |start: &'static [u8], end: &'static [u8]| (Bytes::from(start), Bytes::from(end));
        assert_eq!(Envelope::parse("slip"), Ok(Envelope::Slip));
        assert_eq!(Envelope::parse("cobs"), Ok(Envelope::Cobs));
        assert_eq!(Envelope::parse("hdlc"), Ok(Envelope::Hdlc { escaped: vec![] }));
        assert_eq!(Envelope::parse("hdlc(11 13)"), Ok(Envelope::Hdlc { escaped: vec![0x11, 0x13] }));
        let (start, end) = marks(b"$", b"\r\n");
        let line = Envelope::Line { start: start.clone(), end: end.clone(), longest: USUAL_LINE };
        assert_eq!(Envelope::parse(r#"line("$", 0D 0A)"#), Ok(line));
        assert_eq!(
            Envelope::parse(r#"line(, "\n", 82)"#),
            Ok(Envelope::Line { start: Bytes::new(), end: Bytes::from_static(b"\n"), longest: 82 })
        );
        assert_eq!(Envelope::parse(r#"hex("$", 0D 0A)"#), Ok(Envelope::Hex { start, end }));
        let (first, next) = marks(&[6, 9], &[4, 20]);
        let end = Bytes::from_static(&[10]);
        assert_eq!(
            Envelope::parse("lines(06 09, 04 14, 0A, base64, 127)"),
            Ok(Envelope::Base64Lines { first, next, end, width: 127 })
        );
    }

    #[test]
    fn a_mistake_names_what_was_expected() {
        let unknown = refused("slop");
        assert_eq!(unknown.says, "no envelope is called `slop`");
        assert_eq!(unknown.help.as_deref(), Some("did you mean `slip`?"));
        assert_eq!(
            refused("").says,
            "the text ends here; expected an envelope: slip, slip_end, hdlc, cobs, line, hex or lines"
        );
        assert_eq!(refused("line(24)").says, "expected `,` and the end of a line, found `)`");
        assert_eq!(refused("line(24, )").says, "expected the end of a line, as in 0D 0A or \"$\", found `)`");
        assert_eq!(refused("slip 7E").at, At { from: 5, to: 7 });
        assert_eq!(refused("line(, 0A, 99999999)").says, "99999999 is not between 1 and 65536");
        assert!(refused("lines(06 09, 04 14, 0A, base64, 5)").says.contains("has no room"));
    }
}
