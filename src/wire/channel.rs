//! One direction of a line in virtual time: a sender, what happens on the way, and a receiver whose settings can change.

use crate::line::{Instant, LineEvent, Settings, Span};

use super::noise::{Noise, turnaround};
use super::receive::Receiver;
use super::transmit::{Drift, Transmitter};
use super::waveform::Waveform;

/// A sender, a disturbed line, and a receiver.
///
/// Time runs one way: after [`Channel::receive`] up to an instant, nothing can be sent before it any more.
#[derive(Clone, Debug)]
pub struct Channel {
    sender: Transmitter,
    line: Waveform,
    noise: Noise,
    receiver: Receiver,
    now: Instant,
}

impl Channel {
    pub fn new(sender: Settings, drift: Drift, noise: Noise, receiver: Settings, seed: u64) -> Channel {
        let sender = Transmitter::new(sender, drift, seed);
        let line = Waveform::resting(sender.resting());
        let receiver = Receiver::new(receiver, seed.rotate_left(32) ^ 0x5EED);
        Channel { sender, line, noise, receiver, now: Instant::ZERO }
    }

    /// Puts bytes on the line, back to back, from `at` or from when the line is free. Returns when the last stop bit ends.
    pub fn send(&mut self, bytes: &[u8], at: Instant) -> Instant {
        let at = at.max(self.now);
        for byte in bytes {
            for _ in 0..self.noise.copies() {
                self.sender.send(&mut self.line, u16::from(*byte), at);
            }
        }
        self.sender.free_at()
    }

    /// The sender rests for so many of its bit times.
    pub fn rest(&mut self, bits: f64) {
        self.sender.rest(bits);
    }

    /// The sender holds the line at space.
    pub fn send_break(&mut self, length: Span, at: Instant) -> Instant {
        self.sender.send_break(&mut self.line, length, at.max(self.now))
    }

    /// The driver lets go of the bus: a dip to space behind the last character.
    pub fn turnaround(&mut self, dip: Span) {
        turnaround(&mut self.line, self.sender.free_at().max(self.now), dip);
        self.sender.rest(dip.as_secs_f64() / self.sender.bit_secs());
    }

    /// The characters that were complete by `until`.
    pub fn receive(&mut self, until: Instant) -> Vec<LineEvent> {
        self.noise.spoil(&mut self.line, until);
        self.now = self.now.max(until);
        let events = self.receiver.receive(&self.line, until);
        self.line.forget_before(self.receiver.done_until().secs());
        events
    }

    /// The receiver's settings from `now` on.
    pub fn set_receiver(&mut self, now: Instant, settings: Settings) {
        self.receiver.set(now, settings);
    }

    /// The sender's settings from the next character on.
    pub fn set_sender(&mut self, settings: Settings) {
        self.sender.set(settings);
    }

    pub fn sender(&self) -> Settings {
        self.sender.settings()
    }

    pub fn receiver(&self) -> Settings {
        self.receiver.settings()
    }

    /// When the sender has sent all it was given.
    pub fn free_at(&self) -> Instant {
        self.sender.free_at()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{Baud, Format};

    #[test]
    fn a_receiver_that_changes_its_settings_reads_from_then_on() {
        let sender = Settings::new(Baud::nearest(57_600.0), Format::E8);
        let wrong = Settings::new(Baud::nearest(921_600.0), Format::N8);
        let mut channel = Channel::new(sender, Drift::default(), Noise::none(), wrong, 4);
        let end = channel.send(b"hello", Instant::from_secs(0.001));
        assert!(channel.receive(end).iter().any(|event| event.fault.is_some()));
        channel.set_receiver(end, sender);
        let end = channel.send(b"hello", end + Span::from_millis(1));
        let bytes: Vec<u8> = channel.receive(end).iter().filter_map(LineEvent::value).collect();
        assert_eq!(bytes, b"hello");
    }
}
