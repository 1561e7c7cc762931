//! What flashing costs the computer: a plan for 1 MiB, and every byte that the host sends for it.
//!
//! `cargo bench --bench flash`. The device's answers are made from nothing, so that the host alone is measured.

use std::sync::Arc;

use divan::{Bencher, black_box};
use hsdiag::flash::{Action, Plan, Session, SessionOptions, Wish};
use hsdiag::image::{FileKind, Image, ReadImage, Segment};
use hsdiag::line::{Action as LineAction, Direction, Instant, LineEvent, Task};
use hsdiag::machine::Program;
use hsdiag::protocol::{Registry, Table};
use hsdiag::simulate::settings;

fn main() {
    divan::main();
}

const MEGABYTE: usize = 1 << 20;

fn image() -> ReadImage {
    let mut chance = fastrand::Rng::with_seed(1);
    let bytes: Vec<u8> = (0..MEGABYTE).map(|_| chance.u8(..)).collect();
    let part = Segment { at: 0, bytes: bytes.into() };
    ReadImage::of(FileKind::Binary, Image::from_parts(vec![part]).expect("one part"))
}

fn table(name: &str) -> Arc<Table> {
    Registry::shipped().get(name).expect("a shipped table")
}

fn plan(table: &Arc<Table>, image: &ReadImage) -> Plan {
    Plan::new(table, image, &Wish::default()).expect("a plan")
}

#[divan::bench(args = ["stm32", "kboot", "esp-rom"])]
fn a_plan_of_a_megabyte(bencher: Bencher, name: &str) {
    let (table, image) = (table(name), image());
    bencher.bench(|| plan(black_box(&table), black_box(&image)));
}

/// From the image to the last block's bytes: XMODEM wants one character of its receiver for each block, and nothing else.
#[divan::bench(args = [1])]
fn a_megabyte_planned_and_sent_in_blocks_of_a_kilobyte(bencher: Bencher, kind: i128) {
    let (table, image) = (table("xmodem"), image());
    let program = Arc::new(Program::compile(Arc::clone(&table)));
    bencher.bench(|| {
        let env = hsdiag::machine::Env::new().with("kind", kind);
        let plan = Plan::new(&table, &image, &Wish { env, ..Wish::default() }).expect("a plan");
        let options = SessionOptions { action: Action::Flash, only_changed: false, go: false, force: true };
        let mut session =
            Session::new(plan, None, &program, options, settings(&table)).expect("it can write");
        session.on_settings(Instant::ZERO, settings(&table));
        let (mut sent, mut now, mut answer) = (0, Instant::ZERO, b'C');
        loop {
            match session.next_action() {
                Some(LineAction::Done) => return sent,
                Some(LineAction::Send(bytes)) => {
                    sent += bytes.len();
                    answer = 0x06;
                }
                Some(_) => {}
                None => {
                    now += hsdiag::line::Span::from_millis(1);
                    session.on_time(now);
                    session.on_event(&LineEvent::byte(now, Direction::Rx, answer));
                }
            }
        }
    });
}
