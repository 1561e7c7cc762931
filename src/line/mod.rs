//! Floor 0: what a serial line is. Settings, events, time, and the contract of everything that decides.

mod baud;
mod event;
mod format;
mod settings;
mod task;
mod time;

pub use baud::{Baud, BaudError, STANDARD_BAUDS, commonness};
pub use event::{ControlLines, Direction, Fault, LineErrors, LineEvent, Seen};
pub use format::{DataBits, Format, FormatError, Parity, StopBits};
pub use settings::Settings;
pub use task::{Action, Mute, Task};
pub use time::{Instant, Span, span_from_secs};
