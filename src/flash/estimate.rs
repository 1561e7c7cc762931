//! How long it will take: the table's host plays against the table's device over a small and over a larger part of the image, and what
//! passes is counted. Nothing is sent to anybody.

use std::sync::Arc;

use bytes::Bytes;

use crate::line::{Action, Baud, Direction, Instant, LineEvent, Settings, Span, Task};
use crate::machine::{Device, Ending, Env, Host, ItemKind, Output, Program, Run};
use crate::protocol::{FlashRun, Step, Talk};

use super::plan::Plan;

/// What a session takes, without the time in which the device erases and programs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Characters out and in, and how often the line turns round.
    pub sent: u64,
    pub heard: u64,
    pub turns: u64,
    /// The rate at which most of it goes.
    pub baud: Baud,
    pub time: Span,
    /// The least time in which as many characters pass as the image has.
    pub least: Span,
}

/// What an adapter and a device take to answer, each time.
const TURN: Span = Span::from_millis(2);

/// Events of a play; more than this is a device that talks for ever.
const MOST_ROUNDS: usize = 200_000;

/// What passed in a play.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Passed {
    sent: u64,
    heard: u64,
    turns: u64,
    baud: Option<Baud>,
}

/// `None` where the table's own device does not go along: then nothing can be said.
pub fn estimate(plan: &Plan, program: &Arc<Program>, settings: Settings) -> Option<Estimate> {
    let first = plan.parts.first()?;
    let piece = plan.pieces(FlashRun::Write).map_or(1024, |pieces| pieces.size);
    let few = (piece as usize).min(first.bytes.len());
    let many = (4 * piece as usize).min(first.bytes.len());
    let little = play(plan, program, settings, first.bytes.slice(..few))?;
    let whole = plan.size();
    let passed = if many > few {
        let more = play(plan, program, settings, first.bytes.slice(..many))?;
        let share = (whole.saturating_sub(few as u64)) as f64 / (many - few) as f64;
        let count = |little: u64, more: u64| little + (more.saturating_sub(little) as f64 * share) as u64;
        Passed {
            sent: count(little.sent, more.sent),
            heard: count(little.heard, more.heard),
            turns: count(little.turns, more.turns),
            baud: more.baud,
        }
    } else {
        little
    };
    let fast = passed.baud.map_or(settings, |baud| settings.with_baud(baud));
    let characters = |n: u64| fast.character_time().mul_f64(n as f64);
    let time = characters(passed.sent + passed.heard) + TURN.mul_f64(passed.turns as f64);
    Some(Estimate {
        sent: passed.sent,
        heard: passed.heard,
        turns: passed.turns,
        baud: fast.baud,
        time,
        least: characters(whole),
    })
}

/// Everything that is done over one part of the image.
fn talk(plan: &Plan) -> Talk {
    let runs = [FlashRun::Begin, FlashRun::Speed, FlashRun::Write].map(|run| plan.flash().run(run));
    let check = plan.flash().run(FlashRun::Verify).or_else(|| plan.flash().run(FlashRun::Read));
    let all = runs.into_iter().chain([check]).flatten();
    let steps: Vec<Step> = all.flat_map(|talk| talk.steps.iter().cloned()).collect();
    Talk { steps }
}

fn play(plan: &Plan, program: &Arc<Program>, settings: Settings, image: Bytes) -> Option<Passed> {
    // The table's own device has its own memory: the image goes where that is.
    let own = super::plan::memory(&plan.table, None);
    let at = plan.allowed(&own).next().map_or(0, |region| region.base.max(plan.flash().base));
    let env: Env = plan.env.clone().with_image(&own, at, image);
    let mut host = Host::of(program, &Run::Talk(talk(plan)), &env, settings).ok()?;
    let mut device = Device::new(Arc::clone(program), &plan.env, settings);
    let mut passed = Passed::default();
    let mut now = Instant::ZERO;
    host.on_settings(now, settings);
    device.on_settings(settings);
    for _ in 0..MOST_ROUNDS {
        host.on_time(now);
        device.on_time(now);
        let mut idle = true;
        while let Some(action) = host.next_action() {
            idle = false;
            match action {
                Action::Send(bytes) => {
                    passed.sent += bytes.len() as u64;
                    passed.turns += 1;
                    bytes
                        .iter()
                        .for_each(|byte| device.on_event(&LineEvent::byte(now, Direction::Tx, *byte)));
                }
                Action::Set(settings) => host.on_settings(now, settings),
                Action::Done => {
                    let result = host.result();
                    passed.baud = result.items.iter().rev().find_map(|item| match item.kind {
                        ItemKind::Settings { settings, .. } => Some(settings.baud),
                        _ => None,
                    });
                    return (result.ending == Some(Ending::Done)).then_some(passed);
                }
                Action::Lines(_) | Action::Break(_) | Action::Discard | Action::Close | Action::Open(_) => {}
            }
        }
        while let Some(output) = device.next_output() {
            idle = false;
            match output {
                Output::Send { bytes, .. } => {
                    passed.heard += bytes.len() as u64;
                    bytes.iter().for_each(|byte| host.on_event(&LineEvent::byte(now, Direction::Rx, *byte)));
                }
                Output::Set(settings) => device.on_settings(settings),
                Output::Leave => {}
            }
        }
        if idle {
            let next = host.deadline().into_iter().chain(device.deadline()).min()?;
            now = next.max(now + Span::from_nanos(1));
        }
    }
    None
}
