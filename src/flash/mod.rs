//! Floor 4: getting firmware in, and proving that it is in. A plan that is known good, then a task that carries it out and can say at
//! any instant what state the device is in.

mod check;
mod estimate;
mod extents;
mod job;
mod outcome;
mod patch;
mod plan;
mod reset;
mod results;
mod retry;
mod session;
mod verify;

pub use check::{Complaint, complaints};
pub use estimate::{Estimate, estimate};
pub use extents::{Extent, Extents, State};
pub use job::Stage;
pub use outcome::{Difference, Ended, Outcome};
pub use plan::{Chosen, Plan, PlanError, Wish};
pub use reset::{AfterReset, ResetSearch, ResetSequence, TriedSequence, reset_sequences};
pub use session::{Action, Progress, Session, SessionOptions};
