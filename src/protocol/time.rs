//! A time as a table says it: `350 ms`, `330 bits + 50 ms`, `max(38.5 bits, 1.75 ms)`.

use std::fmt;

use crate::frame::{Mistake, Scanner};
use crate::line::{Settings, Span, span_from_secs};

/// A time as a table says it: bit times and seconds add up, and the longest of several may count.
#[derive(Clone, Debug, PartialEq)]
pub enum Time {
    /// `330 bits + 50 ms`.
    Sum { bits: f64, secs: f64 },
    /// `max(38.5 bits, 1.75 ms)`.
    Longest(Vec<Time>),
}

/// Units, with the seconds in one; bits have none of their own.
const UNITS: [(&str, f64); 4] = [("us", 1e-6), ("ms", 1e-3), ("min", 60.0), ("s", 1.0)];

/// Nothing on a serial line takes longer than a day, or that many bits.
const MOST_SECS: f64 = 86_400.0;
const MOST_BITS: f64 = 1e9;

impl Time {
    pub fn secs(secs: f64) -> Time {
        Time::Sum { bits: 0.0, secs }
    }

    /// How long that is at these settings.
    pub fn at(&self, settings: Settings) -> Span {
        match self {
            Time::Sum { bits, secs } => settings.bits(*bits) + span_from_secs(*secs),
            Time::Longest(times) => times.iter().map(|time| time.at(settings)).max().unwrap_or(Span::ZERO),
        }
    }

    /// Reads a whole text as one time.
    pub fn parse(text: &str) -> Result<Time, Mistake> {
        let mut scan = Scanner::new(text);
        let time = Time::read(&mut scan)?;
        if scan.is_at_end() { Ok(time) } else { Err(scan.expected("nothing behind the time")) }
    }

    /// Reads the time that comes next, and no further: a talk goes on behind it.
    pub(super) fn read(scan: &mut Scanner<'_>) -> Result<Time, Mistake> {
        let mut time = read_term(scan)?;
        while scan.take("+") {
            time = time.plus(read_term(scan)?);
        }
        Ok(time)
    }

    /// The sum of two; a longest of several stays one, each of them that much longer.
    fn plus(self, other: Time) -> Time {
        match (self, other) {
            (Time::Sum { bits, secs }, Time::Sum { bits: more_bits, secs: more_secs }) => {
                Time::Sum { bits: bits + more_bits, secs: secs + more_secs }
            }
            (Time::Longest(times), other) | (other, Time::Longest(times)) => {
                Time::Longest(times.into_iter().map(|time| time.plus(other.clone())).collect())
            }
        }
    }
}

fn read_term(scan: &mut Scanner<'_>) -> Result<Time, Mistake> {
    if !scan.take("max") {
        return read_span(scan);
    }
    if !scan.take("(") {
        return Err(scan.expected("`(` and the times of which the longest counts"));
    }
    let mut times = vec![read_sum_of_spans(scan)?];
    while scan.take(",") {
        times.push(read_sum_of_spans(scan)?);
    }
    if scan.take(")") { Ok(Time::Longest(times)) } else { Err(scan.expected("`,` or `)`")) }
}

/// Inside `max( )` there is no second `max`: it would say nothing more.
fn read_sum_of_spans(scan: &mut Scanner<'_>) -> Result<Time, Mistake> {
    let mut time = read_span(scan)?;
    while scan.take("+") {
        time = time.plus(read_span(scan)?);
    }
    Ok(time)
}

fn read_span(scan: &mut Scanner<'_>) -> Result<Time, Mistake> {
    let from = scan.at();
    let rest = scan.rest();
    let length = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
    let Ok(number) = rest[..length].parse::<f64>() else {
        return Err(scan.expected("a time, such as `350 ms`, `1.5 s` or `33 bits`"));
    };
    scan.advance(length);
    let is_bits = scan.take("bits") || scan.take("bit");
    let secs = UNITS.iter().find(|(unit, _)| !is_bits && scan.take(unit)).map(|(_, secs)| number * secs);
    if !is_bits && secs.is_none() {
        return Err(scan.expected("a unit: `us`, `ms`, `s`, `min` or `bits`"));
    }
    if number > MOST_BITS || secs.is_some_and(|secs| secs > MOST_SECS) {
        let says = "this time is too long; expected at most a day".to_string();
        return Err(Mistake { at: scan.since(from), says, help: None });
    }
    Ok(match secs {
        Some(secs) => Time::secs(secs),
        None => Time::Sum { bits: number, secs: 0.0 },
    })
}

/// As a table would write it.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Time::Sum { bits, secs } if *bits == 0.0 => write_secs(f, *secs),
            Time::Sum { bits, secs } => {
                write!(f, "{bits} bits")?;
                if *secs == 0.0 {
                    return Ok(());
                }
                f.write_str(" + ")?;
                write_secs(f, *secs)
            }
            Time::Longest(times) => {
                f.write_str("max(")?;
                for (nth, time) in times.iter().enumerate() {
                    write!(f, "{}{time}", if nth == 0 { "" } else { ", " })?;
                }
                f.write_str(")")
            }
        }
    }
}

fn write_secs(f: &mut fmt::Formatter<'_>, secs: f64) -> fmt::Result {
    // Whole picoseconds, so that 0.35 s does not print as 350.00000000000006 ms.
    let rounded = |value: f64| (value * 1e6).round() / 1e6;
    match secs {
        secs if secs == 0.0 || secs >= 1.0 => write!(f, "{} s", rounded(secs)),
        secs if secs >= 1e-3 => write!(f, "{} ms", rounded(secs * 1e3)),
        secs => write!(f, "{} us", rounded(secs * 1e6)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{Baud, Format};

    fn mistake(text: &str) -> (u32, String) {
        let mistake = Time::parse(text).expect_err(text);
        (mistake.at.from, mistake.says)
    }

    #[test]
    fn times_are_read_and_written_alike() {
        for text in
            ["350 ms", "1.5 s", "33 bits", "330 bits + 50 ms", "max(38.5 bits, 1.75 ms)", "20 us", "0 s"]
        {
            assert_eq!(Time::parse(text).map(|time| time.to_string()).as_deref(), Ok(text));
        }
        assert_eq!(Time::parse("2min"), Ok(Time::secs(120.0)));
    }

    #[test]
    fn a_sum_with_a_longest_lengthens_each_of_them() {
        let time = Time::parse("max(11 bits, 2 ms) + 1 ms");
        assert_eq!(time.map(|time| time.to_string()).as_deref(), Ok("max(11 bits + 1 ms, 3 ms)"));
    }

    #[test]
    fn bit_times_follow_the_baud() {
        let settings = |baud| Settings::new(Baud::nearest(baud), Format::E8);
        let gap = Time::parse("max(38.5 bits, 1.75 ms)").expect("a time");
        assert_eq!(gap.at(settings(115_200.0)), Span::from_micros(1750));
        assert_eq!(gap.at(settings(1000.0)), Span::from_micros(38_500));
    }

    #[test]
    fn what_is_no_time_says_where_and_what_was_expected() {
        let unit = "a unit: `us`, `ms`, `s`, `min` or `bits`";
        let number = "a time, such as `350 ms`, `1.5 s` or `33 bits`";
        assert_eq!(mistake("350"), (3, format!("the text ends here; expected {unit}")));
        assert_eq!(mistake("350 mss"), (4, format!("expected {unit}, found `mss`")));
        assert_eq!(mistake("soon"), (0, format!("expected {number}, found `soon`")));
        assert_eq!(mistake("1.2.3 s"), (0, format!("expected {number}, found `1.2.3`")));
        assert_eq!(mistake("max(1 s"), (7, "the text ends here; expected `,` or `)`".into()));
        assert_eq!(mistake("1 s < ack"), (4, "expected nothing behind the time, found `<`".into()));
        assert_eq!(mistake("99999 min"), (0, "this time is too long; expected at most a day".into()));
    }
}
