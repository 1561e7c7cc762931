//! The contract of everything that decides: events and time come in, actions and the next deadline go out.

use super::event::{ControlLines, LineEvent};
use super::settings::Settings;
use super::time::{Instant, Span};

/// What a task wants done on the line. The loop in `transport` carries actions out in the order they were given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Send(Vec<u8>),
    /// Change the settings of the open port. The loop answers with [`Task::on_settings`], telling what the driver really set.
    Set(Settings),
    Lines(ControlLines),
    /// Close the port, and open it again, waiting at most so long for it to be there: what has a USB port of its own goes away when it
    /// starts anew.
    Close,
    Open(Span),
    /// Hold the line at space for so long.
    Break(Span),
    /// Throw away what the port has received and not delivered yet.
    Discard,
    /// The task is over; its result is asked of it by whoever owns it.
    Done,
}

/// Something that decides: it never opens a port, sleeps, or reads a clock.
///
/// The same events at the same instants always lead to the same actions.
pub trait Task {
    /// Something was seen on the line.
    fn on_event(&mut self, event: &LineEvent);

    /// It is now `now`; called at the deadline the task asked for, and at least before each round of actions.
    fn on_time(&mut self, now: Instant);

    /// The settings that hold from `now` on, as the driver reads them back; once at the start and after every [`Action::Set`].
    fn on_settings(&mut self, now: Instant, settings: Settings);

    /// A [`Action::Set`] was refused by the port, for this reason.
    fn on_refused(&mut self, now: Instant, settings: Settings, reason: &str);

    /// How the port at the other end stands: its settings, and DTR and RTS where they were moved. Only what plays a board at the far
    /// end of a line is told.
    fn on_far_end(&mut self, _now: Instant, _settings: Settings, _lines: ControlLines) {}

    /// The next thing to do, until there is none.
    fn next_action(&mut self) -> Option<Action>;

    /// When the task wants to be woken if nothing happens.
    fn deadline(&self) -> Option<Instant>;
}

/// An end that never says a word.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mute;

impl Task for Mute {
    fn on_event(&mut self, _: &LineEvent) {}
    fn on_time(&mut self, _: Instant) {}
    fn on_settings(&mut self, _: Instant, _: Settings) {}
    fn on_refused(&mut self, _: Instant, _: Settings, _: &str) {}
    fn next_action(&mut self) -> Option<Action> {
        None
    }
    fn deadline(&self) -> Option<Instant> {
        None
    }
}
