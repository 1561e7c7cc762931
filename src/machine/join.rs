//! Joining a conversation in the middle: a frame that was recognised says at which places of the program it can stand.

use std::sync::Arc;

use crate::frame::Values;
use crate::line::Direction;
use crate::protocol::FrameId;

use super::hear::go_past;
use super::program::{Instruction, Pc, Program};
use super::scope::{Loop, Scope};
use super::states::States;
use super::thread::Thread;
use super::view::Ground;

/// More places than this are not followed.
const MOST: usize = 64;

/// Threads that have just heard this frame, wherever the program lets it come; nothing else is known of them.
pub(super) fn threads(
    ground: Ground<'_>,
    frame: FrameId,
    direction: Direction,
    values: &Values,
    states: States,
) -> Vec<Thread> {
    let program = ground.program;
    let mut threads = Vec::new();
    for (pc, instruction) in program.code.iter().enumerate() {
        let Instruction::Message(step) = instruction else { continue };
        if step.frame != frame || step.direction != direction || threads.len() >= MOST {
            continue;
        }
        let Some(conversation) = program.conversation_at(pc) else { continue };
        let may = program.may_begin[conversation.0];
        if may.is_empty() || program.exchange(conversation).unsolicited.is_some() {
            continue;
        }
        let known = may.and(states);
        let mut thread = Thread::at(pc, if known.is_empty() { may } else { known });
        thread.place.scope = scope(program, pc);
        for bind in &step.binds {
            if let (Some(name), Some(value)) = (bind.captures, values.get(&bind.field)) {
                let value = value.clone();
                thread.scope().set_value(name, value);
            }
        }
        go_past(ground, &mut thread, step, values);
        threads.push(thread);
    }
    threads
}

/// The scopes around an instruction, with its loops at places that are not known.
fn scope(program: &Program, pc: Pc) -> Arc<Scope> {
    let mut scope = Arc::new(Scope::default());
    let calls = &program.inside[pc];
    for depth in 0..=calls.len() {
        if let Some(Instruction::Enter { exchange, .. }) =
            depth.checked_sub(1).map(|call| &program.code[calls[call]])
        {
            scope = Arc::new(Scope::call(&scope, *exchange));
        }
        for at in program.loops_around(pc).filter(|at| program.inside[*at].len() == depth) {
            Arc::make_mut(&mut scope).set_loop(Loop { at, lost: true, ..Loop::default() });
        }
    }
    scope
}

impl Program {
    fn loops_around(&self, pc: Pc) -> impl Iterator<Item = Pc> {
        self.code[..pc].iter().enumerate().filter_map(move |(at, instruction)| match instruction {
            Instruction::Each(each) if pc < each.exit => Some(at),
            _ => None,
        })
    }
}
