//! The tree of a layout, as it was written: what checks, the encoder, the parser and the examiner all read.

use std::ops::RangeInclusive;
use std::sync::Arc;

use bytes::Bytes;

use super::expr::Expr;
use super::text::{At, Name};

/// A regular expression over bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// Frames that are like each other share most of them.
    pub items: Vec<Arc<Item>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub at: At,
    pub kind: ItemKind,
}

#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant)] // most items are fields: boxing those would save nothing
pub enum ItemKind {
    /// `68`, `"OK\r\n"`, `55{32}`, `FE{0..4}`, `00*`.
    Literal { bytes: Bytes, times: Times },
    /// `name:type=value`, also a named part `body:( … )(n)` and a bare checksum `sum8(a..b)`.
    Field(Field),
    /// `<a:1 b:3=0 :4>`: whole bytes, the most significant bit first.
    Bits(Vec<BitField>),
    /// `=n`, `~n`: the wire value of an earlier field once more, or its complement.
    Again { of: Name, complement: bool },
    /// `( … )?flag`, `( … )?{expr}`.
    Optional { body: Layout, when: Expr },
    /// `( … ){n}`, or `( … )*` to the end of the counted part.
    Repeat { body: Layout, count: Option<Expr> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    Exactly(u32),
    /// The parser takes as many as there are, the encoder sends the most.
    Between(u32, u32),
    /// As many as the counted part has room for.
    Fill,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub name: Option<Name>,
    /// Where the name stands in the text.
    pub name_at: At,
    pub transform: Option<Transform>,
    pub kind: FieldType,
    pub allowed: Allowed,
}

/// What stands on the wire: `(n-1)`, `(address/2)`; on bytes and on parts byte by byte: `(data+0x33):bytes(n)`, `(data^key):bytes(n)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Transform {
    pub op: TransformOp,
    /// A number, or the name of bytes that repeat.
    pub by: Expr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransformOp {
    Add,
    Subtract,
    Multiply,
    Divide,
    Xor,
}

#[derive(Clone, Debug, PartialEq)]
pub enum FieldType {
    /// `u8`, `i16le`, `u24be` …: 1, 2, 3, 4 or 8 bytes.
    Number {
        bytes: u8,
        signed: bool,
        order: Order,
    },
    /// `ule(n)`, `ube(n)`: an unsigned number of n bytes, 0 to 8, such as a link address whose size is a parameter.
    Sized {
        bytes: Expr,
        order: Order,
    },
    /// Decimal digits.
    Dec,
    /// So many hex digits, upper case when sent.
    Hex(Expr),
    Bytes(Option<Expr>),
    Text(Option<Expr>),
    /// n bytes as UU text.
    Uu(Expr),
    /// `name:( … )(n)`.
    Part {
        body: Layout,
        size: Option<Expr>,
    },
    Cbor(Vec<CborKey>),
    /// A checksum that stands by itself: as wide as its function makes it. Compiled frames have a `Number`, or `Bytes`, here.
    Natural(Order),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Little,
    Big,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CborKey {
    pub name: Name,
    pub kind: CborType,
    pub optional: bool,
    pub allowed: Allowed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CborType {
    Uint,
    Bytes,
    Text,
    Bool,
}

/// Which values a field may have.
#[derive(Clone, Debug, PartialEq)]
pub enum Allowed {
    Any,
    /// `=expr`: computed, or constant.
    Equal(Expr),
    /// A set from `like`; the first is sent.
    OneOf(Vec<RangeInclusive<i128>>),
    /// A set from `like` whose first member is an expression over what is known outside the frame: that is sent.
    Sends {
        first: Expr,
        others: Vec<RangeInclusive<i128>>,
    },
}

impl Allowed {
    /// It is always the same number.
    pub fn is_constant(&self) -> bool {
        matches!(self, Allowed::Equal(expr) if expr.as_number().is_some())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct BitField {
    pub at: At,
    pub name: Option<Name>,
    pub transform: Option<Transform>,
    pub width: u8,
    pub allowed: Allowed,
}

/// How a frame is wrapped on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// RFC 1055: `C0 … C0`, C0 → DB DC, DB → DB DD.
    Slip,
    /// The same with C0 at its end alone; before it, C0 is an empty frame.
    SlipEnd,
    /// RFC 1662: `7E … 7E`, 7E and 7D → 7D, byte ^ 20; also the bytes listed. The FCS belongs to the layout.
    Hdlc { escaped: Vec<u8> },
    /// Consistent overhead byte stuffing, ended by 00.
    Cobs,
    /// `line(START, END)`: bytes between a start (may be empty) and an end, of at most `longest` bytes.
    Line { start: Bytes, end: Bytes, longest: u32 },
    /// `hex(START, END)`: pairs of hex digits between a start and an end.
    Hex { start: Bytes, end: Bytes },
    /// `lines(FIRST, NEXT, END, base64, WIDTH)`: base64 in lines; the first begins otherwise than the next ones.
    Base64Lines { first: Bytes, next: Bytes, end: Bytes, width: u32 },
}

/// What `like` does to a field of the frame it copies.
#[derive(Clone, Debug, PartialEq)]
pub enum Refinement {
    /// An integer fixes a number.
    Fixed(i128),
    /// A list is a set of values and ranges.
    OneOf(Vec<RangeInclusive<i128>>),
    /// A list that begins with an expression: that is sent, the set may come.
    Sends { first: Expr, others: Vec<RangeInclusive<i128>> },
    /// A text for a number is an expression.
    Computed(Expr),
    /// A text for bytes or for a part is a layout; the field's length relation stays.
    Shape(Layout),
    /// `cbor{…}` for a map.
    Cbor(Vec<CborKey>),
}

/// What kind of refinement a field takes from a TOML string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refines {
    Number,
    Bytes,
    Cbor,
}
