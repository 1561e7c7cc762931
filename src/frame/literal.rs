//! Numbers and texts between quotes, as every text of the table language writes them.

use bytes::Bytes;

use super::text::{At, Mistake, Scanner};

/// The largest number a table can write.
const LARGEST: i128 = u64::MAX as i128;

/// Every byte once: a literal of one byte needs no memory of its own.
static BYTES: [u8; 256] = {
    let mut bytes = [0; 256];
    let mut byte = 0;
    while byte < bytes.len() {
        bytes[byte] = byte as u8;
        byte += 1;
    }
    bytes
};

/// `12`, `0x1F`; `None` where no digit comes next.
pub fn number(from: &mut Scanner<'_>) -> Option<Result<i128, Mistake>> {
    let rest = from.rest();
    if !rest.as_bytes().first()?.is_ascii_digit() {
        return None;
    }
    let start = from.at();
    let length = rest.bytes().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(rest.len());
    let word = &rest[..length];
    from.advance(word.len());
    let (digits, radix) = word.strip_prefix("0x").map_or((word, 10), |digits| (digits, 16));
    let at = from.since(start);
    if digits.is_empty() || !digits.bytes().all(|digit| char::from(digit).is_digit(radix)) {
        let help = Some("write 12 or 0x1F; bytes are pairs of upper-case hex digits".to_string());
        return Some(Err(Mistake { at, says: format!("`{word}` is not a number"), help }));
    }
    Some(match i128::from_str_radix(digits, radix) {
        Ok(value) if value <= LARGEST => Ok(value),
        _ => Err(Mistake { at, says: format!("`{word}` does not fit 64 bits"), help: None }),
    })
}

/// `"OK\r\n"`; `None` where no quote comes next.
pub fn text(from: &mut Scanner<'_>) -> Option<Result<Bytes, Mistake>> {
    let body = from.rest().strip_prefix('"')?;
    let start = from.at();
    // Few have an escape in them.
    let is_plain = |byte: &u8| !matches!(byte, b'"' | b'\\');
    let plain = body.bytes().take_while(|byte| is_plain(byte)).count();
    if body.as_bytes().get(plain) == Some(&b'"') {
        from.advance(1 + plain + 1);
        return Some(Ok(Bytes::copy_from_slice(&body.as_bytes()[..plain])));
    }
    let mut bytes = Vec::new();
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                from.advance(1 + at + 1);
                return Some(Ok(bytes.into()));
            }
            '\\' => match escape(&mut chars) {
                Some(byte) => bytes.push(byte),
                None => {
                    let escape_at = (start + 1 + at) as u32;
                    let end = chars.next().map_or(body.len(), |(next, _)| next);
                    from.advance(1 + end);
                    return Some(Err(Mistake {
                        at: At { from: escape_at, to: escape_at + 1 },
                        says: "an escape that is not known".into(),
                        help: Some(r#"known are \xNN, \n, \r, \t, \0, \\ and \""#.into()),
                    }));
                }
            },
            c => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    from.advance(1 + body.len());
    Some(Err(Mistake { at: from.since(start), says: "this text has no closing `\"`".into(), help: None }))
}

fn escape(chars: &mut std::str::CharIndices<'_>) -> Option<u8> {
    Some(match chars.next()?.1 {
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        '0' => 0,
        '\\' => b'\\',
        '"' => b'"',
        'x' => {
            let high = chars.next()?.1.to_digit(16)?;
            let low = chars.next()?.1.to_digit(16)?;
            (high * 16 + low) as u8
        }
        _ => return None,
    })
}

/// A byte as two upper-case hex digits that stand alone: `7F`, not the beginning of `7Fs`.
pub fn hex_byte(from: &mut Scanner<'_>) -> Option<u8> {
    let rest = from.rest().as_bytes();
    let digit = |at: usize| match rest.get(at)? {
        digit @ b'0'..=b'9' => Some(digit - b'0'),
        digit @ b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    };
    let byte = digit(0)? << 4 | digit(1)?;
    if rest.get(2).is_some_and(|next| next.is_ascii_alphanumeric() || *next == b'_') {
        return None;
    }
    from.advance(2);
    Some(byte)
}

/// The literal of that byte alone.
pub fn one(byte: u8) -> Bytes {
    let place = usize::from(byte);
    Bytes::from_static(&BYTES[place..=place])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_escape_is_its_byte() {
        let read = text(&mut Scanner::new(r#" "a\x41\n\r\t\0\\\"é" rest"#));
        assert_eq!(read, Some(Ok(Bytes::from_static(b"aA\n\r\t\0\\\"\xc3\xa9"))));
    }

    #[test]
    fn a_text_without_end_and_a_wrong_escape_are_told() {
        let open = text(&mut Scanner::new("\"abc")).expect("a text").expect_err("without end");
        assert_eq!(open.says, "this text has no closing `\"`");
        let wrong = text(&mut Scanner::new(r#""a\q""#)).expect("a text").expect_err("no such escape");
        assert_eq!(wrong.at, At { from: 2, to: 3 });
    }

    #[test]
    fn numbers_are_decimal_or_hex_and_fit_64_bits() {
        assert_eq!(number(&mut Scanner::new("18446744073709551615")), Some(Ok(LARGEST)));
        assert_eq!(number(&mut Scanner::new("0x1f,")), Some(Ok(31)));
        assert!(number(&mut Scanner::new("18446744073709551616")).expect("digits").is_err());
        assert!(number(&mut Scanner::new("12ab")).expect("digits").is_err());
        assert_eq!(number(&mut Scanner::new("name")), None);
    }
}
