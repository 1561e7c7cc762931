//! What can be said of bytes that do not fit: what could have come, and what they would be elsewhere in the table.

use crate::frame::{Nothing, Outcome};
use crate::line::Direction;
use crate::protocol::{FrameId, StateId};

use super::hear::Wrong;
use super::item::{Candidate, Elsewhere, Unexpected};
use super::look::SAYS_SOMETHING;
use super::meanings;
use super::program::{Instruction, Pc, Program};
use super::thread::Thread;

/// More than this is not told.
const MOST: usize = 8;

/// Describes bytes of one side that no thread accepted. `wrong` is what [`Offer::to`](super::hear::Offer::to) said of each thread.
pub(super) fn describe(program: &Program, bytes: &[u8], threads: &[Thread], wrong: &[Wrong]) -> Unexpected {
    let within = threads.first().map_or_else(Vec::new, |first| program.exchanges_at(first.pc));
    Unexpected {
        expected: expected(program, threads, Some(Direction::Rx), wrong),
        elsewhere: elsewhere(program, bytes),
        said: meanings::of_bytes(&program.table, bytes, &within),
    }
}

/// What could have come, and why it is not that; first what could have come from this side.
pub(super) fn expected(
    program: &Program,
    threads: &[Thread],
    from: Option<Direction>,
    wrong: &[Wrong],
) -> Vec<Candidate> {
    let mut expected: Vec<Candidate> = Vec::new();
    for (index, thread) in threads.iter().enumerate() {
        let Some(step) = program.step(thread.pc) else { continue };
        let candidate = Candidate {
            frame: program.frame(step.frame).name().clone(),
            exchange: program.exchange_at(thread.pc).map(|id| program.exchange(id).name.clone()),
            direction: step.direction,
            wrong: wrong.iter().find(|wrong| wrong.thread == index).map(|wrong| wrong.mismatch.clone()),
        };
        let same = |known: &Candidate| {
            (&known.frame, known.direction, &known.wrong)
                == (&candidate.frame, candidate.direction, &candidate.wrong)
        };
        if !expected.iter().any(same) {
            expected.push(candidate);
        }
    }
    expected.sort_by_key(|candidate| from.is_some_and(|from| from != candidate.direction));
    expected.truncate(MOST);
    expected
}

/// What the bytes would be elsewhere in this table: whole frames first, then beginnings, then named values of one byte.
pub(super) fn elsewhere(program: &Program, bytes: &[u8]) -> Vec<Elsewhere> {
    let mut found = Vec::new();
    for direction in [Direction::Rx, Direction::Tx] {
        for &frame in program.said_by(direction) {
            match program.frame(frame).recognise(bytes, true, &Nothing) {
                Outcome::Complete(reading)
                    if reading.len == bytes.len()
                        && program.chance(frame).bits(&reading.values, reading.len) >= SAYS_SOMETHING =>
                {
                    found.push((0, at(program, frame, None, true)));
                }
                _ if program.begins_with(frame, bytes) => found.push((1, at(program, frame, None, false))),
                _ => {}
            }
        }
    }
    if let [byte] = bytes {
        found.extend(named(program, (*byte).into()).map(|value| (2, value)));
    }
    found.sort_by_key(|(order, _)| *order);
    let mut told: Vec<Elsewhere> = Vec::new();
    for (_, elsewhere) in found {
        if !told.contains(&elsewhere) && told.len() < MOST {
            told.push(elsewhere);
        }
    }
    told
}

/// Fields that have a name for this number.
fn named(program: &Program, number: i128) -> impl Iterator<Item = Elsewhere> {
    let has =
        move |values: &Vec<crate::protocol::NamedValue>| values.iter().any(|named| named.value == number);
    program.table.values.iter().filter(move |(_, values)| has(values)).filter_map(|(field, _)| {
        let holds = |frame: &FrameId| program.frame(*frame).layout().names().contains(field);
        let said = program.said_by.iter().flatten().find(|frame| holds(frame))?;
        Some(at(program, *said, Some(field.clone()), false))
    })
}

fn at(program: &Program, frame: FrameId, field: Option<crate::frame::Name>, whole: bool) -> Elsewhere {
    let sends = |pc: &Pc| matches!(&program.code[*pc], Instruction::Message(step) if step.frame == frame);
    let pc = (0..program.code.len()).find(sends);
    let conversation = pc.and_then(|pc| program.conversation_at(pc));
    let state = conversation.and_then(|id| {
        let may = program.may_begin[id.0];
        (0..program.table.states.len()).find(|state| may.has(StateId(*state)))
    });
    Elsewhere {
        frame: program.frame(frame).name().clone(),
        field,
        exchange: pc.and_then(|pc| program.exchange_at(pc)).map(|id| program.exchange(id).name.clone()),
        state: state.map(|state| program.table.states[state].name.clone()),
        whole,
    }
}
