//! What stands on the wire in place of a value: `(n-1):u8`, `(data+0x33):bytes(n)`, `(data^key):bytes(n)`.

use super::expr::{EvalError, Scope};
use super::layout::{Transform, TransformOp};
use super::value::Value;

/// Why a transform cannot be done or undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fails {
    /// Its operand is not known here.
    Unknown,
    /// No value has that on the wire, or the value has nothing on the wire.
    Never(String),
}

/// From a field's number to the one on the wire.
pub fn apply_number(by: &Transform, value: i128, scope: &dyn Scope) -> Result<i128, Fails> {
    let operand = number_operand(by, scope)?;
    let result = match by.op {
        TransformOp::Add => value.checked_add(operand),
        TransformOp::Subtract => value.checked_sub(operand),
        TransformOp::Multiply => value.checked_mul(operand),
        TransformOp::Divide => return whole(value, operand),
        TransformOp::Xor => Some(value ^ operand),
    };
    result.ok_or_else(|| Fails::Never("that fits 64 bits".into()))
}

/// From the number on the wire to the field's.
pub fn undo_number(by: &Transform, wire: i128, scope: &dyn Scope) -> Result<i128, Fails> {
    let operand = number_operand(by, scope)?;
    let result = match by.op {
        TransformOp::Add => wire.checked_sub(operand),
        TransformOp::Subtract => wire.checked_add(operand),
        TransformOp::Multiply => return whole(wire, operand),
        TransformOp::Divide => wire.checked_mul(operand),
        TransformOp::Xor => Some(wire ^ operand),
    };
    result.ok_or_else(|| Fails::Never("that fits 64 bits".into()))
}

fn whole(value: i128, by: i128) -> Result<i128, Fails> {
    if by == 0 || value % by != 0 {
        return Err(Fails::Never(format!("as a multiple of {by}")));
    }
    Ok(value / by)
}

fn number_operand(by: &Transform, scope: &dyn Scope) -> Result<i128, Fails> {
    by.by.eval_int(scope).map_err(|error| match error {
        EvalError::Unknown(_) => Fails::Unknown,
        error => Fails::Never(error.to_string()),
    })
}

/// From bytes to what stands for them on the wire.
pub fn apply_bytes(by: &Transform, bytes: &[u8], scope: &dyn Scope) -> Result<Vec<u8>, EvalError> {
    each_byte(by, bytes, scope, false)
}

/// From the wire to the bytes it stands for.
pub fn undo_bytes(by: &Transform, bytes: &[u8], scope: &dyn Scope) -> Result<Vec<u8>, EvalError> {
    each_byte(by, bytes, scope, true)
}

fn each_byte(by: &Transform, bytes: &[u8], scope: &dyn Scope, undo: bool) -> Result<Vec<u8>, EvalError> {
    let key = match by.by.eval(scope)? {
        Value::Int(number) => vec![number.rem_euclid(256) as u8],
        Value::Bytes(blob) => blob.bytes.to_vec(),
        Value::List(_) => return Err(EvalError::WrongKind("a key is a number or bytes")),
    };
    if key.is_empty() {
        return Err(EvalError::WrongKind("the key is empty"));
    }
    let one: fn(u8, u8) -> u8 = match (by.op, undo) {
        (TransformOp::Xor, _) => |byte, key| byte ^ key,
        (TransformOp::Add, false) | (TransformOp::Subtract, true) => u8::wrapping_add,
        (TransformOp::Subtract, false) | (TransformOp::Add, true) => u8::wrapping_sub,
        (TransformOp::Multiply | TransformOp::Divide, _) => {
            return Err(EvalError::WrongKind("bytes know +, - and ^ only"));
        }
    };
    Ok(bytes.iter().zip(key.iter().cycle()).map(|(byte, key)| one(*byte, *key)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Expr, Nothing};

    fn by(op: TransformOp, text: &str) -> Transform {
        Transform { op, by: Expr::parse(text).expect(text) }
    }

    #[test]
    fn a_number_comes_back_from_the_wire() {
        for (op, value, wire) in [
            (TransformOp::Add, 3, 35),
            (TransformOp::Subtract, 256, 224),
            (TransformOp::Multiply, 2, 64),
            (TransformOp::Divide, 64, 2),
            (TransformOp::Xor, 1, 33),
        ] {
            let by = by(op, "32");
            assert_eq!(apply_number(&by, value, &Nothing), Ok(wire), "{op:?}");
            assert_eq!(undo_number(&by, wire, &Nothing), Ok(value), "{op:?}");
        }
        let odd = apply_number(&by(TransformOp::Divide, "2"), 5, &Nothing);
        assert_eq!(odd, Err(Fails::Never("as a multiple of 2".into())));
        assert_eq!(apply_number(&by(TransformOp::Add, "x"), 5, &Nothing), Err(Fails::Unknown));
    }

    #[test]
    fn bytes_come_back_from_the_wire_also_by_a_key() {
        let shift = by(TransformOp::Add, "0x33");
        assert_eq!(apply_bytes(&shift, &[0xF0, 1], &Nothing), Ok(vec![0x23, 0x34]));
        assert_eq!(undo_bytes(&shift, &[0x23, 0x34], &Nothing), Ok(vec![0xF0, 1]));
        let key = by(TransformOp::Xor, r#""\x01\x02""#);
        assert_eq!(apply_bytes(&key, &[0, 0, 0], &Nothing), Ok(vec![1, 2, 1]));
        assert!(apply_bytes(&by(TransformOp::Xor, r#""""#), &[0], &Nothing).is_err());
    }
}
