//! A second wire, written apart from the library's: one sample a bit, no look back at the start bit, and after a low stop bit the line has
//! to rest at mark before another start is taken. What a diagnosis learnt on the first wire has to hold on this one.

use hsdiag::line::{Direction, Fault, Instant, LineEvent, Parity, Seen, Settings};

use super::plan::Plan;

/// The line as times at which it changes; it rests at `rest` before the first.
struct Levels {
    rest: bool,
    changes: Vec<(f64, bool)>,
}

impl Levels {
    fn at(&self, time: f64) -> bool {
        match self.changes.partition_point(|(at, _)| *at <= time) {
            0 => self.rest,
            after => self.changes[after - 1].1,
        }
    }

    /// The first fall to `low` at or after `time`.
    fn fall(&self, low: bool, time: f64) -> Option<f64> {
        let mut before = self.at(time - 1e-12);
        let first = self.changes.partition_point(|(at, _)| *at < time);
        for (at, level) in &self.changes[first..] {
            if before != low && *level == low {
                return Some(*at);
            }
            before = *level;
        }
        None
    }

    /// The first time at or after `time` at which the line is at `level`.
    fn when(&self, level: bool, time: f64) -> Option<f64> {
        if self.at(time) == level {
            return Some(time);
        }
        let first = self.changes.partition_point(|(at, _)| *at < time);
        self.changes[first..].iter().find(|(_, l)| *l == level).map(|(at, _)| *at)
    }
}

pub fn receive(plan: &Plan) -> Vec<LineEvent> {
    let line = draw(plan);
    let mut events = Vec::new();
    let mut now = 0.0;
    let mut changes = plan.changes.iter().peekable();
    let mut settings = plan.receiver;
    loop {
        while let Some((at, next)) = changes.next_if(|(at, _)| *at <= now) {
            settings = *next;
            now = now.max(*at);
        }
        let until = changes.peek().map_or(plan.end, |(at, _)| *at);
        let Some(start) = line.fall(settings.inverted, now).filter(|start| *start < until) else {
            if until >= plan.end {
                return events;
            }
            now = until;
            continue;
        };
        let (event, end) = character(&line, settings, start);
        now = end;
        if event.at.secs() <= until {
            events.push(event);
        }
    }
}

/// One character from its start bit; and from when on the next start is looked for.
fn character(line: &Levels, settings: Settings, start: f64) -> (LineEvent, f64) {
    let bit = 1.0 / settings.baud.hz();
    let read = |place: f64| line.at(start + place * bit) != settings.inverted;
    let count = settings.format.data.count();
    let mut data = 0u16;
    for place in 0..count {
        let shift = if settings.msb_first { count - 1 - place } else { place };
        data |= u16::from(read(1.5 + f64::from(place))) << shift;
    }
    let mut place = 1.5 + f64::from(count);
    let parity = settings.format.parity;
    let parity_bit = (parity != Parity::None).then(|| read(place));
    place += f64::from(u8::from(parity_bit.is_some()));
    let stop = read(place);
    let at = Instant::from_secs(start + (place + 0.5) * bit);
    let low = data == 0 && !parity_bit.unwrap_or(false);
    if !stop {
        let (seen, fault) =
            if low { (Seen::Break, Fault::Break) } else { (Seen::Byte(data as u8), Fault::Framing) };
        let event = LineEvent { at, direction: Direction::Rx, seen, fault: Some(fault) };
        let rest = line.when(!settings.inverted, start + place * bit);
        return (event, rest.unwrap_or(f64::MAX / 4.0));
    }
    let event = LineEvent::byte(at, Direction::Rx, data as u8);
    let wrong = parity_bit.is_some_and(|bit| Some(bit) != parity.bit(data));
    (if wrong { event.with_fault(Fault::Parity) } else { event }, start + place * bit)
}

/// The line with everything that is sent and forced on it.
fn draw(plan: &Plan) -> Levels {
    let inverted = plan.characters.first().is_some_and(|character| character.settings.inverted);
    let rest = !plan.resting_low && !inverted;
    let mut seed = plan.seed | 1;
    // Jitter from a sum of four uniform numbers (xorshift): no tails, unlike the first wire's.
    let mut uniform = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut changes: Vec<(f64, bool)> = Vec::new();
    for sent in &plan.characters {
        let settings = sent.settings;
        let bit = 1.0 / (settings.baud.hz() * (1.0 + plan.skew));
        let count = settings.format.data.count();
        let data = u16::from(sent.byte) & settings.format.data.mask();
        let mut bits = vec![false];
        for place in 0..count {
            let shift = if settings.msb_first { count - 1 - place } else { place };
            bits.push(data >> shift & 1 == 1);
        }
        bits.extend(settings.format.parity.bit(data));
        bits.push(true);
        for (place, mark) in bits.into_iter().enumerate() {
            let off = plan.jitter * 1.7 * (uniform() + uniform() + uniform() + uniform() - 2.0);
            let late = if mark { plan.late } else { 0.0 };
            let at = sent.at + (place as f64 + off + late) * bit;
            let level = mark != settings.inverted;
            let last = changes.last().map_or(rest, |(_, level)| *level);
            if level != last {
                let after = changes.last().map_or(0.0, |(at, _)| *at);
                changes.push((at.max(after), level));
            }
        }
    }
    let mut levels = Levels { rest, changes };
    for force in &plan.forces {
        let after = levels.at(force.to);
        let first = levels.changes.partition_point(|(at, _)| *at < force.from);
        let last = levels.changes.partition_point(|(at, _)| *at <= force.to);
        levels.changes.splice(first..last, [(force.from, force.mark), (force.to, after)]);
    }
    levels
}
