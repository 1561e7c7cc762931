//! How improbable it is that random bytes are a frame, in bits: what a frame is worth as evidence.

use crate::frame::{
    Allowed, BitField, Envelope, Expr, ExprKind, Field, FieldType, Frame, Function, ItemKind, Layout, Name,
    Times, Value, Values,
};

/// What a frame holds random bytes to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chance {
    /// Literals, fixed values, sets, checksums, the envelope.
    fixed: f64,
    /// Fields that only some bytes can stand in, with the bits that each byte of theirs is worth.
    narrow: Vec<(Name, f64)>,
    /// Bits for each byte on the wire.
    by_byte: f64,
}

/// Printable characters are 100 of 256 bytes.
const TEXT_BITS: f64 = 1.35;
const DIGIT_BITS: f64 = 4.67;
const HEX_BITS: f64 = 3.54;

impl Chance {
    pub fn of(frame: &Frame) -> Chance {
        let mut chance = Chance { fixed: 0.0, narrow: Vec::new(), by_byte: 0.0 };
        chance.layout(frame.layout());
        match frame.envelope() {
            None => {}
            Some(Envelope::Slip | Envelope::Hdlc { .. }) => chance.fixed += 16.0,
            Some(Envelope::Cobs | Envelope::SlipEnd) => chance.fixed += 8.0,
            Some(Envelope::Line { start, end, .. }) => chance.fixed += 8.0 * (start.len() + end.len()) as f64,
            Some(Envelope::Hex { start, end }) => {
                chance.fixed += 8.0 * (start.len() + end.len()) as f64;
                chance.by_byte = HEX_BITS;
            }
            Some(Envelope::Base64Lines { first, end, .. }) => {
                chance.fixed += 8.0 * (first.len() + end.len()) as f64;
                chance.by_byte = 2.0;
            }
        }
        chance
    }

    /// What this frame is worth, with what stands in it.
    pub fn bits(&self, values: &Values, len: usize) -> f64 {
        let worth = |(name, bits): &(Name, f64)| match values.get(name) {
            Some(Value::Bytes(blob)) => bits * blob.bytes.len() as f64,
            Some(Value::Int(number)) => bits * number.unsigned_abs().max(1).ilog10() as f64 + bits,
            Some(Value::List(_)) | None => 0.0,
        };
        self.fixed + self.by_byte * len as f64 + self.narrow.iter().map(worth).sum::<f64>()
    }

    fn layout(&mut self, layout: &Layout) {
        for item in &layout.items {
            match &item.kind {
                ItemKind::Literal { bytes, times } => {
                    let times = match times {
                        Times::Exactly(times) => *times,
                        Times::Between(least, _) => *least,
                        Times::Fill => 0,
                    };
                    self.fixed += 8.0 * bytes.len() as f64 * f64::from(times);
                }
                ItemKind::Field(field) => self.field(field),
                ItemKind::Bits(bits) => bits.iter().for_each(|bit| self.bit(bit)),
                ItemKind::Again { .. } => self.fixed += 8.0,
                ItemKind::Optional { .. } | ItemKind::Repeat { .. } => {}
            }
        }
    }

    fn field(&mut self, field: &Field) {
        let narrow = |bits: f64| field.name.clone().map(|name| (name, bits));
        match &field.kind {
            FieldType::Number { bytes, .. } => {
                self.fixed += allowed(&field.allowed, 8.0 * f64::from(*bytes));
            }
            FieldType::Sized { .. } => self.fixed += allowed(&field.allowed, 8.0),
            FieldType::Natural(_) => self.fixed += 8.0,
            FieldType::Dec if is_any(&field.allowed) => self.narrow.extend(narrow(DIGIT_BITS)),
            FieldType::Dec => self.fixed += DIGIT_BITS,
            FieldType::Hex(_) if is_any(&field.allowed) => self.narrow.extend(narrow(HEX_BITS)),
            FieldType::Hex(digits) => {
                let digits = literal(digits).unwrap_or(1) as f64;
                self.fixed += HEX_BITS * digits + allowed(&field.allowed, 4.0 * digits);
            }
            FieldType::Bytes(_) => self.fixed += allowed(&field.allowed, 8.0),
            FieldType::Text(_) => self.narrow.extend(narrow(TEXT_BITS)),
            FieldType::Uu(_) => self.narrow.extend(narrow(2.0)),
            FieldType::Part { body, .. } => self.layout(body),
            FieldType::Cbor(_) => self.fixed += 16.0,
        }
    }

    fn bit(&mut self, bit: &BitField) {
        self.fixed += allowed(&bit.allowed, f64::from(bit.width));
    }
}

fn is_any(allowed: &Allowed) -> bool {
    *allowed == Allowed::Any
}

/// The bits that a field of `width` bits is held to.
fn allowed(allowed: &Allowed, width: f64) -> f64 {
    match allowed {
        Allowed::Any => 0.0,
        // A length says how much comes, not what: any will do.
        Allowed::Equal(expr) if is_length(expr) => 0.0,
        Allowed::Equal(_) => width,
        Allowed::OneOf(ranges) | Allowed::Sends { others: ranges, .. } => {
            let count: f64 = ranges.iter().map(|range| (range.end() - range.start()) as f64 + 1.0).sum();
            (width - count.max(1.0).log2()).max(0.0)
        }
    }
}

fn is_length(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Call { function, .. } => *function == Function::Size,
        ExprKind::Unary(_, inner) => is_length(inner),
        ExprKind::Binary(_, a, b) => is_length(a) || is_length(b),
        // What was asked is only sometimes known.
        ExprKind::Path(path) => path.rest.is_some(),
        _ => false,
    }
}

fn literal(expr: &Expr) -> Option<i128> {
    match expr.kind {
        ExprKind::Number(number) => Some(number),
        _ => None,
    }
}
