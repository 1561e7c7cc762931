//! Floor 1: the physics of a line. Waveform, sender, disturbances, the sampling receiver, and the forward model: what a receiver at
//! other settings makes of what was sent.

mod adapter;
mod channel;
mod noise;
mod receive;
mod transmit;
mod waveform;

pub use adapter::{Adapter, Reports};
pub use channel::Channel;
pub use noise::{Disturbance, Noise, turnaround};
pub use receive::{Receiver, Resync};
pub use transmit::{Drift, Transmitter};
pub use waveform::{Edge, Level, Waveform};
