//! Devices that begin an exchange by themselves and want an answer, and counters that run on beside it.

use std::sync::Arc;

use hsdiag::line::{Action, Direction, Span};
use hsdiag::machine::{Ending, Env, Item, ItemKind, Part, Program, Run, Sides};
use hsdiag::protocol::Table;
use hsdiag::simulate::{Options, Play, Played, device, observe};

const TABLE: &str = r#"
name = "alarm"
title = "A device that rings"
[line]
format = "8N1"
baud = [9600]
reply = "1 s"
[frames]
ask     = "10 count:u8=(last.count+1)%256"
answer  = "20 count:u8=(last.count+1)%256 load:bytes(40)"
ring    = "30 count:u8=(last.count+1)%256"
heard   = "40"
[exchanges]
ask  = "> ask < answer"
ring = { unsolicited = "30 ms", talk = "< ring > heard" }
[states]
ready = { may = ["ask", "ring"] }
[handshake]
run = "ask ask ask"
[device.knows]
load = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
"#;

fn played() -> (Arc<Program>, Played) {
    let (table, _) = Table::read("alarm", TABLE).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let program = Arc::new(Program::compile(Arc::new(table)));
    let played = Play::new(&program, Run::Handshake, Env::new()).play().expect("a table with a handshake");
    (program, played)
}

fn frames(items: &[Item], name: &str, direction: Direction) -> usize {
    let is = |item: &&Item| matches!(&item.kind, ItemKind::Frame(framed) if &*framed.frame == name);
    items.iter().filter(is).filter(|item| item.direction == direction).count()
}

#[test]
fn the_host_answers_what_the_device_begins_and_goes_on_with_its_own_run() {
    let (_, played) = played();
    assert_eq!(played.result.ending, Some(Ending::Done));
    let items = &played.result.items;
    let rings = frames(items, "ring", Direction::Rx);
    assert!(rings >= 2, "the device rang {rings} times");
    assert_eq!(frames(items, "heard", Direction::Tx), rings);
    assert_eq!(frames(items, "answer", Direction::Rx), 3);
}

#[test]
fn an_observer_follows_both_and_counts_on_through_frames_without_a_count() {
    let (program, played) = played();
    let (items, _) = observe(&program, &played.events, Sides::Both, &Env::new());
    let unclean: Vec<_> = items.iter().filter(|item| !item.is_clean()).collect();
    assert!(unclean.is_empty(), "{unclean:#?}");
    let answered = |item: &&Item| matches!(&item.kind, ItemKind::Frame(framed) if &*framed.frame == "heard" && framed.part == Part::Unsolicited);
    assert!(items.iter().filter(answered).count() >= 2);
}

#[test]
fn a_simulated_bus_begins_although_its_device_only_answers() {
    let text = TABLE.replace("unsolicited = \"30 ms\", ", "").replace("\"ask\", \"ring\"", "\"ask\"");
    let text = format!("{text}[poll]\nrun = \"ask\"\nevery = \"1 s\"\n")
        .replace("ring = { talk = \"< ring > heard\" }\n", "")
        .replace("ring    = \"30 count:u8=(last.count+1)%256\"\nheard   = \"40\"\n", "");
    let (table, _) = Table::read("asked", &text).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let options = Options { bus: true, ..Options::default() };
    let mut bus = device(&Arc::new(table), &options).expect("a table with a poll").task;

    let mut sent = 0;
    while sent < 10 {
        let next = bus.deadline().expect("the bus wants to be woken until it has spoken");
        bus.on_time(next + Span::from_nanos(1));
        while let Some(action) = bus.next_action() {
            sent += usize::from(matches!(action, Action::Send(_)));
        }
    }
}
