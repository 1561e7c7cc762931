//! Expression text to tree, by climbing the precedence of operators.

use super::expr::{BinaryOp, Expr, ExprKind, Function, Path, UnaryOp};
use super::literal;
use super::spelling::did_you_mean;
use super::text::{At, Mistake, Name, Scanner};

/// Parts of one expression. It bounds the height of its tree, and with it the stack of whoever walks it.
const MOST_PARTS: usize = 200;

/// Parentheses within parentheses: each is a few calls deep.
const DEEPEST: usize = 40;

/// Operators by how strongly they bind, weakest first.
const LEVELS: [&[(&str, BinaryOp)]; 9] = [
    &[("||", BinaryOp::Or)],
    &[("&&", BinaryOp::And)],
    &[
        ("==", BinaryOp::Equal),
        ("!=", BinaryOp::NotEqual),
        ("<=", BinaryOp::AtMost),
        (">=", BinaryOp::AtLeast),
        ("<", BinaryOp::Less),
        (">", BinaryOp::Greater),
        ("in", BinaryOp::In),
    ],
    &[("|", BinaryOp::BitOr)],
    &[("^", BinaryOp::BitXor)],
    &[("&", BinaryOp::BitAnd)],
    &[("<<", BinaryOp::ShiftLeft), (">>", BinaryOp::ShiftRight)],
    &[("+", BinaryOp::Add), ("-", BinaryOp::Subtract)],
    &[("*", BinaryOp::Multiply), ("/", BinaryOp::Divide), ("%", BinaryOp::Modulo)],
];

/// By byte: some operator begins with it.
const BEGINS: [bool; 256] = {
    let mut begins = [false; 256];
    let mut level = 0;
    while level < LEVELS.len() {
        let mut nth = 0;
        while nth < LEVELS[level].len() {
            begins[LEVELS[level][nth].0.as_bytes()[0] as usize] = true;
            nth += 1;
        }
        level += 1;
    }
    begins
};

/// The level of `|`: what a field's `=` takes, since `<` and `?` mean something else in a layout.
const BITS: usize = 3;

/// What begins like a shorter operator and is another one.
const LONGER: [&str; 9] = ["||", "&&", "==", "!=", "<=", ">=", "<<", ">>", "->"];

impl Expr {
    /// Reads a whole text as one expression.
    pub fn parse(text: &str) -> Result<Expr, Mistake> {
        let mut scanner = Scanner::new(text);
        let expr = Expr::read(&mut scanner)?;
        if scanner.is_at_end() { Ok(expr) } else { Err(scanner.expected("an operator or the end")) }
    }

    /// Reads the expression that comes next, and no further: a talk goes on behind it.
    pub fn read(from: &mut Scanner<'_>) -> Result<Expr, Mistake> {
        Reader::new(from).choice()
    }

    /// Reads one operand: a number, a name, a call, or an expression in parentheses; `by 256`, `next progress.off`.
    pub fn read_operand(from: &mut Scanner<'_>) -> Result<Expr, Mistake> {
        Reader::new(from).unary()
    }

    /// Reads what may stand behind a field's `=`: no comparison and no `?`.
    pub(super) fn read_bits(from: &mut Scanner<'_>) -> Result<Expr, Mistake> {
        Reader::new(from).binary(BITS)
    }
}

struct Reader<'s, 'a> {
    from: &'s mut Scanner<'a>,
    parts: usize,
    depth: usize,
    /// Inside how many functions: spans stand only there.
    calls: usize,
}

impl<'s, 'a> Reader<'s, 'a> {
    fn new(from: &'s mut Scanner<'a>) -> Self {
        Reader { from, parts: 0, depth: 0, calls: 0 }
    }

    fn choice(&mut self) -> Result<Expr, Mistake> {
        let start = self.from.at();
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.too_large(start));
        }
        let condition = self.binary(0)?;
        let read = if self.from.take("?") {
            let then = self.choice()?;
            if !self.from.take(":") {
                return Err(self.from.expected("`:` and what holds otherwise"));
            }
            let otherwise = self.choice()?;
            let at = At { from: start as u32, to: otherwise.at.to };
            let [condition, then, otherwise] = [condition, then, otherwise].map(Box::new);
            self.part(at, ExprKind::If { condition, then, otherwise })?
        } else {
            condition
        };
        self.depth -= 1;
        Ok(read)
    }

    fn binary(&mut self, weakest: usize) -> Result<Expr, Mistake> {
        let start = self.from.at();
        let mut left = self.unary()?;
        while let Some((level, op)) = self.operator(weakest) {
            let right = self.binary(level + 1)?;
            let at = At { from: start as u32, to: right.at.to };
            left = self.part(at, ExprKind::Binary(op, Box::new(left), Box::new(right)))?;
        }
        Ok(left)
    }

    fn operator(&mut self, weakest: usize) -> Option<(usize, BinaryOp)> {
        // Behind most operands stands none at all.
        if !self.from.next_byte().is_some_and(|byte| BEGINS[usize::from(byte)]) {
            return None;
        }
        let rest = self.from.rest();
        let longer = LONGER.iter().find(|token| rest.starts_with(**token));
        for (level, operators) in LEVELS.iter().enumerate().skip(weakest) {
            for (token, op) in *operators {
                if longer.is_none_or(|longer| longer == token) && self.from.take(token) {
                    return Some((level, *op));
                }
            }
        }
        None
    }

    fn unary(&mut self) -> Result<Expr, Mistake> {
        let start = self.from.at();
        let op = match self.from.rest().as_bytes() {
            [b'-', next, ..] if *next != b'>' => UnaryOp::Negate,
            [b'~', ..] => UnaryOp::Complement,
            [b'!', next, ..] if *next != b'=' => UnaryOp::Not,
            _ => return self.operand(),
        };
        self.from.advance(1);
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.too_large(start));
        }
        let of = self.unary()?;
        self.depth -= 1;
        let at = At { from: start as u32, to: of.at.to };
        self.part(at, ExprKind::Unary(op, Box::new(of)))
    }

    fn operand(&mut self) -> Result<Expr, Mistake> {
        let start = self.from.at();
        let Some((first, at)) = self.from.word() else { return self.nameless(start) };
        if self.from.touches('(') {
            return self.call(start, first, at);
        }
        let first = Name::new(first);
        let touches = self.from.touches('.');
        if (touches || self.calls > 0) && self.from.take("..") {
            return self.span(start, Some(first));
        }
        if !touches {
            return self.part(at, ExprKind::Path(Path { first, rest: None }));
        }
        self.from.advance(1);
        let Some((name, _)) = self.from.name() else {
            return Err(self.from.expected("a name after the dot"));
        };
        let at = self.from.since(start);
        if self.from.touches('.') {
            return Err(self.from.expected("at most one dot in a name"));
        }
        self.part(at, ExprKind::Path(Path { first, rest: Some(name) }))
    }

    /// An operand that does not begin with a name.
    fn nameless(&mut self, start: usize) -> Result<Expr, Mistake> {
        if self.from.take("(") {
            let inner = self.choice()?;
            self.close(start)?;
            return Ok(Expr { at: self.from.since(start), ..inner });
        }
        if let Some(number) = literal::number(self.from) {
            return self.part(self.from.since(start), ExprKind::Number(number?));
        }
        if let Some(text) = literal::text(self.from) {
            return self.part(self.from.since(start), ExprKind::Text(text?));
        }
        if self.from.take("..") {
            return self.span(start, None);
        }
        Err(self.from.expected("a number, a text, a name, a function or `(`"))
    }

    fn span(&mut self, start: usize, from: Option<Name>) -> Result<Expr, Mistake> {
        let dots = self.from.since(start);
        let to = self.from.name();
        let at = to.as_ref().map_or(dots, |(_, to)| At { to: to.to, ..dots });
        let to = to.map(|(name, _)| name);
        if self.calls == 0 {
            let says = "a span of bytes stands only inside a function".into();
            return Err(Mistake { at, says, help: Some("as in size(a..b) or sum8(a..b)".into()) });
        }
        self.part(at, ExprKind::Span { from, to })
    }

    fn call(&mut self, start: usize, name: &str, at: At) -> Result<Expr, Mistake> {
        let Some(function) = Function::by_name(name) else {
            let known = Function::ALL.iter().map(|function| function.name());
            let help = did_you_mean(name, known);
            return Err(Mistake { at, says: format!("no function is called `{name}`"), help });
        };
        self.from.advance(1);
        self.calls += 1;
        let mut args = Vec::new();
        if function == Function::Crc {
            args.push(self.algorithm()?);
        }
        while !self.from.take(")") {
            if !args.is_empty() && !self.from.take(",") {
                return Err(self.from.expected("`,` or `)`"));
            }
            args.push(self.choice()?);
        }
        self.calls -= 1;
        let (least, most) = function.arguments();
        if !(least..=most).contains(&args.len()) {
            let says = format!("`{name}` was given {} arguments, takes {}", args.len(), function.usage());
            return Err(Mistake { at: self.from.since(start), says, help: None });
        }
        self.part(self.from.since(start), ExprKind::Call { function, args })
    }

    fn algorithm(&mut self) -> Result<Expr, Mistake> {
        let start = self.from.at();
        let rest = self.from.rest();
        let is_inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '/' | '_');
        let name = &rest[..rest.find(|c| !is_inside(c)).unwrap_or(rest.len())];
        if name.is_empty() {
            return Err(self.from.expected("the name of a CRC, as in crc(CRC-16/MODBUS, a..b)"));
        }
        self.from.advance(name.len());
        self.part(self.from.since(start), ExprKind::Algorithm(Name::new(name)))
    }

    fn close(&mut self, opened: usize) -> Result<(), Mistake> {
        if self.from.take(")") {
            return Ok(());
        }
        let mistake = self.from.expected("an operator or `)`");
        Err(Mistake { help: Some(format!("`(` was opened at character {}", opened + 1)), ..mistake })
    }

    fn part(&mut self, at: At, kind: ExprKind) -> Result<Expr, Mistake> {
        self.parts += 1;
        if self.parts > MOST_PARTS {
            return Err(self.too_large(at.from as usize));
        }
        Ok(Expr { at, kind })
    }

    fn too_large(&mut self, start: usize) -> Mistake {
        Mistake {
            at: self.from.since(start),
            says: "this expression is too large".into(),
            help: Some(format!("at most {MOST_PARTS} parts and {DEEPEST} parentheses within each other")),
        }
    }
}
