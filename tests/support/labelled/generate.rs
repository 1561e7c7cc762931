//! Labelled captures: a clean conversation, spoilt in one way or two, heard through an adapter that reports much, little or nothing.

use std::f64::consts::LN_2;

use fastrand::Rng;
use hsdiag::diagnose::Cause;
use hsdiag::line::{
    Baud, DataBits, Direction, Fault, Format, Instant, LineErrors, LineEvent, Parity, Settings, StopBits,
};
use hsdiag::wire::{Adapter, Reports};

use super::builder::Builder;
use super::conversation::Message;
use super::disturbances::{crosstalk, noise, undriven};
use super::plan::{Force, Origin, Plan, Truth, Wire};

/// A capture whose cause is known.
pub struct Labelled {
    pub cause: Cause,
    /// The second cause that acts, if there is one.
    pub second: Option<Cause>,
    /// Of two causes, what would have been heard of each had the other one not acted, where that is known.
    pub alone: Vec<(Cause, Vec<LineEvent>)>,
    /// Two causes between which nothing in the capture decides.
    pub alike: Vec<Cause>,
    pub settings: Settings,
    pub errors: LineErrors,
    pub uncertainty: f64,
    /// Settings changes and events in order of time, each received byte with what it really was.
    pub events: Vec<(LineEvent, Option<Truth>)>,
    pub changes: Vec<(Instant, Settings)>,
}

/// What a capture is made from.
pub struct Ingredients<'a> {
    /// The protocol that is expected.
    pub talk: &'a [Message],
    /// For each of its replies what answers somebody else's question, where that can be told; empty where nobody asks.
    pub to_others: &'a [Option<Vec<u8>>],
    /// A conversation in which the device refuses.
    pub refusing: &'a [Message],
    /// Another protocol's conversation.
    pub foreign: &'a [Message],
    /// What an application prints.
    pub text: &'a [Vec<u8>],
    pub format: Format,
    pub bauds: &'a [Baud],
    /// On this protocol's line everything that is sent comes back, always.
    pub has_echo: bool,
    /// The conversation can go on for ever; else it is held once.
    pub polls: bool,
    /// What is drawn may be anything that devices and lines do, not only what is usual.
    pub wide: bool,
}

/// Customary rates of the generated lines.
const RATES: [u32; 12] =
    [1200, 2400, 4800, 9600, 19_200, 31_250, 38_400, 57_600, 74_880, 115_200, 230_400, 460_800];

/// A packet of an adapter that gathers bytes is handed over after so many seconds.
const PACKET: f64 = 0.016;

/// So few changed bits, and no line error, are a faulty memory or as many glitches inside characters.
const FEW_FLIPS: usize = 2;

/// Makes the `number`-th capture of a cause. `None` when the ingredients do not allow it.
pub fn labelled(
    cause: Cause,
    second: Option<Cause>,
    from: &Ingredients<'_>,
    wire: Wire,
    seed: u64,
) -> Option<Labelled> {
    let mut rng = Rng::with_seed(seed);
    let errors = match rng.u32(..10) {
        0..=5 => LineErrors::PerByte,
        6..=7 => LineErrors::Packet,
        _ => LineErrors::Never,
    };
    let baud = match rng.u32(..2) {
        0 if !from.bauds.is_empty() => from.bauds[rng.usize(..from.bauds.len())],
        _ => Baud::nearest(f64::from(RATES[rng.usize(..RATES.len())])),
    };
    let settings = Settings::new(baud, from.format);
    let both = rng.f64() < 0.75 || needs_both(cause) || second.is_some_and(needs_both);
    let mut builder = Builder::new(settings, errors, both, from.wide, rng);
    let mut alike = Vec::new();
    let touched = build(cause, second, from, &mut builder, &mut alike)?;
    finish(cause, second, alike, touched, builder, wire)
}

/// Causes that change what is said, so that it is known while it is said whether they have.
fn is_said(cause: Cause) -> bool {
    use Cause::*;
    matches!(
        cause,
        FlowControl
            | ApplicationRunning
            | WrongState
            | DeviceReset
            | Interleaved
            | Corrupted
            | Truncated
            | Overrun
            | Floating
    )
}

/// Causes that change what is received of it.
fn is_on_the_wire(cause: Cause) -> bool {
    use Cause::*;
    matches!(cause, FormatMismatch | NoiseGlitch | NoiseBurst | Turnaround | Break | Crosstalk)
}

fn needs_both(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::Echo
            | Cause::Crosstalk
            | Cause::NoAnswer
            | Cause::Interleaved
            | Cause::WrongState
            | Cause::Turnaround
    )
}

fn build(
    cause: Cause,
    second: Option<Cause>,
    from: &Ingredients<'_>,
    b: &mut Builder,
    alike: &mut Vec<Cause>,
) -> Option<bool> {
    let has = |wanted: Cause| cause == wanted || second == Some(wanted);
    sender(cause, second, b, alike)?;
    if cause == Cause::Undecided {
        // Too little for anybody: nothing, or a byte or two that fit nothing.
        b.both = false;
        for _ in 0..b.rng.usize(..3) {
            let byte = b.rng.u8(..);
            b.device(&[byte]);
            b.long_pause(0.2);
        }
        return Some(true);
    }
    let talk: Vec<Message> = match cause {
        Cause::OtherProtocol if speaks_by_itself(from.foreign) => answered_by(from.talk, from.foreign),
        Cause::OtherProtocol => from.foreign.to_vec(),
        Cause::Refused => refusing(from, &mut b.rng),
        _ => from.talk.to_vec(),
    };
    if talk.iter().all(|message| message.direction == Direction::Tx) || talk.is_empty() {
        return None;
    }
    let polls = from.polls || cause == Cause::OtherProtocol;
    let latest = if polls { talk.len().min(12) } else { talk.len().div_ceil(3) };
    let start = if b.rng.f64() < 0.7 { 0 } else { b.rng.usize(..latest) };
    // A whole day, or one attempt that failed.
    let (least, longest) = match if b.wide { b.rng.u32(..10) } else { 9 } {
        0..=2 => (6, 90),
        3 => (2, 6),
        _ => (6, 26),
    };
    let most = least + b.rng.usize(..longest);
    // Whole exchanges: what follows a message of the host until it speaks again.
    let most = if polls { most } else { most.min(talk.len() - start) };
    let mut messages: Vec<Message> = talk.iter().cycle().skip(start).take(most).cloned().collect();
    // TX on RX and nobody else: each question comes back, and is asked again some times.
    let is_loop = b.wide && cause == Cause::Echo && second.is_none() && b.rng.f64() < 0.35;
    if is_loop {
        if from.has_echo {
            return None; // what comes back is taken away there: that is no answer at all
        }
        messages = asked_again(&messages, &mut b.rng);
    }
    while messages.first().is_some_and(|m| m.direction == Direction::Rx) && messages.len() > 2 && b.both {
        messages.remove(0);
    }
    let damage = if b.wide { 0.04 + 0.96 * b.rng.f64().powf(1.5) } else { 0.15 + 0.5 * b.rng.f64() };
    // Of everything that was said, or once in a long while.
    let each = if b.wide && b.rng.f64() < 0.2 { 1.5 / messages.len() as f64 } else { damage };
    let reset_at = b.rng.usize(messages.len() / 3..(messages.len() * 2 / 3).max(messages.len() / 3 + 1));
    let mut held: Option<Vec<u8>> = None;
    let mut touched = false;
    let mut silent = false;
    // Meters are often asked once in a second or in a minute.
    let rests = b.wide && b.rng.f64() < 0.15;
    // The driver of the line is let go too late, or taken too late: then the answer's beginning is not on the line.
    let is_cut = b.wide && has(Cause::Turnaround) && b.rng.f64() < 0.4;
    // A line that nobody drives between answers, or that nobody ever drives; and whether it floats before answers, behind them, or both.
    let is_driven = b.wide && b.rng.f64() < 0.7;
    let (floats_before, floats_behind) = if is_driven {
        [(true, false), (false, true), (true, true)][b.rng.usize(..3)]
    } else {
        (true, false)
    };
    let waits = if is_loop { [0.02, 0.1, 1.0][b.rng.usize(..3)] } else { 0.0 };
    let how_often = if is_driven { 0.4 + 0.6 * b.rng.f64() } else { 1.0 };
    for (number, message) in messages.iter().enumerate() {
        let fresh_turn = number == 0 || messages[number - 1].direction != message.direction;
        if fresh_turn {
            b.pause();
            if b.both && b.plan.errors == LineErrors::Packet && message.direction == Direction::Tx {
                // The host asks behind the same adapter: it has the last answer only when its packet has come.
                b.now += PACKET;
            }
        }
        if message.direction == Direction::Tx {
            if fresh_turn && rests {
                b.now += 3.0 * b.rng.f64();
            }
            let begin = b.now;
            b.host(&message.bytes);
            if has(Cause::Echo) {
                let (now, delay) = (b.now, b.character() * 0.05);
                b.now = begin + delay;
                // It was sent by this side: at this side's settings.
                let device = std::mem::replace(&mut b.device, b.plan.receiver);
                b.device_as(&message.bytes, Origin::Echo);
                b.device = device;
                b.now = b.now.max(now);
            }
            if has(Cause::Crosstalk) {
                crosstalk(&message.bytes, begin, b);
                touched = true;
            }
            if has(Cause::Turnaround) && !is_cut && b.rng.f64() < 0.85 {
                let (at, bits) = (b.now + b.bit() * b.rng.f64(), 0.7 + damage * 10.0);
                let to = at + bits * b.bit();
                b.force(at, to, Cause::Turnaround);
                b.now = b.now.max(to + 2.0 * b.character() * b.rng.f64());
                touched = true;
            }
            continue;
        }
        let mut bytes = message.bytes.clone();
        match cause {
            Cause::NoAnswer => continue,
            Cause::Echo if is_loop => {
                // Whoever waits in vain waits for as long as an answer may take.
                b.long_pause(waits);
                continue;
            }
            Cause::Floating => {
                if floats_before && b.rng.f64() < how_often {
                    undriven(b, damage);
                    touched = true;
                    b.now += b.character() * (1.0 + 2.0 * b.rng.f64());
                }
                if !is_driven {
                    continue;
                }
            }
            Cause::ApplicationRunning => {
                for _ in 0..=b.rng.usize(..2) {
                    let line = from.text.get(b.rng.usize(..from.text.len().max(1)))?.clone();
                    b.device(&line);
                    b.pause();
                }
                touched = true;
                continue;
            }
            Cause::DeviceReset if number >= reset_at => {
                if !touched {
                    b.long_pause(0.05);
                    if b.rng.f64() < 0.5 {
                        let end = bytes.len() / 2;
                        b.device(&bytes[..end]);
                    }
                    for _ in 0..=b.rng.usize(..3) {
                        let line = from.text.get(b.rng.usize(..from.text.len().max(1)))?.clone();
                        b.device(&line);
                    }
                    b.long_pause(0.1);
                    touched = true;
                    silent = b.rng.bool();
                }
                if silent {
                    continue;
                }
            }
            Cause::Corrupted if b.rng.f64() < each && bytes.len() > 3 => {
                for _ in 0..=b.rng.usize(..2) {
                    let place = b.rng.usize(..bytes.len());
                    let flipped =
                        if b.wide && b.rng.f64() < 0.3 { b.rng.u8(1..) } else { 1 << b.rng.u32(..8) };
                    bytes[place] ^= flipped;
                    b.flips += flipped.count_ones() as usize;
                }
                touched = true;
            }
            Cause::Truncated if b.rng.f64() < each && bytes.len() > 3 => {
                bytes.truncate(1 + b.rng.usize(..bytes.len() - 1));
                touched = true;
            }
            Cause::Overrun if b.rng.f64() < each && bytes.len() > 4 => {
                let place = 1 + b.rng.usize(..bytes.len() - 2);
                let lost = 1 + b.rng.usize(..(bytes.len() - 1 - place).clamp(1, 8));
                let length = b.device.character_time().as_secs_f64();
                let at = b.now + place as f64 * length;
                b.plan.overrun.push((at, at + lost as f64 * length * 0.98));
                touched = true;
            }
            Cause::WrongState if b.rng.f64() < each => {
                touched = true;
                match b.rng.u32(..3) {
                    0 => {
                        b.device(&bytes);
                        b.pause();
                    }
                    1 => b.long_pause(2.5),
                    _ => {
                        // Held back until after the next one.
                        if let Some(late) = held.replace(bytes.clone()) {
                            bytes = late;
                        } else {
                            continue;
                        }
                    }
                }
            }
            Cause::Interleaved if b.rng.f64() < each => {
                let others: Vec<&Message> = talk
                    .iter()
                    .filter(|other| other.direction == Direction::Rx && other.bytes != bytes)
                    .collect();
                let place = talk.iter().position(|said| said == message);
                let to_another = place.and_then(|place| from.to_others.get(place)?.clone());
                let other = match to_another.filter(|_| b.wide && b.rng.f64() < 0.6) {
                    Some(other) => other,
                    None => {
                        (!others.is_empty()).then(|| others[b.rng.usize(..others.len())].bytes.clone())?
                    }
                };
                touched = true;
                if b.rng.bool() {
                    b.device(&other);
                    b.pause();
                } else {
                    bytes = other;
                }
            }
            Cause::FlowControl => match b.rng.u32(..4) {
                0 if bytes.len() > 4 => {
                    let cut = 1 + b.rng.usize(..bytes.len() - 2);
                    b.device(&bytes[..cut]);
                    if b.rng.bool() {
                        b.device(&[0x13]);
                    }
                    b.long_pause(0.5);
                    if b.wide && b.rng.bool() {
                        b.device(&[0x11]);
                    }
                    bytes.drain(..cut);
                    touched = true;
                }
                1 | 2 => {
                    b.device(&[0x13]);
                    b.long_pause(0.8);
                    b.device(&[0x11]);
                    touched = true;
                }
                _ => {}
            },
            _ => {}
        }
        if is_cut && b.rng.f64() < 0.1 + damage {
            let bits = 0.7 + 12.0 * b.rng.f64();
            let (from, to) = (b.now - b.bit(), b.now + bits * b.bit());
            b.plan.forces.push(Force { from, to, mark: true, of: Cause::Turnaround });
            touched = true;
        }
        b.device(&bytes);
        if cause == Cause::Floating && floats_behind && b.rng.f64() < how_often {
            b.now += b.character() * (0.5 + 6.0 * b.rng.f64());
            undriven(b, damage);
            touched = true;
        }
        if has(Cause::Turnaround) && !is_cut && damage > 0.4 && b.rng.f64() < 0.8 {
            let at = b.now + b.bit() * b.rng.f64();
            let bits = 0.7 + damage * 4.0;
            b.force(at, at + bits * b.bit(), Cause::Turnaround);
            b.now = at + bits * b.bit() + b.character();
        }
    }
    b.now += b.character() * 20.0;
    noise(cause, second, b, damage);
    rates(cause, from, b)?;
    Some(touched)
}

/// The questions, each once or several times, with the place of the answer that is missing behind each.
fn asked_again(messages: &[Message], rng: &mut Rng) -> Vec<Message> {
    let tries = 1 + rng.usize(..4);
    let turns = messages.chunk_by(|a, b| a.direction == Direction::Tx || b.direction == Direction::Rx);
    turns.flat_map(|turn| std::iter::repeat_n(turn, tries).flatten().cloned()).collect()
}

fn speaks_by_itself(talk: &[Message]) -> bool {
    talk.iter().all(|message| message.direction == Direction::Rx)
}

/// The usual questions, and behind each what another device says, which speaks by itself.
fn answered_by(talk: &[Message], foreign: &[Message]) -> Vec<Message> {
    let mut said = foreign.iter().filter(|message| message.direction == Direction::Rx).cycle();
    let asked = talk.iter().filter(|message| message.direction == Direction::Tx);
    asked.flat_map(|message| [Some(message.clone()), said.next().cloned()]).flatten().collect()
}

/// The usual conversation, but some of the requests are refused as the device refuses them.
fn refusing(from: &Ingredients<'_>, rng: &mut Rng) -> Vec<Message> {
    let refusal = |request: &Message| {
        let place = from.refusing.iter().position(|m| m == request)?;
        from.refusing.get(place + 1).filter(|reply| reply.direction == Direction::Rx)
    };
    let often = 0.2 + 0.8 * rng.f64();
    let mut talk = Vec::new();
    let mut refused = false;
    let mut messages = from.talk.iter().peekable();
    while let Some(message) = messages.next() {
        talk.push(message.clone());
        let said = (message.direction == Direction::Tx).then(|| refusal(message)).flatten();
        if let Some(said) = said.filter(|_| rng.f64() < often) {
            talk.push(said.clone());
            refused = true;
            while messages.next_if(|next| next.direction == Direction::Rx).is_some() {}
        }
    }
    if refused { talk } else { from.refusing.to_vec() }
}

/// The sender's settings, where they are the cause.
fn sender(cause: Cause, second: Option<Cause>, b: &mut Builder, alike: &mut Vec<Cause>) -> Option<()> {
    for cause in [Some(cause), second].into_iter().flatten() {
        let receiver = b.plan.receiver;
        match cause {
            Cause::BaudMismatch => {
                // A terminal at 115200 on a device at 9600 or 2400 hears little but breaks.
                let is_far = b.wide && b.rng.f64() < 0.35;
                let far = |rate: &u32| {
                    let ratio = (f64::from(*rate) / receiver.baud.hz()).ln();
                    let slow = (8.2f64.ln()..=50f64.ln()).contains(&-ratio);
                    if is_far { slow } else { (0.06..=8.2f64.ln()).contains(&ratio.abs()) }
                };
                let mut rates: Vec<u32> = RATES.iter().copied().filter(far).collect();
                if rates.is_empty() {
                    rates.push((receiver.baud.hz() / 2.0) as u32);
                }
                let rate = match if b.wide && !is_far { b.rng.u32(..4) } else { 1 } {
                    // A crystal or a divider that is not what the firmware believes.
                    0 => {
                        let ratio = (0.06 + 1.1 * b.rng.f64()).exp();
                        receiver.baud.hz() * if b.rng.bool() { ratio } else { 1.0 / ratio }
                    }
                    _ => f64::from(rates[b.rng.usize(..rates.len())]),
                };
                b.device = receiver.with_baud(Baud::nearest(rate));
                if rate > 1.95 * receiver.baud.hz() {
                    alike.extend([Cause::BaudMismatch, Cause::NoiseGlitch]);
                }
            }
            Cause::FormatMismatch => {
                let format = |data, parity| Format { data, parity, stop: StopBits::One };
                let all = [
                    format(DataBits::Eight, Parity::None),
                    format(DataBits::Eight, Parity::Even),
                    format(DataBits::Eight, Parity::Odd),
                    format(DataBits::Seven, Parity::Even),
                    format(DataBits::Seven, Parity::Odd),
                ];
                let others: Vec<Format> =
                    all.into_iter().filter(|format| *format != receiver.format).collect();
                let other = others[b.rng.usize(..others.len())];
                b.device = receiver.with_format(other);
            }
            Cause::Inverted => b.device.inverted = true,
            Cause::BitOrder => b.device.msb_first = true,
            _ => {}
        }
    }
    Some(())
}

/// A port whose rate has no effect: the same device under other settings.
fn rates(cause: Cause, from: &Ingredients<'_>, b: &mut Builder) -> Option<()> {
    if cause != Cause::RateIgnored {
        return Some(());
    }
    let first = b.plan.receiver;
    let other = RATES[b.rng.usize(..RATES.len())];
    if (f64::from(other) / first.baud.hz()).ln().abs() < LN_2 / 2.0 {
        return None;
    }
    // The wire has no rate: both ends change together, and only the label of the settings is another.
    let at = b.now;
    let settings = first.with_baud(Baud::nearest(f64::from(other)));
    b.plan.changes.push((at, settings));
    b.device = settings;
    b.now += 0.02;
    for message in from.talk.iter().cycle().take(8) {
        b.pause();
        b.say(message);
    }
    b.now += b.character() * 20.0;
    Some(())
}

/// The same line, had this cause not acted on it; `None` where it changed what was said.
fn without(plan: &Plan, cause: Cause) -> Option<Plan> {
    use Cause::*;
    let mut plan = plan.clone();
    let receiver = plan.receiver;
    let set = |plan: &mut Plan, to: &dyn Fn(&mut Settings)| {
        plan.characters.iter_mut().for_each(|character| to(&mut character.settings));
    };
    match cause {
        NoiseGlitch | NoiseBurst | Turnaround | Break | Crosstalk => {
            plan.forces.retain(|force| force.of != cause);
        }
        Echo => plan.characters.retain(|character| character.origin != Origin::Echo),
        FormatMismatch => set(&mut plan, &|settings| settings.format = receiver.format),
        BitOrder => set(&mut plan, &|settings| settings.msb_first = receiver.msb_first),
        BaudMismatch => set(&mut plan, &|settings| settings.baud = receiver.baud),
        _ => return None,
    }
    Some(plan)
}

fn finish(
    cause: Cause,
    second: Option<Cause>,
    mut alike: Vec<Cause>,
    touched: bool,
    mut b: Builder,
    wire: Wire,
) -> Option<Labelled> {
    let plan = &mut b.plan;
    plan.characters.sort_by(|x, y| x.at.total_cmp(&y.at));
    // One sender at a time: what would overlap waits.
    let mut free = 0.0f64;
    for character in &mut plan.characters {
        character.at = character.at.max(free);
        free = character.at + character.settings.character_time().as_secs_f64() / (1.0 + plan.skew);
    }
    plan.end = b.now.max(free) + 0.05;
    if is_said(cause) && !touched {
        return None;
    }
    let heard = wire(plan);
    let told = plan.errors != LineErrors::Never;
    let seen = |event: &LineEvent| (event.value(), event.fault.filter(|_| told));
    for acting in [Some(cause), second].into_iter().flatten().filter(|cause| is_on_the_wire(*cause)) {
        // What leaves no trace with this adapter cannot be found, and is no example of anything.
        let Some(clean) = without(plan, acting).map(|plan| wire(&plan)) else { continue };
        if heard.iter().map(seen).eq(clean.iter().map(seen)) {
            return None;
        }
        // Bits of characters are changed and nothing else: so does a faulty memory.
        let quiet = clean.len() == heard.len()
            && heard
                .iter()
                .zip(&clean)
                .all(|(a, b)| seen(a).1 == seen(b).1 && a.value().is_some() == b.value().is_some());
        if quiet && acting == Cause::NoiseGlitch && second.is_none() {
            alike = vec![Cause::NoiseGlitch, Cause::Corrupted];
        }
    }
    if cause == Cause::Corrupted && b.flips <= FEW_FLIPS && second.is_none() {
        alike = vec![Cause::NoiseGlitch, Cause::Corrupted];
    }
    let (received, any_lost) = read_in_time(plan, heard);
    if cause == Cause::Overrun && !any_lost {
        return None;
    }
    let mut all = with_sent(plan, through_adapter(plan, received));
    cut_ends(&mut all, plan.seed);
    let span = all.first().zip(all.last()).map(|(first, last)| first.0.at..=last.0.at);
    // Each of two by itself, over the same time.
    let by_itself = |(own, other): (Cause, Cause)| {
        let plan = without(plan, other)?;
        let (received, _) = read_in_time(&plan, wire(&plan));
        let events = with_sent(&plan, through_adapter(&plan, received)).into_iter().map(|(event, _)| event);
        let heard = events.filter(|event| span.as_ref().is_some_and(|span| span.contains(&event.at)));
        Some((own, heard.collect()))
    };
    let both = second.map(|second| [(cause, second), (second, cause)]);
    let alone = both.into_iter().flatten().filter_map(by_itself).collect();
    Some(Labelled {
        cause,
        second,
        alone,
        alike,
        settings: plan.receiver,
        errors: plan.errors,
        uncertainty: if plan.errors == LineErrors::Packet { PACKET } else { 0.0 },
        events: all,
        changes: plan.changes.iter().map(|(at, settings)| (Instant::from_secs(*at), *settings)).collect(),
    })
}

/// What was received and read before the next character came, each with its truth; and whether something was lost.
fn read_in_time(plan: &Plan, heard: Vec<LineEvent>) -> (Vec<(LineEvent, Option<Truth>)>, bool) {
    let mut received: Vec<(LineEvent, Option<Truth>)> = Vec::new();
    let (mut lost, mut any_lost) = (false, false);
    for event in heard {
        let at = event.at.secs();
        if plan
            .overrun
            .iter()
            .any(|(from, to)| (*from..*to).contains(&(at - 0.5 * 1.0 / plan.receiver.baud.hz())))
        {
            (lost, any_lost) = (true, true);
            continue;
        }
        let truth = plan.truth(&event, plan.settings_at(at));
        let told = plan.errors != LineErrors::Never && lost && event.fault.is_none();
        lost = false;
        received.push((if told { event.with_fault(Fault::Overrun) } else { event }, Some(truth)));
    }
    (received, any_lost)
}

/// What was received and what was sent, in order of time.
fn with_sent(plan: &Plan, received: Vec<(LineEvent, Option<Truth>)>) -> Vec<(LineEvent, Option<Truth>)> {
    let mut all: Vec<(LineEvent, Option<Truth>)> =
        plan.sent_events().map(|event| (event, None)).chain(received).collect();
    all.sort_by_key(|(event, _)| event.at);
    all
}

/// Whoever records begins and ends in the middle of something.
fn cut_ends(events: &mut Vec<(LineEvent, Option<Truth>)>, seed: u64) {
    const OFTEN: f64 = 0.25;
    const LEAST: usize = 40;
    const MOST: usize = 24;
    let mut rng = Rng::with_seed(seed ^ 0xE2D5);
    if rng.f64() < OFTEN && events.len() > LEAST {
        events.drain(..1 + rng.usize(..MOST.min(events.len() / 4)));
    }
    if rng.f64() < OFTEN && events.len() > LEAST {
        events.truncate(events.len() - 1 - rng.usize(..MOST.min(events.len() / 4)));
    }
}

/// The adapter's reports, each byte with its truth.
fn through_adapter(
    plan: &Plan,
    received: Vec<(LineEvent, Option<Truth>)>,
) -> Vec<(LineEvent, Option<Truth>)> {
    let mut reports = Reports::through(Adapter::with(plan.errors, Baud::nearest(3e6)));
    let truths: Vec<Option<Truth>> = received.iter().map(|(_, truth)| *truth).collect();
    let events: Vec<LineEvent> = received.into_iter().map(|(event, _)| event).collect();
    let end = Instant::from_secs(plan.end + 1.0);
    let delivered = reports.deliver(events, end);
    let delivered = delivered.into_iter().chain(reports.deliver(Vec::new(), end));
    delivered.zip(truths).collect()
}
