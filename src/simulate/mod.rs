//! Floor 4: the other end. A device as a task, with its faults, its memory and its application; and a bus with its host.

mod application;
mod board;
mod bus;
mod device;
mod fault;
mod link;
mod make;
mod mishap;
mod play;
mod playback;

pub use device::{DeviceTask, settings};
pub use fault::{FAULTS, Fault, Spoilt};
pub use link::{Link, Passing, Spoil};
pub use make::{Options, SimulateError, Simulated, device};
pub use mishap::{Mishap, Mishaps};
pub use play::{Noticed, Play, Played, listen, notice, observe, whole_run};
pub use playback::Playback;
