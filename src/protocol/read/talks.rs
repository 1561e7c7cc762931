//! Names in a talk or a run: frames, fields, exchanges, states and phases must be there, and values get their numbers.

use std::ops::Range;

use crate::frame::{At, Expr, ExprKind, Name, Path};

use super::super::each_path::each_path;
use super::super::findings::Findings;
use super::super::talk::{Argument, Bind, Effect, EffectKind, Message, Step, StepKind, Talk};
use super::names::{Names, Own, Scope};

/// Checks every name of `talk`, which is the string written at `text`; `own` are the names that are known from its start.
///
/// In a talk that is not whole, the step that brings a name in may be missing, so only what the table itself names is told.
pub(super) fn resolve_talk(
    talk: &mut Talk,
    is_whole: bool,
    text: &Range<usize>,
    own: &[Name],
    names: &Names,
    found: &mut Findings<'_>,
) {
    let mut declared = Declared { names, own: own.to_vec(), used: Vec::new(), captured: Vec::new() };
    declared.talk(talk);
    let own = declared.finish();
    Resolver { scope: Scope { names, text, own: Own::Names(&own), takes_arguments: false, is_whole }, names }
        .talk(talk, found);
}

/// Checks the values of a frame that is sent outside any talk.
pub(super) fn resolve_answer(
    message: &mut Message,
    text: &Range<usize>,
    names: &Names,
    found: &mut Findings<'_>,
) {
    // A refusal may be sent while any exchange is going on.
    let scope = Scope { names, text, own: Own::Names(&[]), takes_arguments: true, is_whole: true };
    Resolver { scope, names }.message(message, found);
}

/// Finds the names that the talk itself brings in: pieces, effects, and captures.
struct Declared<'a> {
    names: &'a Names,
    own: Vec<Name>,
    /// Each time that a name stands in an expression.
    used: Vec<&'a Name>,
    /// Bare names that stand alone for a value: if nothing else knows them, they take what comes.
    captured: Vec<&'a Name>,
}

impl<'a> Declared<'a> {
    fn talk(&mut self, talk: &'a Talk) {
        talk.steps.iter().for_each(|step| self.step(&step.kind));
    }

    fn step(&mut self, step: &'a StepKind) {
        match step {
            StepKind::Message(message) => {
                for Bind { name, value, .. } in &message.binds {
                    self.value(value, Some(name));
                }
            }
            StepKind::Call { exchange, arguments } => {
                let with = self.names.exchanges.get(exchange).map(|(_, with)| &with[..]).unwrap_or_default();
                for (place, Argument { name, value, .. }) in arguments.iter().enumerate() {
                    self.value(value, name.as_ref().or(with.get(place)));
                }
            }
            StepKind::Guard(condition) => self.uses(condition),
            StepKind::Choice(talks) => talks.iter().for_each(|talk| self.talk(talk)),
            StepKind::Times { body, .. } => self.talk(body),
            StepKind::Each(each) => {
                self.brings_in(&each.piece);
                self.used.push(&each.data);
                [&each.total, &each.next].into_iter().flatten().for_each(|expr| self.uses(expr));
                self.uses(&each.by);
                self.talk(&each.body);
            }
            StepKind::Inside(effects) => effects.iter().for_each(|effect| self.effect(&effect.kind)),
            StepKind::Goto(_) | StepKind::Phase(_) | StepKind::Again => {}
        }
    }

    fn effect(&mut self, effect: &'a EffectKind) {
        if let EffectKind::Let { name, .. } = effect {
            self.brings_in(name);
        }
        effect_exprs(effect).into_iter().flatten().for_each(|expr| self.uses(expr));
    }

    fn value(&mut self, value: &'a Expr, field: Option<&Name>) {
        self.uses(value);
        let ExprKind::Path(Path { first, rest: None }) = &value.kind else { return };
        if field == Some(first) {
            self.brings_in(first);
        } else if self.names.value_of(field.map(|field| &**field), first).is_none() {
            self.captured.push(first);
        }
    }

    fn brings_in(&mut self, name: &Name) {
        if !self.own.contains(name) {
            self.own.push(name.clone());
        }
    }

    fn uses(&mut self, expr: &'a Expr) {
        each_path(expr, |path, _| self.used.push(&path.first));
    }

    /// A name that is captured and stands nowhere else says nothing, so it is a slip of the hand.
    fn finish(mut self) -> Vec<Name> {
        for name in std::mem::take(&mut self.captured) {
            if self.used.iter().filter(|used| **used == name).nth(1).is_some() {
                self.brings_in(name);
            }
        }
        self.own
    }
}

fn effect_exprs(effect: &EffectKind) -> [Option<&Expr>; 2] {
    match effect {
        EffectKind::Let { value, .. } => [Some(value), None],
        EffectKind::Write { address, data } => [Some(address), Some(data)],
        EffectKind::Erase { address, n } => [Some(address), Some(n)],
        EffectKind::EraseAll { .. } => [None, None],
        EffectKind::ErasePages { pages, .. } => [Some(pages), None],
    }
}

struct Resolver<'a> {
    scope: Scope<'a>,
    names: &'a Names,
}

impl Resolver<'_> {
    fn talk(&self, talk: &mut Talk, found: &mut Findings<'_>) {
        talk.steps.iter_mut().for_each(|step| self.step(step, found));
    }

    fn step(&self, Step { at, kind }: &mut Step, found: &mut Findings<'_>) {
        match kind {
            StepKind::Message(message) => self.message(message, found),
            StepKind::Call { exchange, arguments } => {
                let name_at = At { from: at.from, to: at.from + exchange.len() as u32 };
                self.call(exchange, arguments, name_at, found);
            }
            StepKind::Guard(condition) => self.scope.resolve(condition, None, found),
            StepKind::Choice(talks) => talks.iter_mut().for_each(|talk| self.talk(talk, found)),
            StepKind::Times { body, .. } => self.talk(body, found),
            StepKind::Each(each) => {
                if self.scope.is_whole && !self.scope.knows(&each.data) {
                    let known = self.scope.own.in_order().into_iter().chain(&self.names.everywhere);
                    let mistake = found
                        .error(self.place(*at, found), format!("nothing here is called `{}`", each.data));
                    mistake.did_you_mean(&each.data, known.map(|name| &**name));
                }
                each.total
                    .iter_mut()
                    .chain(&mut each.next)
                    .for_each(|expr| self.scope.resolve(expr, None, found));
                self.scope.resolve(&mut each.by, None, found);
                self.talk(&mut each.body, found);
            }
            StepKind::Inside(effects) => effects.iter_mut().for_each(|effect| self.effect(effect, found)),
            StepKind::Goto(state) => {
                let place = (self.scope.text, ends_with(*at, state));
                Names::find(&self.names.states, "state", state, place, found);
            }
            StepKind::Phase(phase) => {
                if &**phase != "line" && !self.names.phases.contains(phase) {
                    let range = self.place(ends_with(*at, phase), found);
                    let known = self.names.phases.iter().map(|name| &**name).chain(["line"]);
                    found
                        .error(range, format!("no phase of the line is called `{phase}`"))
                        .did_you_mean(phase, known);
                }
            }
            StepKind::Again => {}
        }
    }

    fn message(&self, message: &mut Message, found: &mut Findings<'_>) {
        let place = (self.scope.text, message.frame_at);
        let frame = Names::find(&self.names.frames, "frame", &message.frame, place, found);
        let known = frame.and_then(|frame| Some((frame.fields.as_ref()?, &frame.takes)));
        for Bind { at, name, value } in &mut message.binds {
            let is_known =
                |(fields, takes): &(&Vec<Name>, &Vec<Name>)| fields.contains(name) || takes.contains(name);
            if let Some((fields, _)) = known.filter(|known| !is_known(known)) {
                let name_at = At { from: at.from, to: at.from + name.len() as u32 };
                let says = format!("the frame `{}` has no field `{name}`", message.frame);
                let mistake = found.error(self.place(name_at, found), says);
                mistake.did_you_mean(name, fields.iter().map(|field| &**field));
            }
            self.scope.resolve(value, Some(name), found);
        }
    }

    fn call(&self, exchange: &Name, arguments: &mut [Argument], at: At, found: &mut Findings<'_>) {
        let place = (self.scope.text, at);
        let Some((_, with)) = Names::find(&self.names.exchanges, "exchange", exchange, place, found) else {
            return;
        };
        for (place, Argument { at, name, value }) in arguments.iter_mut().enumerate() {
            let name = name.as_ref();
            let field = name.or(with.get(place));
            if field.is_none_or(|field| !with.contains(field)) {
                let says = match name {
                    Some(name) => format!("the exchange `{exchange}` has no argument `{name}`"),
                    None if with.is_empty() => format!("the exchange `{exchange}` takes no arguments"),
                    None => format!("the exchange `{exchange}` takes no more than: {}", with.join(", ")),
                };
                let range = self.place(*at, found);
                let mistake = found.error(range, says);
                if let Some(name) = name {
                    mistake.did_you_mean(name, with.iter().map(|name| &**name));
                }
            }
            self.scope.resolve(value, field.map(|field| &**field), found);
        }
    }

    fn effect(&self, effect: &mut Effect, found: &mut Findings<'_>) {
        match &mut effect.kind {
            EffectKind::Let { name, value } => self.scope.resolve(value, Some(name), found),
            EffectKind::Write { address, data } => {
                self.scope.resolve(address, None, found);
                self.scope.resolve(data, None, found);
            }
            EffectKind::Erase { address, n } => {
                self.scope.resolve(address, None, found);
                self.scope.resolve(n, None, found);
            }
            EffectKind::EraseAll { region: None } => {}
            EffectKind::EraseAll { region: Some(region) } => self.region(region, effect.at, found),
            EffectKind::ErasePages { pages, region } => {
                self.scope.resolve(pages, None, found);
                self.region(region, effect.at, found);
            }
        }
    }

    fn region(&self, region: &str, at: At, found: &mut Findings<'_>) {
        if !self.names.regions.contains(region) {
            let mistake =
                found.error(self.place(at, found), format!("no memory region is called `{region}`"));
            mistake.did_you_mean(region, self.names.regions.iter().map(|name| &**name));
        }
    }

    fn place(&self, at: At, found: &Findings<'_>) -> Range<usize> {
        found.place(self.scope.text, at)
    }
}

/// The place of the name at the end of a step, `-> state` or `@phase`.
fn ends_with(at: At, name: &str) -> At {
    At { from: at.to.saturating_sub(name.len() as u32), to: at.to }
}
