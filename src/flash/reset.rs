//! Ways to bring a device into its bootloader by DTR and RTS: those of its table, and the same for boards that are wired otherwise.

use crate::line::{Action, Instant, LineEvent, Settings, Task};
use crate::machine::{Ending, Env, Host, HostResult, Outbox, Program, Run};
use crate::protocol::{ScriptStep, Table};

/// A way to move the control lines, and what it is called.
#[derive(Clone, Debug, PartialEq)]
pub struct ResetSequence {
    /// `1`, `1-inverted`, `2-swapped`, `none`.
    pub name: String,
    pub script: Vec<ScriptStep>,
}

/// Every way, likeliest first: those of the table, then the same inverted, with DTR and RTS swapped, and both; last, none.
pub fn reset_sequences(table: &Table) -> Vec<ResetSequence> {
    let mut all: Vec<ResetSequence> = Vec::new();
    for (wiring, swapped, inverted) in [
        ("", false, false),
        ("-inverted", false, true),
        ("-swapped", true, false),
        ("-swapped-inverted", true, true),
    ] {
        for (number, script) in table.reset.enter.iter().enumerate() {
            let script: Vec<ScriptStep> =
                script.iter().map(|step| rewired(*step, swapped, inverted)).collect();
            if all.iter().all(|known| known.script != script) {
                all.push(ResetSequence { name: format!("{}{wiring}", number + 1), script });
            }
        }
    }
    all.push(ResetSequence { name: "none".into(), script: Vec::new() });
    all
}

fn rewired(step: ScriptStep, swapped: bool, inverted: bool) -> ScriptStep {
    match (step, swapped) {
        (ScriptStep::Dtr(on), false) | (ScriptStep::Rts(on), true) => ScriptStep::Dtr(on != inverted),
        (ScriptStep::Rts(on), false) | (ScriptStep::Dtr(on), true) => ScriptStep::Rts(on != inverted),
        (other, _) => other,
    }
}

/// Moves the lines from rest: what a sequence does hangs on how they were before.
pub(super) fn move_lines(outbox: &mut Outbox, script: &[ScriptStep], line: Settings) {
    if script.is_empty() {
        return;
    }
    outbox.script(&[ScriptStep::Dtr(false), ScriptStep::Rts(false), ScriptStep::Wait(0.05)], line);
    outbox.script(script, line);
    outbox.push(Action::Discard);
}

/// A task that begins when the control lines have been moved; what is on the line before that, is not for it.
pub struct AfterReset<T: Task> {
    script: Outbox,
    settings: Settings,
    moving: bool,
    now: Instant,
    inner: T,
}

impl<T: Task> AfterReset<T> {
    pub fn new(script: &[ScriptStep], inner: T, settings: Settings) -> AfterReset<T> {
        let mut moves = Outbox::default();
        move_lines(&mut moves, script, settings);
        AfterReset { script: moves, settings, moving: !script.is_empty(), now: Instant::ZERO, inner }
    }

    pub fn inner(&self) -> &T {
        &self.inner
    }
}

impl<T: Task> Task for AfterReset<T> {
    fn on_event(&mut self, event: &LineEvent) {
        if !self.moving {
            self.inner.on_event(event);
        }
    }

    fn on_time(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.script.on_time(now);
        if !self.moving {
            self.inner.on_time(now);
        }
    }

    fn on_settings(&mut self, now: Instant, settings: Settings) {
        self.settings = settings;
        self.inner.on_settings(now, settings);
    }

    fn on_refused(&mut self, now: Instant, settings: Settings, reason: &str) {
        self.inner.on_refused(now, settings, reason);
    }

    fn next_action(&mut self) -> Option<Action> {
        if self.moving {
            if let Some(action) = self.script.next(self.settings) {
                return Some(action);
            }
            if !self.script.is_empty() {
                return None;
            }
            self.moving = false;
            self.inner.on_time(self.now); // its time stood still; what it says now, it says now
        }
        self.inner.next_action()
    }

    fn deadline(&self) -> Option<Instant> {
        if self.moving { self.script.deadline() } else { self.inner.deadline() }
    }
}

/// A way that was tried, and how the handshake behind it went.
#[derive(Clone, Debug)]
pub struct TriedSequence {
    pub sequence: ResetSequence,
    pub result: HostResult,
}

/// Tries one way after another until a handshake is done. That without any reset comes first: a device that is in its bootloader
/// already would answer after every one of them.
pub struct ResetSearch {
    program: Program,
    env: Env,
    left: Vec<ResetSequence>,
    current: Option<(ResetSequence, AfterReset<Host>)>,
    tried: Vec<TriedSequence>,
    settings: Settings,
    now: Instant,
    over: bool,
}

impl ResetSearch {
    /// `Err` says what the table lacks for a handshake.
    pub fn new(program: &Program, env: &Env, settings: Settings) -> Result<ResetSearch, String> {
        Host::of(program, &Run::Handshake, env, settings)?;
        let mut left = reset_sequences(program.table());
        left.reverse(); // the last is `none`, and it is taken from the end
        let none = left.remove(0);
        left.push(none);
        Ok(ResetSearch {
            program: program.clone(),
            env: env.clone(),
            left,
            current: None,
            tried: Vec::new(),
            settings,
            now: Instant::ZERO,
            over: false,
        })
    }

    pub fn tried(&self) -> &[TriedSequence] {
        &self.tried
    }

    /// What is being tried.
    pub fn trying(&self) -> Option<&str> {
        self.current.as_ref().map(|(sequence, _)| &*sequence.name)
    }

    /// The way that works.
    pub fn found(&self) -> Option<&ResetSequence> {
        let last = self.tried.last()?;
        (last.result.ending == Some(Ending::Done)).then_some(&last.sequence)
    }

    fn next(&mut self) {
        let sequence = if self.found().is_some() { None } else { self.left.pop() };
        let host = sequence.and_then(|sequence| {
            let host = Host::of(&self.program, &Run::Handshake, &self.env, self.settings).ok()?;
            Some((sequence, host.with_tries(1)))
        });
        let Some((sequence, host)) = host else {
            self.over = true;
            return;
        };
        let mut task = AfterReset::new(&sequence.script, host, self.settings);
        task.on_settings(self.now, self.settings);
        task.on_time(self.now);
        self.current = Some((sequence, task));
    }
}

impl Task for ResetSearch {
    fn on_event(&mut self, event: &LineEvent) {
        if let Some((_, task)) = &mut self.current {
            task.on_event(event);
        }
    }

    fn on_time(&mut self, now: Instant) {
        self.now = self.now.max(now);
        if let Some((_, task)) = &mut self.current {
            task.on_time(now);
        }
    }

    fn on_settings(&mut self, now: Instant, settings: Settings) {
        self.settings = settings;
        if let Some((_, task)) = &mut self.current {
            task.on_settings(now, settings);
        }
    }

    fn on_refused(&mut self, now: Instant, settings: Settings, reason: &str) {
        if let Some((_, task)) = &mut self.current {
            task.on_refused(now, settings, reason);
        }
    }

    fn next_action(&mut self) -> Option<Action> {
        loop {
            if self.over {
                return Some(Action::Done);
            }
            let Some((_, task)) = &mut self.current else {
                self.next();
                continue;
            };
            match task.next_action()? {
                Action::Done => {
                    if let Some((sequence, task)) = self.current.take() {
                        self.tried.push(TriedSequence { sequence, result: task.inner().result() });
                    }
                }
                action => return Some(action),
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.current.as_ref()?.1.deadline()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Registry;

    #[test]
    fn every_wiring_is_tried_once_and_the_tables_own_first() {
        for table in Registry::shipped().all().0.iter().filter(|table| !table.reset.enter.is_empty()) {
            let all = reset_sequences(table);
            assert_eq!((&*all[0].name, &all[0].script), ("1", &table.reset.enter[0]), "{}", table.name);
            assert_eq!(all.last().map(|last| last.script.len()), Some(0));
            for (place, one) in all.iter().enumerate() {
                assert!(
                    all[..place].iter().all(|other| other.script != one.script && other.name != one.name)
                );
            }
        }
    }

    #[test]
    fn swapping_and_inverting_keep_the_waits() {
        let wait = ScriptStep::Wait(0.1);
        let script = [ScriptStep::Dtr(true), wait, ScriptStep::Rts(false)];
        let rewired: Vec<ScriptStep> = script.iter().map(|step| rewired(*step, true, true)).collect();
        assert_eq!(rewired, [ScriptStep::Rts(false), wait, ScriptStep::Dtr(true)]);
    }

    /// A board that is in its loader only after DTR has pulled its boot pin while RTS let it out of reset: wired the other way round.
    struct Board {
        device: crate::machine::Device,
        dtr: bool,
        rts: bool,
        boots: bool,
    }

    impl Board {
        fn new(program: &Program) -> Board {
            let settings = Settings::new(crate::line::Baud::nearest(115_200.0), crate::line::Format::E8);
            let device =
                crate::machine::Device::new(std::sync::Arc::new(program.clone()), &Env::new(), settings);
            Board { device, dtr: false, rts: false, boots: false }
        }

        /// Its reset hangs at RTS, its boot pin at DTR.
        fn lines(&mut self, lines: crate::line::ControlLines) {
            let was_in_reset = self.rts;
            self.dtr = lines.dtr.unwrap_or(self.dtr);
            self.rts = lines.rts.unwrap_or(self.rts);
            if was_in_reset && !self.rts {
                self.boots = self.dtr;
            }
        }
    }

    fn search(board: &mut Board, program: &Program) -> ResetSearch {
        let settings = Settings::new(crate::line::Baud::nearest(115_200.0), crate::line::Format::E8);
        let mut search = ResetSearch::new(program, &Env::new(), settings).unwrap();
        let mut now = Instant::ZERO;
        search.on_settings(now, settings);
        for _ in 0..10_000 {
            search.on_time(now);
            while let Some(action) = search.next_action() {
                match action {
                    Action::Done => return search,
                    Action::Lines(lines) => board.lines(lines),
                    Action::Send(bytes) if board.boots => {
                        for byte in bytes {
                            board.device.on_event(&LineEvent::byte(now, crate::line::Direction::Tx, byte));
                        }
                    }
                    _ => {}
                }
            }
            while let Some(output) = board.device.next_output() {
                if let crate::machine::Output::Send { bytes, .. } = output {
                    for byte in bytes {
                        search.on_event(&LineEvent::byte(now, crate::line::Direction::Rx, byte));
                    }
                }
            }
            if let Some(next) = search.deadline() {
                now = now.max(next);
            }
        }
        panic!("it goes on for ever: {:?}", search.trying());
    }

    #[test]
    fn the_wiring_that_brings_a_board_into_its_bootloader_is_found() {
        let program = Program::compile(Registry::shipped().get("stm32").unwrap());
        let mut board = Board::new(&program);
        let found = search(&mut board, &program);
        assert_eq!(found.tried()[0].sequence.name, "none");
        assert_eq!(found.tried()[0].result.ending, Some(Ending::NoAnswer));
        let sequence = found.found().expect("one of them fits");
        assert!(sequence.name.contains("swapped"), "{}", sequence.name);
    }

    #[test]
    fn a_device_that_answers_already_says_nothing_of_its_wiring() {
        let program = Program::compile(Registry::shipped().get("stm32").unwrap());
        let mut board = Board { boots: true, ..Board::new(&program) };
        let found = search(&mut board, &program);
        assert_eq!(found.tried().len(), 1);
        assert_eq!(found.found().map(|found| &*found.name), Some("none"));
    }
}
