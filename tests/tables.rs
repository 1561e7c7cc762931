//! Every shipped table is held to the same promises.

use std::sync::Arc;

use hsdiag::line::{LineEvent, Span};
use hsdiag::machine::{Ending, Env, Item, ItemKind, Observer, Program, Run, Score, Sides, check_vector};
use hsdiag::protocol::{Flash, FlashRun, Registry, Table};
use hsdiag::simulate::{Fault, Play, Played, listen, observe, settings, whole_run};

fn programs() -> Vec<Arc<Program>> {
    let (tables, mistakes) = Registry::shipped().all();
    assert!(mistakes.is_empty(), "{} tables do not read", mistakes.len());
    tables.into_iter().map(|table| Arc::new(Program::compile(table))).collect()
}

/// What a table's host needs beside the table: an image, where it flashes.
fn env(table: &Table) -> Env {
    let mut chance = fastrand::Rng::with_seed(5);
    let image: Vec<u8> = (0..700).map(|_| chance.u8(..)).collect();
    Env::new().with_image(&table.device.memory, table.flash.as_ref().map_or(0, |flash| flash.base), image)
}

fn play(program: &Arc<Program>) -> Option<Played> {
    let run = whole_run(program.table())?;
    Some(Play::new(program, Run::Talk(run), env(program.table())).play().expect("the run begins"))
}

/// What passes when the table is played, or when its device is listened to.
fn talk(program: &Arc<Program>) -> Vec<LineEvent> {
    match play(program) {
        Some(played) => played.events,
        None => listen(program, Span::from_secs(4)),
    }
}

/// The same without a digest of what was written: where what was seen was damaged on its way, that rightly differs from it.
fn talk_without_digest(program: &Arc<Program>) -> Vec<LineEvent> {
    let digests = |flash: &&Flash| flash.run(FlashRun::Verify).is_some();
    let Some(flash) = program.table().flash.as_ref().filter(digests) else { return talk(program) };
    let runs = flash.runs.iter().filter(|(run, _)| *run != FlashRun::Verify && *run != FlashRun::Read);
    let run = Flash { runs: runs.cloned().collect(), ..flash.clone() }.whole();
    Play::new(program, Run::Talk(run), env(program.table())).play().expect("the run begins").events
}

fn observed(program: &Arc<Program>, events: &[LineEvent]) -> (Vec<Item>, Score) {
    observe(program, events, Sides::Both, &Env::new())
}

/// Gathers what is wrong with each table, so that one run names them all.
fn every_table(check: impl Fn(&Arc<Program>) -> Result<(), String>) {
    let wrong: Vec<String> = programs()
        .iter()
        .filter_map(|program| check(program).err().map(|says| format!("{}: {says}", program.table().name)))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_host_finishes_against_its_device_and_the_memory_is_what_was_written() {
    every_table(|program| {
        let Some(played) = play(program) else { return Ok(()) };
        if played.result.ending != Some(Ending::Done) {
            return Err(format!(
                "ended with {:?}; last {:?}",
                played.result.ending,
                played.result.items.last()
            ));
        }
        let table = program.table();
        let Some(flash) = &table.flash else { return Ok(()) };
        let env = env(table);
        let image = env.get("image").and_then(|image| image.as_bytes()).expect("an image was given");
        match played.device.device().memory().read(flash.base, image.len()) {
            Ok(written) if written[..] == *image => Ok(()),
            Ok(_) => Err("the memory holds something else".into()),
            Err(error) => Err(error.to_string()),
        }
    });
}

#[test]
fn an_observer_finds_nothing_wrong_with_a_clean_talk() {
    every_table(|program| {
        let (items, _) = observed(program, &talk(program));
        match items.iter().find(|item| !item.is_clean()) {
            Some(flag) => Err(format!("{flag:?}")),
            None => Ok(()),
        }
    });
}

#[test]
fn every_frame_that_was_heard_is_explained() {
    every_table(|program| {
        let (_, score) = observed(program, &talk(program));
        let all = score.explained == score.bytes && (score.bytes == 0 || score.log_weight > 0.0);
        if all { Ok(()) } else { Err(format!("{score:?}")) }
    });
}

#[test]
fn every_vector_holds() {
    every_table(|program| {
        let table = program.table();
        let wrong: Vec<String> = table
            .vectors
            .iter()
            .filter_map(|vector| Some(check_vector(table, vector).err()?.to_string()))
            .collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    });
}

#[test]
fn an_observer_finds_back_after_a_flipped_bit() {
    every_table(|program| {
        let talk = talk_without_digest(program);
        let half = talk.len() / 2;
        if half < 20 {
            return Ok(());
        }
        let mut chance = fastrand::Rng::with_seed(41);
        let mut lost = Vec::new();
        for _ in 0..10 {
            let (index, bit) = (chance.usize(..half), chance.u8(..8));
            let mut events = talk.clone();
            if let hsdiag::line::Seen::Byte(byte) = events[index].seen {
                events[index].seen = hsdiag::line::Seen::Byte(byte ^ 1 << bit);
            }
            let (items, _) = observed(program, &events);
            let last = items.iter().rev().find(|item| !matches!(item.kind, ItemKind::Settings { .. }));
            let clean = |item: &Item| matches!(item.kind, ItemKind::Frame(_)) && item.is_clean();
            if !last.is_some_and(clean) {
                lost.push(format!("byte {index} bit {bit}"));
            }
        }
        // Without checksums a flipped bit may send a talk another way; most talks find back from most flips.
        if lost.len() <= 3 { Ok(()) } else { Err(format!("lost after {} (seed 41)", lost.join(", "))) }
    });
}

#[test]
fn every_host_comes_to_an_end_whatever_its_device_does() {
    let faults = [
        Fault::Silent,
        Fault::Refuse,
        Fault::WrongChecksum,
        Fault::Garbage,
        Fault::Truncate,
        Fault::Loopback,
    ];
    every_table(|program| {
        let Some(run) = whole_run(program.table()) else { return Ok(()) };
        for fault in faults {
            let env = env(program.table());
            let play = Play { fault: Some(fault), ..Play::new(program, Run::Talk(run.clone()), env) };
            let played = play.play().expect("the run begins");
            if played.result.ending.is_none() {
                return Err(format!("{fault:?}: still at it after {:?}", played.took));
            }
        }
        Ok(())
    });
}

#[test]
fn no_other_table_explains_a_talk_as_well_as_its_own() {
    let all = programs();
    let weight = |program: &Arc<Program>, events: &[LineEvent]| {
        let settings = settings(program.table());
        let mut observer = Observer::scoring(Arc::clone(program), Sides::Both, settings, &Env::new());
        events.iter().for_each(|event| observer.on_event(event));
        observer.finish();
        observer.score().log_weight
    };
    every_table(|program| {
        let mut talk = talk(program);
        // A start of it, up to a turnaround: no frame is cut.
        let turns = (400..talk.len()).find(|at| talk[*at].direction != talk[at - 1].direction);
        talk.truncate(turns.unwrap_or(talk.len()).min(3_000));
        if talk.is_empty() {
            return Ok(());
        }
        let own = weight(program, &talk);
        let others = all.iter().filter(|other| other.table().name != program.table().name);
        let better: Vec<String> = others
            .map(|other| (weight(other, &talk), &other.table().name))
            .filter(|(weight, _)| *weight >= own)
            .map(|(weight, name)| format!("{name} {weight:.0}"))
            .collect();
        if better.is_empty() { Ok(()) } else { Err(format!("own {own:.0}, but {}", better.join(", "))) }
    });
}
