//! What a run has brought: what is then known of the device, byte by byte.

use bytes::Bytes;

use crate::frame::{Name, Value};
use crate::image::Segment;
use crate::machine::Ending;
use crate::protocol::FlashRun;

use super::extents::State;
use super::job::{Job, Stage};
use super::outcome::{Difference, Ended};
use super::retry::TRIES;
use super::session::{Action, Session};
use super::verify::{Held, Holds, held};

/// Differences that are told one by one.
const MOST_DIFFERENCES: usize = 16;

impl Session {
    pub(super) fn job_over(&mut self) {
        self.keep_items(0);
        self.note_progress();
        let result = self.host.result();
        let Some(job) = self.current.take() else { return };
        match result.ending {
            Some(Ending::Done) => self.succeeded(job, &result.captured),
            Some(ending) => self.failed(job, ending),
            None => self.end(Ended::Failed(Ending::Failed("a run broke off".into()))),
        }
    }

    fn succeeded(&mut self, job: Job, captured: &[(Name, Value)]) {
        if job.stage == self.stage && !job.peek {
            self.done += job.size;
        }
        let begun = if self.has(FlashRun::Speed) { FlashRun::Speed } else { FlashRun::Begin };
        if job.run == begun {
            self.reentered = 0;
        }
        match job.run {
            FlashRun::Erase => self.extents.set(job.at, job.size, State::Erased),
            FlashRun::EraseAll => self.extents.set(0, u64::MAX, State::Erased),
            FlashRun::Write => {
                self.outcome.written += job.size;
                self.extents.set(job.at, job.size, State::Written);
            }
            FlashRun::Verify => {
                self.extents.set(job.at, job.size, State::Verified);
                self.found.push(Held { at: job.at, size: job.size, holds: Holds::Same });
            }
            FlashRun::Read => {
                let image = captured.iter().find(|(name, _)| &**name == "image").map(|(_, value)| value);
                match image {
                    Some(Value::Bytes(blob)) if blob.bytes.len() as u64 >= job.size => {
                        let bytes = blob.bytes.slice(..job.size as usize);
                        self.has_read(job, bytes);
                    }
                    _ => self.failed(
                        job,
                        Ending::Failed("what was read is shorter than what was asked for".into()),
                    ),
                }
            }
            FlashRun::Go => {
                let only = self.options.action == Action::Go;
                self.outcome.started = Some(true);
                if !only {
                    self.over = true;
                }
            }
            FlashRun::Begin | FlashRun::Speed | FlashRun::Recover => {}
        }
    }

    fn has_read(&mut self, mut job: Job, bytes: Bytes) {
        if job.stage == Stage::Read {
            self.outcome.read.push(Segment { at: job.at, bytes });
            return;
        }
        let differs = self.plan.differences(job.at, &bytes).next().is_some();
        // What differs is read once more, as the line may have spoilt it. What is right is read once more where it was not right before,
        // or where a question was sent twice to a device that counts by itself: it has then gone further than it should.
        let counts = !self.plan.flash().names_address(FlashRun::Read);
        let sure = match differs {
            true => job.before.as_ref() == Some(&bytes),
            false => job.right || job.before.is_none() && !(counts && self.host.repeats() > 0),
        };
        if !sure && !job.peek {
            job.failed += u32::from(job.before.is_some());
            if job.failed >= TRIES && !differs {
                return self.failed(job, Ending::Unexpected);
            }
            if job.failed < TRIES {
                job.before = Some(bytes);
                job.right |= !differs;
                self.done = self.done.saturating_sub(job.size);
                self.outcome.retries += u32::from(job.stage == Stage::Verify);
                self.jobs.push_front(job);
                return;
            }
        }
        let pieces = held(&self.plan, job.at, &bytes);
        if job.peek {
            if pieces.iter().all(|held| held.holds == Holds::Same) {
                self.extents.set(job.at, job.size, State::Written);
                self.skip(job.at + job.size);
            }
            return;
        }
        if job.stage == Stage::Verify {
            for held in &pieces {
                let state = if held.holds == Holds::Same { State::Verified } else { State::Differs };
                self.extents.set(held.at, held.size, state);
            }
            for (at, expected, found) in self.plan.differences(job.at, &bytes) {
                self.outcome.differing += 1;
                if self.outcome.differences.len() < MOST_DIFFERENCES {
                    self.outcome.differences.push(Difference { at, expected, found });
                }
            }
        }
        self.found.extend(pieces);
    }

    /// How far the write that is under way has come.
    pub(super) fn note_progress(&mut self) {
        let Some(job) = self.current.as_ref().filter(|job| job.run == FlashRun::Write) else { return };
        match self.host.progress() {
            Some((done, Some(of))) if of == job.size => {
                let done = done.min(of);
                let piece = self.plan.pieces(FlashRun::Write).map_or(job.size, |pieces| pieces.size);
                self.extents.set(job.at, done, State::Written);
                self.extents.set(job.at + done, piece.min(job.size - done), State::Doubtful);
            }
            _ => self.extents.set(job.at, job.size, State::Doubtful),
        }
    }
}
