//! How an adapter falls short of its UART: which rates it really sets, and how it reports line errors.

use std::mem;

use crate::line::{Baud, Fault, Instant, LineErrors, LineEvent, Seen, Settings, Span};

/// What stands between the receiver and the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adapter {
    pub errors: LineErrors,
    /// Rates above are refused.
    pub fastest: Baud,
    /// The only rates it can set, slowest first; empty when it can set any. Another rate becomes the nearest of these.
    pub rates: Vec<Baud>,
    /// What its driver sets without a word for a rate that termios has no constant for.
    pub snaps: Option<Baud>,
    /// A packet is handed over when it holds so many bytes...
    pub packet_bytes: usize,
    /// ... or when it is so old.
    pub packet_time: Span,
}

impl Adapter {
    /// A UART whose every character and fault reaches the program at once, whatever the rate.
    pub fn ideal() -> Adapter {
        Adapter::with(LineErrors::PerByte, Baud::nearest(f64::from(Baud::MAX)))
    }

    /// An adapter with these error reports and this fastest rate; packets as an FT232R gathers them (62 bytes or 16 ms).
    pub fn with(errors: LineErrors, fastest: Baud) -> Adapter {
        Adapter {
            errors,
            fastest,
            rates: Vec::new(),
            snaps: None,
            packet_bytes: 62,
            packet_time: Span::from_millis(16),
        }
    }

    /// What is really set when `wanted` is asked for; `None` when it is refused.
    pub fn settle(&self, wanted: Settings) -> Option<Settings> {
        if wanted.baud > self.fastest {
            return None;
        }
        if let Some(snapped) = self.snaps.filter(|_| !wanted.baud.is_customary()) {
            return Some(wanted.with_baud(snapped));
        }
        let distance = |rate: &Baud| (rate.hz() / wanted.baud.hz()).ln().abs();
        let nearest = self.rates.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        Some(wanted.with_baud(nearest.copied().unwrap_or(wanted.baud)))
    }
}

/// The events of a receiver on their way through an adapter.
#[derive(Clone, Debug)]
pub struct Reports {
    adapter: Adapter,
    /// The packet that is being filled, and when it must go.
    packet: Vec<LineEvent>,
}

impl Reports {
    pub fn through(adapter: Adapter) -> Reports {
        Reports { adapter, packet: Vec::new() }
    }

    /// What the program sees at `now` of characters that the receiver has just completed.
    pub fn deliver(&mut self, events: Vec<LineEvent>, now: Instant) -> Vec<LineEvent> {
        match self.adapter.errors {
            LineErrors::PerByte => events,
            LineErrors::Counter | LineErrors::Never => events.into_iter().map(unmarked).collect(),
            LineErrors::Packet => {
                let mut out = Vec::new();
                for event in events {
                    self.flush_old(event.at, &mut out);
                    self.packet.push(event);
                    if self.packet.len() >= self.adapter.packet_bytes {
                        out.extend(flagged(mem::take(&mut self.packet), event.at));
                    }
                }
                self.flush_old(now, &mut out);
                out
            }
        }
    }

    /// When something will be delivered even if nothing more arrives.
    pub fn due(&self) -> Option<Instant> {
        self.packet.first().map(|first| first.at + self.adapter.packet_time)
    }

    /// Throws away what has not been delivered.
    pub fn discard(&mut self) {
        self.packet.clear();
    }

    fn flush_old(&mut self, now: Instant, out: &mut Vec<LineEvent>) {
        if let Some(due) = self.due().filter(|due| *due <= now) {
            out.extend(flagged(mem::take(&mut self.packet), due));
        }
    }
}

/// An event of an adapter that never tells: the byte as if it were good, a break as the NUL that it is in hardware.
fn unmarked(event: LineEvent) -> LineEvent {
    let seen = if event.seen == Seen::Break { Seen::Byte(0) } else { event.seen };
    LineEvent { seen, fault: None, ..event }
}

/// A packet: one status for all its bytes. The bytes arrive together; their own times are lost.
fn flagged(packet: Vec<LineEvent>, at: Instant) -> Vec<LineEvent> {
    let fault =
        packet.iter().filter_map(|event| event.fault).reduce(|a, b| if b == Fault::Break { a } else { b });
    let last = packet.len().saturating_sub(1);
    let of = |(place, event): (usize, LineEvent)| {
        let seen_break = event.seen == Seen::Break && place == last;
        let fault = match fault {
            Some(Fault::Break) if !seen_break => Some(Fault::Framing),
            fault => fault,
        };
        if seen_break { LineEvent { at, ..event } } else { LineEvent { at, fault, ..unmarked(event) } }
    };
    packet.into_iter().enumerate().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{Direction, Format};

    fn three() -> Vec<LineEvent> {
        let at = |ms: f64| Instant::from_secs(ms * 1e-3);
        vec![
            LineEvent::byte(at(1.0), Direction::Rx, 0x41),
            LineEvent::byte(at(2.0), Direction::Rx, 0x42).with_fault(Fault::Framing),
            LineEvent { at: at(3.0), direction: Direction::Rx, seen: Seen::Break, fault: Some(Fault::Break) },
        ]
    }

    #[test]
    fn a_packet_carries_one_flag_for_all_its_bytes_and_comes_late() {
        let mut reports = Reports::through(Adapter::with(LineErrors::Packet, Baud::nearest(3e6)));
        assert_eq!(reports.deliver(three(), Instant::from_secs(0.004)), []);
        let due = reports.due().unwrap();
        let events = reports.deliver(Vec::new(), due);
        assert_eq!(events.len(), 3);
        assert!(events.iter().all(|event| event.fault.is_some() && event.at == due));
        assert_eq!(events[2].seen, Seen::Break);
    }

    #[test]
    fn an_adapter_that_never_tells_delivers_a_break_as_a_nul() {
        let mut reports = Reports::through(Adapter::with(LineErrors::Never, Baud::nearest(3e6)));
        let events = reports.deliver(three(), Instant::from_secs(0.004));
        assert_eq!(
            events.iter().map(|e| (e.value(), e.fault)).collect::<Vec<_>>(),
            [(Some(0x41), None), (Some(0x42), None), (Some(0), None)]
        );
    }

    #[test]
    fn rates_snap_to_what_the_adapter_has() {
        let rates = [9600.0, 19_200.0, 115_200.0].map(Baud::nearest).to_vec();
        let adapter = Adapter { rates, ..Adapter::with(LineErrors::Never, Baud::nearest(115_200.0)) };
        let wanted = |rate: f64| Settings::new(Baud::nearest(rate), Format::N8);
        assert_eq!(adapter.settle(wanted(17_000.0)).map(|s| s.baud.get()), Some(19_200));
        assert_eq!(adapter.settle(wanted(230_400.0)), None);
    }
}
