//! What is wrong with a table as a whole, when each of its parts is right: states that cannot be reached, frames that cannot be told apart.

mod alike;
mod calls;
mod finding;
mod flow;
mod names;
mod positions;
mod reach;
mod vectors;
mod whole;
mod written;

pub use finding::{Finding, Place, Severity};
pub use whole::check;
pub use written::Written;
