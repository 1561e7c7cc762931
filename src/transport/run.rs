//! The one loop: feeds a task what is seen, carries out its actions, waits for its deadline.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::line::{Action, Baud, Instant, Settings, Span, Task};

use super::port::{Port, PortError};

/// How a run ended, when nothing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The task said so.
    Done,
    /// The stop flag was raised.
    Stopped,
    /// A recording was played to its end.
    EndOfRecording,
}

/// What a run was, beside what its task found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    pub end: End,
    /// What the task wanted and this port has not: moving DTR, sending a break.
    pub not_possible: Vec<String>,
}

/// How often `tick` is called and the stop flag looked at, at the least.
const TICK: Span = Span::from_millis(50);

/// Runs `task` on `port` until it is done, `stop` is raised, or the port fails.
///
/// `tick` is called with the port's time between rounds, for a progress bar. When the port fails, what the task found so far is
/// still in the task.
pub fn run(
    port: &mut dyn Port,
    task: &mut dyn Task,
    stop: &AtomicBool,
    tick: &mut dyn FnMut(Instant),
) -> Result<Ran, PortError> {
    watch(port, task, stop, &mut |now, _| tick(now))
}

/// The same; `tick` sees the task too, to tell what it is doing.
pub fn watch<T: Task + ?Sized>(
    port: &mut dyn Port,
    task: &mut T,
    stop: &AtomicBool,
    tick: &mut dyn FnMut(Instant, &mut T),
) -> Result<Ran, PortError> {
    let mut not_possible = Vec::new();
    let mut seen = Vec::new();
    task.on_settings(port.now(), port.settings());
    // The task's clock goes as far as the port has been read: whoever is slow to hear still hears what came before a deadline.
    let mut now = port.now();
    let end = loop {
        task.on_time(now);
        if act(port, task, stop, &mut not_possible)? {
            break End::Done;
        }
        if stop.load(Ordering::Relaxed) {
            break End::Stopped;
        }
        tick(now, task);
        let begin = port.now(); // a drain or a change of rate takes time
        let until = task.deadline().map_or(begin + TICK, |deadline| deadline.clamp(begin, begin + TICK));
        let settings = port.settings();
        let read = port.read(until, &mut seen);
        now = port.now();
        if port.settings() != settings {
            task.on_settings(port.now(), port.settings()); // a recording changed them, or the far end of a socket
        }
        for event in seen.drain(..) {
            task.on_event(&event);
        }
        match read {
            Err(PortError::EndOfRecording { .. }) => {
                let at_end = port.now();
                task.on_time(task.deadline().unwrap_or(at_end).max(at_end));
                let done = act(port, task, stop, &mut not_possible)?;
                break if done { End::Done } else { End::EndOfRecording };
            }
            other => other?,
        }
    };
    Ok(Ran { end, not_possible })
}

/// What to say when a driver set another rate than it was asked for. By less than a hundredth is what every divider does.
pub fn other_rate(port: &(impl Port + ?Sized), wanted: Settings, set: Settings) -> Option<String> {
    // A recording goes at its own rate, and says so elsewhere.
    differing(wanted.baud, set.baud).filter(|_| !port.abilities().virtual_time)
}

fn differing(asked: Baud, set: Baud) -> Option<String> {
    let other = (set.hz() - asked.hz()).abs() > asked.hz() / 100.0;
    other.then(|| format!("asked for {asked} baud, the driver set {set}"))
}

fn tell_once(said: String, told: &mut Vec<String>) {
    if !told.contains(&said) {
        tracing::warn!("{said}");
        told.push(said);
    }
}

/// Carries out what the task wants now; true when it is done.
fn act<T: Task + ?Sized>(
    port: &mut dyn Port,
    task: &mut T,
    stop: &AtomicBool,
    not_possible: &mut Vec<String>,
) -> Result<bool, PortError> {
    while let Some(action) = task.next_action() {
        if stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let done = match action {
            Action::Done => return Ok(true),
            Action::Send(bytes) => port.write(&bytes),
            Action::Lines(lines) => port.set_lines(lines),
            Action::Break(length) => port.send_break(length),
            Action::Close => port.close(),
            Action::Open(within) => port.open(within),
            Action::Discard => port.discard(),
            Action::Set(wanted) => match port.set(wanted) {
                Ok(settings) => {
                    if let Some(said) = other_rate(port, wanted, settings) {
                        tell_once(said, not_possible);
                    }
                    task.on_settings(port.now(), settings);
                    Ok(())
                }
                Err(
                    error @ (PortError::BaudRefused { .. }
                    | PortError::FormatRefused { .. }
                    | PortError::Unsupported { .. }),
                ) => {
                    task.on_refused(port.now(), wanted, &error.to_string());
                    Ok(())
                }
                Err(error) => Err(error),
            },
        };
        match done {
            Err(error @ PortError::Unsupported { .. }) => tell_once(error.to_string(), not_possible),
            other => other?,
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_rate_than_the_one_asked_is_told_but_not_what_a_divider_rounds() {
        let said = |asked, set| differing(Baud::nearest(asked), Baud::nearest(set));
        assert_eq!(said(115_200.0, 115_385.0), None);
        assert_eq!(said(74_880.0, 38_400.0).as_deref(), Some("asked for 74880 baud, the driver set 38400"));
    }
}
