//! Floor 4: why it failed. Evidence is measured, causes are weighed, and every claim carries what speaks for it.

mod cause;
mod evidence;
pub mod explain;
mod follow;
mod measure;
mod model;
mod posterior;
mod recognise;
mod recording;
mod window;

pub use cause::{CATALOGUE, Cause, Entry};
pub use evidence::{Details, Evidence, Feature};
pub use follow::{Follow, Followed};
pub use measure::{Otherwise, measure};
pub use model::{Decide, Model, Weights, Words, softmax};
pub use posterior::{Diagnosis, Ranked, Reason};
pub use recognise::{Recognised, Recogniser};
pub use recording::{Observed, observe, recognise};
pub use window::{Heard, Standing, Stretch, Window};
