//! How much room there is: limits, what must follow, and how wide the operations are that have not been read.

use super::envelope::LONGEST;
use super::expr::{EvalError, Expr};
use super::parse::{Found, Reader, Step, Stop, wrong};
use super::program::{LeafKind, Op, OpKind, SlotId};
use super::value::Value;

impl Reader<'_, '_> {
    pub fn window_end(&self, window: &super::program::Window, start: usize) -> Step<Option<usize>> {
        let Found::Value(Value::Int(says)) = self.values[window.says] else { return Ok(None) };
        let length = window.inverse.undo(says, self).and_then(|length| usize::try_from(length).ok());
        match length.filter(|length| *length <= LONGEST) {
            Some(length) => Ok(Some(start + length)),
            None => {
                let label = self.program.label(window.says);
                Err(wrong(self.at_of(window.says, start), format!("a possible length {label}, not {says}")))
            }
        }
    }

    pub fn at_of(&self, slot: SlotId, otherwise: usize) -> usize {
        self.spans[slot].map_or(otherwise, |(from, _)| from)
    }

    /// Where bytes without a length end: at the limit or at the closed end, less what must follow.
    pub fn rest_end(&self, p: usize, limit: Option<usize>, tail: Option<usize>) -> Step<usize> {
        let Some(tail) = tail else {
            return Err(wrong(p, "bytes whose end can be told".into()));
        };
        let end = match limit {
            Some(limit) => limit,
            None if self.closed => self.end(),
            None => return Err(Stop::More(p as isize - self.end() as isize)),
        };
        match end.checked_sub(tail).filter(|end| *end >= p) {
            Some(end) => Ok(end),
            None => Err(wrong(end, format!("{} more bytes", p + tail - end))),
        }
    }

    /// A length or a count, bounded.
    pub fn length(&self, expr: &Expr, p: usize) -> Step<usize> {
        let length = expr.eval_int(self).map_err(|error| wrong(p, format!("a length: {error}")))?;
        usize::try_from(length)
            .ok()
            .filter(|length| *length <= LONGEST)
            .ok_or_else(|| wrong(p, format!("a length of 0 to {LONGEST}, not {length}")))
    }

    /// How wide operations are that have not been read, if that can be told by now.
    pub fn width_of_all(&self, ops: &[Op]) -> Option<usize> {
        ops.iter().try_fold(0usize, |sum, op| Some(sum + self.width_of(op)?))
    }

    pub fn width_of(&self, op: &Op) -> Option<usize> {
        if op.fixed.is_some() {
            return op.fixed;
        }
        let told = |expr: &Expr| expr.eval_int(self).ok().and_then(|length| usize::try_from(length).ok());
        match &op.kind {
            OpKind::Literal(bytes) => Some(bytes.len()),
            OpKind::Bits { bytes, .. } => Some(*bytes),
            OpKind::Again { of, .. } => self.spans[*of].map(|(from, to)| to - from),
            OpKind::Some { .. } | OpKind::Fill(_) => None,
            OpKind::Optional { body, when } => match when.eval_int(self) {
                Ok(0) | Err(EvalError::Unknown(_)) => Some(0),
                Ok(_) => self.width_of_all(&body.ops),
                Err(_) => None,
            },
            OpKind::Repeat { body, count } => {
                told(count.as_ref()?)?.checked_mul(body.fixed()?).filter(|width| *width <= LONGEST)
            }
            OpKind::Leaf(leaf) => match &leaf.kind {
                LeafKind::Number { bytes, .. } => Some(*bytes),
                LeafKind::Sized { bytes: size, .. } | LeafKind::Hex(size) => told(size),
                LeafKind::Uu(n) => told(n).map(|n| n.div_ceil(3) * 4),
                LeafKind::Bytes { size: Some(size), .. } | LeafKind::Part { size: Some(size), .. } => {
                    told(size)
                }
                LeafKind::Part { body, size: None } => self.width_of_all(&body.ops),
                LeafKind::Bytes { size: None, .. } | LeafKind::Dec | LeafKind::Cbor(_) => None,
            },
        }
        .filter(|width| *width <= LONGEST)
    }

    /// One past the last byte that is there.
    pub fn end(&self) -> usize {
        self.base + self.text.len()
    }

    /// Makes sure of `n` bytes at `p`.
    pub fn need(&self, p: usize, n: usize, limit: Option<usize>) -> Step<()> {
        if limit.is_some_and(|limit| p + n > limit) {
            return Err(wrong(
                limit.unwrap_or(p),
                format!("{} more bytes within the length", p + n - limit.unwrap_or(p)),
            ));
        }
        let missing = (p + n).saturating_sub(self.end());
        match missing {
            0 => Ok(()),
            _ if self.closed => Err(wrong(self.end(), format!("{missing} more bytes"))),
            _ => Err(Stop::More(missing as isize)),
        }
    }

    /// Bytes that [`Reader::need`] has made sure of.
    pub fn slice(&self, p: usize, n: usize) -> &[u8] {
        self.text.get(p - self.base..p - self.base + n).unwrap_or(&[])
    }

    pub fn byte(&self, p: usize) -> u8 {
        self.slice(p, 1).first().copied().unwrap_or(0)
    }

    /// All that is there from `p` on, up to the limit.
    pub fn available(&self, p: usize, limit: Option<usize>) -> &[u8] {
        let end = limit.map_or(self.end(), |limit| limit.min(self.end())).max(p);
        self.text.get(p - self.base..end - self.base).unwrap_or(&[])
    }

    pub fn number(&self, p: usize, bytes: usize, limit: Option<usize>) -> Step<u64> {
        self.need(p, bytes, limit)?;
        Ok(self.slice(p, bytes).iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}
