//! A talk as an automaton: every message is a position, and after each position it is known which ones may come next.

use std::collections::BTreeMap;

use crate::frame::{Expr, ExprKind, Name};
use crate::line::Direction;
use crate::protocol::model::{ExchangeId, FrameId, Table};
use crate::protocol::talk::{Argument, Message, Step, StepKind, Talk};

use super::flaw::Place;
use super::frame_ids::FrameIds;
use super::numbers::Numbers;

/// More messages than this in one exchange, its calls written out, are not followed.
pub(super) const MOST: usize = 1024;

/// The positions of one exchange, with those of the exchanges that it calls in their place.
#[derive(Default)]
pub(super) struct Positions {
    pub list: Vec<Position>,
    pub first: Numbers,
    pub last: Numbers,
    /// By position: what may come next.
    pub follow: Vec<Numbers>,
    /// It can be done without any message.
    pub empty: bool,
    pub choices: Vec<Choice>,
    /// Groups of which a round can pass without a message, though another round may follow.
    pub idle_rounds: Vec<Place>,
    /// `-> state` inside a repeat.
    pub gotos_in_repeats: Vec<Place>,
    /// It has more than [`MOST`] messages.
    pub overflown: bool,
}

/// A message in its place.
pub(super) struct Position {
    pub direction: Direction,
    pub frame: Name,
    pub id: FrameId,
    pub place: Place,
    /// A guard decides whether it comes.
    pub guarded: bool,
    /// Fields that this message fixes.
    pub fixed: BTreeMap<Name, i128>,
}

/// What the branches of a choice begin with; a branch without messages begins with what follows the choice.
pub(super) struct Choice {
    pub place: Place,
    pub branches: Vec<Numbers>,
}

/// A part of a talk: how it begins and ends.
#[derive(Default)]
struct Part {
    first: Numbers,
    last: Numbers,
    empty: bool,
    /// Positions behind which `again` stands.
    again: Numbers,
    /// `again` is reached without a message.
    again_at_once: bool,
}

impl Positions {
    pub(super) fn of(table: &Table, frames: &FrameIds<'_>, exchange: ExchangeId) -> Positions {
        let mut build = Build { table, frames, found: Positions::default(), repeat: Repeat::No };
        let scope = Scope { exchange, known: BTreeMap::new(), depth: 0 };
        let talk = &table.exchanges[exchange.0].talk;
        let part = build.talk(talk, &scope, &Numbers::default());
        build.close_again(&part, Place::Exchange(exchange));
        Positions { first: part.first, last: part.last, empty: part.empty, ..build.found }
    }
}

/// The exchange whose talk is walked, and what is known of its arguments.
struct Scope {
    exchange: ExchangeId,
    known: BTreeMap<Name, i128>,
    depth: usize,
}

/// Whether what is walked may come more than once.
#[derive(Clone, Copy)]
enum Repeat {
    No,
    /// In a group of the talk itself.
    Here,
    /// In an exchange that such a group calls, there.
    Called(Place),
}

struct Build<'t> {
    table: &'t Table,
    frames: &'t FrameIds<'t>,
    found: Positions,
    repeat: Repeat,
}

impl Build<'_> {
    /// Walks backwards, so that a choice knows what follows it: `next`.
    fn talk(&mut self, talk: &Talk, scope: &Scope, next: &Numbers) -> Part {
        let mut after = Part { empty: true, ..Part::default() };
        for (index, step) in talk.steps.iter().enumerate().rev() {
            let mut follows = after.first.clone();
            if after.empty {
                follows.join(next);
            }
            let from = self.found.list.len();
            let part = self.step(step, scope, &follows);
            if index > 0 && matches!(talk.steps[index - 1].kind, StepKind::Guard(_)) {
                self.found.list[from..].iter_mut().for_each(|position| position.guarded = true);
            }
            after = self.join(part, after);
        }
        after
    }

    fn step(&mut self, step: &Step, scope: &Scope, next: &Numbers) -> Part {
        let place = Place::Talk(scope.exchange, step.at);
        match &step.kind {
            StepKind::Message(message) => self.message(message, scope, place),
            StepKind::Call { exchange, arguments } => self.call(exchange, arguments, scope, next, place),
            StepKind::Choice(branches) => self.choice(branches, scope, next, place),
            StepKind::Times { body, least, most } => {
                self.repeat(body, scope, next, place, *least == 0, *most > 1)
            }
            StepKind::Each(each) => self.repeat(&each.body, scope, next, place, false, true),
            StepKind::Again => Part { again_at_once: true, ..Part::default() },
            StepKind::Goto(_) => {
                match self.repeat {
                    Repeat::No => {}
                    Repeat::Here => self.found.gotos_in_repeats.push(place),
                    Repeat::Called(from) => self.found.gotos_in_repeats.push(from),
                }
                Part { empty: true, ..Part::default() }
            }
            StepKind::Guard(_) | StepKind::Inside(_) | StepKind::Phase(_) => {
                Part { empty: true, ..Part::default() }
            }
        }
    }

    fn message(&mut self, message: &Message, scope: &Scope, place: Place) -> Part {
        if self.found.list.len() >= MOST {
            self.found.overflown = true;
            return Part { empty: true, ..Part::default() };
        }
        let Some(id) = self.frames.get(&message.frame) else {
            return Part { empty: true, ..Part::default() };
        };
        let mut fixed = BTreeMap::new();
        for bind in &message.binds {
            if let Some(value) = self.constant(&bind.value, &bind.name, scope) {
                fixed.insert(bind.name.clone(), value);
            }
        }
        let (direction, frame) = (message.direction, message.frame.clone());
        let index = self.found.list.len();
        self.found.list.push(Position { direction, frame, id, place, guarded: false, fixed });
        self.found.follow.push(Numbers::default());
        Part { first: Numbers::from_iter([index]), last: Numbers::from_iter([index]), ..Part::default() }
    }

    fn call(
        &mut self,
        name: &Name,
        arguments: &[Argument],
        scope: &Scope,
        next: &Numbers,
        place: Place,
    ) -> Part {
        let Some((id, called)) = self.table.exchange_named(name) else {
            return Part { empty: true, ..Part::default() };
        };
        if scope.depth > self.table.exchanges.len() || self.found.overflown {
            return Part { empty: true, ..Part::default() };
        }
        let mut known = BTreeMap::new();
        for (index, argument) in arguments.iter().enumerate() {
            let Some(name) = argument.name.as_ref().or(called.with.get(index)) else { continue };
            if let Some(value) = self.constant(&argument.value, name, scope) {
                known.insert(name.clone(), value);
            }
        }
        let before = self.repeat;
        if matches!(before, Repeat::Here) {
            self.repeat = Repeat::Called(place);
        }
        let scope = Scope { exchange: id, known, depth: scope.depth + 1 };
        let mut part = self.talk(&called.talk, &scope, next);
        self.close_again(&part, Place::Exchange(id));
        (part.again, part.again_at_once) = (Numbers::default(), false);
        self.repeat = before;
        part
    }

    fn choice(&mut self, branches: &[Talk], scope: &Scope, next: &Numbers, place: Place) -> Part {
        let mut part = Part::default();
        let mut firsts = Vec::new();
        for branch in branches {
            let one = self.talk(branch, scope, next);
            let mut first = one.first.clone();
            if one.empty {
                first.join(next);
            }
            firsts.push(first);
            part.first.join(&one.first);
            part.last.join(&one.last);
            part.empty |= one.empty;
            part.again.join(&one.again);
            part.again_at_once |= one.again_at_once;
        }
        self.found.choices.push(Choice { place, branches: firsts });
        part
    }

    fn repeat(
        &mut self,
        body: &Talk,
        scope: &Scope,
        next: &Numbers,
        place: Place,
        may_be_left_out: bool,
        comes_again: bool,
    ) -> Part {
        let before = self.repeat;
        if comes_again && matches!(before, Repeat::No) {
            self.repeat = Repeat::Here;
        }
        let mut part = self.talk(body, scope, next);
        self.repeat = before;
        self.close_again(&part, place);
        (part.again, part.again_at_once) = (Numbers::default(), false);
        if comes_again {
            self.link(&part.last, &part.first);
            if part.empty {
                self.found.idle_rounds.push(place);
            }
        }
        part.empty |= may_be_left_out;
        part
    }

    /// `again` leads to the start of the group that ends here.
    fn close_again(&mut self, group: &Part, place: Place) {
        self.link(&group.again, &group.first);
        if group.again_at_once {
            self.found.idle_rounds.push(place);
        }
    }

    fn join(&mut self, left: Part, right: Part) -> Part {
        self.link(&left.last, &right.first);
        let mut joined = Part { empty: left.empty && right.empty, ..Part::default() };
        joined.again_at_once = left.again_at_once || (left.empty && right.again_at_once);
        joined.again = left.again;
        joined.again.join(&right.again);
        if right.again_at_once {
            joined.again.join(&left.last);
        }
        joined.last = right.last;
        if right.empty {
            joined.last.join(&left.last);
        }
        joined.first = left.first;
        if left.empty {
            joined.first.join(&right.first);
        }
        joined
    }

    fn link(&mut self, from: &Numbers, to: &Numbers) {
        for position in from.iter() {
            self.found.follow[position].join(to);
        }
    }

    /// The value of an expression for a field, where it is the same each time.
    fn constant(&self, expr: &Expr, field: &Name, scope: &Scope) -> Option<i128> {
        match &expr.kind {
            ExprKind::Number(number) => Some(*number),
            ExprKind::Path(path) if path.rest.is_none() => {
                scope.known.get(&path.first).copied().or_else(|| {
                    let mut named = self.table.values.get(field)?.iter();
                    named.find(|value| value.name == path.first).map(|value| value.value)
                })
            }
            _ => None,
        }
    }
}
