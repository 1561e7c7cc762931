//! Expressions: total, without loops, recursion or side effects. Numbers are 64 bit and checked.

use bytes::Bytes;

use super::text::{At, Mistake, Name, Scanner};
use super::value::Value;

/// A parsed expression; every part knows its place in the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    pub at: At,
    pub kind: ExprKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    Number(i128),
    Text(Bytes),
    Path(Path),
    /// `..`, `a..`, `..b`, `a..b`: the wire bytes from the start of one field to the end of another; in a layout only.
    Span {
        from: Option<Name>,
        to: Option<Name>,
    },
    /// The name of a CRC of the catalogue or of the table's `[checksums]`; only as first argument of `crc`.
    Algorithm(Name),
    Call {
        function: Function,
        args: Vec<Expr>,
    },
    Unary(UnaryOp, Box<Expr>),
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    If {
        condition: Box<Expr>,
        then: Box<Expr>,
        otherwise: Box<Expr>,
    },
}

/// A name, or names joined by dots: `address`, `frame.field`, `piece.at`, `asked.sequence`, `last.fcb`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    pub first: Name,
    pub rest: Option<Name>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    Negate,
    Complement,
    Not,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
    In,
    BitOr,
    BitXor,
    BitAnd,
    ShiftLeft,
    ShiftRight,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
}

/// The functions of the language; the list is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// How many bytes.
    Size,
    /// The sum of all bytes, not cut.
    Sum,
    Sum8,
    Sum16,
    Sum32,
    Xor8,
    /// Two's complement of `sum8` (Modbus ASCII, DF1 BCC).
    Lrc,
    /// 8-bit Fletcher: two bytes, A then B (UBX).
    Fletcher8,
    /// Inverted sum with end-around carry (LIN).
    CarrySum8,
    /// `crc(NAME, spans…)`.
    Crc,
    Md5,
    Sha256,
    /// Bytes as lower-case hex text.
    Hex,
    Zlib,
    Inflate,
    Min,
    Max,
    /// `memory(address, n)`: what the device's memory holds.
    Memory,
    /// `lookup(NAME, x)`: a number by a number, from the table's `[lookup.NAME]`.
    Lookup,
    /// Bytes in the other order.
    Reverse,
}

impl Expr {
    /// Reads a whole text as one expression.
    pub fn parse(text: &str) -> Result<Expr, Mistake> {
        let _ = text;
        todo!()
    }

    /// Reads the expression that comes next, and no further: a talk goes on behind it.
    pub fn read(from: &mut Scanner<'_>) -> Result<Expr, Mistake> {
        let _ = from;
        todo!()
    }

    /// Reads one operand: a number, a name, a call, or an expression in parentheses; `by 256`, `next progress.off`.
    pub fn read_operand(from: &mut Scanner<'_>) -> Result<Expr, Mistake> {
        let _ = from;
        todo!()
    }

    /// The value in `scope`. Spans have none outside a layout.
    pub fn eval(&self, scope: &dyn Scope) -> Result<Value, EvalError> {
        let _ = scope;
        todo!()
    }

    /// Every path that is named in it, with its place.
    pub fn paths(&self) -> Vec<(&Path, At)> {
        todo!()
    }
}

/// Where an expression's names come from.
pub trait Scope {
    /// The value of a name, if it is known.
    fn look(&self, path: &Path) -> Option<Value>;

    /// What `memory(address, n)` holds, for those who have a memory and know what is in it.
    fn memory(&self, _address: u64, _n: usize) -> Result<Bytes, EvalError> {
        Err(EvalError::Unknown("memory".into()))
    }

    /// The number that `[lookup.NAME]` gives for `x`.
    fn lookup(&self, _table: &Name, _x: i128) -> Option<i128> {
        None
    }
}

/// A scope in which nothing is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl Scope for Nothing {
    fn look(&self, _: &Path) -> Option<Value> {
        None
    }
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    #[error("`{0}` is not known here")]
    Unknown(String),
    #[error("division by zero")]
    DivisionByZero,
    #[error("the number does not fit 64 bits")]
    TooLarge,
    #[error("{0}")]
    WrongKind(&'static str),
    #[error("the address {address:#x} with {n} bytes lies outside the device's memory")]
    Outside { address: u64, n: usize },
    #[error("{0}")]
    Damaged(&'static str),
}
