//! `[flash]`: how an image gets into a device, as runs by name, and what a firmware image has to be.

use crate::frame::{Expr, ExprKind, Name, Path};

use super::talk::{Step, StepKind, Talk};

/// `[flash]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flash {
    /// Where a raw image goes when the user says nothing.
    pub base: u64,
    /// Regions of memory that an image may lie in; empty: all that are no RAM.
    pub memory: Vec<Name>,
    /// Processors that the device has, as ELF files name them; empty: any.
    pub machines: Vec<String>,
    /// What a device is left with when its flashing ends half way.
    pub interrupted: String,
    /// Families of UF2 files that fit the device; empty: not known.
    pub families: Vec<u32>,
    /// What is changed in an image before it is looked at, in order.
    /// `write` erases what it writes: `erase` and `erase_all` are for those who want nothing else.
    pub write_erases: bool,
    pub patches: Vec<ImagePatch>,
    pub checks: Vec<ImageCheck>,
    /// Only those that the table has.
    pub runs: Vec<(FlashRun, Talk)>,
}

/// What a run of `[flash]` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlashRun {
    /// Into the loader, up to where it takes commands; learns which chip it is.
    Begin,
    /// To the rate that the rest is done at.
    Speed,
    /// Erases the units that the image touches.
    Erase,
    /// Erases everything.
    EraseAll,
    Write,
    /// Lets the device check what it holds.
    Verify,
    /// Reads `size` bytes at `at` into `image`; what it holds when the image is known has to be equal.
    Read,
    /// Back to where commands begin, after something went wrong.
    Recover,
    /// Starts the application.
    Go,
}

/// Something that holds for an image that this device can run.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageCheck {
    /// Over the image: `memory(address, n)` is what it holds there. Where it holds nothing there, the check does not apply.
    pub holds: Expr,
    /// What an image is for which it does not hold.
    pub says: String,
    pub remedy: Option<String>,
}

/// Bytes of an image that are computed from it, such as a checksum that its device wants.
#[derive(Clone, Debug, PartialEq)]
pub struct ImagePatch {
    /// Where the bytes go; `None`: they are the whole image from now on, which has to be in one piece.
    pub address: Option<Expr>,
    /// Over the image, as for a check.
    pub becomes: Expr,
    /// Without it the patch always applies.
    pub when: Option<Expr>,
    /// What was done, for people.
    pub says: String,
}

/// The names that every run of `[flash]` is given beside `image`, which `read` alone is not.
pub const FLASH_NAMES: [&str; 5] = ["at", "size", "first", "last", "units"];

impl FlashRun {
    pub const ALL: [FlashRun; 9] = [
        FlashRun::Begin,
        FlashRun::Speed,
        FlashRun::Erase,
        FlashRun::EraseAll,
        FlashRun::Write,
        FlashRun::Verify,
        FlashRun::Read,
        FlashRun::Recover,
        FlashRun::Go,
    ];

    /// The key that it stands under.
    pub fn key(self) -> &'static str {
        match self {
            FlashRun::Begin => "begin",
            FlashRun::Speed => "speed",
            FlashRun::Erase => "erase",
            FlashRun::EraseAll => "erase_all",
            FlashRun::Write => "write",
            FlashRun::Verify => "verify",
            FlashRun::Read => "read",
            FlashRun::Recover => "recover",
            FlashRun::Go => "go",
        }
    }
}

impl Flash {
    pub fn run(&self, wanted: FlashRun) -> Option<&Talk> {
        self.runs.iter().find(|(run, _)| *run == wanted).map(|(_, talk)| talk)
    }

    /// Everything in order: begin, erase, write, verify, go.
    pub fn whole(&self) -> Talk {
        let either = |one: FlashRun, other: FlashRun| self.run(one).or_else(|| self.run(other));
        let runs = [
            self.run(FlashRun::Begin),
            self.run(FlashRun::Speed),
            either(FlashRun::Erase, FlashRun::EraseAll).filter(|_| self.erases_first()),
            self.run(FlashRun::Write),
            either(FlashRun::Verify, FlashRun::Read),
            self.run(FlashRun::Go),
        ];
        Talk { steps: runs.into_iter().flatten().flat_map(|talk| talk.steps.iter().cloned()).collect() }
    }

    /// How many bytes `write` or `read` moves in a piece, where it goes over the image piece by piece: such a run can begin at any of them.
    /// `known` gives parameters their values.
    pub fn pieces(&self, run: FlashRun, known: &dyn Fn(&Name) -> Option<i128>) -> Option<Pieces> {
        self.run(run)?.steps.iter().find_map(|step| pieces(step, known))
    }

    /// Whether something has to be erased before it is written.
    pub fn erases_first(&self) -> bool {
        !self.write_erases && (self.run(FlashRun::Erase).is_some() || self.run(FlashRun::EraseAll).is_some())
    }

    /// Whether `write` tells the device where the image belongs; else the image has to be in one piece.
    pub fn has_addresses(&self) -> bool {
        self.names_address(FlashRun::Write)
    }

    /// Whether this run tells the device an address; one that does not begins where the device begins.
    pub fn names_address(&self, run: FlashRun) -> bool {
        self.run(run).is_some_and(|talk| talk.steps.iter().any(names_an_address))
    }
}

/// The pieces of a run over the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pieces {
    pub size: u64,
    /// A piece begins and ends at multiples of this; what the image lacks for it is filled.
    pub align: u64,
    pub pad: u8,
}

fn pieces(step: &Step, known: &dyn Fn(&Name) -> Option<i128>) -> Option<Pieces> {
    match &step.kind {
        StepKind::Each(each) if &*each.data == "image" => {
            let by = each.by.as_number().or_else(|| match &each.by.kind {
                ExprKind::Path(Path { first, rest: None }) => known(first),
                _ => None,
            });
            let size = by.and_then(|by| u64::try_from(by).ok()).filter(|by| *by > 0)?;
            let align = each.align.unwrap_or(if each.pad.is_some() { size } else { 1 }).max(1);
            Some(Pieces { size, align, pad: each.pad.unwrap_or(0xFF) })
        }
        StepKind::Choice(ways) => ways.iter().flat_map(|way| &way.steps).find_map(|step| pieces(step, known)),
        StepKind::Times { body, .. } => body.steps.iter().find_map(|step| pieces(step, known)),
        _ => None,
    }
}

fn names_an_address(step: &Step) -> bool {
    match &step.kind {
        StepKind::Call { arguments, .. } => arguments.iter().any(|argument| {
            let is_address = |path: &Path| match &path.rest {
                Some(rest) => &**rest == "at",
                None => &*path.first == "at",
            };
            argument.value.paths().iter().any(|(path, _)| is_address(path))
        }),
        StepKind::Each(each) => each.body.steps.iter().any(names_an_address),
        StepKind::Choice(ways) => ways.iter().flat_map(|way| &way.steps).any(names_an_address),
        StepKind::Times { body, .. } => body.steps.iter().any(names_an_address),
        _ => false,
    }
}
