//! A small table for tests: a meter that is asked and answers with a reading.

use std::sync::Arc;

use crate::protocol::Table;

use super::program::Program;

const METER: &str = r#"
name = "meter"
[line]
format = "8N1"
baud = [9600]
[frames]
ask = "3F"
reading = "68 n:u8=size(data) data:text(n) sum8(n..data) 16"
[exchanges]
read = "> ask < reading"
[states]
ready = { may = ["read"] }
[device.knows]
data = "1B"
"#;

/// What it answers.
pub(crate) const READING: [u8; 6] = [0x68, 0x02, 0x31, 0x42, 0x75, 0x16];

pub(crate) fn meter() -> Program {
    let (table, _) = Table::read("meter.toml", METER).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    Program::compile(Arc::new(table))
}
