//! Floor 1: the physics of a line. Waveform, sender, disturbances, the sampling receiver, and the forward model: what a receiver at
//! other settings makes of what was sent.

mod adapter;
mod channel;
mod misread;
mod noise;
mod pulses;
mod receive;
mod reception;
mod transmit;
mod waveform;

pub use adapter::{Adapter, Reports};
pub use channel::Channel;
pub use misread::{Received, Spacing, late_starts, misread};
pub use noise::{Disturbance, Noise, turnaround};
pub use pulses::{Turn, bytes_with_pulses, low_pulses, single_pulse_bytes, turns};
pub use receive::{Receiver, Resync};
pub use reception::{RATIOS, Source, Words, words, words_as};
pub use transmit::{Drift, Transmitter};
pub use waveform::{Edge, Level, Waveform};
