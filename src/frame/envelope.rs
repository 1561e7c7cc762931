//! Envelopes: how a frame's bytes are wrapped on the wire, and unwrapped.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, alphabet};
use memchr::{memchr, memmem};

use super::layout::Envelope;

/// The longest contents of an envelope; what is longer is no frame.
pub const LONGEST: usize = 65_536;

/// So many flags may stand before a frame; a line that idles with flags is not a frame that begins.
const MOST_FLAGS: usize = 64;

/// What an envelope made of the bytes it was offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened<'a> {
    Complete(Contents<'a>),
    /// It fits so far; at least so many more bytes are needed.
    More(usize),
    /// No such envelope begins here: which byte says so, and what was expected there.
    Wrong {
        at: usize,
        expected: String,
    },
}

/// What was in an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents<'a> {
    pub payload: Cow<'a, [u8]>,
    /// Bytes of the input that belong to the envelope.
    pub len: usize,
    /// Another line may follow that belongs to the same frame: only the frame itself can tell.
    pub goes_on: bool,
}

impl Envelope {
    /// The payload as it goes over the wire.
    ///
    /// A line cannot hold its own end mark: such a payload is read back as something else.
    pub fn seal(&self, payload: &[u8]) -> Vec<u8> {
        match self {
            Envelope::Slip => SLIP.seal(payload, &[]),
            Envelope::SlipEnd => SLIP_END.seal(payload, &[]),
            Envelope::Hdlc { escaped } => HDLC.seal(payload, escaped),
            Envelope::Cobs => seal_cobs(payload),
            Envelope::Line { start, end, .. } => [start, payload, end].concat(),
            Envelope::Hex { start, end } => {
                let digits = payload.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]).map(hex_digit);
                start.iter().copied().chain(digits).chain(end.iter().copied()).collect()
            }
            Envelope::Base64Lines { first, next, end, width } => {
                let taken = first.len().max(next.len()) + end.len();
                let text = STANDARD.encode(payload);
                seal_lines(text.as_bytes(), [first, next, end], (*width as usize).saturating_sub(taken))
            }
        }
    }

    /// Opens the one envelope that begins at the start of `input`.
    ///
    /// `lines`: of how many lines at least, where an envelope can have several. Ask for one, and for one more as long as
    /// the contents go on and the frame in them needs more.
    pub fn open<'a>(&self, input: &'a [u8], lines: usize) -> Opened<'a> {
        let opened = match self {
            Envelope::Slip => SLIP.open(input),
            Envelope::SlipEnd => SLIP_END.open(input),
            Envelope::Hdlc { .. } => HDLC.open(input),
            Envelope::Cobs => open_cobs(input),
            Envelope::Line { start, end, longest } => open_line(input, start, end, *longest as usize),
            Envelope::Hex { start, end } => open_hex(input, start, end),
            Envelope::Base64Lines { first, next, end, .. } => open_lines(input, [first, next, end], lines),
        };
        opened.unwrap_or_else(|refused| refused)
    }

    /// Where on the wire the payload's byte `index` stands, in an `input` that could be opened.
    pub fn place(&self, input: &[u8], index: usize) -> usize {
        match self {
            Envelope::Slip | Envelope::SlipEnd => SLIP.place(input, index),
            Envelope::Hdlc { .. } => HDLC.place(input, index),
            Envelope::Cobs => place_cobs(input, index),
            Envelope::Line { start, .. } => start.len() + index,
            Envelope::Hex { start, .. } => start.len() + 2 * index,
            Envelope::Base64Lines { first, next, end, .. } => place_lines(input, [first, next, end], index),
        }
    }

    /// The byte that an envelope begins with, where that is always the same one.
    pub fn opening(&self) -> Option<u8> {
        match self {
            Envelope::Slip => Some(SLIP.flag),
            Envelope::Hdlc { .. } => Some(HDLC.flag),
            Envelope::SlipEnd | Envelope::Cobs => None,
            Envelope::Line { start, .. } | Envelope::Hex { start, .. } => start.first().copied(),
            Envelope::Base64Lines { first, .. } => first.first().copied(),
        }
    }

    /// The byte before which no envelope is complete.
    pub fn closing(&self) -> Option<u8> {
        match self {
            Envelope::Slip | Envelope::SlipEnd => Some(SLIP.flag),
            Envelope::Hdlc { .. } => Some(HDLC.flag),
            Envelope::Cobs => Some(0),
            Envelope::Line { end, .. } | Envelope::Hex { end, .. } | Envelope::Base64Lines { end, .. } => {
                end.last().copied()
            }
        }
    }
}

/// `Err` leaves early with what is not complete.
type Step<'a> = Result<Opened<'a>, Opened<'a>>;

/// Byte stuffing: a flag around the frame, an escape before what may not stand in it.
struct Stuffing {
    name: &'static str,
    flag: u8,
    escape: u8,
    /// A byte, and what stands for it behind the escape; none: the byte with bit 5 flipped.
    pairs: Option<[(u8, u8); 2]>,
    /// The flag stands before the frame as well.
    leads: bool,
}

const SLIP: Stuffing = Stuffing {
    name: "SLIP",
    flag: 0xC0,
    escape: 0xDB,
    pairs: Some([(0xC0, 0xDC), (0xDB, 0xDD)]),
    leads: true,
};
const SLIP_END: Stuffing = Stuffing { leads: false, ..SLIP };
const HDLC: Stuffing = Stuffing { name: "HDLC", flag: 0x7E, escape: 0x7D, pairs: None, leads: true };

impl Stuffing {
    fn seal(&self, payload: &[u8], also_escaped: &[u8]) -> Vec<u8> {
        let mut wire = Vec::with_capacity(payload.len() + 8);
        wire.extend(self.leads.then_some(self.flag));
        for &byte in payload {
            if byte == self.flag || byte == self.escape || also_escaped.contains(&byte) {
                wire.extend([self.escape, self.instead_of(byte)]);
            } else {
                wire.push(byte);
            }
        }
        wire.push(self.flag);
        wire
    }

    fn instead_of(&self, byte: u8) -> u8 {
        let pair = self.pairs.iter().flatten().find(|(plain, _)| *plain == byte);
        pair.map_or(byte ^ 0x20, |(_, instead)| *instead)
    }

    fn stands_for(&self, byte: u8) -> Option<u8> {
        let Some(pairs) = self.pairs else { return (byte != self.flag).then_some(byte ^ 0x20) };
        pairs.iter().find(|(_, instead)| *instead == byte).map(|(plain, _)| *plain)
    }

    fn open<'a>(&self, input: &'a [u8]) -> Step<'a> {
        let from = self.flags(input)?;
        let limit = from + 2 * LONGEST + 1;
        let end = memchr(self.flag, &input[from..input.len().min(limit)]).map(|found| from + found);
        if end.is_none() && input.len() >= limit {
            return Err(wrong(limit - 1, format!("{:02X}, which ends a {} frame", self.flag, self.name)));
        }
        let body = &input[from..end.unwrap_or(input.len())];
        let mut payload = Cow::Borrowed(&body[..memchr(self.escape, body).unwrap_or(body.len())]);
        let mut at = payload.len();
        while at < body.len() {
            let Some(&escaped) = input.get(from + at + 1) else { return Err(Opened::More(2)) };
            let Some(plain) = self.stands_for(escaped) else {
                return Err(wrong(from + at + 1, self.expected_escaped()));
            };
            let rest = &body[at + 2..];
            let until = memchr(self.escape, rest).unwrap_or(rest.len());
            payload.to_mut().push(plain);
            payload.to_mut().extend_from_slice(&rest[..until]);
            at += 2 + until;
        }
        match end {
            Some(end) => Ok(complete(payload, end + 1)),
            None => Err(Opened::More(1)),
        }
    }

    /// How many flags stand at the start; two frames may share one, and an idle line may send many.
    fn flags<'a>(&self, input: &[u8]) -> Result<usize, Opened<'a>> {
        let flags = input.iter().take_while(|&&byte| byte == self.flag).count();
        match flags {
            0 if !input.is_empty() && self.leads => {
                Err(wrong(0, format!("{:02X}, which starts a {} frame", self.flag, self.name)))
            }
            _ if flags > MOST_FLAGS => {
                Err(wrong(MOST_FLAGS, format!("a {} frame behind its flags", self.name)))
            }
            _ if flags == input.len() => Err(Opened::More(if flags == 0 && self.leads { 3 } else { 2 })),
            _ => Ok(flags),
        }
    }

    fn expected_escaped(&self) -> String {
        match self.pairs {
            Some([(_, one), (_, other)]) => format!("{one:02X} or {other:02X} after {:02X}", self.escape),
            None => format!("an escaped byte after {:02X}; here the sender gave up the frame", self.escape),
        }
    }

    fn place(&self, input: &[u8], index: usize) -> usize {
        let mut at = input.iter().take_while(|&&byte| byte == self.flag).count();
        for _ in 0..index {
            at += if input.get(at) == Some(&self.escape) { 2 } else { 1 };
        }
        at
    }
}

fn seal_cobs(payload: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(payload.len() + payload.len() / 254 + 2);
    let mut pieces = payload.split(|&byte| byte == 0).peekable();
    while let Some(mut piece) = pieces.next() {
        while piece.len() >= 254 {
            wire.push(0xFF);
            wire.extend_from_slice(&piece[..254]);
            piece = &piece[254..];
            // A full block at the very end is not followed by an empty one.
            if piece.is_empty() && pieces.peek().is_none() {
                wire.push(0);
                return wire;
            }
        }
        wire.push(piece.len() as u8 + 1);
        wire.extend_from_slice(piece);
    }
    wire.push(0);
    wire
}

fn open_cobs(input: &[u8]) -> Step<'_> {
    let from = input.iter().take_while(|&&byte| byte == 0).count();
    if from > MOST_FLAGS {
        return Err(wrong(MOST_FLAGS, "a COBS frame behind its zeros".into()));
    }
    let limit = from + LONGEST + LONGEST / 254 + 2;
    let Some(end) = memchr(0, &input[from..input.len().min(limit)]).map(|found| from + found) else {
        let too_long = input.len() >= limit;
        return Err(if too_long {
            wrong(limit - 1, "00, which ends a COBS frame".into())
        } else {
            Opened::More(1)
        });
    };
    let mut payload = Vec::with_capacity(end - from);
    let mut at = from;
    while at < end {
        let code = input[at];
        let next = at + usize::from(code);
        if next > end {
            let expected = format!("{} bytes after {code:02X} before the frame ends", code - 1);
            return Err(wrong(end, expected));
        }
        payload.extend_from_slice(&input[at + 1..next]);
        if code != 0xFF && next < end {
            payload.push(0);
        }
        at = next;
    }
    Ok(complete(Cow::Owned(payload), end + 1))
}

fn place_cobs(input: &[u8], index: usize) -> usize {
    let mut at = input.iter().take_while(|&&byte| byte == 0).count();
    let mut left = index;
    while let Some(&code) = input.get(at).filter(|&&code| code != 0) {
        // The code itself stands for the zero behind its block, and that zero is the next code on the wire.
        let held = usize::from(code) - usize::from(code == 0xFF);
        if left < held {
            return at + 1 + left;
        }
        left -= held;
        at += usize::from(code);
    }
    at
}

fn open_line<'a>(input: &'a [u8], start: &[u8], end: &[u8], longest: usize) -> Step<'a> {
    let body = after_mark(input, start, end.len())?;
    let window = &body[..body.len().min(longest.saturating_add(end.len()))];
    match memmem::find(window, end) {
        Some(found) => Ok(complete(Cow::Borrowed(&body[..found]), start.len() + found + end.len())),
        None if window.len() == longest.saturating_add(end.len()) => {
            Err(wrong(start.len() + longest, format!("{}, which ends the line", hex(end))))
        }
        None => Err(Opened::More(1)),
    }
}

fn open_hex<'a>(input: &'a [u8], start: &[u8], end: &[u8]) -> Step<'a> {
    let body = after_mark(input, start, end.len())?;
    let mut payload = Vec::new();
    let mut pairs = body.chunks(2);
    loop {
        let at = 2 * payload.len();
        let rest = &body[at.min(body.len())..];
        if rest.starts_with(end) {
            return Ok(complete(Cow::Owned(payload), start.len() + at + end.len()));
        }
        if end.starts_with(rest) {
            return Err(Opened::More(end.len() - rest.len()));
        }
        let digits = pairs.next().unwrap_or_default();
        let expected = || format!("a hex digit or {}", hex(end));
        if let Some(not) = digits.iter().position(|byte| !byte.is_ascii_hexdigit()) {
            return Err(wrong(start.len() + at + not, expected()));
        }
        let [high, low] = digits else { return Err(Opened::More(1 + end.len())) };
        if payload.len() == LONGEST {
            return Err(wrong(start.len() + at, hex(end)));
        }
        payload.push(hex_value(*high) << 4 | hex_value(*low));
    }
}

/// First, next and end marks of base64 lines.
type Marks<'m> = [&'m [u8]; 3];

fn seal_lines(text: &[u8], [first, next, end]: Marks<'_>, width: usize) -> Vec<u8> {
    let width = (width - width % 4).max(4);
    let mut wire = first.to_vec();
    for (number, piece) in text.chunks(width).enumerate() {
        if number > 0 {
            wire.extend_from_slice(end);
            wire.extend_from_slice(next);
        }
        wire.extend_from_slice(piece);
    }
    wire.extend_from_slice(end);
    wire
}

fn open_lines<'a>(input: &'a [u8], [first, next, end]: Marks<'_>, lines: usize) -> Step<'a> {
    let mut payload = Vec::new();
    let mut at = 0;
    for line in 0..lines.max(1) {
        let mark = if line == 0 { first } else { next };
        let body = after_mark(&input[at..], mark, end.len()).map_err(|refused| shifted(refused, at))?;
        at += mark.len();
        let room = (LONGEST - payload.len()).div_ceil(3) * 4;
        let window = &body[..body.len().min(room + end.len())];
        let text = match memmem::find(window, end) {
            Some(found) => &body[..found],
            None => {
                return Err(unfinished(window, end, room).unwrap_or_else(|refused| shifted(refused, at)));
            }
        };
        match STANDARD.decode(text) {
            Ok(bytes) => payload.extend_from_slice(&bytes),
            Err(error) => {
                return Err(wrong(at + place_of(&error, text.len()), expected_base64(&error).into()));
            }
        }
        at += text.len() + end.len();
    }
    let goes_on = payload.len() < LONGEST;
    Ok(Opened::Complete(Contents { payload: Cow::Owned(payload), len: at, goes_on }))
}

/// A line whose end has not come: wrong when what has come is no base64 or too much of it.
fn unfinished<'a>(window: &[u8], end: &[u8], room: usize) -> Step<'a> {
    let is_base64 = |byte: &u8| *byte == b'=' || alphabet::STANDARD.as_str().as_bytes().contains(byte);
    let not = window.iter().position(|byte| !is_base64(byte)).unwrap_or(window.len());
    // The last bytes may be the beginning of the end mark.
    if not < window.len() && !end.starts_with(&window[not..]) {
        return Err(wrong(not, format!("base64 or {}", hex(end))));
    }
    if window.len() == room + end.len() {
        return Err(wrong(room, hex(end)));
    }
    Ok(Opened::More(1))
}

fn place_of(error: &DecodeError, length: usize) -> usize {
    match error {
        DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _) => *at,
        DecodeError::InvalidLength(_) | DecodeError::InvalidPadding => length,
    }
}

fn expected_base64(error: &DecodeError) -> &'static str {
    match error {
        DecodeError::InvalidByte(..) => "a base64 character",
        DecodeError::InvalidLastSymbol(..) => "a base64 character whose last bits are 0",
        DecodeError::InvalidLength(_) => "base64 in groups of 4 characters",
        DecodeError::InvalidPadding => "base64 that is filled up with =",
    }
}

fn place_lines(input: &[u8], [first, next, end]: Marks<'_>, index: usize) -> usize {
    let [mut at, mut left] = [first.len(), index];
    loop {
        let text = input.get(at..).and_then(|rest| rest.get(..memmem::find(rest, end)?)).unwrap_or_default();
        let padding = text.iter().rev().take_while(|&&byte| byte == b'=').count();
        let held = (text.len() / 4 * 3).saturating_sub(padding);
        if left < held || text.is_empty() {
            return at + left / 3 * 4 + left % 3;
        }
        left -= held;
        at += text.len() + end.len() + next.len();
    }
}

/// What stands behind the mark that `input` must begin with.
fn after_mark<'i, 'a>(input: &'i [u8], mark: &[u8], end: usize) -> Result<&'i [u8], Opened<'a>> {
    match mark.iter().zip(input).position(|(mark, byte)| mark != byte) {
        Some(at) => Err(wrong(at, hex(mark))),
        None if input.len() < mark.len() => Err(Opened::More(mark.len() - input.len() + end)),
        None => Ok(&input[mark.len()..]),
    }
}

fn complete(payload: Cow<'_, [u8]>, len: usize) -> Opened<'_> {
    Opened::Complete(Contents { payload, len, goes_on: false })
}

fn wrong<'a>(at: usize, expected: String) -> Opened<'a> {
    Opened::Wrong { at, expected }
}

fn shifted(opened: Opened<'_>, by: usize) -> Opened<'_> {
    match opened {
        Opened::Wrong { at, expected } => Opened::Wrong { at: at + by, expected },
        other => other,
    }
}

fn hex(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(" ")
}

fn hex_digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'A' + value - 10 }
}

fn hex_value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests;
