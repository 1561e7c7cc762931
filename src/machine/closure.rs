//! What a thread does between messages: follows every instruction up to those that wait for a frame, in written order.

use smallvec::SmallVec;

use crate::frame::{Expr, ExprKind, Function};
use crate::line::Direction;
use crate::protocol::{ExchangeId, StateId};

use super::condition::Condition;
use super::facts::Origin;
use super::memory::Memory;
use super::program::{Effect, Instruction, Pc};
use super::scope::{Known, Loop, Scope};
use super::states::States;
use super::thread::Thread;
use super::view::{Ground, Role, Source, View};

/// More threads than this are not followed; those of the lowest priority are dropped.
const MOST_THREADS: usize = 96;

/// Most talks go on in no more ways than this, those counted that a condition closes.
const ROOM: usize = 16;

/// More instructions than this in one closure are a table that goes round without a message.
const MOST_INSTRUCTIONS: usize = 20_000;

/// Follows threads to where they wait; their order is their priority.
pub(super) struct Closure<'a> {
    pub ground: Ground<'a>,
    /// A side that is not heard: its messages are stepped over.
    pub unheard: Option<Direction>,
    /// A thread that rests becomes one for each exchange that it may begin; else it waits as it is until bytes have come.
    pub eager: bool,
}

/// What became of a thread at one instruction.
pub(super) enum Next<'p> {
    On,
    Waits,
    Ends,
    /// It goes on at each of these places, in this order.
    Splits(&'p [Pc]),
    /// Other threads go on in its place, in this order.
    Forks(Vec<Thread>),
}

impl Closure<'_> {
    pub fn of(&self, threads: impl IntoIterator<Item = Thread>) -> Vec<Thread> {
        let mut waiting: Vec<Thread> = Vec::with_capacity(2 * ROOM);
        let mut open: SmallVec<[Thread; ROOM]> = SmallVec::new();
        open.extend(threads);
        open.reverse();
        let mut budget = MOST_INSTRUCTIONS;
        let mut passed = Vec::new();
        while let Some(mut thread) = open.pop() {
            loop {
                budget = budget.saturating_sub(1);
                if budget == 0 || waiting.len() >= MOST_THREADS {
                    return waiting;
                }
                if self.goes_round(&mut passed, &thread) {
                    break;
                }
                match self.step(&mut thread) {
                    Next::On => {}
                    Next::Ends => break,
                    Next::Waits => {
                        if !self.is_known(&waiting, &thread) {
                            waiting.push(thread);
                        }
                        break;
                    }
                    Next::Splits(ways) => {
                        open.extend(ways.iter().rev().map(|pc| thread.moved(*pc)));
                        break;
                    }
                    Next::Forks(forks) => {
                        open.extend(forks.into_iter().rev());
                        break;
                    }
                }
            }
        }
        waiting
    }

    /// Where one side is not heard, a loop may go round without anything to wait for: once is enough.
    fn goes_round(&self, passed: &mut Vec<(Pc, States)>, thread: &Thread) -> bool {
        let turns = matches!(
            self.ground.program.code[thread.pc],
            Instruction::Each(_) | Instruction::Count { .. } | Instruction::Again(_) | Instruction::Rest
        );
        if self.unheard.is_none() || !turns {
            return false;
        }
        let here = (thread.pc, thread.states);
        let known = passed.contains(&here);
        passed.push(here);
        known
    }

    /// Two threads that know the same at the same place go on alike. Where one side is not heard, the place alone decides.
    fn is_known(&self, waiting: &[Thread], thread: &Thread) -> bool {
        let alike = |known: &Thread| {
            known.states == thread.states && (self.unheard.is_some() || known.place == thread.place)
        };
        waiting.iter().any(|known| known.pc == thread.pc && (known.shares_with(thread) || alike(known)))
    }

    fn step(&self, thread: &mut Thread) -> Next<'_> {
        let program = self.ground.program;
        match &program.code[thread.pc] {
            Instruction::Message(step) => {
                // Keyed characters are breaks to whoever listens at the line's own rate.
                let keyed = self.ground.role == Role::Observer && program.is_keyed(thread.phase);
                if self.unheard != Some(step.direction) && !keyed {
                    return Next::Waits;
                }
                step_over(thread, step.direction, step.frame);
            }
            Instruction::Done => return Next::Waits,
            Instruction::Jump(to) => thread.pc = *to,
            Instruction::Split(ways) => return Next::Splits(ways),
            Instruction::Guard(condition) => return self.guard(thread, condition),
            Instruction::Effect(effect) => self.effect(thread, effect),
            Instruction::Enter { exchange, arguments } => self.enter(thread, *exchange, arguments),
            Instruction::Leave { exchange, returns } => self.leave(thread, *exchange, returns),
            Instruction::Mark => {
                let pc = thread.pc;
                thread.scope().mark(pc);
                thread.pc += 1;
            }
            Instruction::Again(start) => {
                thread.scope().return_to(*start);
                thread.agains += 1;
                thread.pc = *start;
            }
            Instruction::State(state) => {
                thread.states = States::one(*state);
                thread.pc += 1;
            }
            Instruction::Phase(phase) => {
                thread.phase = *phase;
                thread.postpone();
                thread.pc += 1;
            }
            Instruction::Rest if !self.eager => {
                thread.pc = program.rest;
                let course = &mut **thread;
                course.place.scope = Scope::none();
                course.repeated = Vec::new();
                course.rested = true;
                return Next::Waits;
            }
            Instruction::Rest => {
                let begun = self.rest(thread);
                if !begun.is_empty() {
                    return Next::Forks(begun);
                }
                // Nothing may begin here: the conversation rests for good.
                thread.place.scope = Scope::none();
                thread.rested = true;
                return Next::Waits;
            }
            Instruction::Count { least, most, exit } => return self.count(thread, *least, *most, *exit),
            Instruction::Recount(start) => recount(thread, *start),
            Instruction::Each(each) => return self.each(thread, each),
            Instruction::Back(start) => self.back(thread, *start),
        }
        Next::On
    }

    fn guard(&self, thread: &mut Thread, condition: &Condition) -> Next<'_> {
        let holds = match condition.holds(&View::new(self.ground, &thread.place)) {
            Ok(Some(holds)) => holds,
            // A host must know which way it goes; whoever listens goes both.
            Ok(None) => self.ground.role != Role::Host || thread.place.scope.exchange.is_some(),
            Err(_) => false,
        };
        thread.pc += 1;
        if holds { Next::On } else { Next::Ends }
    }

    fn effect(&self, thread: &mut Thread, effect: &Effect) {
        match effect {
            Effect::Let { name, value } => {
                let known = View::new(self.ground, &thread.place).find(*name);
                // What the device begins with gives way to what it finds out.
                let begins = self.ground.facts.get(*name).is_some_and(|fact| fact.origin == Origin::Knows);
                let free = match known {
                    Ok(Some((_, Source::Scope | Source::Kept))) => false,
                    Ok(Some((_, Source::Fact))) => begins,
                    _ => true,
                };
                if self.ground.role != Role::Host && free {
                    let bound = if self.is_unseen(value) {
                        Known::Unknown
                    } else {
                        let place = std::sync::Arc::new(thread.place.clone());
                        Known::Later { effect: thread.pc, place }
                    };
                    thread.scope().set(*name, bound);
                }
            }
            Effect::Write { .. }
            | Effect::Erase { .. }
            | Effect::EraseAll { .. }
            | Effect::ErasePages { .. } => {
                // Where one side is not heard, what it did again and again is one doubt.
                let again = || thread.pending.iter().any(|pending| pending.pc == thread.pc);
                if self.ground.role != Role::Host && !(self.unheard.is_some() && again()) {
                    thread.postpone();
                }
            }
        }
        thread.pc += 1;
    }

    /// It stands in memory of which nothing was seen yet.
    fn is_unseen(&self, value: &Expr) -> bool {
        let is_memory = matches!(value.kind, ExprKind::Call { function: Function::Memory, .. });
        is_memory && self.ground.role == Role::Observer && self.ground.memory.is_some_and(Memory::is_unseen)
    }

    fn enter(
        &self,
        thread: &mut Thread,
        exchange: ExchangeId,
        arguments: &[(super::names::Key, crate::frame::Name, crate::frame::Expr)],
    ) {
        let mut scope = Scope::call(&thread.place.scope, exchange);
        for (key, name, value) in arguments {
            if let Ok(Some(value)) = View::new(self.ground, &thread.place).for_field(name).value(value) {
                scope.set_value(*key, value);
            }
        }
        thread.place.scope = scope.into();
        thread.pc += 1;
    }

    fn leave(
        &self,
        thread: &mut Thread,
        exchange: ExchangeId,
        returns: &[(super::names::Key, super::names::Key)],
    ) {
        let program = self.ground.program;
        let inner = std::sync::Arc::clone(&thread.place.scope);
        let known = |key| {
            let found = View::new(self.ground, &thread.place).find(key).ok().flatten();
            found.filter(|(_, source)| *source == Source::Scope).map(|(value, _)| value)
        };
        let kept: Vec<_> = program
            .exchange(exchange)
            .keep
            .iter()
            .filter_map(|name| program.names.key_of(name))
            .filter_map(|key| Some((key, known(key)?)))
            .collect();
        let returned: Vec<_> =
            returns.iter().filter_map(|(inside, outside)| Some((*outside, known(*inside)?))).collect();
        thread.place.scope = inner.parent.clone().unwrap_or_else(Scope::none);
        if !kept.is_empty() {
            let all = std::sync::Arc::make_mut(&mut thread.place.kept);
            all.retain(|(key, _)| kept.iter().all(|(new, _)| new != key));
            all.extend(kept);
        }
        for (key, value) in returned {
            let free = !matches!(
                View::new(self.ground, &thread.place).find(key),
                Ok(Some((_, Source::Scope | Source::Fact)))
            );
            if free {
                thread.scope().set_value(key, value);
            }
        }
        thread.pc += 1;
    }

    /// Every exchange that may begin in the states the thread may be in.
    fn rest(&self, thread: &Thread) -> Vec<Thread> {
        let program = self.ground.program;
        let mut forks: Vec<Thread> = Vec::new();
        let mut begun: Vec<ExchangeId> = Vec::new();
        for (index, state) in program.table.states.iter().enumerate() {
            if !thread.states.has(StateId(index)) {
                continue;
            }
            for &exchange in &state.may {
                if begun.contains(&exchange) || program.exchange(exchange).unsolicited.is_some() {
                    continue;
                }
                begun.push(exchange);
                forks.push(thread.beginning(program, exchange));
            }
        }
        forks
    }
}

/// Past a message that was not heard: nothing is known of it.
pub(super) fn step_over(thread: &mut Thread, direction: Direction, frame: crate::protocol::FrameId) {
    if thread.place.scope.knows_frame(frame) {
        thread.scope().forget_frame(frame);
    }
    thread.place.followed[super::scope::side(direction)] = Default::default();
    thread.pc += 1;
}

fn recount(thread: &mut Thread, start: Pc) {
    let scope = thread.scope();
    let rounds = scope.loop_at(start).map_or(0, |state| state.index);
    scope.set_loop(Loop { at: start, index: rounds + 1, ..Loop::default() });
    thread.pc = start;
}
