//! What is wrong with a table as a whole, when each of its parts is right: states that cannot be reached, frames that cannot be told apart.

mod alike;
mod calls;
mod counted;
mod exprs;
mod flaw;
mod flow;
mod frame_ids;
mod names;
mod numbers;
mod positions;
mod reach;
mod same;
mod sent;
mod special;
mod tell;
mod vectors;
mod whole;
mod written;

pub use flaw::{Flaw, Place};
pub use special::spells_out;
pub(super) use tell::tell;
pub use whole::check;
pub use written::Written;
