//! Plays every shipped table against itself: its host against its device in virtual time, an observer beside them; then flips bits of
//! what passed, one at a time, and counts what the observer makes of each.
//!
//! `cargo run --release --example play-tables [-- [--flips N] [--talk] [TABLE…]]`; docs/tables.md holds what it prints. `--talk` prints
//! the conversations as well.

use std::sync::Arc;

use hsdiag::line::{Direction, LineEvent, Span};
use hsdiag::machine::{Ending, Env, Item, ItemKind, Program, Run, Sides};
use hsdiag::protocol::{Registry, Table};
use hsdiag::simulate::{Noticed, Play, Played, listen, notice, observe, whole_run};

/// Bits flipped in a talk, unless it has fewer or more are asked for.
const FLIPS: usize = 400;

const IMAGE: usize = 5_000;

struct Asked {
    flips: usize,
    talk: bool,
    tables: Vec<String>,
}

fn main() {
    let asked = asked();
    let registry = Registry::shipped();
    println!("| table | played | bytes | flags | flips: exactly / with consequences / later / unnoticed |");
    println!("| --- | --- | ---: | ---: | --- |");
    for source in registry.sources() {
        if !asked.tables.is_empty() && !asked.tables.iter().any(|name| **name == **source.name()) {
            continue;
        }
        match source.table() {
            Ok(table) => play(table, &asked),
            Err(_) => println!("| {} | does not read | | | |", source.name()),
        }
    }
}

fn asked() -> Asked {
    let mut asked = Asked { flips: FLIPS, talk: false, tables: Vec::new() };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--flips" => asked.flips = args.next().and_then(|n| n.parse().ok()).unwrap_or(FLIPS),
            "--talk" => asked.talk = true,
            _ => asked.tables.push(arg),
        }
    }
    asked
}

fn play(table: &Arc<Table>, asked: &Asked) {
    let program = Arc::new(Program::compile(Arc::clone(table)));
    let Some(run) = whole_run(table) else {
        let events = listen(&program, Span::from_secs(4));
        return tell(table, "listened for 4 s", &program, &events, asked);
    };
    let mut chance = fastrand::Rng::with_seed(5);
    let base = table.flash.as_ref().map_or(0, |flash| flash.base);
    let image: Vec<u8> = (0..IMAGE).map(|_| chance.u8(..)).collect();
    let env = Env::new().with_image(&table.device.memory, base, image.clone());
    let played = match Play::new(&program, Run::Talk(run), env.clone()).play() {
        Ok(played) => played,
        Err(error) => return println!("| {} | {error} | | | |", table.name),
    };
    if asked.talk {
        println!("host:");
        played.result.items.iter().for_each(|item| println!("{}", line(item)));
    }
    tell(table, &outcome(table, &played, base, &image), &program, &played.events, asked);
}

/// What an observer makes of the clean talk, and of each flipped bit.
fn tell(table: &Table, outcome: &str, program: &Arc<Program>, events: &[LineEvent], asked: &Asked) {
    if events.is_empty() {
        return println!("| {} | nothing is said: a dictionary | | | |", table.name);
    }
    let (items, _) = observe(program, events, Sides::Both, &Env::new());
    let flags = items.iter().filter(|item| !item.is_clean()).count();
    if asked.talk {
        println!("observer:");
        items.iter().for_each(|item| println!("{}", line(item)));
    }
    let [exactly, consequences, later, unnoticed] = flip(program, events, asked.flips);
    let name = &table.name;
    let bytes = events.len();
    println!(
        "| {name} | {outcome} | {bytes} | {flags} | {exactly} / {consequences} / {later} / {unnoticed} |"
    );
}

fn outcome(table: &Table, played: &Played, base: u64, image: &[u8]) -> String {
    match &played.result.ending {
        Some(Ending::Done) if table.flash.is_some() => {
            match played.device.device().memory().read(base, image.len()) {
                Ok(written) if written[..] == *image => "flash, memory equal".into(),
                Ok(_) => "flash, MEMORY DIFFERS".into(),
                Err(error) => format!("flash, memory elsewhere ({error})"),
            }
        }
        Some(Ending::Done) => "handshake and poll".into(),
        other => format!("ENDED {other:?}"),
    }
}

/// Every bit of a short talk, a seeded sample of a long one.
fn flip(program: &Arc<Program>, events: &[LineEvent], most: usize) -> [usize; 4] {
    let mut chance = fastrand::Rng::with_seed(41);
    let bits = events.len() * 8;
    let mut counts = [0; 4];
    for flip in 0..bits.min(most) {
        let bit = if bits <= most { flip } else { chance.usize(..bits) };
        let noticed = notice(program, events, &Env::new(), bit / 8, (bit % 8) as u8);
        counts[match noticed {
            Noticed::Exactly => 0,
            Noticed::WithConsequences => 1,
            Noticed::Later => 2,
            Noticed::Unnoticed => 3,
        }] += 1;
    }
    counts
}

fn line(item: &Item) -> String {
    let hex: Vec<String> = item.bytes.iter().take(20).map(|byte| format!("{byte:02X}")).collect();
    let arrow = if item.direction == Direction::Tx { '>' } else { '<' };
    let what = match &item.kind {
        ItemKind::Frame(framed) => {
            let wrong: Vec<String> = framed
                .wrong
                .iter()
                .map(|wrong| format!("; wrong at {}: {}", wrong.at, wrong.expected))
                .collect();
            format!(
                "{} ({}) {:?}{}",
                framed.frame,
                framed.exchange.as_deref().unwrap_or("-"),
                framed.part,
                wrong.concat()
            )
        }
        ItemKind::Unexpected(unexpected) => {
            let expected: Vec<String> = unexpected
                .expected
                .iter()
                .map(|candidate| match &candidate.wrong {
                    Some(wrong) => format!("{} (at {}: {})", candidate.frame, wrong.at, wrong.expected),
                    None => candidate.frame.to_string(),
                })
                .collect();
            format!("UNEXPECTED, expected {}", expected.join(", "))
        }
        other => format!("{other:?}"),
    };
    let state = item.state.as_deref().unwrap_or("?");
    format!("{:10.4} {arrow} [{state}] {}  {what}", item.at.secs(), hex.join(" "))
}
