use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;

use super::super::run::{End, run};
use super::*;
use crate::line::Format;

/// Answers every byte with its complement, a millisecond later, and goes to 115200 on an `S`.
#[derive(Default)]
struct Complement {
    due: VecDeque<(Instant, u8)>,
    actions: VecDeque<Action>,
}

impl Task for Complement {
    fn on_event(&mut self, event: &LineEvent) {
        if event.fault.is_some() {
            return;
        }
        match event.value() {
            Some(b'S') => self.actions.push_back(Action::Set(settings(115_200.0, Format::N8))),
            Some(byte) => self.due.push_back((event.at + Span::from_millis(1), !byte)),
            None => {}
        }
    }
    fn on_time(&mut self, now: Instant) {
        while let Some((_, byte)) = self.due.pop_front_if(|(at, _)| *at <= now) {
            self.actions.push_back(Action::Send(vec![byte]));
        }
    }
    fn on_settings(&mut self, _: Instant, _: Settings) {}
    fn on_refused(&mut self, _: Instant, _: Settings, _: &str) {}
    fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }
    fn deadline(&self) -> Option<Instant> {
        self.due.front().map(|(at, _)| *at)
    }
}

/// Sends its bytes at a baud and listens for a while.
struct Ask {
    actions: VecDeque<Action>,
    heard: Vec<LineEvent>,
    refused: Vec<String>,
    end: Instant,
    now: Instant,
}

impl Ask {
    fn at(settings: Settings, bytes: &[u8]) -> Ask {
        let actions = VecDeque::from([Action::Set(settings), Action::Send(bytes.to_vec())]);
        let end = Instant::from_secs(0.5);
        Ask { actions, heard: Vec::new(), refused: Vec::new(), end, now: Instant::ZERO }
    }

    fn bytes(&self) -> Vec<u8> {
        self.heard.iter().filter_map(LineEvent::value).collect()
    }
}

impl Task for Ask {
    fn on_event(&mut self, event: &LineEvent) {
        self.heard.push(*event);
    }
    fn on_time(&mut self, now: Instant) {
        self.now = now;
    }
    fn on_settings(&mut self, _: Instant, _: Settings) {}
    fn on_refused(&mut self, _: Instant, _: Settings, reason: &str) {
        self.refused.push(reason.into());
    }
    fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front().or_else(|| (self.now >= self.end).then_some(Action::Done))
    }
    fn deadline(&self) -> Option<Instant> {
        Some(self.end)
    }
}

fn settings(rate: f64, format: Format) -> Settings {
    Settings::new(Baud::nearest(rate), format)
}

fn port(options: &str) -> SimPort {
    let device = SimDevice { task: Box::<Complement>::default(), settings: settings(57_600.0, Format::E8) };
    SimPort::new("sim://complement", device, &SimOptions::read(options).unwrap())
}

fn ask(options: &str, mut task: Ask) -> Ask {
    let ran = run(&mut port(options), &mut task, &AtomicBool::new(false), &mut |_| {}).unwrap();
    assert_eq!(ran.end, End::Done);
    task
}

#[test]
fn at_the_right_settings_host_and_device_understand_each_other() {
    let heard = ask("", Ask::at(settings(57_600.0, Format::E8), b"hello"));
    assert_eq!(heard.bytes(), b"hello".map(|byte| !byte));
    assert!(heard.heard.iter().all(|event| event.fault.is_none()));
}

#[test]
fn at_a_wrong_rate_neither_hears_the_other_rightly() {
    let heard = ask("", Ask::at(settings(19_200.0, Format::E8), b"hello"));
    assert_ne!(heard.bytes(), b"hello".map(|byte| !byte));
}

#[test]
fn an_answer_comes_when_the_device_sends_it() {
    let heard = ask("", Ask::at(settings(57_600.0, Format::E8), b"U"));
    let character = settings(57_600.0, Format::E8).character_time();
    let at = heard.heard[0].at.secs();
    let expected = 0.001 + 2.0 * character.as_secs_f64();
    assert!((at - expected).abs() < character.as_secs_f64(), "{at} instead of {expected}");
}

#[test]
fn options_change_the_device_and_not_only_the_host() {
    let heard = ask("baud=9600&format=8N1", Ask::at(settings(9600.0, Format::N8), b"abc"));
    assert_eq!(heard.bytes(), b"abc".map(|byte| !byte));
}

#[test]
fn a_device_that_changes_its_rate_is_heard_at_the_new_one() {
    let mut task = Ask::at(settings(57_600.0, Format::E8), b"S");
    task.actions.push_back(Action::Set(settings(115_200.0, Format::N8)));
    task.actions.push_back(Action::Send(b"hi".to_vec()));
    assert_eq!(ask("", task).bytes(), b"hi".map(|byte| !byte));
}

#[test]
fn a_rate_above_the_fastest_is_refused_with_the_reason() {
    let heard = ask("fastest=115200", Ask::at(settings(921_600.0, Format::N8), b""));
    assert_eq!(heard.refused, ["sim://complement refuses 921600 baud (its fastest rate is 115200)"]);
}

#[test]
fn an_adapter_that_never_tells_reports_no_fault_at_a_wrong_rate() {
    let heard = ask("errors=none", Ask::at(settings(115_200.0, Format::N8), b"hello"));
    assert!(heard.heard.iter().all(|event| event.fault.is_none()));
}

#[test]
fn the_same_seed_gives_the_same_events() {
    let once =
        || ask("noise=500&jitter=0.02&seed=5", Ask::at(settings(57_600.0, Format::E8), b"hello")).heard;
    assert!(!once().is_empty());
    assert_eq!(once(), once());
}

#[test]
fn a_raised_stop_flag_ends_the_run_at_once() {
    let mut task = Ask::at(settings(57_600.0, Format::E8), b"");
    let ran = run(&mut port(""), &mut task, &AtomicBool::new(true), &mut |_| {}).unwrap();
    assert_eq!(ran.end, End::Stopped);
}
