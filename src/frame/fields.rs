//! Reading one field of whole bytes: numbers, decimal and hex digits, bytes, text, UU text.

use bytes::Bytes;
use memchr::memmem;

use super::cbor;
use super::envelope::LONGEST;
use super::expr::{EvalError, Expr};
use super::layout::Order;
use super::parse::{Reader, Step, Stop, wrong};
use super::program::{Leaf, LeafKind, Mark};
use super::transform;
use super::value::Value;

/// Decimal digits of the largest number of 64 bits.
const MOST_DIGITS: usize = 20;

impl<'p> Reader<'p, '_> {
    /// Where the field ends, and its value if that can be told.
    pub fn leaf(
        &mut self,
        leaf: &'p Leaf,
        p: usize,
        limit: Option<usize>,
        tail: Option<usize>,
    ) -> Step<(usize, Option<Value>)> {
        match &leaf.kind {
            LeafKind::Number { bytes, signed, order } => {
                let raw = self.ordered(p, *bytes, *order, limit)?;
                let shift = 64 - 8 * *bytes as u32;
                let raw = if *signed { i128::from((raw << shift) as i64 >> shift) } else { raw.into() };
                self.value_of(leaf, raw, p, p + bytes)
            }
            LeafKind::Sized { bytes, order } => {
                let bytes = self.length(bytes, p)?;
                if bytes > 8 {
                    return Err(wrong(p, "a number of at most 8 bytes".into()));
                }
                let raw = if bytes == 0 { 0 } else { self.ordered(p, bytes, *order, limit)? };
                self.value_of(leaf, raw.into(), p, p + bytes)
            }
            LeafKind::Dec => {
                let (end, raw) = self.decimal(p, limit)?;
                self.value_of(leaf, raw, p, end)
            }
            LeafKind::Hex(digits) => {
                let digits = self.length(digits, p)?;
                let raw = self.hex(p, digits, limit)?;
                self.value_of(leaf, raw, p, p + digits)
            }
            LeafKind::Uu(n) => {
                let n = self.length(n, p)?;
                let end = p + n.div_ceil(3) * 4;
                let bytes = self.uu(p, end, n, limit)?;
                self.bytes_of(leaf, bytes, end)
            }
            LeafKind::Bytes { size, text, until } => {
                let end = self.end_of_bytes(size.as_ref(), until.as_ref(), p, limit, tail);
                match &end {
                    Ok(end) if *text => self.is_text(p, *end, true)?,
                    Err(Stop::More(missing)) if *text && *missing <= 0 => {
                        self.is_text(p, self.end() - missing.unsigned_abs(), false)?;
                    }
                    _ => {}
                }
                let end = end?;
                self.need(p, end - p, limit)?;
                let bytes = self.slice(p, end - p).to_vec();
                self.bytes_of(leaf, bytes, end)
            }
            LeafKind::Part { body, size } => {
                let end = match size {
                    None => None,
                    Some(size) => match self.length(size, p) {
                        Ok(length) => Some(p + length),
                        Err(stop) if !self.is_unknown(size) => return Err(stop),
                        Err(_) => Some(self.rest_end(p, limit, tail)?),
                    },
                };
                if let Some((end, limit)) = end.zip(limit).filter(|(end, limit)| end > limit) {
                    return Err(wrong(limit, format!("{} more bytes within the length", end - limit)));
                }
                let (inner, behind) = if end.is_some() { (end, Some(0)) } else { (limit, tail) };
                let read = self.part(body, leaf.transform.as_ref(), p, inner, behind);
                let next = match read {
                    Ok(next) => next,
                    Err(Stop::More(more)) => {
                        let missing = end.map_or(more, |end| end as isize - self.end() as isize);
                        return Err(Stop::More(more.max(missing)));
                    }
                    Err(stop) => return Err(stop),
                };
                if let Some(end) = end.filter(|end| *end != next) {
                    return Err(wrong(next, format!("the end of this part, {} bytes earlier", end - next)));
                }
                let bytes = self.slice(p, next - p).to_vec();
                self.bytes_of(leaf, bytes, next)
            }
            LeafKind::Cbor(keys) => {
                let end = cbor::read(self, keys, p, limit)?;
                let bytes = self.slice(p, end - p).to_vec();
                Ok((end, Some(Value::bytes(bytes))))
            }
        }
    }

    fn value_of(&mut self, leaf: &Leaf, raw: i128, p: usize, end: usize) -> Step<(usize, Option<Value>)> {
        let value = self.undo(leaf.transform.as_ref(), raw, leaf.slot, p)?;
        Ok((end, value.map(Value::Int)))
    }

    fn bytes_of(&mut self, leaf: &Leaf, bytes: Vec<u8>, end: usize) -> Step<(usize, Option<Value>)> {
        let value = match &leaf.transform {
            None => Some(bytes),
            Some(by) => match transform::undo_bytes(by, &bytes, self) {
                Ok(bytes) => Some(bytes),
                Err(EvalError::Unknown(_)) => None,
                Err(error) => return Err(wrong(end - bytes.len(), error.to_string())),
            },
        };
        Ok((end, value.map(|bytes| Value::bytes(Bytes::from(bytes)))))
    }

    fn is_unknown(&self, size: &Expr) -> bool {
        matches!(size.eval(self), Err(EvalError::Unknown(_)))
    }

    fn ordered(&self, p: usize, bytes: usize, order: Order, limit: Option<usize>) -> Step<u64> {
        let number = self.number(p, bytes, limit)?;
        Ok(match order {
            Order::Big => number,
            Order::Little => number.swap_bytes() >> (64 - 8 * bytes as u32),
        })
    }

    fn decimal(&mut self, p: usize, limit: Option<usize>) -> Step<(usize, i128)> {
        let here = self.available(p, limit);
        let digits = here.iter().take(MOST_DIGITS + 1).take_while(|byte| byte.is_ascii_digit()).count();
        let number: i128 =
            here[..digits].iter().fold(0, |number, digit| number * 10 + i128::from(digit - b'0'));
        let is_all = digits == here.len() && limit.is_none_or(|limit| p + digits < limit);
        if is_all && !self.closed && digits <= MOST_DIGITS {
            // Another digit may come.
            return Err(Stop::More(isize::from(digits == 0)));
        }
        if digits == 0 {
            return Err(wrong(p, "a decimal number".into()));
        }
        if digits > MOST_DIGITS || number > i128::from(u64::MAX) {
            return Err(wrong(p, "a decimal number that fits 64 bits".into()));
        }
        Ok((p + digits, number))
    }

    fn hex(&mut self, p: usize, digits: usize, limit: Option<usize>) -> Step<i128> {
        if digits > 16 {
            return Err(wrong(p, "at most 16 hex digits".into()));
        }
        let mut number = 0;
        for at in p..p + digits {
            self.need(at, 1, limit).map_err(|stop| match stop {
                Stop::More(more) => Stop::More(more + (p + digits - at - 1) as isize),
                wrong => wrong,
            })?;
            let digit = self.slice(at, 1).first().and_then(|byte| char::from(*byte).to_digit(16));
            match digit {
                Some(digit) => number = number << 4 | i128::from(digit),
                None => {
                    number <<= 4;
                    self.fault(at, |_| "a hex digit".into())?;
                }
            }
        }
        Ok(number)
    }

    fn uu(&mut self, p: usize, end: usize, n: usize, limit: Option<usize>) -> Step<Vec<u8>> {
        let mut bytes = Vec::with_capacity(end - p);
        for (index, &byte) in self.available(p, limit).iter().take(end - p).enumerate() {
            if !(0x20..=0x60).contains(&byte) {
                return Err(wrong(p + index, "UU text, 20 to 60".into()));
            }
        }
        self.need(p, end - p, limit)?;
        for four in self.slice(p, end - p).chunks(4) {
            let word = four.iter().fold(0u32, |word, byte| word << 6 | u32::from(byte.wrapping_sub(32) & 63));
            bytes.extend_from_slice(&word.to_be_bytes()[1..]);
        }
        bytes.truncate(n);
        Ok(bytes)
    }

    fn end_of_bytes(
        &mut self,
        size: Option<&Expr>,
        until: Option<&Mark>,
        p: usize,
        limit: Option<usize>,
        tail: Option<usize>,
    ) -> Step<usize> {
        if let Some(size) = size {
            match self.length(size, p) {
                Ok(length) => {
                    self.need(p, length, limit)?;
                    return Ok(p + length);
                }
                Err(stop) if !self.is_unknown(size) => return Err(stop),
                // A length that nobody knows here: the bytes take what is left.
                Err(_) => {}
            }
        }
        match until {
            Some(mark) if mark.fills => {
                let end = self.rest_end(p, limit, tail)?;
                match memmem::find(self.available(p, Some(end)), &mark.bytes) {
                    Some(found) => Ok(p + found),
                    None if end <= self.end() => Ok(end),
                    None => Err(Stop::More(end as isize - self.end() as isize)),
                }
            }
            Some(mark) if limit.is_none() || tail.is_none() => self.find(&mark.bytes, p, limit),
            _ => {
                let end = self.rest_end(p, limit, tail)?;
                self.need(p, end - p, limit)?;
                Ok(end)
            }
        }
    }

    /// Where the literal begins that ends these bytes.
    fn find(&self, mark: &[u8], p: usize, limit: Option<usize>) -> Step<usize> {
        let here = self.available(p, limit);
        let searched = &here[..here.len().min(LONGEST + mark.len())];
        if let Some(found) = memmem::find(searched, mark) {
            return Ok(p + found);
        }
        let is_all = self.closed || limit.is_some_and(|limit| limit <= self.end());
        if is_all || searched.len() < here.len() || here.len() >= LONGEST + mark.len() {
            let shown: Vec<String> = mark.iter().map(|byte| format!("{byte:02X}")).collect();
            return Err(wrong(p + searched.len(), format!("{} further on", shown.join(" "))));
        }
        // The mark itself is counted by whoever comes after these bytes, less what has come of it.
        let begun = (1..mark.len()).rev().find(|begun| here.ends_with(&mark[..*begun])).unwrap_or(0);
        Err(Stop::More(-(begun as isize)))
    }

    /// Printable ASCII, tab, line ends and escapes, or other UTF-8, from `p` to `end`; `whole`: no more belongs to it.
    fn is_text(&self, p: usize, end: usize, whole: bool) -> Step<()> {
        let here = self.available(p, Some(end));
        let is_control =
            |byte: u8| matches!(byte, 0..=0x1F | 0x7F) && !matches!(byte, 0x09 | 0x0A | 0x0D | 0x1B);
        let utf8 = match std::str::from_utf8(here) {
            Err(error) if whole || error.error_len().is_some() => Some(error.valid_up_to()),
            _ => None,
        };
        let control = here.iter().position(|byte| is_control(*byte));
        match control.into_iter().chain(utf8).min() {
            Some(at) => Err(wrong(p + at, "text".into())),
            None => Ok(()),
        }
    }
}
