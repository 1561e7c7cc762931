//! Captures whose cause is known: conversations of the shipped tables, spoilt on purpose, on a wire of one's choice.
//!
//! Shared by `examples/evaluate-diagnosis.rs` and `tests/diagnosis.rs`.

#![allow(dead_code)] // each user takes a part

pub mod builder;
pub mod conversation;
pub mod disturbances;
pub mod first_wire;
pub mod generate;
pub mod kit;
pub mod plan;
pub mod second_wire;
