//! Event lines (`.jsonl`), the plain capture format: a header line, then one JSON object for each thing that was seen or done.
//!
//! Both directions stream: a reader holds one line at a time, so a capture of any length takes the same memory.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read, Write};

use serde::Deserialize;

use crate::line::{
    Baud, ControlLines, Direction, Fault, Format, Instant, LineErrors, LineEvent, Seen, Settings,
    span_from_secs,
};

use super::model::{Header, Record, What};

/// No line is longer; what is longer is no event line.
const LONGEST_LINE: u64 = 1 << 20;

/// Reads a capture record by record. After the first mistake it ends; everything before it has been handed out.
#[derive(Debug)]
pub struct Reader<R> {
    from: R,
    header: Header,
    /// The receiver's settings where the reader stands.
    settings: Settings,
    line: Vec<u8>,
    number: u64,
    ready: VecDeque<Record>,
    ended: bool,
}

impl<R: BufRead> Reader<R> {
    /// Reads the header line.
    pub fn new(mut from: R) -> Result<Reader<R>, LineMistake> {
        let mut line = Vec::new();
        let at_first = |mistake| LineMistake { line: 1, mistake };
        if !next_line(&mut from, &mut line).map_err(at_first)? {
            return Err(at_first(Mistake::Empty));
        }
        let header = header(&line).map_err(at_first)?;
        let settings = header.settings;
        Ok(Reader { from, header, settings, line, number: 1, ready: VecDeque::new(), ended: false })
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    fn read_more(&mut self) -> Result<(), Mistake> {
        while self.ready.is_empty() && !self.ended {
            self.number += 1;
            if !next_line(&mut self.from, &mut self.line)? {
                self.ended = true;
            } else if !self.line.trim_ascii().is_empty() {
                self.take_line()?;
            }
        }
        Ok(())
    }

    fn take_line(&mut self) -> Result<(), Mistake> {
        let text = std::str::from_utf8(&self.line).map_err(|_| Mistake::NotText)?;
        let raw: RawLine = serde_json::from_str(text).map_err(json_mistake)?;
        if !raw.at.is_finite() || raw.at < 0.0 {
            return Err(Mistake::BadTime(raw.at));
        }
        let at = Instant::from_secs(raw.at);
        let seen = raw.hex.is_some() || raw.fault.is_some() || raw.marker;
        match (seen, raw.set, raw.lines) {
            (true, None, None) => {
                take_seen(&mut self.ready, self.settings, at, raw.dir, raw.hex, raw.fault, raw.marker)
            }
            (false, Some(set), None) => {
                self.settings = set.over(self.settings)?;
                self.ready.push_back(Record::set(at, self.settings));
                Ok(())
            }
            (false, None, Some(lines)) => {
                let lines = ControlLines { dtr: lines.dtr, rts: lines.rts };
                self.ready.push_back(Record::lines(at, lines));
                Ok(())
            }
            (false, None, None) => Err(Mistake::NothingHappened),
            _ => Err(Mistake::TooMuchHappened),
        }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Record, LineMistake>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(mistake) = self.read_more() {
            self.ended = true;
            self.ready.clear(); // what a broken line began does not count
            return Some(Err(LineMistake { line: self.number, mistake }));
        }
        self.ready.pop_front().map(Ok)
    }
}

/// The next line without its end; false at the end of the text.
fn next_line(from: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool, Mistake> {
    line.clear();
    let read = from.by_ref().take(LONGEST_LINE + 1).read_until(b'\n', line)?;
    if read as u64 > LONGEST_LINE {
        return Err(Mistake::TooLong);
    }
    while line.last().is_some_and(|end| matches!(end, b'\n' | b'\r')) {
        line.pop();
    }
    Ok(read > 0)
}

fn header(line: &[u8]) -> Result<Header, Mistake> {
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
    let text = std::str::from_utf8(line).map_err(|_| Mistake::NotText)?;
    let raw: RawHeader = serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => json_mistake(error),
        _ => Mistake::NoHeader,
    })?;
    if raw.hsdiag != "events" {
        return Err(Mistake::OtherKind(raw.hsdiag));
    }
    if raw.version != 1 {
        return Err(Mistake::OtherVersion(raw.version));
    }
    let (baud, format) = (rate(raw.baud)?, form(&raw.format)?);
    let all = [LineErrors::PerByte, LineErrors::Packet, LineErrors::Counter, LineErrors::Never];
    let line_errors = all.into_iter().find(|errors| errors.word() == raw.line_errors);
    Ok(Header {
        settings: Settings { baud, format, inverted: raw.inverted, msb_first: raw.msb_first },
        line_errors: line_errors.ok_or(Mistake::LineErrors(raw.line_errors))?,
        uncertainty: span_from_secs(raw.uncertainty),
    })
}

/// The events of one line. `at` is when its last byte was in; those before came back to back.
fn take_seen(
    ready: &mut VecDeque<Record>,
    settings: Settings,
    at: Instant,
    direction: Option<RawDirection>,
    hex: Option<&str>,
    fault: Option<RawFault>,
    marker: bool,
) -> Result<(), Mistake> {
    let direction = match direction {
        Some(RawDirection::Rx) => Direction::Rx,
        Some(RawDirection::Tx) => Direction::Tx,
        None => return Err(Mistake::NoDirection),
    };
    let fault = fault.map(Fault::from);
    let digits = hex.unwrap_or_default().as_bytes();
    if marker || fault == Some(Fault::Break) && matches!(digits, b"" | b"00") {
        let seen = if marker { Seen::Marker } else { Seen::Break };
        ready.push_back(Record::seen(LineEvent { at, direction, seen, fault }));
        return Ok(());
    }
    let (pairs, odd) = digits.as_chunks::<2>();
    if pairs.is_empty() || !odd.is_empty() {
        return Err(Mistake::Hex(hex.unwrap_or_default().into()));
    }
    if fault.is_some() && pairs.len() > 1 {
        return Err(Mistake::FaultOfMany(pairs.len()));
    }
    for (place, pair) in pairs.iter().enumerate() {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else {
            return Err(Mistake::Hex(hex.unwrap_or_default().into()));
        };
        let behind = settings.character_time() * (pairs.len() - 1 - place) as u32;
        let byte = (high << 4 | low) as u8;
        let event = LineEvent::byte(at.saturating_sub(behind), direction, byte);
        ready.push_back(Record::seen(LineEvent { fault, ..event }));
    }
    Ok(())
}

/// Writes a capture record by record.
#[derive(Debug)]
pub struct Writer<W> {
    to: W,
}

impl<W: Write> Writer<W> {
    /// Writes the header line.
    pub fn new(mut to: W, header: &Header) -> io::Result<Writer<W>> {
        let Settings { baud, format, .. } = header.settings;
        let errors = header.line_errors.word();
        write!(to, r#"{{"hsdiag":"events","version":1,"baud":{baud},"format":"{format}""#)?;
        write!(to, r#"{},"line_errors":"{errors}""#, polarity(header.settings, false))?;
        if !header.uncertainty.is_zero() {
            write!(to, r#","uncertainty":{}"#, header.uncertainty.as_secs_f64())?;
        }
        to.write_all(b"}\n")?;
        Ok(Writer { to })
    }

    pub fn write(&mut self, record: &Record) -> io::Result<()> {
        let nanos = record.at.nanos();
        write!(self.to, r#"{{"at":{}.{:09},"#, nanos / 1_000_000_000, nanos % 1_000_000_000)?;
        match &record.what {
            What::Seen(event) => self.write_seen(event)?,
            What::Set(settings) => {
                let Settings { baud, format, .. } = settings;
                let polarity = polarity(*settings, true);
                write!(self.to, r#""set":{{"baud":{baud},"format":"{format}"{polarity}}}"#)?;
            }
            What::Lines(lines) => {
                let named = [("dtr", lines.dtr), ("rts", lines.rts)];
                let moved = named.iter().filter_map(|(name, on)| on.map(|on| format!(r#""{name}":{on}"#)));
                write!(self.to, r#""lines":{{{}}}"#, moved.collect::<Vec<_>>().join(","))?;
            }
        }
        self.to.write_all(b"}\n")
    }

    /// Hands everything on to where it is written to.
    pub fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }

    pub fn into_inner(self) -> W {
        self.to
    }

    fn write_seen(&mut self, event: &LineEvent) -> io::Result<()> {
        let direction = if event.direction == Direction::Rx { "rx" } else { "tx" };
        write!(self.to, r#""dir":"{direction}""#)?;
        match event.seen {
            Seen::Byte(byte) => write!(self.to, r#","hex":"{byte:02X}""#)?,
            // A byte 00 with the fault "break" is the break itself.
            Seen::Break => return self.to.write_all(br#","fault":"break""#),
            Seen::Marker => self.to.write_all(br#","marker":true"#)?,
        }
        match event.fault {
            Some(fault) => write!(self.to, r#","fault":"{}""#, word(fault)),
            None => Ok(()),
        }
    }
}

/// Polarity and bit order: in a header only where unusual, in a change always, for it may be a change back.
fn polarity(settings: Settings, always: bool) -> String {
    let named = [("inverted", settings.inverted), ("msb_first", settings.msb_first)];
    named.iter().filter(|(_, on)| always || *on).map(|(name, on)| format!(r#","{name}":{on}"#)).collect()
}

fn word(fault: Fault) -> &'static str {
    match fault {
        Fault::Framing => "framing",
        Fault::Parity => "parity",
        Fault::FramingOrParity => "framing-or-parity",
        Fault::Break => "break",
        Fault::Overrun => "overrun",
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHeader {
    hsdiag: String,
    version: u64,
    baud: u32,
    format: String,
    line_errors: String,
    #[serde(default)]
    uncertainty: f64,
    #[serde(default)]
    inverted: bool,
    #[serde(default)]
    msb_first: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLine<'a> {
    at: f64,
    dir: Option<RawDirection>,
    hex: Option<&'a str>,
    fault: Option<RawFault>,
    #[serde(default)]
    marker: bool,
    set: Option<RawSet>,
    lines: Option<RawControl>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawDirection {
    Rx,
    Tx,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawFault {
    Framing,
    Parity,
    FramingOrParity,
    Break,
    Overrun,
}

impl From<RawFault> for Fault {
    fn from(raw: RawFault) -> Fault {
        match raw {
            RawFault::Framing => Fault::Framing,
            RawFault::Parity => Fault::Parity,
            RawFault::FramingOrParity => Fault::FramingOrParity,
            RawFault::Break => Fault::Break,
            RawFault::Overrun => Fault::Overrun,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSet {
    baud: Option<u32>,
    format: Option<String>,
    inverted: Option<bool>,
    msb_first: Option<bool>,
}

impl RawSet {
    fn over(self, before: Settings) -> Result<Settings, Mistake> {
        Ok(Settings {
            baud: self.baud.map(rate).transpose()?.unwrap_or(before.baud),
            format: self.format.as_deref().map(form).transpose()?.unwrap_or(before.format),
            inverted: self.inverted.unwrap_or(before.inverted),
            msb_first: self.msb_first.unwrap_or(before.msb_first),
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawControl {
    dtr: Option<bool>,
    rts: Option<bool>,
}

fn rate(rate: u32) -> Result<Baud, Mistake> {
    Baud::new(rate).map_err(|error| Mistake::Settings(error.to_string()))
}

fn form(text: &str) -> Result<Format, Mistake> {
    text.parse().map_err(|error: crate::line::FormatError| Mistake::Settings(error.to_string()))
}

fn json_mistake(error: serde_json::Error) -> Mistake {
    let column = error.column();
    let said = error.to_string();
    let said = said.split(" at line ").next().unwrap_or(&said).to_owned();
    if error.is_eof() { Mistake::CutShort } else { Mistake::Json { column, said } }
}

/// A mistake in a capture, with the line it is in.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {mistake}")]
pub struct LineMistake {
    /// Counted from 1.
    pub line: u64,
    #[source]
    pub mistake: Mistake,
}

/// What can be wrong with a line.
#[derive(Debug, thiserror::Error)]
pub enum Mistake {
    #[error("the capture is empty; expected a header line {EXAMPLE}")]
    Empty,
    #[error("this is no event-line capture; expected a header line {EXAMPLE}")]
    NoHeader,
    #[error("this holds `{0}`; expected \"hsdiag\":\"events\"")]
    OtherKind(String),
    #[error("version {0} of the format is newer than this program; expected version 1")]
    OtherVersion(u64),
    #[error("`{0}` is no way to report line errors; expected per-byte, packet, counter or none")]
    LineErrors(String),
    #[error("{0}")]
    Settings(String),
    #[error("the line is cut short; the recording was probably interrupted here")]
    CutShort,
    #[error("column {column}: {said}")]
    Json { column: usize, said: String },
    #[error("the line is not UTF-8 text")]
    NotText,
    #[error("the line is longer than {LONGEST_LINE} bytes")]
    TooLong,
    #[error("`\"at\":{0}` is not a time; expected seconds from 0 on")]
    BadTime(f64),
    #[error("`\"dir\"` is missing; expected \"rx\" or \"tx\"")]
    NoDirection,
    #[error("`{0}` is not bytes in hex; expected two digits for each, such as \"68\"")]
    Hex(String),
    #[error("a fault belongs to one byte, but the line has {0}; write that byte on a line of its own")]
    FaultOfMany(usize),
    #[error("nothing happens on this line; expected \"hex\", \"fault\", \"marker\", \"set\" or \"lines\"")]
    NothingHappened,
    #[error("several things happen on this line; write each on a line of its own")]
    TooMuchHappened,
    #[error("cannot read on: {0}")]
    Io(#[from] io::Error),
}

const EXAMPLE: &str =
    r#"{"hsdiag":"events","version":1,"baud":9600,"format":"8E1","line_errors":"per-byte"}"#;

#[cfg(test)]
mod tests;
