//! Loops of a talk: so many times, and over data, known or heard.

use bytes::Bytes;

use crate::frame::{Blob, Value};

use super::closure::{Closure, Next};
use super::program::{Each, Instruction, Pc};
use super::scope::{Known, Loop};
use super::thread::Thread;
use super::view::{Role, View};

impl Closure<'_> {
    pub(super) fn count(&self, thread: &mut Thread, least: u32, most: u32, exit: Pc) -> Next<'_> {
        let pc = thread.pc;
        let rounds = thread.place.scope.loop_at(pc).map_or(0, |state| state.index);
        let mut out = thread.clone();
        out.scope().end_loop(pc);
        out.pc = exit;
        thread.pc += 1;
        if rounds >= most.into() {
            Next::Forks(vec![out])
        } else if rounds >= least.into() {
            Next::Forks(vec![thread.clone(), out])
        } else {
            Next::On
        }
    }

    pub(super) fn each(&self, thread: &mut Thread, each: &Each) -> Next<'_> {
        let pc = thread.pc;
        let state = thread.place.scope.loop_at(pc).cloned().unwrap_or(Loop { at: pc, ..Loop::default() });
        let known = View::new(self.ground, &thread.place).find(each.data).ok().flatten();
        if let Some((Value::Bytes(data), _)) = known {
            if state.offset >= data.bytes.len() as u64 {
                end_each(thread, each);
                return Next::On;
            }
            begin_known(thread, each, state, data);
            return Next::On;
        }
        if let Some((Value::List(values), _)) = known {
            let value = usize::try_from(state.index).ok().and_then(|index| values.get(index).cloned());
            match value {
                Some(value) => begin_value(thread, each, state, value),
                None => end_each(thread, each),
            }
            return Next::On;
        }
        let total = each
            .total
            .as_ref()
            .and_then(|total| View::new(self.ground, &thread.place).value(total).ok().flatten()?.as_int());
        if let Some(total) = total
            && state.gathered.len() as i128 >= total
        {
            let data = cut(state.gathered.bytes(), total);
            end_each(thread, each);
            thread.scope().set_value(each.data, Value::bytes(data));
            return Next::On;
        }
        let out = (total.is_none() && state.index > 0 || state.lost).then(|| {
            let mut out = thread.clone();
            end_each(&mut out, each);
            if !state.lost {
                out.scope().set_value(each.data, Value::bytes(state.gathered.bytes()));
            }
            out
        });
        begin_unknown(thread, each, state, total);
        self.ask_for(thread, each);
        match out {
            // Whoever does not know the length goes on with the loop first, and out of it second.
            Some(out) => Next::Forks(vec![thread.clone(), out]),
            None => Next::On,
        }
    }

    /// In a run it is the host who decides how much it wants, and from where.
    fn ask_for(&self, thread: &mut Thread, each: &Each) {
        if self.ground.role != Role::Host || thread.place.scope.exchange.is_some() {
            return;
        }
        let number = |key| match thread.place.scope.get(key) {
            Some(Known::Value(Value::Int(number))) => u64::try_from(*number).ok(),
            _ => None,
        };
        let view = View::new(self.ground, &thread.place);
        let by = view.value(&each.by).ok().flatten().and_then(|by| u64::try_from(by.as_int()?).ok());
        let (at, offset, left) = (number(each.base), number(each.piece.offset), number(each.piece.left));
        if let (Some(at), Some(offset)) = (at, offset) {
            thread.scope().set_number(each.piece.at, at.wrapping_add(offset));
        }
        if let (Some(by), Some(left)) = (by, left) {
            let wanted = match (each.align, each.pad) {
                (Some(align), _) if align > 0 => by.min(left).next_multiple_of(align),
                (_, Some(_)) => by,
                _ => by.min(left),
            };
            thread.scope().set_number(each.piece.size, wanted);
        }
    }

    /// The end of a round: what its piece was moves the loop on.
    pub(super) fn back(&self, thread: &mut Thread, start: Pc) {
        let Instruction::Each(each) = &self.ground.program.code[start] else { return };
        let view = View::new(self.ground, &thread.place);
        let number = |key| match thread.place.scope.get(key) {
            Some(Known::Value(Value::Int(number))) => u64::try_from(*number).ok(),
            _ => None,
        };
        let mut state =
            thread.place.scope.loop_at(start).cloned().unwrap_or(Loop { at: start, ..Loop::default() });
        if state.lost {
            if let Some(offset) = number(each.piece.offset) {
                state.offset = offset;
                state.gathered.resize(offset as usize);
                state.lost = false;
            }
            if let Some(index) = number(each.piece.index) {
                state.index = index;
                state.lost = false;
            }
        }
        let piece = match view.find(each.piece.name) {
            Ok(Some((Value::Bytes(piece), _))) => Some(piece.bytes),
            _ => None,
        };
        match piece {
            Some(piece) => {
                state.offset = state.offset.saturating_add(piece.len() as u64);
                state.gathered.push(piece);
            }
            None => state.lost |= self.ground.role == Role::Observer,
        }
        state.index += 1;
        if let Some(next) = &each.next {
            match view.value(next).ok().flatten().and_then(|next| u64::try_from(next.as_int()?).ok()) {
                Some(next) => {
                    state.offset = next;
                    state.gathered.resize(usize::try_from(next).unwrap_or(usize::MAX));
                }
                None => state.lost |= self.ground.role == Role::Observer,
            }
        }
        // A peer that sets the pace may send the loop back, and not for ever.
        let ahead = each.next.is_none() || state.offset > state.farthest;
        thread.agains = if ahead { 0 } else { thread.agains + 1 };
        state.farthest = state.farthest.max(state.offset);
        thread.scope().set_loop(state);
        thread.pc = start;
    }
}

/// The sender of known data: the next piece, with its names.
fn begin_known(thread: &mut Thread, each: &Each, state: Loop, data: Blob) {
    let offset = state.offset;
    let len = data.bytes.len() as u64;
    let scope = thread.scope();
    scope.set_number(each.piece.index, state.index);
    scope.set_number(each.piece.offset, offset);
    scope.set_number(each.piece.at, data.at.wrapping_add(offset));
    scope.set_number(each.piece.left, len - offset);
    scope.set(each.piece.name, Known::Piece { data, offset: offset as usize, each: state.at });
    scope.set_loop(state);
    thread.pc += 1;
}

/// The next value of a list.
fn begin_value(thread: &mut Thread, each: &Each, state: Loop, value: Value) {
    let scope = thread.scope();
    scope.set_number(each.piece.index, state.index);
    scope.set_value(each.piece.name, value);
    scope.set_loop(state);
    thread.pc += 1;
}

/// Whoever does not hold the data: the next piece is heard; its place is known unless it was lost.
fn begin_unknown(thread: &mut Thread, each: &Each, state: Loop, total: Option<i128>) {
    let scope = thread.scope();
    scope.forget(each.piece.name);
    if state.lost {
        scope.forget(each.piece.index);
        scope.forget(each.piece.offset);
        scope.forget(each.piece.left);
    } else {
        let offset = state.gathered.len() as u64;
        scope.set_number(each.piece.index, state.index);
        scope.set_number(each.piece.offset, offset);
        match total.and_then(|total| u64::try_from(total).ok()) {
            Some(total) => scope.set_number(each.piece.left, total.saturating_sub(offset)),
            None => scope.forget(each.piece.left),
        }
    }
    scope.set_loop(state);
    thread.pc += 1;
}

fn end_each(thread: &mut Thread, each: &Each) {
    let pc = thread.pc;
    let scope = thread.scope();
    scope.end_loop(pc);
    let piece = &each.piece;
    for key in [piece.name, piece.index, piece.offset, piece.left, piece.at, piece.size] {
        scope.forget(key);
    }
    thread.pc = each.exit;
}

fn cut(bytes: Bytes, total: i128) -> Bytes {
    let total = usize::try_from(total).unwrap_or(0).min(bytes.len());
    bytes.slice(..total)
}
