//! What a session does about a run that went wrong, and about what was read back and differs.

use crate::line::{Action as LineAction, Span};
use crate::machine::Ending;
use crate::protocol::FlashRun;

use super::extents::State;
use super::job::{Job, Stage};
use super::outcome::Ended;
use super::plan::Plan;
use super::reset::move_lines;
use super::session::{Action, Session};
use super::verify::{Held, Holds, mending};

/// A run that failed is tried again so often without getting anywhere.
pub(super) const TRIES: u32 = 6;

/// What an adapter may still hold back after something went wrong.
const PAUSE: Span = Span::from_millis(60);

/// After so many failures of a run the device is brought into its bootloader anew, where the control lines can do that.
const LOST: u32 = 3;

/// So many failures of a run are the end, also with a device that comes back each time.
const MOST: u32 = 2 * TRIES;

/// So often in a row it is tried to bring a device back.
const REENTRIES: u32 = 6;

/// Rounds in which what differs is written again.
const REPAIRS: u32 = 3;

impl Session {
    /// A run went wrong: it is tried again from where it came to, as long as that gets anywhere.
    pub(super) fn failed(&mut self, mut job: Job, ending: Ending) {
        if job.run == FlashRun::Recover {
            return; // the run behind it shows whether the device takes commands
        }
        if job.run == FlashRun::Go {
            self.outcome.started = Some(false);
            return match self.options.action {
                Action::Go => self.end(Ended::Failed(ending)),
                // What was right in RAM is gone, if the device was reset meanwhile.
                _ if self.plan.is_in_ram() => self.end(Ended::Failed(ending)),
                _ => self.over = true,
            };
        }
        if job.peek {
            return;
        }
        if self.reentered > 0 && matches!(job.run, FlashRun::Begin | FlashRun::Speed) {
            return match self.reentered < REENTRIES {
                true => self.reenter(),
                false => self.end(Ended::Failed(ending)),
            };
        }
        let mut peek = None;
        if job.run == FlashRun::Write
            && let Some(pieces) = self.plan.pieces(FlashRun::Write)
            && let (Some(image), Some((done, Some(of)))) = (&job.image, self.host.progress())
            && of == job.size
            && done <= job.size
        {
            if done > 0 {
                job.failed = 0;
                self.done += done;
                let rest = image.slice(done as usize..);
                job = Job { at: job.at + done, size: rest.len() as u64, image: Some(rest), ..job };
            }
            if self.has(FlashRun::Read) && job.size > 0 {
                let size = pieces.size.min(job.size);
                peek = Some(Job { peek: true, ..Job::of(FlashRun::Read, job.stage).over(job.at, size) });
            }
        }
        job.failed += 1;
        let silent = job.stage == Stage::Begin && self.host.result().heard == 0;
        let hopeless = matches!(ending, Ending::Failed(_)) || silent;
        let answered = matches!(ending, Ending::Unexpected | Ending::Refused);
        if job.run == FlashRun::Verify && answered && job.failed >= 2 {
            // The device answered, and not what the image says.
            self.extents.set(job.at, job.size, State::Differs);
            self.found.push(Held { at: job.at, size: job.size, holds: Holds::Other });
            return;
        }
        let patience = if self.script.is_empty() { TRIES } else { LOST };
        let reenters = job.failed.is_multiple_of(patience) && self.has(FlashRun::Begin);
        let most = if self.has(FlashRun::Begin) { MOST } else { TRIES };
        if hopeless || job.failed >= most {
            return self.end(Ended::Failed(ending));
        }
        self.outcome.retries += 1;
        if reenters {
            if !matches!(job.run, FlashRun::Begin | FlashRun::Speed) {
                let anew = halves(&self.plan, job);
                for job in peek.into_iter().chain(anew).rev() {
                    self.jobs.push_front(job);
                }
            }
            return self.reenter();
        }
        self.pause();
        for half in halves(&self.plan, job).into_iter().rev() {
            self.jobs.push_front(half);
        }
        if let Some(peek) = peek {
            self.jobs.push_front(peek);
        }
        if self.has(FlashRun::Recover) {
            self.jobs.push_front(Job::of(FlashRun::Recover, self.stage));
        }
    }

    /// The device has lost the thread: it was reset, or its application runs. It is brought into its bootloader once more, and what
    /// is left to do goes on from there.
    fn reenter(&mut self) {
        self.reentered += 1;
        self.outcome.reentries += 1;
        self.host.forget();
        // What it had to be told before stands in the queue still, if that is what failed.
        while self.jobs.front().is_some_and(|job| matches!(job.run, FlashRun::Begin | FlashRun::Speed)) {
            self.jobs.pop_front();
        }
        for run in [FlashRun::Speed, FlashRun::Begin] {
            if self.has(run) {
                self.jobs.push_front(Job::of(run, self.stage));
            }
        }
        self.pause();
        if self.settings != self.line {
            self.reset.push(LineAction::Set(self.line));
        }
        move_lines(&mut self.reset, &self.script, self.line);
    }

    /// Lets what is still on its way pass, so that it is not taken for the answer to what comes next.
    fn pause(&mut self) {
        self.reset.wait(self.settings.character_time() * 20 + PAUSE);
        self.reset.push(LineAction::Discard);
        self.resetting = true;
    }

    /// The write that comes next has happened up to here.
    pub(super) fn skip(&mut self, to: u64) {
        let Some(next) = self.jobs.front_mut().filter(|next| next.run == FlashRun::Write) else { return };
        let (Some(image), Some(past)) = (&next.image, to.checked_sub(next.at)) else { return };
        if past >= next.size {
            self.jobs.pop_front();
            return;
        }
        let rest = image.slice(past as usize..);
        (next.at, next.size, next.image) = (to, rest.len() as u64, Some(rest));
    }

    pub(super) fn verified(&mut self) {
        let found = std::mem::take(&mut self.found);
        if found.iter().all(|held| held.holds == Holds::Same) {
            return self.finish(Ended::Done);
        }
        if self.options.action != Action::Flash || self.outcome.repairs >= REPAIRS {
            return self.end(Ended::Differs);
        }
        self.outcome.repairs += 1;
        match mending(&self.plan, &found) {
            Ok(jobs) => self.enqueue(jobs),
            Err(_) => self.end(Ended::Differs),
        }
    }
}

/// What could not be read in one go is read in two.
fn halves(plan: &Plan, job: Job) -> Vec<Job> {
    let piece = plan.pieces(FlashRun::Read).map_or(job.size, |pieces| pieces.size.max(1));
    if job.run != FlashRun::Read || job.peek || job.size <= piece || !plan.flash().names_address(job.run) {
        return vec![job];
    }
    let first = (job.size / 2).div_ceil(piece) * piece;
    let half = |at, size| Job { at, size, failed: job.failed / 2, before: None, right: false, ..job.clone() };
    vec![half(job.at, first), half(job.at + first, job.size - first)]
        .into_iter()
        .filter(|job| job.size > 0)
        .collect()
}
