//! The value of an expression.

use std::io::{Read, Write};

use bytes::Bytes;
use md5::Digest;

use super::checksum::{self, Algorithm};
use super::expr::{BinaryOp, EvalError, Expr, ExprKind, Function, Missing, Path, Scope, UnaryOp};
use super::text::Name;
use super::value::{Blob, Value};

/// A stream that unpacks to more than this is taken for damaged.
const MOST_INFLATED: u64 = 64 << 20;

impl Expr {
    /// The value in `scope`. Spans have none outside a layout.
    pub fn eval(&self, scope: &dyn Scope) -> Result<Value, EvalError> {
        match &self.kind {
            ExprKind::Number(number) => Ok(Value::Int(*number)),
            ExprKind::Text(text) => Ok(Value::bytes(text.clone())),
            ExprKind::Path(path) => look(path, scope),
            ExprKind::Span { .. } => Err(EvalError::WrongKind("a span stands only inside a function")),
            ExprKind::Algorithm(_) => Err(EvalError::WrongKind("the name of a CRC has no value")),
            ExprKind::Call { function, args } => call(*function, args, scope),
            ExprKind::Unary(op, of) => {
                let of = int(of, scope)?;
                checked(Some(match op {
                    UnaryOp::Negate => -of,
                    UnaryOp::Complement => !of,
                    UnaryOp::Not => i128::from(of == 0),
                }))
            }
            ExprKind::Binary(op, left, right) => binary(*op, left, right, scope),
            ExprKind::If { condition, then, otherwise } => {
                if is_true(condition, scope)? {
                    then.eval(scope)
                } else {
                    otherwise.eval(scope)
                }
            }
        }
    }

    /// The same, where only a number will do.
    pub fn eval_int(&self, scope: &dyn Scope) -> Result<i128, EvalError> {
        int(self, scope)
    }
}

fn look(path: &Path, scope: &dyn Scope) -> Result<Value, EvalError> {
    if let Some(value) = scope.look(path) {
        return Ok(value);
    }
    // What every piece of bytes knows of itself: `image.size`, `block.at`.
    if let Some(rest) = &path.rest {
        let whole = scope.look(&Path { first: path.first.clone(), rest: None });
        match (whole, &**rest) {
            (Some(Value::Bytes(blob)), "size") => return Ok(Value::Int(blob.bytes.len() as i128)),
            (Some(Value::Bytes(blob)), "at") => return Ok(Value::Int(blob.at.into())),
            _ => {}
        }
    }
    Err(EvalError::Unknown(Missing::Path(path.clone())))
}

fn int(expr: &Expr, scope: &dyn Scope) -> Result<i128, EvalError> {
    match expr.eval(scope)? {
        Value::Int(int) => Ok(int),
        _ => Err(EvalError::WrongKind("a number is wanted here, not bytes")),
    }
}

fn is_true(expr: &Expr, scope: &dyn Scope) -> Result<bool, EvalError> {
    Ok(int(expr, scope)? != 0)
}

fn checked(number: Option<i128>) -> Result<Value, EvalError> {
    let fits = |number: &i128| (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(number);
    number.filter(fits).map(Value::Int).ok_or(EvalError::TooLarge)
}

fn binary(op: BinaryOp, left: &Expr, right: &Expr, scope: &dyn Scope) -> Result<Value, EvalError> {
    match op {
        BinaryOp::Or => {
            return Ok(truth(is_true(left, scope)? || is_true(right, scope)?));
        }
        BinaryOp::And => {
            return Ok(truth(is_true(left, scope)? && is_true(right, scope)?));
        }
        _ => {}
    }
    let (left, right) = (left.eval(scope)?, right.eval(scope)?);
    match (op, &left, &right) {
        (BinaryOp::Equal, ..) => Ok(truth(left == right)),
        (BinaryOp::NotEqual, ..) => Ok(truth(left != right)),
        (BinaryOp::In, _, Value::List(list)) => Ok(truth(list.contains(&left))),
        (BinaryOp::In, Value::Int(int), Value::Bytes(blob)) => {
            Ok(truth(u8::try_from(*int).is_ok_and(|byte| blob.bytes.contains(&byte))))
        }
        (BinaryOp::In, ..) => Err(EvalError::WrongKind("`in` wants bytes or a list behind it")),
        (BinaryOp::BitXor, Value::Bytes(data), Value::Bytes(key)) => with_key(data, &key.bytes),
        (_, Value::Int(left), Value::Int(right)) => of_numbers(op, *left, *right),
        _ => Err(EvalError::WrongKind("numbers are wanted here, not bytes")),
    }
}

fn of_numbers(op: BinaryOp, left: i128, right: i128) -> Result<Value, EvalError> {
    match op {
        BinaryOp::Less => Ok(truth(left < right)),
        BinaryOp::AtMost => Ok(truth(left <= right)),
        BinaryOp::Greater => Ok(truth(left > right)),
        BinaryOp::AtLeast => Ok(truth(left >= right)),
        BinaryOp::BitOr => checked(Some(left | right)),
        BinaryOp::BitXor => checked(Some(left ^ right)),
        BinaryOp::BitAnd => checked(Some(left & right)),
        BinaryOp::ShiftLeft => checked(Some(left << shift(right)?)),
        BinaryOp::ShiftRight => checked(Some(left >> shift(right)?)),
        BinaryOp::Add => checked(left.checked_add(right)),
        BinaryOp::Subtract => checked(left.checked_sub(right)),
        BinaryOp::Multiply => checked(left.checked_mul(right)),
        BinaryOp::Divide if right == 0 => Err(EvalError::DivisionByZero),
        BinaryOp::Modulo if right == 0 => Err(EvalError::DivisionByZero),
        // Towards minus infinity, so that `%` never is negative for a positive divisor.
        BinaryOp::Divide => checked(Some(left.div_euclid(right))),
        BinaryOp::Modulo => checked(Some(left.rem_euclid(right))),
        BinaryOp::Or | BinaryOp::And | BinaryOp::Equal | BinaryOp::NotEqual | BinaryOp::In => {
            Err(EvalError::WrongKind("not an operator of numbers"))
        }
    }
}

fn shift(by: i128) -> Result<u32, EvalError> {
    u32::try_from(by).ok().filter(|by| *by <= 63).ok_or(EvalError::WrongKind("a shift goes by 0 to 63 bits"))
}

fn truth(holds: bool) -> Value {
    Value::Int(holds.into())
}

fn with_key(data: &Blob, key: &[u8]) -> Result<Value, EvalError> {
    if key.is_empty() {
        return Err(EvalError::WrongKind("the key is empty"));
    }
    let bytes: Vec<u8> = data.bytes.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    Ok(Value::Bytes(Blob { bytes: bytes.into(), at: data.at }))
}

fn call(function: Function, args: &[Expr], scope: &dyn Scope) -> Result<Value, EvalError> {
    if function.is_of_wire() {
        return over_bytes(function, args, scope);
    }
    let value = |place: usize| match args.get(place) {
        Some(arg) => arg.eval(scope),
        None => Err(EvalError::WrongKind("an argument is missing")),
    };
    let number = |place: usize| match value(place)? {
        Value::Int(int) => Ok(int),
        _ => Err(EvalError::WrongKind("a number is wanted here, not bytes")),
    };
    let bytes = |place: usize| match value(place)? {
        Value::Bytes(blob) => Ok(blob),
        _ => Err(EvalError::WrongKind("bytes are wanted here")),
    };
    match function {
        Function::Hex => Ok(Value::bytes(hex(&bytes(0)?.bytes))),
        Function::Zlib => zlib(&bytes(0)?.bytes),
        Function::Inflate => inflate(&bytes(0)?.bytes),
        Function::Reverse if args.len() == 1 => Ok(reverse(&bytes(0)?.bytes, usize::MAX)),
        Function::Reverse => match usize::try_from(number(1)?) {
            Ok(group) if group > 0 => Ok(reverse(&bytes(0)?.bytes, group)),
            _ => Err(EvalError::WrongKind("a group has one byte or more")),
        },
        Function::Le | Function::Be => match (value(0)?, args.len()) {
            (Value::Bytes(blob), 1) => number_of(&blob.bytes, function == Function::Le),
            (Value::Int(int), 2) => bytes_of(int, number(1)?, function == Function::Le),
            _ => Err(EvalError::WrongKind("`le` and `be` take bytes, or a number and how many bytes")),
        },
        Function::Bits => bits(&bytes(0)?.bytes, number(1)?),
        Function::Pack => {
            let packed =
                |eight: &[u8]| eight.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit != 0));
            Ok(Value::bytes(bytes(0)?.bytes.chunks(8).map(packed).collect::<Bytes>()))
        }
        Function::Join => {
            let mut joined = Vec::new();
            for place in 0..args.len() {
                joined.extend_from_slice(&bytes(place)?.bytes);
            }
            Ok(Value::bytes(joined))
        }
        Function::Part => {
            let (whole, from, n) = (bytes(0)?, number(1)?, number(2)?);
            let from = usize::try_from(from).map_err(|_| EvalError::TooLarge)?;
            let to = usize::try_from(n).ok().and_then(|n| from.checked_add(n)).ok_or(EvalError::TooLarge)?;
            match whole.bytes.len() >= to {
                true => {
                    Ok(Value::Bytes(Blob { bytes: whole.bytes.slice(from..to), at: whole.at + from as u64 }))
                }
                false => Err(EvalError::WrongKind("a part reaches over the end of the bytes")),
            }
        }
        Function::Min | Function::Max => {
            let mut best = number(0)?;
            for place in 1..args.len() {
                let next = number(place)?;
                best = if function == Function::Min { best.min(next) } else { best.max(next) };
            }
            Ok(Value::Int(best))
        }
        Function::Memory => {
            let (address, n) = (number(0)?, number(1)?);
            let address = u64::try_from(address).map_err(|_| EvalError::TooLarge)?;
            let n = usize::try_from(n).map_err(|_| EvalError::TooLarge)?;
            let bytes = scope.memory(address, n)?;
            Ok(Value::Bytes(Blob { bytes, at: address }))
        }
        Function::Lookup => {
            let Some(ExprKind::Path(Path { first: table, rest: None })) = args.first().map(|arg| &arg.kind)
            else {
                return Err(EvalError::WrongKind("`lookup` wants the name of a [lookup.NAME] first"));
            };
            let x = number(1)?;
            let found = scope.lookup(table, x);
            found.map(Value::Int).ok_or_else(|| EvalError::Unknown(Missing::Lookup(table.clone(), x)))
        }
        _ => Err(EvalError::WrongKind("not a function of values")),
    }
}

fn reverse(bytes: &[u8], group: usize) -> Value {
    Value::bytes(bytes.chunks(group).flat_map(|group| group.iter().rev().copied()).collect::<Bytes>())
}

/// The number that bytes are.
fn number_of(bytes: &[u8], lowest_first: bool) -> Result<Value, EvalError> {
    let put = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    match (bytes.len(), lowest_first) {
        (9.., _) => Err(EvalError::TooLarge),
        (_, true) => Ok(Value::Int(bytes.iter().rev().fold(0, put).into())),
        (_, false) => Ok(Value::Int(bytes.iter().fold(0, put).into())),
    }
}

/// A number as n bytes; what does not fit is cut off, as it is for every number on a wire.
fn bytes_of(number: i128, n: i128, lowest_first: bool) -> Result<Value, EvalError> {
    let n = usize::try_from(n).ok().filter(|n| *n <= 8).ok_or(EvalError::TooLarge)?;
    let mut bytes = number.to_le_bytes()[..n].to_vec();
    if !lowest_first {
        bytes.reverse();
    }
    Ok(Value::bytes(bytes))
}

fn bits(bytes: &[u8], n: i128) -> Result<Value, EvalError> {
    let all = bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1));
    match usize::try_from(n) {
        Ok(n) if n <= bytes.len() * 8 => Ok(Value::bytes(all.take(n).collect::<Bytes>())),
        _ => Err(EvalError::WrongKind("more bits than the bytes have")),
    }
}

/// What functions of bytes see: in a layout the bytes on the wire, elsewhere the bytes a name stands for.
enum Piece<'s> {
    Wire(&'s [u8]),
    Own(Bytes),
}

fn over_bytes(function: Function, args: &[Expr], scope: &dyn Scope) -> Result<Value, EvalError> {
    let skipped = usize::from(function == Function::Crc);
    let mut pieces = Vec::with_capacity(args.len());
    for arg in args.iter().skip(skipped) {
        pieces.push(piece(arg, scope)?);
    }
    let pieces: Vec<&[u8]> = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Wire(bytes) => bytes,
            Piece::Own(bytes) => bytes.as_ref(),
        })
        .collect();
    let pieces = pieces.as_slice();
    let sum = || i128::from(checksum::sum(pieces));
    Ok(match function {
        Function::Size => Value::Int(pieces.iter().map(|piece| piece.len() as i128).sum()),
        Function::Sum => Value::Int(sum()),
        Function::Sum8 => Value::Int(sum() & 0xFF),
        Function::Sum16 => Value::Int(sum() & 0xFFFF),
        Function::Sum32 => Value::Int(sum() & 0xFFFF_FFFF),
        Function::Xor8 => Value::Int(checksum::xor8(pieces).into()),
        Function::Xor16 => Value::Int(checksum::xor16(pieces).into()),
        Function::Lrc => Value::Int(checksum::lrc(pieces).into()),
        Function::CarrySum8 => Value::Int(checksum::carry_sum8(pieces).into()),
        Function::Fletcher8 => Value::bytes(Bytes::copy_from_slice(&checksum::fletcher8(pieces))),
        Function::Md5 => digest(md5::Md5::new(), pieces),
        Function::Sha256 => digest(sha2::Sha256::new(), pieces),
        Function::Crc => {
            let Some(ExprKind::Algorithm(name)) = args.first().map(|arg| &arg.kind) else {
                return Err(EvalError::WrongKind("`crc` wants the name of a CRC first"));
            };
            Value::Int(crc(name, pieces, scope)?.into())
        }
        _ => return Err(EvalError::WrongKind("not a function of bytes")),
    })
}

fn piece<'s>(arg: &Expr, scope: &'s dyn Scope) -> Result<Piece<'s>, EvalError> {
    match &arg.kind {
        ExprKind::Span { from, to } => scope
            .wire(from.as_ref(), to.as_ref())
            .map(Piece::Wire)
            .ok_or(EvalError::WrongKind("these bytes are not there yet, or this is not a layout")),
        ExprKind::Path(Path { first, rest: None }) if scope.wire(Some(first), Some(first)).is_some() => {
            Ok(Piece::Wire(scope.wire(Some(first), Some(first)).unwrap_or_default()))
        }
        _ => match arg.eval(scope)? {
            Value::Bytes(blob) => Ok(Piece::Own(blob.bytes)),
            _ => Err(EvalError::WrongKind("bytes are wanted here, not a number")),
        },
    }
}

fn crc(name: &Name, pieces: &[&[u8]], scope: &dyn Scope) -> Result<u64, EvalError> {
    if let Some(known) = scope.algorithm(name) {
        return Ok(known.compute(pieces));
    }
    let known = Algorithm::named(name).map_err(|_| EvalError::Unknown(Missing::Name(name.clone())))?;
    Ok(known.compute(pieces))
}

fn digest(mut digest: impl Digest, pieces: &[&[u8]]) -> Value {
    pieces.iter().for_each(|piece| digest.update(piece));
    Value::bytes(Bytes::copy_from_slice(&digest.finalize()))
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]).collect()
}

fn zlib(bytes: &[u8]) -> Result<Value, EvalError> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    let packed = encoder.write_all(bytes).and_then(|()| encoder.finish());
    packed.map(Value::bytes).map_err(|_| EvalError::Damaged("the bytes could not be packed"))
}

fn inflate(bytes: &[u8]) -> Result<Value, EvalError> {
    let mut unpacked = Vec::new();
    let mut decoder = flate2::read::ZlibDecoder::new(bytes).take(MOST_INFLATED);
    match decoder.read_to_end(&mut unpacked) {
        Ok(read) if (read as u64) < MOST_INFLATED => Ok(Value::bytes(unpacked)),
        _ => Err(EvalError::Damaged("this is not a whole zlib stream")),
    }
}

#[cfg(test)]
#[path = "expr_tests.rs"]
mod tests;
