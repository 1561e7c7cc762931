//! Floor 4: why it failed. Evidence is measured, causes are weighed, and every claim carries what speaks for it.

mod alternatives;
mod bytes;
mod cause;
mod edges;
mod engine;
mod evidence;
pub mod explain;
mod follow;
mod matrix;
mod measure;
mod mend;
mod model;
mod others;
mod peel;
mod played;
mod posterior;
mod recognise;
mod recording;
mod verdict;
mod window;

pub use bytes::Bytes;
pub use cause::{CATALOGUE, Cause, Entry};
pub use edges::{Edges, between, edges};
pub use engine::{Engine, Hearing};
pub use evidence::{Details, Evidence, Feature};
pub use follow::{Follow, Followed};
pub use measure::{Otherwise, measure};
pub use model::{CLASSES, Circumstances, Decide, Model, Told, Weights, Words, acting, chances, softmax};
pub use others::Other;
pub use played::{diagnose_played, diagnose_silence};
pub use posterior::{Diagnosis, Ranked, Reason};
pub use recognise::{Recognised, Recogniser};
pub use recording::{Observed, likeliest, observe, recognise, sides};
pub use verdict::Verdict;
pub use window::{Heard, Standing, Stretch, Window};
