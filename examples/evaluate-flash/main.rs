//! Flash sessions over every table that flashes, with mishaps on the line and in the device: what the host says of each, and what the
//! device then holds. The one thing that must never be: "verified", and a memory that differs from the image.
//!
//! `cargo run --release --example evaluate-flash [-- [--sessions N] [--seed S] [--json] [--verbose] [TABLE…]]`;
//! docs/flash-evaluation.md holds what it prints. Exit code 1 when the rule was broken.

mod session;
mod tally;

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use hsdiag::protocol::Registry;
use hsdiag::simulate::Mishap;

use session::{Claim, Flasher, Weather};
use tally::Tally;

struct Asked {
    sessions: usize,
    seed: u64,
    json: bool,
    verbose: bool,
    tables: Vec<String>,
}

/// How rough the line is: one character in so many meets a mishap.
const ROUGH: [u32; 4] = [400, 1_000, 3_000, 10_000];

fn main() -> ExitCode {
    let asked = asked();
    let registry = Registry::shipped();
    let mut flashers = Vec::new();
    for source in registry.sources() {
        if !asked.tables.is_empty() && !asked.tables.iter().any(|name| **name == **source.name()) {
            continue;
        }
        let Ok(table) = source.table() else { continue };
        match Flasher::of(table) {
            Some(flasher) => flashers.push(flasher),
            None if table.flash.is_some() => {
                eprintln!("{}: does not flash itself on a clean line", table.name)
            }
            None => {}
        }
    }
    let begun = Instant::now();
    let each = asked.sessions.div_ceil(flashers.len().max(1));
    let tallies: Vec<Tally> = flashers.iter().map(|flasher| evaluate(flasher, each, &asked)).collect();
    if asked.json {
        tally::json(&tallies, asked.seed);
    } else {
        tally::table(&tallies, asked.seed, begun.elapsed());
    }
    match tallies.iter().all(|tally| tally.wrongly == 0) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn asked() -> Asked {
    let mut asked = Asked { sessions: 20_000, seed: 1, json: false, verbose: false, tables: Vec::new() };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut number = || args.next().and_then(|n| n.parse().ok());
        match arg.as_str() {
            "--sessions" => asked.sessions = number().unwrap_or(20_000) as usize,
            "--seed" => asked.seed = number().unwrap_or(1),
            "--json" => asked.json = true,
            "--verbose" => asked.verbose = true,
            _ => asked.tables.push(arg),
        }
    }
    asked
}

/// All sessions of a table, on as many threads as the machine has; each session hangs on its own seed alone.
fn evaluate(flasher: &Flasher, sessions: usize, asked: &Asked) -> Tally {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let begun = Instant::now();
    let mut whole = Tally::of(flasher);
    std::thread::scope(|scope| {
        let work = || {
            let mut tally = Tally::of(flasher);
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= sessions {
                    return tally;
                }
                let seed =
                    fastrand::Rng::with_seed(asked.seed.wrapping_mul(1_000_003) ^ index as u64).u64(..);
                let outcome = flasher.session(seed, weather(index));
                if asked.verbose && (outcome.claim == Claim::Failed || outcome.is_wrong()) {
                    let ended = &outcome.ended;
                    eprintln!("{} {seed:#x}: {ended:?}, {outcome:?}", flasher.name());
                }
                tally.count(&outcome);
            }
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().filter_map(|worker| worker.join().ok()).for_each(|tally| whole.add(&tally));
    });
    whole.took = begun.elapsed();
    whole
}

/// Every roughness in turn; in one session of three something befalls the device as well, each thing in turn.
fn weather(index: usize) -> Weather {
    let one_in = ROUGH[index % ROUGH.len()];
    let turn = index / ROUGH.len();
    let device = turn.is_multiple_of(3).then(|| Mishap::OF_DEVICE[turn / 3 % Mishap::OF_DEVICE.len()]);
    Weather { one_in, device }
}
