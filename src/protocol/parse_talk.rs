//! Talk text to tree; a run is read by the same grammar. One mistake does not hide the next: reading goes on at the next step.

mod effects;
mod tokens;

use crate::frame::{At, Expr, ExprKind, Mistake, Path};
use crate::line::Direction;

use super::talk::{Argument, Bind, Each, Message, Step, StepKind, Talk};
use super::time::Time;
use tokens::{MOST_MISTAKES, Tokens, mistake};

/// Groups within groups; no real talk needs more than five.
const DEEPEST: u32 = 32;
/// Rounds of `n..m times`.
const MOST_TIMES: u64 = 65_536;
/// Words of the grammar that begin no step, with what they stand behind.
const MISPLACED: [(&str, &str); 8] = [
    ("within", "a frame"),
    ("after", "a frame"),
    ("every", "a frame"),
    ("times", "a group and a number"),
    ("each", "a group"),
    ("by", "`each … of …`"),
    ("pad", "`each … by …`"),
    ("align", "`each … by …`"),
];

impl Talk {
    /// Reads a talk or a run.
    pub fn parse(text: &str) -> Result<Talk, Vec<Mistake>> {
        let (talk, mistakes) = parse_what_can_be(text);
        if mistakes.is_empty() { Ok(talk) } else { Err(mistakes) }
    }
}

/// Reads a talk with mistakes as far as it goes: the steps that could be read, and what is wrong with the others.
pub(super) fn parse_what_can_be(text: &str) -> (Talk, Vec<Mistake>) {
    let mut reader = Tokens::new(text);
    let talk = reader.whole();
    (talk, reader.mistakes)
}

/// Reads a frame with its values and without an arrow: `refused(code = 4)`.
pub(super) fn parse_answer(text: &str) -> Result<Message, Vec<Mistake>> {
    let mut reader = Tokens::new(text);
    let message = match reader.message(Direction::Rx) {
        Ok(StepKind::Message(message)) if reader.scan.is_at_end() => message,
        Ok(_) => return Err(vec![reader.scan.expected("nothing behind the frame")]),
        Err(mistake) => return Err(vec![mistake]),
    };
    if reader.mistakes.is_empty() { Ok(message) } else { Err(reader.mistakes) }
}

impl Tokens<'_> {
    fn whole(&mut self) -> Talk {
        let mut talk = self.steps();
        while !self.scan.is_at_end() && self.mistakes.len() < MOST_MISTAKES {
            let remedy = if self.scan.rest().starts_with('|') {
                "a choice stands in parentheses: `( < ack | < nack )`"
            } else {
                "no parenthesis was opened before it"
            };
            let mistake = self.scan.expected("a step");
            self.mistakes.push(Mistake { help: Some(remedy.into()), ..mistake });
            self.scan.advance(1);
            talk.steps.extend(self.steps().steps);
        }
        talk
    }

    /// Steps up to the end of the text, a `)` or a `|`.
    fn steps(&mut self) -> Talk {
        let mut talk = Talk::default();
        while !(self.scan.is_at_end() || self.scan.rest().starts_with([')', '|'])) {
            let from = self.scan.at();
            match self.step(from) {
                Ok(kind) => talk.steps.push(Step { at: self.scan.since(from), kind }),
                Err(mistake) => {
                    self.mistakes.push(mistake);
                    self.skip_to_step();
                    if self.mistakes.len() >= MOST_MISTAKES {
                        let rest = self.scan.rest().len();
                        self.scan.advance(rest);
                    }
                }
            }
        }
        talk
    }

    fn step(&mut self, from: usize) -> Result<StepKind, Mistake> {
        match self.scan.rest().as_bytes().first() {
            Some(b'-') if self.scan.take("->") => self.name("a state").map(|(name, _)| StepKind::Goto(name)),
            Some(b'>') => {
                self.scan.advance(1);
                self.message(Direction::Tx)
            }
            Some(b'<') => {
                self.scan.advance(1);
                self.message(Direction::Rx)
            }
            Some(b'@') => {
                self.scan.advance(1);
                self.name("a phase of the line").map(|(name, _)| StepKind::Phase(name))
            }
            Some(b'(') => {
                self.scan.advance(1);
                self.group(from)
            }
            Some(b'[') => {
                self.scan.advance(1);
                let condition = Expr::read(&mut self.scan).and_then(|condition| self.close("]", condition));
                self.or_skip('[', condition).map(StepKind::Guard)
            }
            Some(b'{') => {
                self.scan.advance(1);
                let effects = self.effects();
                self.or_skip('{', effects).map(StepKind::Inside)
            }
            Some(b'a') if self.scan.take("again") => Ok(StepKind::Again),
            _ => self.call(),
        }
    }

    fn message(&mut self, direction: Direction) -> Result<StepKind, Mistake> {
        let (frame, frame_at) = self.name("a frame")?;
        let mut message =
            Message { direction, frame, frame_at, binds: Vec::new(), within: None, after: None, every: None };
        if self.scan.touches('(') {
            self.scan.advance(1);
            let binds = self.list(")", Tokens::bind);
            // A frame whose values are wrong is still that frame.
            message.binds = self.or_told('(', binds);
        }
        loop {
            let from = self.scan.at();
            // Nearly always an arrow, or the end.
            if !self.scan.rest().starts_with(|c: char| c.is_ascii_lowercase()) {
                return Ok(StepKind::Message(message));
            }
            let (word, slot) = if self.scan.take("within") {
                ("within", &mut message.within)
            } else if self.scan.take("after") {
                ("after", &mut message.after)
            } else if self.scan.take("every") {
                ("every", &mut message.every)
            } else {
                return Ok(StepKind::Message(message));
            };
            let time = match Time::read(&mut self.scan) {
                Ok(time) => time,
                Err(mistake) => {
                    self.mistakes.push(mistake);
                    self.skip_to_step();
                    return Ok(StepKind::Message(message));
                }
            };
            if slot.replace(time).is_some() {
                self.mistakes
                    .push(mistake(self.scan.since(from), format!("`{word}` stands twice at this frame")));
            }
        }
    }

    /// `field = expr`, or a bare name for `name = name`.
    fn bind(&mut self) -> Result<Bind, Mistake> {
        let from = self.scan.at();
        let (name, name_at) = self.name("a field").map_err(|mistake| Mistake {
            help: Some("the values of a frame stand behind their names: `code = 1`".into()),
            ..mistake
        })?;
        let value = if self.takes_equals() {
            Expr::read(&mut self.scan)?
        } else {
            Expr { at: name_at, kind: ExprKind::Path(Path { first: name.clone(), rest: None }) }
        };
        Ok(Bind { at: self.scan.since(from), name, value })
    }

    fn call(&mut self) -> Result<StepKind, Mistake> {
        let expected = "a step: `>`, `<`, an exchange, `( )`, `[ ]`, `{ }`, `->` or `@`";
        let Some((exchange, at)) = self.scan.name() else { return Err(self.scan.expected(expected)) };
        if let Some((word, place)) = MISPLACED.iter().find(|(word, _)| *word == &*exchange) {
            return Err(mistake(at, format!("`{word}` stands right behind {place}, not here")));
        }
        let mut arguments = Vec::new();
        if self.scan.touches('(') {
            self.scan.advance(1);
            let list = self.list(")", Tokens::argument);
            arguments = self.or_told('(', list);
        }
        Ok(StepKind::Call { exchange, arguments })
    }

    fn argument(&mut self) -> Result<Argument, Mistake> {
        let from = self.scan.at();
        let mut ahead = self.scan.clone();
        let named = ahead.name().filter(|_| ahead.rest().starts_with('=') && !ahead.rest().starts_with("=="));
        let name = named.map(|(name, _)| {
            self.scan.name();
            self.scan.take("=");
            name
        });
        let value = Expr::read(&mut self.scan)?;
        Ok(Argument { at: self.scan.since(from), name, value })
    }

    /// What follows a `(`: alternatives, and how often.
    fn group(&mut self, from: usize) -> Result<StepKind, Mistake> {
        if self.depth == DEEPEST {
            let says = format!("groups are nested more than {DEEPEST} deep");
            let too_deep = mistake(self.scan.since(from), says);
            return self.or_skip('(', Err(too_deep));
        }
        self.depth += 1;
        let before = self.mistakes.len();
        let mut alternatives = vec![self.steps()];
        while self.scan.take("|") {
            alternatives.push(self.steps());
        }
        self.depth -= 1;
        if !self.scan.take(")") {
            return Err(self.scan.expected("`)`, which closes the group"));
        }
        if self.mistakes.len() == before && alternatives.iter().all(|talk| talk.steps.is_empty()) {
            self.mistakes.push(mistake(self.scan.since(from), "this group is empty".into()));
        }
        let at = self.scan.since(from);
        if self.scan.take("each") {
            return self.each(one_talk(alternatives, at)).map(|each| StepKind::Each(Box::new(each)));
        }
        if self.scan.rest().starts_with(|c: char| c.is_ascii_digit()) {
            return self.times(one_talk(alternatives, at));
        }
        Ok(match alternatives.len() {
            1 => StepKind::Times { body: one_talk(alternatives, at), least: 1, most: 1 },
            _ => StepKind::Choice(alternatives),
        })
    }

    fn times(&mut self, body: Talk) -> Result<StepKind, Mistake> {
        let from = self.scan.at();
        let least = self.number(MOST_TIMES)?;
        let most = if self.scan.take("..") { self.number(MOST_TIMES)? } else { least };
        let at = self.scan.since(from);
        if !self.scan.take("times") {
            return Err(self.scan.expected("`times`"));
        }
        if most == 0 || least > most {
            let says = format!("{least}..{most} times is never; expected the fewer first, and at least one");
            self.mistakes.push(mistake(at, says));
        }
        Ok(StepKind::Times { body, least: least as u32, most: most as u32 })
    }

    /// What follows `each`.
    fn each(&mut self, body: Talk) -> Result<Each, Mistake> {
        let (piece, _) = self.name("a name for the piece: `each piece of data by 256`")?;
        self.word("of")?;
        let (data, _) = self.name("the name of the data")?;
        let mut total = None;
        if self.scan.touches('[') {
            self.scan.advance(1);
            let expr = Expr::read(&mut self.scan).and_then(|expr| self.close("]", expr));
            total = Some(self.or_skip('[', expr)?);
        }
        self.word("by")?;
        let by = Expr::read_operand(&mut self.scan)?;
        let mut each = Each { body, piece, data, total, by, pad: None, align: None, next: None };
        loop {
            if self.scan.take("pad") {
                each.pad = Some(self.number(255)? as u8);
            } else if self.scan.take("align") {
                let from = self.scan.at();
                let align = self.number(1 << 32)?;
                if align == 0 {
                    let says = "nothing can be aligned to 0; expected 1 or more".into();
                    self.mistakes.push(mistake(self.scan.since(from), says));
                }
                each.align = Some(align.max(1));
            } else if self.scan.take("next") {
                each.next = Some(Expr::read_operand(&mut self.scan)?);
            } else {
                return Ok(each);
            }
        }
    }
}

/// The alternatives as one talk: the only one, or a choice of them.
fn one_talk(mut alternatives: Vec<Talk>, at: At) -> Talk {
    match alternatives.len() {
        1 => alternatives.remove(0),
        _ => Talk { steps: vec![Step { at, kind: StepKind::Choice(alternatives) }] },
    }
}

#[cfg(test)]
mod tests;
