//! Floor 3: the conversation. One machine for every talk of a table, read by three roles: observer, host and device.

mod device;
mod env;
mod host;
mod item;
mod memory;
mod observer;
mod program;
mod score;
mod vector;

pub use device::{Device, Faults};
pub use env::Env;
pub use host::{Ending, Host, HostResult, Run};
pub use item::{Candidate, Elsewhere, Framed, Item, ItemKind, Part, Said, Silence, Unexpected};
pub use memory::{Memory, MemoryError};
pub use observer::{Observer, Sides};
pub use program::Program;
pub use score::Score;
pub use vector::{VectorMistake, check_vector};
