use std::sync::Arc;

use super::*;
use crate::line::{Baud, Format};

/// Two questions on a bus; the second is known, but not in this state.
const BUS: &str = r#"
name = "bus"
[line]
format = "8N1"
baud = [9600]
gap = "40 bits"
[frames]
ask = "3A address:u8 sum8(..)"
never = "3C address:u8 sum8(..)"
reset = "3D"
yes = "3B address:u8"
no = "15"
[exchanges]
ask = { with = ["address"], talk = "> ask(address) < yes(address = station)" }
never = { with = ["address"], talk = "> never(address) < yes(address = station)" }
reset = "> reset < yes(address = station) -> other"
[states]
ready = { may = ["ask", "reset"] }
other = { may = ["never"] }
[refusals]
frames = ["no"]
state = "no"
[device]
hears = "address == station || address == 0"
[device.knows]
station = 5
"#;

/// Two exchanges that begin with the same question and the same answer.
const ALIKE: &str = r#"
name = "alike"
[line]
format = "8N1"
baud = [9600]
[frames]
open = "4F"
yes = "79"
one = "31"
two = "32"
[exchanges]
open = "> open < yes"
first = "open > one < yes"
second = "open > two < yes"
[states]
ready = { may = ["first", "second"] }
"#;

fn said(bytes: &[u8]) -> Vec<u8> {
    said_by(BUS, bytes)
}

/// What a device says to these bytes, and to the silence behind them.
fn said_by(table: &str, bytes: &[u8]) -> Vec<u8> {
    let (table, _) = Table::read("bus.toml", table).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let program = Arc::new(Program::compile(Arc::new(table)));
    let settings = Settings::new(Baud::nearest(9600.0), Format::N8);
    let mut device = Device::new(program, &Env::new(), settings);
    let mut at = Instant::ZERO;
    for byte in bytes {
        at += settings.character_time();
        device.on_event(&LineEvent::byte(at, Direction::Tx, *byte));
    }
    device.on_time(at + Span::from_millis(500));
    let mut said = Vec::new();
    while let Some(output) = device.next_output() {
        if let Output::Send { bytes, .. } = output {
            said.extend(bytes);
        }
    }
    said
}

#[test]
fn a_device_answers_what_is_meant_for_it() {
    assert_eq!(said(&[0x3A, 5, 0x3F]), [0x3B, 5]);
    assert_eq!(said(&[0x3A, 0, 0x3A]), [0x3B, 5]);
}

#[test]
fn a_frame_for_another_device_is_neither_answered_nor_refused() {
    assert_eq!(said(&[0x3A, 6, 0x40]), b"");
    assert_eq!(said(&[0x3C, 6, 0x42]), b"", "nor is one that is wrong here");
    assert_eq!(said(&[0x3A, 6, 0x40, 0x3A, 5, 0x3F]), [0x3B, 5], "and the next one is heard");
}

#[test]
fn a_frame_at_the_wrong_moment_is_refused_by_the_one_it_is_meant_for() {
    assert_eq!(said(&[0x3C, 5, 0x41]), [0x15]);
}

#[test]
fn a_frame_without_an_address_is_for_everybody() {
    assert_eq!(said(&[0x3D]), [0x3B, 5]);
}

#[test]
fn exchanges_that_begin_alike_part_where_the_host_says_which_it_meant() {
    assert_eq!(said_by(ALIKE, b"O1"), *b"yy");
    assert_eq!(said_by(ALIKE, b"O2"), *b"yy");
}
