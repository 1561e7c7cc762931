//! Expressions: total, without loops, recursion or side effects. Numbers are 64 bit and checked.

use std::fmt;

use bytes::Bytes;

use super::checksum::Algorithm;
use super::text::{At, Name};
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
    /// Words of 16 bits combined by exclusive or, lowest byte first: all even bytes, and all odd ones.
    Xor16,
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
    /// Bytes in the other order: all of them, or within each group of n (the words of a memory).
    Reverse,
    /// `le(bytes)`: their number, lowest byte first; `le(number, n)`: the number as n bytes.
    Le,
    /// The same, highest byte first.
    Be,
    /// `bits(bytes, n)`: the first n bits, each as a byte of 0 or 1, lowest bit of the first byte first.
    Bits,
    /// `pack(bits)`: bytes that are 0 or not, eight to a byte; the inverse of `bits`.
    Pack,
    /// `join(a, b…)`: bytes one behind the other.
    Join,
    /// `part(bytes, from, n)`: n of the bytes, from this one on.
    Part,
}

impl Function {
    pub const ALL: [Function; 27] = [
        Function::Size,
        Function::Sum,
        Function::Sum8,
        Function::Sum16,
        Function::Sum32,
        Function::Xor8,
        Function::Xor16,
        Function::Lrc,
        Function::Fletcher8,
        Function::CarrySum8,
        Function::Crc,
        Function::Md5,
        Function::Sha256,
        Function::Hex,
        Function::Zlib,
        Function::Inflate,
        Function::Min,
        Function::Max,
        Function::Memory,
        Function::Lookup,
        Function::Reverse,
        Function::Le,
        Function::Be,
        Function::Bits,
        Function::Pack,
        Function::Join,
        Function::Part,
    ];

    pub fn by_name(name: &str) -> Option<Function> {
        let is_called = |usage: &str| usage.strip_prefix(name).is_some_and(|rest| rest.starts_with('('));
        Function::ALL.into_iter().find(|function| is_called(function.usage()))
    }

    pub fn name(self) -> &'static str {
        self.usage().split_once('(').map_or("", |(name, _)| name)
    }

    /// How it is written, with what it takes.
    pub fn usage(self) -> &'static str {
        match self {
            Function::Size => "size(bytes…)",
            Function::Sum => "sum(bytes…)",
            Function::Sum8 => "sum8(bytes…)",
            Function::Sum16 => "sum16(bytes…)",
            Function::Sum32 => "sum32(bytes…)",
            Function::Xor8 => "xor8(bytes…)",
            Function::Xor16 => "xor16(bytes…)",
            Function::Lrc => "lrc(bytes…)",
            Function::Fletcher8 => "fletcher8(bytes…)",
            Function::CarrySum8 => "carry_sum8(bytes…)",
            Function::Crc => "crc(NAME, bytes…)",
            Function::Md5 => "md5(bytes…)",
            Function::Sha256 => "sha256(bytes…)",
            Function::Hex => "hex(bytes)",
            Function::Zlib => "zlib(bytes)",
            Function::Inflate => "inflate(bytes)",
            Function::Min => "min(a, b…)",
            Function::Max => "max(a, b…)",
            Function::Memory => "memory(address, n)",
            Function::Lookup => "lookup(name, x)",
            Function::Reverse => "reverse(bytes, group)",
            Function::Le => "le(x, n)",
            Function::Be => "be(x, n)",
            Function::Bits => "bits(bytes, n)",
            Function::Pack => "pack(bits)",
            Function::Join => "join(a, b…)",
            Function::Part => "part(bytes, from, n)",
        }
    }

    /// The fewest and the most arguments.
    pub fn arguments(self) -> (usize, usize) {
        const MANY: usize = 32;
        match self {
            Function::Hex | Function::Zlib | Function::Inflate | Function::Pack => (1, 1),
            Function::Reverse | Function::Le | Function::Be => (1, 2),
            Function::Part => (3, 3),
            Function::Memory | Function::Lookup | Function::Bits => (2, 2),
            Function::Crc | Function::Min | Function::Max => (2, MANY),
            _ => (1, MANY),
        }
    }

    /// Whether a field's name among its arguments means the bytes of that field on the wire.
    pub fn is_of_wire(self) -> bool {
        self.is_checksum() || matches!(self, Function::Size | Function::Md5 | Function::Sha256)
    }

    /// Whether it is a checksum, which may stand in a layout by itself.
    pub fn is_checksum(self) -> bool {
        matches!(
            self,
            Function::Sum
                | Function::Sum8
                | Function::Sum16
                | Function::Sum32
                | Function::Xor8
                | Function::Xor16
                | Function::Lrc
                | Function::Fletcher8
                | Function::CarrySum8
                | Function::Crc
        )
    }
}

impl Expr {
    /// Every path that is named in it, with its place. A table of `lookup` is none.
    pub fn paths(&self) -> Vec<(&Path, At)> {
        let mut found = Vec::new();
        self.walk(&mut |part| {
            if let ExprKind::Path(path) = &part.kind {
                found.push((path, part.at));
            }
        });
        found
    }

    /// Whether it holds for every path that is named in it.
    pub fn all_paths(&self, holds: &mut dyn FnMut(&Path) -> bool) -> bool {
        let mut all = true;
        self.walk(&mut |part| {
            if let ExprKind::Path(path) = &part.kind {
                all = all && holds(path);
            }
        });
        all
    }

    /// Whether a checksum is a part of it.
    pub fn sums_up(&self) -> bool {
        let mut sums_up = false;
        self.walk(&mut |part| {
            sums_up |= matches!(&part.kind, ExprKind::Call { function, .. } if function.is_checksum())
        });
        sums_up
    }

    /// Calls `visit` with this and with every part of it, in written order.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        visit(self);
        match &self.kind {
            ExprKind::Number(_)
            | ExprKind::Text(_)
            | ExprKind::Path(_)
            | ExprKind::Span { .. }
            | ExprKind::Algorithm(_) => {}
            ExprKind::Call { function, args } => {
                let skipped = usize::from(*function == Function::Lookup);
                args.iter().skip(skipped).for_each(|arg| arg.walk(visit));
            }
            ExprKind::Unary(_, of) => of.walk(visit),
            ExprKind::Binary(_, left, right) => {
                left.walk(visit);
                right.walk(visit);
            }
            ExprKind::If { condition, then, otherwise } => {
                condition.walk(visit);
                then.walk(visit);
                otherwise.walk(visit);
            }
        }
    }

    /// A number that stands in no text.
    pub fn number(number: i128) -> Expr {
        Expr { at: At::default(), kind: ExprKind::Number(number) }
    }

    /// The number, if that is all there is to it.
    pub fn as_number(&self) -> Option<i128> {
        match &self.kind {
            ExprKind::Number(number) => Some(*number),
            ExprKind::Unary(UnaryOp::Negate, of) => of.as_number().map(|number| -number),
            _ => None,
        }
    }
}

/// Where an expression's names come from.
pub trait Scope {
    /// The value of a name, if it is known.
    fn look(&self, path: &Path) -> Option<Value>;

    /// In a layout: the bytes on the wire from the start of one field (of the frame) to the end of another (to here).
    fn wire(&self, _from: Option<&Name>, _to: Option<&Name>) -> Option<&[u8]> {
        None
    }

    /// A CRC that the catalogue may lack, by its name.
    fn algorithm(&self, _name: &Name) -> Option<&Algorithm> {
        None
    }

    /// What `memory(address, n)` holds, for those who have a memory and know what is in it.
    fn memory(&self, _address: u64, _n: usize) -> Result<Bytes, EvalError> {
        Err(EvalError::Unknown(Missing::Memory))
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

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rest {
            Some(rest) => write!(f, "{}.{rest}", self.first),
            None => write!(f, "{}", self.first),
        }
    }
}

/// What is not known. Whoever listens meets it with every frame, so that it is only written out where somebody reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    Path(Path),
    Name(Name),
    Memory,
    Lookup(Name, i128),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Missing::Path(path) => write!(f, "{path}"),
            Missing::Name(name) => write!(f, "{name}"),
            Missing::Memory => f.write_str("memory"),
            Missing::Lookup(table, x) => write!(f, "lookup({table}, {x})"),
        }
    }
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    #[error("`{0}` is not known here")]
    Unknown(Missing),
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
