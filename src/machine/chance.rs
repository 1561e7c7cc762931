//! How improbable it is that random bytes are a frame, in bits: what a frame is worth as evidence.

use crate::frame::{
    Allowed, BitField, Envelope, Expr, ExprKind, Field, FieldType, Frame, Function, ItemKind, Layout, Name,
    Path, Times, Value, Values,
};

/// What a frame holds random bytes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Chance {
    /// Literals, fixed values, sets, checksums, the envelope.
    fixed: f64,
    /// Fields that only some bytes can stand in, with the bits that each byte of theirs is worth.
    narrow: Vec<(Name, f64)>,
    /// Bits for each byte on the wire.
    by_byte: f64,
    /// Fields that any bytes can stand in, with their bits: worth as much where it is known what has to stand there.
    open: Vec<(Name, f64)>,
    /// What fields follow from that was said before, with their bits: worth as much where that was heard.
    follows: Vec<(Expr, f64)>,
}

/// Printable characters are 100 of 256 bytes.
const TEXT_BITS: f64 = 1.35;
const DIGIT_BITS: f64 = 4.67;
const HEX_BITS: f64 = 3.54;

impl Chance {
    pub fn of(frame: &Frame) -> Chance {
        let mut chance = Chance::default();
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

    /// What a field is worth beside that when it had to hold this value.
    pub fn known(&self, field: &Name, value: &Value) -> f64 {
        let open = self.open.iter().find(|(known, _)| known == field);
        open.map_or(0.0, |(_, bits)| match value {
            Value::Int(_) => *bits,
            Value::Bytes(blob) => 8.0 * blob.bytes.len() as f64,
            Value::List(list) => 8.0 * list.len() as f64,
        })
    }

    /// What fields are worth beside that which follow from what was said before, where that was heard.
    pub fn follows(&self, is_known: impl Fn(&Expr) -> bool) -> f64 {
        self.follows.iter().filter(|(expr, _)| is_known(expr)).map(|(_, bits)| bits).sum()
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
                ItemKind::Optional { body, .. } => {
                    // It need not be there, but where it is, its fields say what they say.
                    let mut inner = Chance::default();
                    inner.layout(body);
                    self.open.append(&mut inner.open);
                }
                ItemKind::Repeat { .. } => {}
            }
        }
    }

    fn field(&mut self, field: &Field) {
        let narrow = |bits: f64| field.name.clone().map(|name| (name, bits));
        match &field.kind {
            FieldType::Number { bytes, .. } => {
                self.number(field.name.as_ref(), &field.allowed, 8.0 * f64::from(*bytes));
            }
            FieldType::Sized { .. } => self.number(field.name.as_ref(), &field.allowed, 8.0),
            FieldType::Natural(_) => self.fixed += 8.0,
            FieldType::Dec if is_any(&field.allowed) => self.narrow.extend(narrow(DIGIT_BITS)),
            FieldType::Dec => self.fixed += DIGIT_BITS,
            FieldType::Hex(_) if is_any(&field.allowed) => self.narrow.extend(narrow(HEX_BITS)),
            FieldType::Hex(digits) => {
                let digits = literal(digits).unwrap_or(1) as f64;
                self.fixed += HEX_BITS * digits + allowed(&field.allowed, 4.0 * digits);
            }
            FieldType::Bytes(_) => self.number(field.name.as_ref(), &field.allowed, 8.0),
            FieldType::Text(_) => self.narrow.extend(narrow(TEXT_BITS)),
            FieldType::Uu(_) => self.narrow.extend(narrow(2.0)),
            FieldType::Part { body, .. } => self.layout(body),
            FieldType::Cbor(_) => self.fixed += 16.0,
        }
    }

    fn bit(&mut self, bit: &BitField) {
        self.number(bit.name.as_ref(), &bit.allowed, f64::from(bit.width));
    }

    fn number(&mut self, name: Option<&Name>, held: &Allowed, width: f64) {
        self.fixed += allowed(held, width);
        match held {
            Allowed::Any => self.open.extend(name.map(|name| (name.clone(), width))),
            Allowed::Equal(expr) if is_said_before(expr) => self.follows.push((expr.clone(), width)),
            Allowed::Equal(_) | Allowed::OneOf(_) | Allowed::Sends { .. } => {}
        }
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

/// Whether it follows from another frame, and says more than how long this one is.
fn is_said_before(expr: &Expr) -> bool {
    let of_size = |path: &Path| path.rest.as_ref().is_some_and(|rest| matches!(&**rest, "size" | "at"));
    let paths = expr.paths();
    is_length(expr)
        && !paths.is_empty()
        && paths.iter().all(|(path, _)| path.rest.is_some() && !of_size(path))
}

fn literal(expr: &Expr) -> Option<i128> {
    match expr.kind {
        ExprKind::Number(number) => Some(number),
        _ => None,
    }
}
