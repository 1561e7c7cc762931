//! A real pseudo-terminal with the serial port of this crate as its host. All waits end with the event, or after two seconds.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::port::Port;
use super::super::serial_linux::SerialPort;
use super::super::serve::serve;
use super::super::sim::SimDevice;
use super::super::sim_options::SimOptions;
use super::*;
use crate::line::{Action, Format, Instant, LineErrors, Settings, Task};

/// Sends every good byte back.
#[derive(Default)]
struct Echo(VecDeque<Action>);

impl Task for Echo {
    fn on_event(&mut self, event: &LineEvent) {
        if let (Some(byte), None) = (event.value(), event.fault) {
            self.0.push_back(Action::Send(vec![byte]));
        }
    }
    fn on_time(&mut self, _: Instant) {}
    fn on_settings(&mut self, _: Instant, _: Settings) {}
    fn on_refused(&mut self, _: Instant, _: Settings, _: &str) {}
    fn next_action(&mut self) -> Option<Action> {
        self.0.pop_front()
    }
    fn deadline(&self) -> Option<Instant> {
        None
    }
}

/// Speaks for ever: a `U` and an `a`, every two milliseconds.
struct Talker(Instant, Instant);

impl Task for Talker {
    fn on_event(&mut self, _: &LineEvent) {}
    fn on_time(&mut self, now: Instant) {
        self.1 = now;
    }
    fn on_settings(&mut self, _: Instant, _: Settings) {}
    fn on_refused(&mut self, _: Instant, _: Settings, _: &str) {}
    fn next_action(&mut self) -> Option<Action> {
        let due = self.1 >= self.0;
        due.then(|| {
            self.0 = self.1 + Span::from_millis(2);
            Action::Send(b"Ua".to_vec())
        })
    }
    fn deadline(&self) -> Option<Instant> {
        Some(self.0)
    }
}

fn with_device(device: fn() -> Box<dyn Task>, host: impl FnOnce(&mut SerialPort)) {
    let mut face = PtyDevice::open().unwrap();
    let name = face.name().to_owned();
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    let server = std::thread::spawn(move || {
        let settings = Settings::new(Baud::nearest(57_600.0), Format::N8);
        let device = SimDevice { task: device(), settings };
        let mut line = SimLine::new(device, &SimOptions::default(), settings);
        serve(&mut face, &mut line, &flag, &mut |_| {})
    });
    let mut port = SerialPort::open(&name).unwrap();
    host(&mut port);
    stop.store(true, Ordering::Relaxed);
    server.join().unwrap().unwrap();
}

fn at(rate: f64) -> Settings {
    Settings::new(Baud::nearest(rate), Format::N8)
}

fn listen(port: &mut SerialPort, enough: impl Fn(&[LineEvent]) -> bool) -> Vec<LineEvent> {
    let mut seen = Vec::new();
    let until = port.now() + Span::from_secs(2);
    while !enough(&seen) && port.now() < until {
        port.read(until, &mut seen).unwrap();
    }
    seen
}

#[test]
fn at_the_right_rate_the_host_gets_its_bytes_back_even_ff() {
    with_device(
        || Box::<Echo>::default(),
        |port| {
            port.set(at(57_600.0)).unwrap();
            port.write(b"\x68\xFF\x00hello").unwrap();
            let seen = listen(port, |seen| seen.len() >= 8);
            assert_eq!(seen.iter().filter_map(LineEvent::value).collect::<Vec<_>>(), b"\x68\xFF\x00hello");
            assert_eq!(port.abilities().line_errors, LineErrors::PerByte);
        },
    );
}

#[test]
fn at_a_wrong_rate_the_host_sees_framing_errors_and_at_the_right_one_none() {
    with_device(
        || Box::new(Talker(Instant::ZERO, Instant::ZERO)),
        |port| {
            port.set(at(115_200.0)).unwrap();
            let faults = |seen: &[LineEvent]| seen.iter().filter(|event| event.fault.is_some()).count();
            assert!(faults(&listen(port, |seen| faults(seen) > 2)) > 2);
            port.set(at(57_600.0)).unwrap();
            // A character that was on its way while the rate changed may still be damaged.
            let seen = listen(port, |seen| seen.len() >= 40);
            let settled = &seen[seen.len().min(4)..];
            assert!(settled.len() >= 30 && faults(settled) == 0, "{settled:?}");
        },
    );
}

#[test]
fn a_link_leads_to_the_pseudo_terminal_and_goes_with_it() {
    let path = std::env::temp_dir().join(format!("hsdiag-link-{}", std::process::id()));
    let mut face = PtyDevice::open().unwrap();
    face.link(&path).unwrap();
    assert_eq!(std::fs::read_link(&path).unwrap().to_str(), Some(face.name()));
    drop(face);
    assert!(std::fs::symlink_metadata(&path).is_err());
}

#[test]
fn a_host_that_makes_its_settings_from_nothing_is_still_watched() {
    with_device(
        || Box::<Echo>::default(),
        |port| {
            let name = port.path().to_owned();
            let other = rustix::fs::open(&*name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
            let mut modes = tcgetattr(&other).unwrap();
            modes.local_modes = LocalModes::empty();
            tcsetattr(&other, OptionalActions::Now, &modes).unwrap();
            for rate in [9600.0, 57_600.0] {
                port.set(at(rate)).unwrap();
            }
            port.write(b"x").unwrap();
            assert_eq!(listen(port, |seen| !seen.is_empty()).first().and_then(LineEvent::value), Some(b'x'));
        },
    );
}
