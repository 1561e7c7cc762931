//! With which bytes conversations begin, state by state: most bytes of a stream begin none, and are done with at once.

use crate::protocol::StateId;

use super::closure::Closure;
use super::facts::Facts;
use super::program::Program;
use super::states::States;
use super::thread::Thread;
use super::view::{Ground, Role};

/// For each byte the states in which some exchange can begin with it.
pub(super) fn openers(program: &Program) -> [States; 256] {
    let facts = Facts::default();
    let ground = Ground { program, facts: &facts, memory: None, role: Role::Observer };
    let closure = Closure { ground, unheard: None };
    let mut openers = [States::default(); 256];
    for state in (0..program.table.states.len()).map(|state| States::one(StateId(state))) {
        let begun = closure.of([Thread::resting(program, state, &Default::default())]);
        for step in begun.iter().filter_map(|thread| program.step(thread.pc)) {
            for byte in (0..=u8::MAX).filter(|byte| program.may_begin_with(step.frame, *byte)) {
                let known = &mut openers[usize::from(byte)];
                *known = known.or(state);
            }
        }
    }
    openers
}
