//! Floor 7: commands. Each parses its arguments, calls the library and shows a report; what is decided is decided below.

mod args;
mod decode;
mod environment;
mod explain;
mod failure;
mod files;
mod flash;
mod handshake;
mod log;
mod monitor;
mod output;
mod ports;
mod progress;
mod protocols;
mod record;
mod recording;
mod session;
mod simulate;
mod start;
mod stop;
mod sweep;
mod tables;

pub use start::{command, main};
