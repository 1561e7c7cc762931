//! What was read against what the image says, piece by piece; and what has to be erased and written to make it so.

use bytes::Bytes;

use crate::protocol::FlashRun;

use super::extents::{Extents, State};
use super::job::{Job, Stage};
use super::plan::Plan;

/// What a piece of the device holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Same,
    /// Nothing: it can be written without erasing.
    Blank,
    Other,
}

/// A range of pieces that hold the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub at: u64,
    pub size: u64,
    pub holds: Holds,
}

/// What a device that has no pieces of its own is compared by.
const COMPARED: u64 = 4096;

/// What of a part was found, piece by piece.
pub(super) fn held(plan: &Plan, at: u64, found: &Bytes) -> Vec<Held> {
    let piece = plan.pieces(FlashRun::Write).map_or(COMPARED, |pieces| pieces.size);
    let mut all: Vec<Held> = Vec::new();
    let end = at + found.len() as u64;
    let mut from = at;
    while from < end {
        let to = (from - from % piece + piece).min(end);
        let bytes = &found[(from - at) as usize..(to - at) as usize];
        let holds = if plan.differences(from, bytes).next().is_none() {
            Holds::Same
        } else if bytes.iter().all(|byte| *byte == plan.erased(from)) {
            Holds::Blank
        } else {
            Holds::Other
        };
        match all.last_mut() {
            Some(last) if last.holds == holds && last.at + last.size == from => last.size += to - from,
            _ => all.push(Held { at: from, size: to - from, holds }),
        }
        from = to;
    }
    all
}

/// The runs that make the device hold the image, where it holds this. `Err` says what cannot be done.
pub(super) fn mending(plan: &Plan, held: &[Held]) -> Result<Vec<Job>, String> {
    let has = |run| plan.flash().run(run).is_some();
    let ranges = |wanted: &[Holds]| -> Vec<(u64, u64)> {
        held.iter().filter(|held| wanted.contains(&held.holds)).map(|held| (held.at, held.size)).collect()
    };
    let other = ranges(&[Holds::Other]);
    if other.is_empty() || !plan.flash().erases_first() {
        return Ok(writing(plan, &ranges(&[Holds::Blank, Holds::Other])));
    }
    let units = if has(FlashRun::Erase) { plan.units(&other) } else { None };
    let Some(units) = units else {
        let all: Vec<(u64, u64)> = plan.parts.iter().map(|part| (part.at, part.bytes.len() as u64)).collect();
        let mut jobs = erasing(plan, &all)?;
        jobs.extend(writing(plan, &all));
        return Ok(jobs);
    };
    let mut jobs: Vec<Job> =
        units.iter().map(|(at, size)| Job::of(FlashRun::Erase, Stage::Erase).over(*at, *size)).collect();
    // What the erased units held has to be written anew, besides what was blank.
    let mut written = ranges(&[Holds::Blank]);
    for part in &plan.parts {
        for &(at, size) in &units {
            let (from, to) = (part.at.max(at), part.end().min(at + size));
            if from < to {
                written.push((from, to - from));
            }
        }
    }
    jobs.extend(writing(plan, &joined(written)));
    Ok(jobs)
}

/// The runs that erase what lies under these ranges before it is written, where `write` does not do that itself.
pub(super) fn preparing(plan: &Plan, ranges: &[(u64, u64)]) -> Result<Vec<Job>, String> {
    if plan.flash().erases_first() { erasing(plan, ranges) } else { Ok(Vec::new()) }
}

/// The runs that erase what lies under these ranges.
pub(super) fn erasing(plan: &Plan, ranges: &[(u64, u64)]) -> Result<Vec<Job>, String> {
    let has = |run| plan.flash().run(run).is_some();
    if has(FlashRun::Erase)
        && let Some(units) = plan.units(ranges)
    {
        let job = |(at, size): &(u64, u64)| Job::of(FlashRun::Erase, Stage::Erase).over(*at, *size);
        return Ok(units.iter().map(job).collect());
    }
    if has(FlashRun::EraseAll) {
        let (at, end) =
            (ranges.iter().map(|range| range.0).min(), ranges.iter().map(|range| range.0 + range.1).max());
        let (at, end) = (at.unwrap_or(0), end.unwrap_or(0));
        return Ok(vec![Job::of(FlashRun::EraseAll, Stage::Erase).over(at, end - at)]);
    }
    Err("the pages or sectors of this chip are not known".into())
}

/// The runs that write these ranges.
pub(super) fn writing(plan: &Plan, ranges: &[(u64, u64)]) -> Vec<Job> {
    let write = || Job::of(FlashRun::Write, Stage::Write);
    let Some(pieces) = plan.pieces(FlashRun::Write).filter(|_| plan.flash().has_addresses()) else {
        // A run that moves the image as a whole: where it has addresses, a range by itself is such a whole.
        if plan.flash().has_addresses() {
            return ranges
                .iter()
                .filter_map(|(at, size)| Some(write().with(*at, plan.bytes(*at, *size)?)))
                .collect();
        }
        let any = !ranges.is_empty();
        return plan
            .parts
            .iter()
            .filter(|_| any)
            .map(|part| write().with(part.at, part.bytes.clone()))
            .collect();
    };
    let mut jobs = Vec::new();
    for &(at, size) in ranges {
        // Pieces begin at multiples of their size; a head before the first of them goes by itself.
        let head = (at.next_multiple_of(pieces.size) - at).min(size);
        for (at, size) in [(at, head), (at + head, size - head)] {
            jobs.extend(plan.bytes(at, size).filter(|_| size > 0).map(|bytes| write().with(at, bytes)));
        }
    }
    jobs
}

/// The runs that read these ranges, a few pieces each.
pub(super) fn reading(plan: &Plan, ranges: &[(u64, u64)], stage: Stage) -> Vec<Job> {
    if !plan.flash().names_address(FlashRun::Read) {
        // The device reads out from its beginning on, and cannot be told to begin elsewhere.
        let begin = plan.parts.first().map_or(plan.flash().base, |part| part.at);
        let end = ranges.iter().map(|(at, size)| at + size).max().unwrap_or(begin);
        let whole = Job::of(FlashRun::Read, stage).over(begin, end.saturating_sub(begin));
        return Vec::from_iter((!ranges.is_empty()).then_some(whole));
    }
    let chunk = plan.pieces(FlashRun::Read).map_or(COMPARED, |pieces| pieces.size * PIECES_AT_ONCE);
    let mut jobs = Vec::new();
    for &(at, size) in ranges {
        let mut from = at;
        while from < at + size {
            let to = (from - from % chunk + chunk).min(at + size);
            jobs.push(Job::of(FlashRun::Read, stage).over(from, to - from));
            from = to;
        }
    }
    jobs
}

/// So many pieces are read in a run: what fails is read again, and no more.
const PIECES_AT_ONCE: u64 = 16;

/// The runs that show whether the device holds the image; `None` where the protocol has no way. What was read and is right, is right.
pub(super) fn verifying(plan: &Plan, extents: &Extents) -> Option<Vec<Job>> {
    if plan.flash().run(FlashRun::Verify).is_some() {
        let check = |part: &crate::image::Segment| {
            Job::of(FlashRun::Verify, Stage::Verify).with(part.at, part.bytes.clone())
        };
        return Some(plan.parts.iter().map(check).collect());
    }
    plan.flash().run(FlashRun::Read)?;
    let open = extents.iter().filter(|extent| extent.state != State::Verified);
    let ranges = joined(open.map(|extent| (extent.at, extent.size)).collect());
    Some(reading(plan, &ranges, Stage::Verify))
}

fn joined(mut ranges: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    ranges.sort_unstable();
    let mut all: Vec<(u64, u64)> = Vec::new();
    for (at, size) in ranges {
        match all.last_mut() {
            Some((from, length)) if at <= *from + *length => *length = (*length).max(at + size - *from),
            _ => all.push((at, size)),
        }
    }
    all
}
