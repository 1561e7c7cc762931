//! hsdiag: which baud, which format, which protocol, and what the unexpected byte was.
//!
//! A map of the house. Imports run downward only; `tests/floors.rs` sees to it.
//!
//! | floor | folders | what is decided there |
//! | --- | --- | --- |
//! | 0 | [`line`](mod@line) | what a serial line is |
//! | 1 | [`wire`] | the physics: waveform, sender, receiver, noise, the forward model |
//! | 0 | [`image`] | what a firmware image is |
//! | 1 | [`frame`] | what bytes mean: the layout language, its parser and its encoder |
//! | 2 | [`protocol`] | what a table says |
//! | 2 | [`capture`] | what was recorded |
//! | 3 | [`machine`] | what happens next in a conversation |
//! | 4 | [`diagnose`] | why it failed |
//! | 4 | [`flash`](mod@flash) | how an image gets into a device |
//! | 4 | [`simulate`] | how a device answers |
//! | 5 | [`sweep`] | which settings the device speaks |
//! | 5 | [`transport`] | where bytes come from and when |
//! | 6 | [`report`] | what a result looks like |
//! | 7 | [`cli`] | which of the above was asked for |

pub mod capture;
pub mod cli;
pub mod diagnose;
pub mod flash;
pub mod frame;
pub mod image;
pub mod line;
pub mod machine;
pub mod protocol;
pub mod report;
pub mod simulate;
pub mod sweep;
pub mod transport;
pub mod wire;
