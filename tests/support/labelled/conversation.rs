//! Clean conversations of shipped tables: host against device without a wire between them, as messages.

use std::sync::Arc;

use hsdiag::line::{Action, Direction, Instant, LineEvent, Settings, Task};
use hsdiag::machine::{Env, Host, Run};
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
    messages
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
