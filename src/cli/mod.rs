//! Floor 7: commands. Each parses its arguments, calls the library and shows a report; what is decided is decided below.

mod args;
mod devices;
#[allow(dead_code)] // captures are used by `decode`
mod failure;
#[allow(dead_code)] // captures are used by `decode`
mod files;
mod log;
mod output;
mod ports;
mod progress;
mod record;
mod recording;
mod session;
mod start;
mod stop;
mod sweep;

pub use start::main;
