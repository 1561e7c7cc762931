//! Layout text to tree. After a mistake reading goes on at the next item, so that every mistake is told in one run.

use std::sync::Arc;

use bytes::Bytes;

use super::expr::{Expr, ExprKind, Function, Path};
use super::layout::{
    Allowed, BitField, Field, FieldType, Item, ItemKind, Layout, Order, Times, Transform, TransformOp,
};
use super::literal;
use super::spelling::did_you_mean;
use super::text::{At, Mistake, Name, Scanner};

/// Parts within parts, as they are written and as `like` may nest them.
pub const DEEPEST: usize = 32;

/// Bytes of one repeated literal.
const LONGEST_LITERAL: i128 = 65_536;

/// More mistakes of one text are not told.
const MOST_MISTAKES: usize = 20;

impl Layout {
    /// Reads a layout; every mistake that can be told after the first is told as well.
    pub fn parse(text: &str) -> Result<Layout, Vec<Mistake>> {
        let mut reader = Reader { from: Scanner::new(text), mistakes: Vec::new(), depth: 0 };
        let mut layout = reader.items();
        while !reader.from.is_at_end() && reader.mistakes.len() < MOST_MISTAKES {
            let mistake = reader.from.expected("a byte, a text, a field or `(`");
            reader.mistakes.push(mistake);
            reader.from.advance(1);
            layout.items.extend(reader.items().items);
        }
        if reader.mistakes.is_empty() { Ok(layout) } else { Err(reader.mistakes) }
    }
}

pub struct Reader<'a> {
    pub from: Scanner<'a>,
    pub mistakes: Vec<Mistake>,
    pub depth: usize,
}

impl Reader<'_> {
    /// Items up to the `)` that closes them, or to the end.
    fn items(&mut self) -> Layout {
        let mut items = Vec::new();
        while !matches!(self.from.next_byte(), None | Some(b')')) {
            let start = self.from.at();
            match self.item() {
                Ok(kind) => items.push(Arc::new(Item { at: self.from.since(start), kind })),
                Err(mistake) => {
                    self.mistakes.push(mistake);
                    if self.mistakes.len() >= MOST_MISTAKES {
                        let left = self.from.rest().len();
                        self.from.advance(left);
                    }
                    self.recover(start);
                }
            }
        }
        Layout { items }
    }

    /// To the next blank that is in no parentheses and in no text, at least one character behind `start`.
    fn recover(&mut self, start: usize) {
        if self.from.since(start).to as usize == start {
            let width = self.from.rest().chars().next().map_or(0, char::len_utf8);
            self.from.advance(width);
        }
        let (mut open, mut quoted) = (0usize, false);
        let rest = &self.from.text()[self.from.since(start).to as usize..];
        for (at, c) in rest.char_indices() {
            match c {
                '"' => quoted = !quoted,
                _ if quoted => {}
                '(' | '{' => open += 1,
                ')' if open == 0 => return self.from.advance(at),
                ')' | '}' => open = open.saturating_sub(1),
                c if c.is_whitespace() && open == 0 => return self.from.advance(at),
                _ => {}
            }
        }
        self.from.advance(rest.len());
    }

    fn item(&mut self) -> Result<ItemKind, Mistake> {
        if let Some(text) = literal::text(&mut self.from) {
            return self.literal(text?);
        }
        if let Some(byte) = literal::hex_byte(&mut self.from) {
            return self.literal(literal::one(byte));
        }
        match self.from.rest().as_bytes() {
            [b'<', ..] => self.bits(),
            [b'(', ..] if self.is_target() => {
                let (name, name_at, transform) = self.target()?;
                self.field(name, name_at, transform)
            }
            [b'(', ..] => self.group(),
            [b'=' | b'~', ..] => self.again(),
            [b':', ..] => self.field(None, At::default(), None),
            [b'0'..=b'9' | b'A'..=b'F' | b'a'..=b'f', ..] if self.is_badly_written_byte() => {
                let mut mistake = self.from.expected("an item");
                mistake.help =
                    Some("bytes are pairs of upper-case hex digits that stand alone: 7F 0D 0A".into());
                Err(mistake)
            }
            _ => self.named(),
        }
    }

    fn is_badly_written_byte(&mut self) -> bool {
        let rest = self.from.rest();
        let word = &rest[..rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len())];
        let is_called_or_typed = rest[word.len()..].starts_with([':', '(', '_']);
        word.chars().all(|c| c.is_ascii_hexdigit() || c == 'x') && !is_called_or_typed
    }

    fn literal(&mut self, bytes: Bytes) -> Result<ItemKind, Mistake> {
        let start = self.from.at();
        let times = if self.from.take("*") {
            Times::Fill
        } else if self.from.take("{") {
            let least = self.count()?;
            let times = if self.from.take("..") {
                Times::Between(least, self.count()?)
            } else {
                Times::Exactly(least)
            };
            if !self.from.take("}") {
                return Err(self.from.expected("`}` after how many times"));
            }
            times
        } else {
            Times::Exactly(1)
        };
        let (least, most) = match times {
            Times::Exactly(count) => (count, count),
            Times::Between(least, most) => (least, most),
            Times::Fill => (0, 1),
        };
        let at = self.from.since(start);
        if least > most {
            let says = format!("at least {least} and at most {most} times is never");
            return Err(Mistake { at, says, help: Some("write the smaller number first".into()) });
        }
        if i128::from(most) * bytes.len() as i128 > LONGEST_LITERAL {
            let says = format!("this literal is longer than {LONGEST_LITERAL} bytes");
            return Err(Mistake { at, says, help: None });
        }
        Ok(ItemKind::Literal { bytes, times })
    }

    fn count(&mut self) -> Result<u32, Mistake> {
        let start = self.from.at();
        let count = literal::number(&mut self.from)
            .ok_or_else(|| self.from.expected("how many times, as a number"))??;
        let at = self.from.since(start);
        u32::try_from(count).ok().filter(|count| i128::from(*count) <= LONGEST_LITERAL).ok_or(Mistake {
            at,
            says: format!("{count} times is too often; at most {LONGEST_LITERAL}"),
            help: None,
        })
    }

    /// `name:type`, or a checksum that stands by itself.
    fn named(&mut self) -> Result<ItemKind, Mistake> {
        let start = self.from.at();
        let Some((name, at)) = self.from.word() else {
            return Err(self
                .from
                .expected("a byte such as 7F, a text in quotes, a field as in `n:u8`, or `(`"));
        };
        if self.from.touches('(') {
            return self.bare_checksum(start, name, at);
        }
        if !self.from.take(":") {
            let mut mistake = self.from.expected(&format!("`:` and the type of `{name}`"));
            mistake.help = Some(format!("a field is written as `{name}:u8`; bytes are upper case, as in 7F"));
            return Err(mistake);
        }
        self.typed(Some(Name::new(name)), at, None)
    }

    fn bare_checksum(&mut self, start: usize, name: &str, at: At) -> Result<ItemKind, Mistake> {
        let checksums = Function::ALL.into_iter().filter(|function| function.is_checksum());
        match Function::by_name(name) {
            Some(function) if function.is_checksum() => {}
            Some(_) => {
                let says = format!("`{name}` cannot stand by itself; only checksums can");
                return Err(Mistake { at, says, help: Some("give it a type: `x:u8=…`".into()) });
            }
            None => {
                let help = did_you_mean(name, checksums.map(Function::name));
                return Err(Mistake { at, says: format!("no checksum is called `{name}`"), help });
            }
        }
        let mut whole = Scanner::new(self.from.text());
        whole.advance(start);
        let expr = Expr::read_operand(&mut whole)?;
        self.from = whole;
        let order = if self.from.take("le") {
            Order::Little
        } else {
            self.from.take("be");
            Order::Big
        };
        if matches!(&expr.kind, ExprKind::Call { function: Function::Sum, .. }) {
            let says = "`sum` is not cut to a width, so it cannot stand by itself".into();
            return Err(Mistake {
                at,
                says,
                help: Some("use sum8, sum16 or sum32, or give it a type".into()),
            });
        }
        Ok(ItemKind::Field(Field {
            name: None,
            name_at: expr.at,
            transform: None,
            kind: FieldType::Natural(order),
            allowed: Allowed::Equal(expr),
        }))
    }

    /// Whether `(name op operand) :` comes next and not a group.
    fn is_target(&mut self) -> bool {
        let mut ahead = self.from.clone();
        ahead.take("(")
            && ahead.word().is_some()
            && matches!(ahead.next_byte(), Some(b'+' | b'-' | b'*' | b'/' | b'^'))
    }

    fn target(&mut self) -> Result<(Option<Name>, At, Option<Transform>), Mistake> {
        self.from.take("(");
        let Some((name, at)) = self.from.name() else {
            return Err(self.from.expected("the name of a field"));
        };
        let op = match self.from.next_byte() {
            Some(b'+') => TransformOp::Add,
            Some(b'-') => TransformOp::Subtract,
            Some(b'*') => TransformOp::Multiply,
            Some(b'/') => TransformOp::Divide,
            Some(b'^') => TransformOp::Xor,
            _ => return Err(self.from.expected("+, -, *, / or ^")),
        };
        self.from.advance(1);
        let by = Expr::read_operand(&mut self.from)?;
        if !self.from.take(")") {
            return Err(self.from.expected("`)`: one operation stands between a field and the wire"));
        }
        if matches!(op, TransformOp::Multiply | TransformOp::Divide) && by.as_number() == Some(0) {
            return Err(Mistake { at: by.at, says: "times or by 0 loses the value".into(), help: None });
        }
        Ok((Some(name), at, Some(Transform { op, by })))
    }

    fn field(
        &mut self,
        name: Option<Name>,
        name_at: At,
        transform: Option<Transform>,
    ) -> Result<ItemKind, Mistake> {
        if !self.from.take(":") {
            return Err(self.from.expected("`:` and a type"));
        }
        self.typed(name, name_at, transform)
    }

    fn typed(
        &mut self,
        name: Option<Name>,
        name_at: At,
        transform: Option<Transform>,
    ) -> Result<ItemKind, Mistake> {
        let kind = self.field_type()?;
        if self.from.touches('^') {
            let says = "a key stands in front of the type".into();
            let at = self.from.since(self.from.clone().at());
            return Err(Mistake { at, says, help: Some("write `(data^key):bytes(n)`".into()) });
        }
        // A value's `=` touches its type: `n:u8 =n` is a field and then the same bytes again.
        let allowed = if self.from.touches('=') {
            self.from.advance(1);
            Allowed::Equal(Expr::read_bits(&mut self.from)?)
        } else {
            Allowed::Any
        };
        if let (FieldType::Cbor(_), Allowed::Equal(value)) = (&kind, &allowed) {
            let says = "a map has no value of its own".into();
            return Err(Mistake {
                at: value.at,
                says,
                help: Some("give its keys values: cbor{rc:uint=0}".into()),
            });
        }
        Ok(ItemKind::Field(Field { name, name_at, transform, kind, allowed }))
    }

    fn bits(&mut self) -> Result<ItemKind, Mistake> {
        let start = self.from.at();
        self.from.take("<");
        let mut fields = Vec::new();
        while !self.from.take(">") {
            let from = self.from.at();
            let (name, transform) = if self.from.next_byte() == Some(b'(') {
                let (name, _, transform) = self.target()?;
                (name, transform)
            } else {
                (self.from.name().map(|(name, _)| name), None)
            };
            if !self.from.take(":") {
                return Err(self.from.expected("a bit field as in `name:3`, or `>`"));
            }
            let width_at = self.from.at();
            let width = literal::number(&mut self.from)
                .ok_or_else(|| self.from.expected("how many bits, as a number"))??;
            let at = self.from.since(width_at);
            let width =
                u8::try_from(width).ok().filter(|width| (1..=64).contains(width)).ok_or_else(|| Mistake {
                    at,
                    says: format!("a bit field has 1 to 64 bits, not {width}"),
                    help: None,
                })?;
            let allowed = if self.from.touches('=') {
                self.from.advance(1);
                Allowed::Equal(Expr::read_bits(&mut self.from)?)
            } else {
                Allowed::Any
            };
            fields.push(BitField { at: self.from.since(from), name, transform, width, allowed });
        }
        let bits: u32 = fields.iter().map(|field| u32::from(field.width)).sum();
        let at = self.from.since(start);
        if bits == 0 || !bits.is_multiple_of(8) {
            let missing = 8 - bits % 8;
            let says = format!("these bits do not fill bytes: {bits} bits");
            return Err(Mistake {
                at,
                says,
                help: Some(format!("add `:{missing}` for bits without a meaning")),
            });
        }
        if bits > 64 {
            let help = Some("write two groups".to_string());
            return Err(Mistake { at, says: format!("{bits} bits in one group; at most 64"), help });
        }
        Ok(ItemKind::Bits(fields))
    }

    fn again(&mut self) -> Result<ItemKind, Mistake> {
        let complement = self.from.next_byte() == Some(b'~');
        self.from.advance(1);
        let Some((of, _)) = self.from.name() else {
            let mut mistake = self.from.expected("the name of an earlier field");
            mistake.help = Some("the `=` of a field's value touches its type: `n:u8=5`".into());
            return Err(mistake);
        };
        Ok(ItemKind::Again { of, complement })
    }

    /// `( … )` with how often or when behind it.
    fn group(&mut self) -> Result<ItemKind, Mistake> {
        let body = self.parenthesized()?;
        if self.from.take("?") {
            let when = if self.from.take("{") {
                let when = Expr::read(&mut self.from)?;
                if !self.from.take("}") {
                    return Err(self.from.expected("an operator or `}`"));
                }
                when
            } else {
                let Some((first, at)) = self.from.name() else {
                    return Err(self.from.expected("the name of a flag, or a condition in `{ }`"));
                };
                Expr { at, kind: ExprKind::Path(Path { first, rest: None }) }
            };
            return Ok(ItemKind::Optional { body, when });
        }
        if self.from.take("*") {
            return Ok(ItemKind::Repeat { body, count: None });
        }
        if self.from.take("{") {
            let count = Expr::read(&mut self.from)?;
            if !self.from.take("}") {
                return Err(self.from.expected("an operator or `}`"));
            }
            return Ok(ItemKind::Repeat { body, count: Some(count) });
        }
        let mut mistake = self.from.expected("how often: `?flag`, `?{condition}`, `{n}` or `*`");
        mistake.help = Some("a part that is always there has a name: `body:( … )`".into());
        Err(mistake)
    }

    pub fn parenthesized(&mut self) -> Result<Layout, Mistake> {
        let start = self.from.at();
        self.from.take("(");
        if self.depth == DEEPEST {
            let at = self.from.since(start);
            // Nothing of such a text is worth reading any further.
            let left = self.from.rest().len();
            self.from.advance(left);
            let says = format!("more than {DEEPEST} parts within each other");
            return Err(Mistake { at, says, help: None });
        }
        self.depth += 1;
        let body = self.items();
        self.depth -= 1;
        if self.from.take(")") { Ok(body) } else { Err(self.unclosed(start)) }
    }

    pub fn unclosed(&mut self, opened: usize) -> Mistake {
        let mistake = self.from.expected("`)`");
        Mistake { help: Some(format!("`(` was opened at character {}", opened + 1)), ..mistake }
    }
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
