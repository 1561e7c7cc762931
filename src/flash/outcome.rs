//! How a session ended, and in what state it leaves the device.

use bytes::Bytes;

use crate::frame::{Name, Value};
use crate::image::Segment;
use crate::machine::{Ending, Item};

use super::check::Complaint;
use super::extents::Extents;
use super::job::Stage;
use super::plan::Chosen;

/// How a session ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// Everything that was asked for is done; what was written was read back or checked.
    Done,
    /// It was sent, and this protocol has no way to check it.
    Unverified,
    /// What the device holds is not what the image says, also after it was written again.
    Differs,
    /// The device is not the one that the image is for; nothing was erased or written.
    Unfit(Vec<Complaint>),
    /// A run of the table ended this way, again and again.
    Failed(Ending),
}

/// A byte that is not what the image says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    pub at: u64,
    pub expected: u8,
    pub found: u8,
}

/// What a session did.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// `None`: it was interrupted.
    pub ended: Option<Ended>,
    pub stage: Stage,
    pub chip: Chosen,
    /// What was learnt of the device.
    pub captured: Vec<(Name, Value)>,
    pub extents: Extents,
    /// The first bytes that differ, and how many do.
    pub differences: Vec<Difference>,
    pub differing: u64,
    /// What was asked to be read.
    pub read: Vec<Segment>,
    /// Runs that were tried again, and rounds in which something was written again.
    pub retries: u32,
    pub repairs: u32,
    /// How often the device was brought into its bootloader once more, in mid-session.
    pub reentries: u32,
    /// Bytes of the image that were sent to be written.
    pub written: u64,
    /// Whether the application was started; `None` where that was not asked for or cannot be.
    pub started: Option<bool>,
    /// The end of the conversation.
    pub items: Vec<Item>,
    pub sent: usize,
    pub heard: usize,
}

impl Outcome {
    /// What was read, in one piece.
    pub fn contents(&self) -> Bytes {
        self.read.iter().flat_map(|part| part.bytes.iter().copied()).collect()
    }
}
