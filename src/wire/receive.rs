//! The 16-times sampling receiver: a waveform and settings to line events.
//!
//! A start is looked for sixteen times a bit; each bit is the majority of the three samples around its centre (ticks 7, 8, 9), as in the
//! 16550 and the UARTs of most microcontrollers. Only the first stop bit is looked at.

use fastrand::Rng;

use crate::line::{Direction, Fault, Instant, LineEvent, Seen, Settings, Span};

use super::waveform::{Level, Waveform};

/// What a receiver takes for the next start after a framing error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resync {
    /// The next edge to space: most microcontrollers, USB bridges, and every UART after a break.
    #[default]
    NextEdge,
    /// The space where the stop bit should have been: some 16550s.
    LowStopIsStart,
}

/// A receiver in virtual time: it reads a waveform as far as it is told and can change its settings between.
#[derive(Clone, Debug)]
pub struct Receiver {
    settings: Settings,
    resync: Resync,
    direction: Direction,
    rng: Rng,
    /// Where its sixteen-times clock stands, as a part of a tick.
    phase: f64,
    /// What lies before has been dealt with.
    done: f64,
}

const TICKS: f64 = 16.0;

impl Receiver {
    pub fn new(settings: Settings, seed: u64) -> Receiver {
        let mut rng = Rng::with_seed(seed);
        let phase = rng.f64();
        Receiver { settings, resync: Resync::default(), direction: Direction::Rx, rng, phase, done: -1.0 }
    }

    pub fn with_resync(self, resync: Resync) -> Receiver {
        Receiver { resync, ..self }
    }

    /// The direction its events carry: `Rx` unless said otherwise.
    pub fn with_direction(self, direction: Direction) -> Receiver {
        Receiver { direction, ..self }
    }

    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// From `now` on with other settings. A character that is half in is lost, as in a real UART.
    pub fn set(&mut self, now: Instant, settings: Settings) {
        self.settings = settings;
        self.phase = self.rng.f64();
        self.done = self.done.max(now.secs().next_down());
    }

    /// Before this time the waveform may be forgotten.
    pub fn done_until(&self) -> Instant {
        // An instant is a whole nanosecond: never round up past an edge that is still wanted.
        Instant::from_secs(self.done).saturating_sub(Span::from_nanos(1))
    }

    /// The characters that were complete by `until`, in order. The waveform must be final up to there.
    pub fn receive(&mut self, line: &Waveform, until: Instant) -> Vec<LineEvent> {
        let mut events = Vec::new();
        while let Some(event) = self.next(line, until.secs()) {
            events.push(event);
        }
        events
    }

    fn next(&mut self, line: &Waveform, until: f64) -> Option<LineEvent> {
        loop {
            let Some(edge) = line.next_edge_to(self.level(false), self.done) else {
                // Nothing can begin before `until`; what begins later has its edge after it.
                self.done = self.done.max(until.next_down());
                return None;
            };
            let start = self.tick_after(edge);
            if start > until {
                self.done = self.done.max(edge.min(until).next_down());
                return None;
            }
            if line.level_at(start) != self.level(false) {
                self.done = edge; // gone before the next tick: never seen
                continue;
            }
            if self.end_of(start) > until {
                self.done = edge.next_down();
                return None;
            }
            if self.bit(line, start, 0) {
                self.done = start + 9.0 * self.tick(); // a false start
                continue;
            }
            return Some(self.character(line, start));
        }
    }

    fn character(&mut self, line: &Waveform, start: f64) -> LineEvent {
        let format = self.settings.format;
        let count = format.data.count();
        let mut data = 0u16;
        for index in 0..count {
            let place = if self.settings.msb_first { count - 1 - index } else { index };
            data |= u16::from(self.bit(line, start, 1 + index)) << place;
        }
        let wanted = format.parity.bit(data);
        let parity = wanted.map(|_| self.bit(line, start, 1 + count));
        let stop = self.bit(line, start, self.stop_index());
        let end = self.end_of(start);
        self.done = end;
        if !stop && self.resync == Resync::LowStopIsStart && data != 0 {
            // Half a bit back: where that start bit would have begun.
            self.done = (end - 10.0 * self.tick()).max(start);
        }
        let at = Instant::from_secs(end);
        let direction = self.direction;
        let seen = Seen::Byte(data as u8); // a ninth bit does not fit into a byte: as with a driver, it is lost
        match (stop, data, parity) {
            (false, 0, None | Some(false)) => {
                LineEvent { at, direction, seen: Seen::Break, fault: Some(Fault::Break) }
            }
            (false, ..) => LineEvent { at, direction, seen, fault: Some(Fault::Framing) },
            (true, ..) if parity != wanted => LineEvent { at, direction, seen, fault: Some(Fault::Parity) },
            (true, ..) => LineEvent { at, direction, seen, fault: None },
        }
    }

    /// The majority of three samples around the centre of a bit; 0 is the start bit.
    fn bit(&self, line: &Waveform, start: f64, index: u32) -> bool {
        let centre = start + (f64::from(index) * TICKS + TICKS / 2.0) * self.tick();
        let marks = [-1.0, 0.0, 1.0]
            .iter()
            .filter(|off| line.level_at(centre + *off * self.tick()) == self.level(true));
        marks.count() >= 2
    }

    /// When the stop bit's last sample is in.
    fn end_of(&self, start: f64) -> f64 {
        start + (f64::from(self.stop_index()) * TICKS + TICKS / 2.0 + 1.0) * self.tick()
    }

    fn stop_index(&self) -> u32 {
        let format = self.settings.format;
        1 + format.data.count() + u32::from(format.parity.bit(0).is_some())
    }

    fn level(&self, bit: bool) -> Level {
        Level::of(bit != self.settings.inverted)
    }

    fn tick(&self) -> f64 {
        1.0 / (TICKS * self.settings.baud.hz())
    }

    /// The first tick of the sampling clock that is not before `secs`.
    fn tick_after(&self, secs: f64) -> f64 {
        let tick = self.tick();
        ((secs / tick - self.phase).ceil() + self.phase) * tick
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::transmit::{Drift, Transmitter};
    use super::*;
    use crate::line::{Baud, DataBits, Format, Parity, StopBits};

    fn settings(baud: f64, format: Format) -> Settings {
        Settings::new(Baud::nearest(baud), format)
    }

    fn bytes(events: &[LineEvent]) -> Vec<u8> {
        events.iter().filter_map(LineEvent::value).collect()
    }

    proptest! {
        #[test]
        fn what_is_sent_is_received_in_every_format_polarity_and_bit_order(
            data in 0usize..5, parity in 0usize..5, stop in 0usize..3, inverted: bool, msb_first: bool,
            skew in -0.02..0.02f64, seed: u64, sent in proptest::collection::vec(any::<u8>(), 1..30), cut in 0.0..0.3f64,
        ) {
            let format = Format { data: DataBits::ALL[data], parity: Parity::ALL[parity],
                stop: [StopBits::One, StopBits::OneAndHalf, StopBits::Two][stop] };
            let settings = Settings { inverted, msb_first, ..settings(9600.0, format) };
            let mut sender = Transmitter::new(settings, Drift { skew, jitter: 0.01, late_mark: 0.0 }, seed);
            let mut line = Waveform::resting(sender.resting());
            let end = sender.send_all(&mut line, &sent, Instant::from_secs(0.001));
            let mut receiver = Receiver::new(settings, seed);
            let mut events = receiver.receive(&line, Instant::from_secs(cut)); // any cut gives the same
            events.extend(receiver.receive(&line, end + Span::from_millis(1)));
            let mask = format.data.mask() as u8;
            let wanted: Vec<u8> = sent.iter().map(|b| if format.data == DataBits::Nine { *b } else { b & mask }).collect();
            prop_assert_eq!(bytes(&events), wanted);
            prop_assert!(events.iter().all(|e| e.fault.is_none()));
        }

        #[test]
        fn any_cut_in_time_gives_the_same_events(cuts in proptest::collection::vec(0.0..0.02f64, 0..20), seed: u64) {
            let mut sender = Transmitter::new(settings(4800.0, Format::E8), Drift::default(), seed);
            let mut line = Waveform::resting(Level::Mark);
            sender.send_all(&mut line, b"hsdiag", Instant::from_secs(0.001));
            let whole = Receiver::new(settings(9600.0, Format::N8), seed).receive(&line, Instant::from_secs(0.1));
            let mut receiver = Receiver::new(settings(9600.0, Format::N8), seed);
            let mut cuts = cuts;
            cuts.sort_by(f64::total_cmp);
            let mut events = Vec::new();
            for cut in cuts.into_iter().chain([0.1]) {
                events.extend(receiver.receive(&line, Instant::from_secs(cut)));
                line.forget_before(receiver.done_until().secs());
            }
            prop_assert_eq!(events, whole);
        }
    }
    #[test]
    fn one_low_pulse_gives_the_nine_bytes_of_one_low_run() {
        let bit = 1.0 / 9600.0;
        for (width, byte) in
            [(1.0, 0xFF), (2.0, 0xFE), (3.0, 0xFC), (4.0, 0xF8), (5.0, 0xF0), (8.0, 0x80), (9.0, 0x00)]
        {
            let mut line = Waveform::resting(Level::Mark);
            line.force(1.0, 1.0 + width * bit, Level::Space);
            let events =
                Receiver::new(settings(9600.0, Format::N8), 3).receive(&line, Instant::from_secs(2.0));
            assert_eq!(
                events.iter().map(|e| (e.value(), e.fault)).collect::<Vec<_>>(),
                [(Some(byte), None)],
                "{width}"
            );
        }
    }

    #[test]
    fn half_a_bit_is_a_false_start_and_ten_bits_are_a_break() {
        let bit = 1.0 / 9600.0;
        let mut line = Waveform::resting(Level::Mark);
        line.force(1.0, 1.0 + 0.45 * bit, Level::Space);
        line.force(2.0, 2.0 + 20.0 * bit, Level::Space);
        let events = Receiver::new(settings(9600.0, Format::N8), 3).receive(&line, Instant::from_secs(3.0));
        assert_eq!(events.iter().map(|e| e.seen).collect::<Vec<_>>(), [Seen::Break]);
    }

    #[test]
    fn even_parity_read_without_parity_is_a_framing_error_on_even_weights() {
        let mut sender = Transmitter::new(settings(9600.0, Format::E8), Drift::default(), 1);
        let mut line = Waveform::resting(Level::Mark);
        sender.send_all(&mut line, &(0..=255).collect::<Vec<u8>>(), Instant::ZERO);
        let events = Receiver::new(settings(9600.0, Format::N8), 3).receive(&line, Instant::from_secs(1.0));
        assert_eq!(events.len(), 256);
        for (byte, event) in (0..=255u8).zip(&events) {
            assert_eq!(event.fault.is_some(), byte.count_ones() % 2 == 0, "{byte:02X}");
            assert_eq!(event.value().unwrap_or(0), byte);
        }
    }

    #[test]
    fn new_settings_hold_between_two_characters() {
        let mut fast = Transmitter::new(settings(115_200.0, Format::N8), Drift::default(), 1);
        let mut line = Waveform::resting(Level::Mark);
        fast.send_all(&mut line, b"ab", Instant::ZERO);
        fast.send_all(&mut line, b"cd", Instant::from_secs(0.01));
        let mut receiver = Receiver::new(settings(9600.0, Format::N8), 9);
        receiver.set(Instant::ZERO, settings(115_200.0, Format::N8));
        assert_eq!(bytes(&receiver.receive(&line, Instant::from_secs(0.005))), b"ab");
        receiver.set(Instant::from_secs(0.005), settings(115_200.0, Format::E8));
        let late = receiver.receive(&line, Instant::from_secs(0.02));
        assert_eq!(late.first().and_then(LineEvent::value), Some(b'c'));
    }
}
