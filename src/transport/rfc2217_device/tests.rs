//! The two ends of RFC 2217 over a socket of this machine. All waits end with the event, or after two seconds.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::port::Port;
use super::super::rfc2217::Rfc2217Port;
use super::super::serve::serve;
use super::super::sim::SimDevice;
use super::super::sim_options::SimOptions;
use super::*;
use crate::line::{Action, Instant, Task};

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

fn with_device(host: impl FnOnce(&mut Rfc2217Port)) {
    let mut face = Rfc2217Device::listen_at("127.0.0.1:0").unwrap();
    let number = face.address().port();
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    let server = std::thread::spawn(move || {
        let settings = Settings::new(Baud::nearest(57_600.0), Format::E8);
        let device = SimDevice { task: Box::<Echo>::default(), settings };
        let mut line = SimLine::new(device, &SimOptions::default(), Settings::new(settings.baud, Format::N8));
        serve(&mut face, &mut line, &flag, &mut |_| {})
    });
    host(&mut Rfc2217Port::connect("127.0.0.1", number).unwrap());
    stop.store(true, Ordering::Relaxed);
    server.join().unwrap().unwrap();
}

fn echoed(port: &mut Rfc2217Port, bytes: &[u8]) -> Vec<u8> {
    port.write(bytes).unwrap();
    let (mut seen, until) = (Vec::new(), port.now() + Span::from_secs(2));
    while seen.len() < bytes.len() && port.now() < until {
        port.read(until, &mut seen).unwrap();
    }
    seen.iter().filter_map(LineEvent::value).collect()
}

#[test]
fn baud_and_format_reach_the_far_end_and_decide_what_the_device_understands() {
    with_device(|port| {
        let right = Settings::new(Baud::nearest(57_600.0), Format::E8);
        assert_eq!(port.set(right).unwrap(), right);
        assert_eq!(echoed(port, b"\x68\xFF\x00hi"), b"\x68\xFF\x00hi");
    });
}

#[test]
fn a_rate_that_the_far_end_refuses_is_read_back_as_the_old_one() {
    with_device(|port| {
        let before = port.settings();
        let wanted = before.with_baud(Baud::nearest(12e6));
        assert_eq!(port.set(wanted).unwrap(), before);
    });
}
