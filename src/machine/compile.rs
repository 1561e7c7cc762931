//! Talks to instructions.

use std::sync::Arc;

use crate::frame::Name;
use crate::protocol::{Argument, EffectKind, ExchangeId, Message, StateId, StepKind, Table, Talk};

use super::condition::Condition;
use super::names::{Names, asks_nothing};
use super::program::{Bound, Each, Effect, Instruction, Pc, Piece, Program, Step};
use super::scope::side;
use super::states::States;

impl Program {
    /// Compiles the exchanges of a checked table.
    pub fn compile(table: Arc<Table>) -> Program {
        let mut program = Program {
            names: Names::of(&table),
            code: vec![Instruction::Rest],
            rest: 0,
            inside: vec![Vec::new()],
            entries: Vec::new(),
            may_begin: Vec::new(),
            has_unsolicited: table.exchanges.iter().any(|exchange| exchange.unsolicited.is_some()),
            starts: Arc::default(),
            equivalent: Arc::default(),
            special: Arc::default(),
            screens: Arc::default(),
            chances: Arc::default(),
            beginnings: Arc::default(),
            openings: Arc::default(),
            said_by: [Vec::new(), Vec::new()],
            closed: table.frames.iter().map(|frame| asks_nothing(frame.layout())).collect(),
            table,
        };
        let table = Arc::clone(&program.table);
        for index in 0..table.exchanges.len() {
            let id = ExchangeId(index);
            let may = |state: &usize| table.states[*state].may.contains(&id);
            let states = (0..table.states.len()).filter(may).map(|state| States::one(StateId(state)));
            program.may_begin.push(states.fold(States::default(), States::or));
            program.entries.push(program.code.len());
            let mut compiler = Compiler::new(&mut program);
            compiler.exchange(id, &[]);
            compiler.add(Instruction::Rest);
        }
        for instruction in &program.code {
            let Instruction::Message(step) = instruction else { continue };
            let said = &mut program.said_by[side(step.direction)];
            if !said.contains(&step.frame) {
                said.push(step.frame);
            }
        }
        program
    }

    /// The same program with a run behind it, and where the run begins. The error names what the table does not have.
    pub(super) fn with_run(&self, run: &Talk) -> Result<(Program, Pc), String> {
        let mut program = self.clone();
        program.equivalent = Arc::default(); // it is of the whole code, and there will be more
        let start = program.code.len();
        let mut compiler = Compiler::new(&mut program);
        compiler.talk(run);
        compiler.add(Instruction::Done);
        match compiler.unknown {
            Some(unknown) => Err(unknown),
            None => Ok((program, start)),
        }
    }
}

/// Appends talks to a program.
struct Compiler<'a> {
    program: &'a mut Program,
    table: Arc<Table>,
    /// Calls that are open: the exchange, and where its `Enter` stands.
    calls: Vec<(ExchangeId, Pc)>,
    /// The start of the innermost group, where there is an `again` to return to it.
    group: Option<Pc>,
    unknown: Option<String>,
}

impl<'a> Compiler<'a> {
    fn new(program: &'a mut Program) -> Compiler<'a> {
        let table = Arc::clone(&program.table);
        Compiler { program, table, calls: Vec::new(), group: None, unknown: None }
    }

    fn here(&self) -> Pc {
        self.program.code.len()
    }

    fn add(&mut self, instruction: Instruction) -> Pc {
        let pc = self.here();
        self.program.code.push(instruction);
        self.program.inside.push(self.calls.iter().map(|(_, enter)| *enter).collect());
        pc
    }

    fn names(&mut self) -> &mut Names {
        &mut self.program.names
    }

    /// A name that the table does not know: no way on from here.
    fn lost(&mut self, kind: &str, name: &Name) {
        self.unknown.get_or_insert(format!("the table has no {kind} called `{name}`"));
        self.add(Instruction::Split(Vec::new()));
    }

    fn talk(&mut self, talk: &Talk) {
        for step in &talk.steps {
            self.step(&step.kind);
        }
    }

    fn step(&mut self, step: &StepKind) {
        match step {
            StepKind::Message(message) => self.message(message),
            StepKind::Call { exchange, arguments } => self.call(exchange, arguments),
            StepKind::Guard(condition) => {
                let condition = Condition::of(condition, self.names());
                self.add(Instruction::Guard(condition));
            }
            StepKind::Choice(ways) => self.choice(ways),
            StepKind::Times { body, least, most } => self.times(body, *least, *most),
            StepKind::Each(each) => self.each(each),
            StepKind::Inside(effects) => effects.iter().for_each(|effect| self.effect(&effect.kind)),
            StepKind::Goto(state) => match self.table.states.iter().position(|known| known.name == *state) {
                Some(index) => {
                    self.add(Instruction::State(StateId(index)));
                }
                None => self.lost("state", state),
            },
            StepKind::Phase(phase) => self.phase(phase),
            StepKind::Again => match self.group {
                Some(start) => {
                    self.add(Instruction::Again(start));
                }
                None => self.lost("group around", &"again".into()),
            },
        }
    }

    fn message(&mut self, message: &Message) {
        let Some(frame) = self.program.names.frame(&message.frame) else {
            return self.lost("frame", &message.frame);
        };
        let mut binds = Vec::new();
        for bind in &message.binds {
            self.names().add_expr(&bind.value);
            let bare = bare_name(&bind.value);
            binds.push(Bound {
                field: bind.name.clone(),
                captures: bare.map(|name| self.names().plain(name)),
                same: bare == Some(&bind.name),
                value: bind.value.clone(),
            });
        }
        self.add(Instruction::Message(Step {
            direction: message.direction,
            frame,
            binds,
            within: message.within.clone(),
            after: message.after.clone(),
            every: message.every.clone(),
        }));
    }

    fn call(&mut self, name: &Name, arguments: &[Argument]) {
        let Some(index) = self.table.exchanges.iter().position(|known| known.name == *name) else {
            return self.lost("exchange", name);
        };
        let id = ExchangeId(index);
        if self.calls.iter().any(|(open, _)| *open == id) {
            return self.lost("way out of the circle through", name);
        }
        self.exchange(id, arguments);
    }

    fn exchange(&mut self, id: ExchangeId, arguments: &[Argument]) {
        let table = Arc::clone(&self.table);
        let exchange = &table.exchanges[id.0];
        let mut given = Vec::new();
        let mut returns = Vec::new();
        for (place, argument) in arguments.iter().enumerate() {
            let Some(name) = parameter(argument, &exchange.with, place) else { continue };
            self.names().add_expr(&argument.value);
            let key = self.names().plain(name);
            if let Some(outer) = bare_name(&argument.value) {
                let outer = self.names().plain(outer);
                returns.push((key, outer));
            }
            given.push((key, name.clone(), argument.value.clone()));
        }
        let outer_group = self.group.take();
        let enter = self.here();
        self.calls.push((id, enter));
        self.add(Instruction::Enter { exchange: id, arguments: given });
        self.talk(&exchange.talk);
        self.add(Instruction::Leave { exchange: id, returns });
        self.calls.pop();
        self.group = outer_group;
    }

    fn choice(&mut self, ways: &[Talk]) {
        let split = self.add(Instruction::Split(Vec::new()));
        let mut starts = Vec::new();
        let mut ends = Vec::new();
        for way in ways {
            starts.push(self.here());
            self.talk(way);
            ends.push(self.add(Instruction::Jump(0)));
        }
        let behind = self.here();
        for end in ends {
            self.program.code[end] = Instruction::Jump(behind);
        }
        self.program.code[split] = Instruction::Split(starts);
    }

    fn times(&mut self, body: &Talk, least: u32, most: u32) {
        if (least, most) == (1, 1) {
            return self.group(body);
        }
        let count = self.add(Instruction::Count { least, most, exit: 0 });
        self.group(body);
        self.add(Instruction::Recount(count));
        let exit = self.here();
        self.program.code[count] = Instruction::Count { least, most, exit };
    }

    /// A group's body; its start is marked where something in it returns to it.
    fn group(&mut self, body: &Talk) {
        let outer = self.group;
        if returns(body) {
            self.group = Some(self.add(Instruction::Mark));
        }
        self.talk(body);
        self.group = outer;
    }

    fn each(&mut self, each: &crate::protocol::Each) {
        for expr in [Some(&each.by), each.total.as_ref(), each.next.as_ref()].into_iter().flatten() {
            self.names().add_expr(expr);
        }
        let names = self.names();
        let piece = Piece {
            name: names.variable(&each.piece),
            index: names.dotted(&each.piece, "index"),
            offset: names.dotted(&each.piece, "offset"),
            left: names.dotted(&each.piece, "left"),
            at: names.dotted(&each.piece, "at"),
            size: names.dotted(&each.piece, "size"),
        };
        let base = names.variable(&Name::new("at"));
        let compiled = Each {
            piece,
            base,
            data: names.variable(&each.data),
            total: each.total.clone(),
            by: each.by.clone(),
            pad: each.pad,
            align: each.align,
            next: each.next.clone(),
            exit: 0,
        };
        let start = self.add(Instruction::Each(Box::new(compiled)));
        self.group(&each.body);
        self.add(Instruction::Back(start));
        let behind = self.here();
        if let Instruction::Each(each) = &mut self.program.code[start] {
            each.exit = behind;
        }
    }

    fn effect(&mut self, effect: &EffectKind) {
        let effect = match effect {
            EffectKind::Let { name, value } => {
                Effect::Let { name: self.names().variable(name), value: value.clone() }
            }
            EffectKind::Write { address, data } => {
                Effect::Write { address: address.clone(), data: data.clone() }
            }
            EffectKind::Erase { address, n } => Effect::Erase { address: address.clone(), n: n.clone() },
            EffectKind::EraseAll { region } => Effect::EraseAll { region: region.clone() },
            EffectKind::ErasePages { pages, region } => {
                Effect::ErasePages { pages: pages.clone(), region: region.clone() }
            }
        };
        match &effect {
            Effect::Let { value, .. } => self.names().add_expr(value),
            Effect::Write { address: a, data: b } | Effect::Erase { address: a, n: b } => {
                self.names().add_expr(a);
                self.names().add_expr(b);
            }
            Effect::ErasePages { pages, .. } => self.names().add_expr(pages),
            Effect::EraseAll { .. } => {}
        }
        self.add(Instruction::Effect(effect));
    }

    fn phase(&mut self, name: &Name) {
        if &**name == "line" {
            self.add(Instruction::Phase(None));
            return;
        }
        match self.table.phases.iter().position(|phase| phase.name == *name) {
            Some(index) => {
                let table = Arc::clone(&self.table);
                if let Some(baud) = &table.phases[index].baud {
                    self.names().add_expr(baud);
                }
                self.add(Instruction::Phase(Some(index)));
            }
            None => self.lost("line phase", name),
        }
    }
}

/// The name that an expression is, if it is nothing else.
fn bare_name(expr: &crate::frame::Expr) -> Option<&Name> {
    match &expr.kind {
        crate::frame::ExprKind::Path(path) if path.rest.is_none() => Some(&path.first),
        _ => None,
    }
}

/// Which of the exchange's names an argument fills: the one it names, the one it is called like, or the one at its place.
fn parameter<'a>(argument: &'a Argument, with: &'a [Name], place: usize) -> Option<&'a Name> {
    match &argument.name {
        Some(name) => Some(name),
        None => bare_name(&argument.value).filter(|name| with.contains(name)).or_else(|| with.get(place)),
    }
}

/// Whether an `again` stands in a group itself, not in a group within it.
fn returns(talk: &Talk) -> bool {
    talk.steps.iter().any(|step| match &step.kind {
        StepKind::Again => true,
        StepKind::Choice(ways) => ways.iter().any(returns),
        _ => false,
    })
}
