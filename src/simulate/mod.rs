//! Floor 4: the other end. A device as a task, with its faults, its memory and its application.

mod device;

pub use device::{Options, SimulateError, Simulated, device};
