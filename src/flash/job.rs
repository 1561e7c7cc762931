//! One run of a session, and which part of flashing it belongs to.

use bytes::Bytes;

use crate::protocol::FlashRun;

/// What is being done, as it is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// The control lines are moved.
    #[default]
    Reset,
    Begin,
    /// What the device holds is read, to write only what differs.
    Survey,
    Erase,
    Write,
    Verify,
    Read,
    Go,
}

impl Stage {
    pub fn word(self) -> &'static str {
        match self {
            Stage::Reset => "reset",
            Stage::Begin => "begin",
            Stage::Survey => "survey",
            Stage::Erase => "erase",
            Stage::Write => "write",
            Stage::Verify => "verify",
            Stage::Read => "read",
            Stage::Go => "go",
        }
    }
}

/// A run over a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Job {
    pub run: FlashRun,
    pub stage: Stage,
    pub at: u64,
    pub size: u64,
    /// What is written or checked; `None` where it is to be read.
    pub image: Option<Bytes>,
    /// How often it has failed where it stands.
    pub failed: u32,
    /// What was read here before, when it is read a second time to be sure.
    pub before: Option<Bytes>,
    /// It was read here as the image has it, and something else was read as well.
    pub right: bool,
    /// It is read only to see whether the write that failed here has happened all the same.
    pub peek: bool,
}

impl Job {
    pub fn of(run: FlashRun, stage: Stage) -> Job {
        Job { run, stage, at: 0, size: 0, image: None, failed: 0, before: None, right: false, peek: false }
    }

    pub fn over(self, at: u64, size: u64) -> Job {
        Job { at, size, ..self }
    }

    pub fn with(self, at: u64, image: Bytes) -> Job {
        Job { at, size: image.len() as u64, image: Some(image), ..self }
    }
}
