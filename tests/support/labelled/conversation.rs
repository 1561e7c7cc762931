//! Clean conversations of shipped tables: host against device without a wire between them, as messages.

use std::collections::BTreeSet;
use std::sync::Arc;

use fastrand::Rng;
use hsdiag::frame::{Frame, Name, Nothing, Outcome, Value};
use hsdiag::line::{Action, Baud, Direction, Instant, LineEvent, Settings, Task};
use hsdiag::machine::{Env, Host, Observer, Program, Run, Sides};
use hsdiag::protocol::Table;
use hsdiag::simulate;

/// What one side says in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub direction: Direction,
    pub bytes: Vec<u8>,
}

/// Messages of one conversation; at least a few, at most `most` bytes in all.
pub fn conversation(table: &Arc<Table>, options: &simulate::Options, most: usize) -> Vec<Message> {
    let Ok(simulated) = simulate::device(table, options) else { return Vec::new() };
    let mut device = simulated.task;
    let settings = simulated.settings;
    let mut messages: Vec<Message> = Vec::new();
    let mut now = Instant::ZERO;
    let mut bytes = 0;
    device.on_settings(now, settings);
    let runs: Vec<Run> =
        [table.handshake.as_ref().map(|_| Run::Handshake), table.poll.as_ref().map(|_| Run::Poll)]
            .into_iter()
            .flatten()
            .collect();
    let rounds = if table.poll.is_some() { 12 } else { 1 };
    'rounds: for round in 0..rounds {
        let run = if round == 0 { runs.first() } else { runs.last() };
        let host = run.and_then(|run| Host::new(table, run, &Env::new(), settings).ok());
        let mut host: Option<Box<dyn Task>> = host.map(|host| Box::new(host) as Box<dyn Task>);
        if let Some(host) = &mut host {
            host.on_settings(now, settings);
        }
        // Rounds of actions; time moves on when nobody acts.
        for _ in 0..4000 {
            let mut acted = false;
            for (task, direction) in sides(&mut host, &mut device) {
                task.on_time(now);
                while let Some(action) = task.next_action() {
                    match action {
                        Action::Send(sent) => {
                            acted = true;
                            bytes += sent.len();
                            join(&mut messages, direction, &sent);
                        }
                        Action::Set(settings) => task.on_settings(now, settings),
                        Action::Done if direction == Direction::Tx => {
                            if bytes >= most {
                                break 'rounds;
                            }
                            continue 'rounds;
                        }
                        _ => {}
                    }
                }
                // Delivered at once to the other side.
            }
            let undelivered = deliver(&mut messages, &mut host, &mut device, settings, &mut now);
            if bytes >= most {
                break 'rounds;
            }
            if !acted && !undelivered {
                let next = [host.as_ref().and_then(|host| host.deadline()), device.deadline()];
                let Some(next) = next.into_iter().flatten().min() else { break };
                now = next.max(now + std::time::Duration::from_micros(100));
                if now.secs() > 600.0 {
                    break 'rounds;
                }
            }
        }
    }
    messages.retain(|message| !message.bytes.is_empty());
    // A question that nobody answers any more would be no healthy end.
    while messages.iter().any(|message| message.direction == Direction::Rx)
        && messages.last().is_some_and(|message| message.direction == Direction::Tx)
    {
        messages.pop();
    }
    messages
}

/// The same conversation with other contents: what a device has to say is different in every device and every time, and a
/// constant would be learnt by heart. Values are replaced only where the conversation stays a healthy one.
pub fn varied(program: &Arc<Program>, mut messages: Vec<Message>, seed: u64) -> Vec<Message> {
    const ATTEMPTS: usize = 6;
    /// Shorter ones hold nothing but what they must.
    const SHORTEST: usize = 3;
    let mut random = Rng::with_seed(seed);
    let mut asked = BTreeSet::new();
    for place in 0..messages.len() {
        if messages[place].direction == Direction::Tx {
            asked = names(program, &messages[place]);
            continue;
        }
        for _ in 0..ATTEMPTS {
            let was = messages[place].clone();
            if was.bytes.len() < SHORTEST {
                break;
            }
            // None that the question had as well.
            let Some(bytes) = contents(program, &was, |name| !asked.contains(name), &mut random) else {
                continue;
            };
            messages[place].bytes = bytes;
            // What follows may depend on it.
            if !is_healthy(program, &messages[..messages.len().min(place + 3)]) {
                messages[place] = was;
            }
        }
    }
    messages
}

/// For each reply what somebody else would have said, who was asked something else: with another value where the question has one as well.
pub fn to_others(program: &Arc<Program>, messages: &[Message], seed: u64) -> Vec<Option<Vec<u8>>> {
    const ATTEMPTS: usize = 8;
    let mut random = Rng::with_seed(seed);
    let mut asked = BTreeSet::new();
    let mut to_another = |place: usize| {
        let message = &messages[place];
        if message.direction == Direction::Tx {
            asked = names(program, message);
            return None;
        }
        (0..ATTEMPTS).find_map(|_| {
            let bytes = contents(program, message, |name| asked.contains(name), &mut random)?;
            let said = Message { bytes, ..message.clone() };
            let fits = is_healthy(program, &[&messages[..place], std::slice::from_ref(&said)].concat());
            (!fits).then_some(said.bytes)
        })
    };
    (0..messages.len()).map(&mut to_another).collect()
}

fn names(program: &Program, message: &Message) -> BTreeSet<Name> {
    readings(program, message).flat_map(|(_, values)| values).map(|(name, _)| name).collect()
}

/// The message with one of its values replaced, one of those that are wanted; as long as it was, and read as the same frame.
fn contents(
    program: &Program,
    message: &Message,
    wanted: impl Fn(&Name) -> bool,
    random: &mut Rng,
) -> Option<Vec<u8>> {
    let own = |values: &[(Name, Value)]| -> Vec<usize> {
        (0..values.len()).filter(|place| wanted(&values[*place].0)).collect()
    };
    let fitting: Vec<_> = readings(program, message).filter(|(_, values)| !own(values).is_empty()).collect();
    let (frame, mut values) = random.choice(fitting)?;
    let place = random.choice(own(&values))?;
    let value = &mut values[place].1;
    *value = other_value(value, random.u32(..3), random);
    frame.encode(&values, &Nothing).ok().filter(|encoded| encoded.len() == message.bytes.len())
}

/// Every frame that the message is as a whole, with the values it is made from.
fn readings<'a>(
    program: &'a Program,
    message: &'a Message,
) -> impl Iterator<Item = (&'a Frame, Vec<(Name, Value)>)> {
    let frames = program.table().frames.iter();
    frames.filter_map(|frame| match frame.parse(&message.bytes, true, &Nothing) {
        Outcome::Complete(reading) if reading.len == message.bytes.len() => Some((frame, reading.sent())),
        _ => None,
    })
}

fn other_value(value: &Value, kind: u32, random: &mut Rng) -> Value {
    let mut other = || match kind {
        0 => random.u8(..),
        // Digits, two a byte; small numbers.
        1 => random.u8(..10) << 4 | random.u8(..10),
        _ => random.u8(..8) * u8::from(random.bool()),
    };
    match value {
        Value::Bytes(blob) => Value::bytes(blob.bytes.iter().map(|_| other()).collect::<Vec<u8>>()),
        Value::Int(0..=0xFF) => Value::Int(other().into()),
        Value::Int(_) => Value::Int(i128::from(other()) << 8 | i128::from(other())),
        Value::List(list) => Value::List(list.iter().map(|value| other_value(value, kind, random)).collect()),
    }
}

fn is_healthy(program: &Arc<Program>, messages: &[Message]) -> bool {
    let settings = Settings::new(Baud::nearest(9600.0), program.table().line.format);
    let character = settings.character_time();
    let mut observer = Observer::new(Arc::clone(program), Sides::Both, settings, &Env::new());
    let mut now = Instant::ZERO;
    for message in messages {
        now += character * 5;
        for byte in &message.bytes {
            now += character;
            observer.on_event(&LineEvent::byte(now, message.direction, *byte));
        }
    }
    observer.finish();
    observer.items().iter().all(|item| item.is_clean())
}

fn sides<'a>(
    host: &'a mut Option<Box<dyn Task>>,
    device: &'a mut Box<dyn Task>,
) -> Vec<(&'a mut dyn Task, Direction)> {
    let mut sides: Vec<(&'a mut dyn Task, Direction)> = Vec::new();
    if let Some(host) = host {
        sides.push((host.as_mut(), Direction::Tx));
    }
    sides.push((device.as_mut(), Direction::Rx));
    sides
}

/// Marks in `messages` end where something was delivered: an empty message is the mark.
fn join(messages: &mut Vec<Message>, direction: Direction, bytes: &[u8]) {
    messages.push(Message { direction, bytes: bytes.to_vec() });
}

/// Hands the messages that nobody has heard yet to the other side; true if there were any.
fn deliver(
    messages: &mut Vec<Message>,
    host: &mut Option<Box<dyn Task>>,
    device: &mut Box<dyn Task>,
    settings: Settings,
    now: &mut Instant,
) -> bool {
    let mark = Message { direction: Direction::Rx, bytes: Vec::new() };
    let from = messages.iter().rposition(|message| *message == mark).map_or(0, |place| place + 1);
    let fresh: Vec<Message> = messages[from..].to_vec();
    if fresh.is_empty() {
        return false;
    }
    for message in &fresh {
        for byte in &message.bytes {
            *now += settings.character_time();
            let event = LineEvent::byte(*now, message.direction, *byte);
            match message.direction {
                Direction::Tx => device.on_event(&event),
                Direction::Rx => {
                    if let Some(host) = host {
                        host.on_event(&event);
                    }
                }
            }
        }
    }
    messages.push(mark);
    true
}
