//! Every shipped table played against itself. `cargo run --release --example play-tables [TABLE…]`
use std::sync::Arc;

use hsdiag::line::Direction;
use hsdiag::machine::{Env, Item, ItemKind, Program, Run, Sides};
use hsdiag::protocol::Registry;
use hsdiag::simulate::{Play, observe};

fn show(item: &Item) -> String {
    let hex: Vec<String> = item.bytes.iter().take(20).map(|b| format!("{b:02X}")).collect();
    let arrow = if item.direction == Direction::Tx { ">" } else { "<" };
    let what = match &item.kind {
        ItemKind::Frame(f) => format!(
            "{} ({:?}) {:?} {}",
            f.frame,
            f.exchange.as_deref(),
            f.part,
            f.wrong
                .iter()
                .map(|w| format!("WRONG at {}: {}", w.at, w.expected))
                .collect::<Vec<_>>()
                .join("; ")
        ),
        ItemKind::Unexpected(u) => format!(
            "UNEXPECTED expected {:?} elsewhere {:?}",
            u.expected
                .iter()
                .map(|c| (&*c.frame, c.wrong.as_ref().map(|w| (w.at, &w.expected))))
                .collect::<Vec<_>>(),
            u.elsewhere.iter().map(|e| &*e.frame).collect::<Vec<_>>()
        ),
        ItemKind::Silence(s) => format!("SILENCE after {:?}, expected {:?}", s.after, s.expected),
        other => format!("{other:?}"),
    };
    format!(
        "{:10.4} {arrow} [{}] {}  {what}",
        item.at.secs(),
        item.state.as_deref().unwrap_or("?"),
        hex.join(" ")
    )
}

fn main() {
    let only: Vec<String> = std::env::args().skip(1).filter(|a| a != "-v").collect();
    let verbose = std::env::args().any(|a| a == "-v");
    let registry = Registry::shipped();
    for source in registry.sources() {
        if !only.is_empty() && !only.iter().any(|n| **n == **source.name()) {
            continue;
        }
        let table = match source.table() {
            Ok(t) => t,
            Err(m) => {
                println!("{}: DOES NOT READ: {m:.200}", source.name());
                continue;
            }
        };
        let program = Arc::new(Program::compile(Arc::clone(table)));
        let mut runs = vec![];
        if table.handshake.is_some() {
            runs.push(("handshake", Run::Handshake));
        }
        if table.poll.is_some() {
            runs.push(("poll", Run::Poll));
        }
        if table.probe.is_some() {
            runs.push(("probe", Run::Probe));
        }
        if table.flash.is_some() {
            runs.push(("flash", Run::Flash));
        }
        for (name, run) in runs {
            let mut env = Env::new();
            if name == "flash" {
                let mut rng = fastrand::Rng::with_seed(5);
                let image: Vec<u8> = (0..5000).map(|_| rng.u8(..)).collect();
                env = env.with_image("image", table.flash.as_ref().map_or(0, |f| f.base), image);
            }
            let started = std::time::Instant::now();
            match Play::new(&program, run, env.clone()).play() {
                Err(e) => println!("{}: {name}: {e}", table.name),
                Ok(played) => {
                    let took = started.elapsed();
                    let (items, score) = observe(&program, &played.events, Sides::Both, &env);
                    let flags = items.iter().filter(|i| !i.is_clean()).count();
                    let (shared, sscore) = observe(&program, &played.events, Sides::Shared, &env);
                    let sflags = shared.iter().filter(|i| !i.is_clean()).count();
                    println!(
                        "{:14} {name:9} {:?} sent {} heard {} items {} | observer {} items, {flags} flags, valid {} weight {:.0} | shared {sflags} flags {:.0} | {took:.0?}",
                        &*table.name,
                        played.result.ending,
                        played.result.sent,
                        played.result.heard,
                        played.result.items.len(),
                        items.len(),
                        score.valid,
                        score.log_weight,
                        sscore.log_weight
                    );
                    if verbose {
                        println!("--- host");
                        played.result.items.iter().for_each(|i| println!("{}", show(i)));
                        println!("--- observer");
                        items.iter().for_each(|i| println!("{}", show(i)));
                    }
                }
            }
        }
    }
}
