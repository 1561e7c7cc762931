//! Messages that come to the same: of the alternatives that fit, the first one leads wherever the others do, and knows as much.

use crate::frame::Name;

use super::program::{Instruction, Pc, Program, Step};

/// For each place in the program the first message that comes to the same as the one there; every other place stands for itself.
pub(super) fn equivalent(program: &Program) -> Vec<Pc> {
    let mut known: Vec<(Pc, Pc)> = Vec::new(); // where each kind of message leads, and the first of that kind
    let find = |pc: Pc| {
        let Some(step) = program.step(pc) else { return pc };
        let to = leads_to(program, pc + 1);
        let same = |other: Pc| program.step(other).is_some_and(|other| are_equivalent(program, other, step));
        let first = known.iter().find(|(end, other)| *end == to && same(*other)).map(|(_, other)| *other);
        first.unwrap_or_else(|| {
            known.push((to, pc));
            pc
        })
    };
    (0..program.code.len()).map(find).collect()
}

/// Past jumps.
fn leads_to(program: &Program, mut pc: Pc) -> Pc {
    for _ in 0..program.code.len() {
        match &program.code[pc] {
            Instruction::Jump(to) => pc = *to,
            _ => break,
        }
    }
    pc
}

/// Whether a thread learns the same of either, and goes on to say the same.
fn are_equivalent(program: &Program, one: &Step, other: &Step) -> bool {
    let names = &program.names;
    let binds_alike = one.binds.len() == other.binds.len()
        && one.binds.iter().zip(&other.binds).all(|(one, other)| {
            // An expression of several parts is only itself, for its parts know where they were written.
            let same_value = one.value.kind == other.value.kind && one.captures == other.captures;
            one.field == other.field && same_value
        });
    let followed = names.followed_of(one.frame);
    let mut learnt = followed.iter().chain(one.binds.iter().map(|bind| &bind.field));
    let reads_alike = |field: &Name| program.frame(one.frame).reads_as(program.frame(other.frame), field);
    one.direction == other.direction
        && one.every.is_none()
        && other.every.is_none()
        && binds_alike
        && followed == names.followed_of(other.frame)
        && !names.asks_for(one.frame)
        && !names.asks_for(other.frame)
        && learnt.all(reads_alike)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::protocol::Table;

    /// The frames of the messages that come to the same as an earlier one, and of that one.
    fn pairs(talk: &str) -> Vec<(String, String)> {
        let table = format!(
            r#"
name = "alternatives"
[line]
format = "8N1"
baud = [9600]
[frames]
low = {{ layout = "01 a:u8 b:u8 00", from = "device" }}
high = {{ like = "low", b = [1, 2], from = "device" }}
turned = {{ layout = "01 b:u8 a:u8 00", from = "device" }}
end = "02"
[exchanges]
talk = "{talk}"
[states]
ready = {{ may = ["talk"] }}
[device.knows]
a = 1
b = 1
"#
        );
        let (table, _) =
            Table::read("alternatives.toml", &table).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let program = Program::compile(Arc::new(table));
        let name = |pc: Pc| program.step(pc).map(|step| program.frame(step.frame).name().to_string());
        let pairs = equivalent(&program).into_iter().enumerate().filter(|(pc, first)| pc != first);
        pairs.filter_map(|(pc, first)| Some((name(pc)?, name(first)?))).collect()
    }

    #[test]
    fn alternatives_that_say_the_same_and_lead_to_the_same_place_are_one() {
        assert_eq!(pairs("> end ( < low(a) | < high(a) )"), [("high".into(), "low".into())]);
    }

    #[test]
    fn what_reads_a_field_elsewhere_is_another() {
        assert!(pairs("> end ( < low(a) | < turned(a) )").is_empty());
    }

    #[test]
    fn what_binds_something_else_is_another() {
        assert!(pairs("> end ( < low(a) | < high(b) )").is_empty());
        assert!(pairs("> end ( < low(a) | < high(a, b) )").is_empty());
        assert!(pairs("> end ( < low(a = 1) | < high(a = 2) )").is_empty());
    }

    #[test]
    fn what_leads_elsewhere_is_another() {
        assert!(pairs("> end ( < low(a) > end | < high(a) )").is_empty());
    }

    #[test]
    fn a_frame_that_is_asked_for_by_its_name_is_another() {
        assert!(pairs("> end ( < low(a) | < high(a) ) [low.b == 3]").is_empty());
    }
}
