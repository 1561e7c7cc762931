//! Floor 3: the conversation. One machine for every talk of a table, read by three roles: observer, host and device.

mod closure;
mod compile;
mod device;
mod effects;
mod env;
mod facts;
mod gathered;
mod hear;
mod host;
mod item;
mod memory;
mod names;
mod observer;
mod program;
mod scope;
mod score;
mod states;
mod thread;
mod vector;
mod view;

pub use device::{Device, Faults};
pub use env::Env;
pub use host::{Ending, Host, HostResult, Run};
pub use item::{Candidate, Elsewhere, Framed, Item, ItemKind, Part, Said, Silence, Unexpected};
pub use memory::{Memory, MemoryError};
pub use observer::{Observer, Sides};
pub use program::Program;
pub use score::Score;
pub use vector::{VectorMistake, check_vector};
