//! A session as a task: plays the table's runs one after another, reads back, writes again what differs, and keeps account of the device.

use std::collections::{BTreeMap, VecDeque};

use crate::image::ReadImage;
use crate::line::{Action as LineAction, Instant, LineEvent, Settings, Task};
use crate::machine::{Ending, Env, Host, Item, Outbox, Prepared, Program, Run};
use crate::protocol::{FlashRun, ScriptStep};

use super::check::complaints;
use super::extents::{Extents, State};
use super::job::{Job, Stage};
use super::outcome::{Ended, Outcome};
use super::plan::Plan;
use super::reset::move_lines;
use super::verify::{Held, Holds, erasing, mending, preparing, reading, verifying, writing};

/// What is to be done with the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Write, and verify.
    Flash,
    Write,
    Verify,
    /// Reads a range; without one, the whole memory.
    Read(Option<(u64, u64)>),
    /// Everything, or only what the image needs.
    Erase,
    Info,
    Go,
}

/// How it is done.
#[derive(Clone, Copy, Debug)]
pub struct SessionOptions {
    pub action: Action,
    /// Reads what is there first, and writes only what differs.
    pub only_changed: bool,
    /// Starts the application at the end, where the table can.
    pub go: bool,
    /// Goes on in spite of what speaks against the image.
    pub force: bool,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    pub stage: Stage,
    /// Bytes of this stage.
    pub done: u64,
    pub of: u64,
    pub settings: Settings,
}

/// A flash session.
pub struct Session {
    pub(super) plan: Plan,
    file: Option<ReadImage>,
    pub(super) options: SessionOptions,
    pub(super) host: Host,
    runs: BTreeMap<FlashRun, Prepared>,
    pub(super) jobs: VecDeque<Job>,
    pub(super) current: Option<Job>,
    pub(super) reset: Outbox,
    pub(super) resetting: bool,
    /// How the control lines bring the device into its bootloader; empty where they are not moved.
    pub(super) script: Vec<ScriptStep>,
    /// The settings at which a conversation begins.
    pub(super) line: Settings,
    pub(super) settings: Settings,
    pub(super) stage: Stage,
    pub(super) extents: Extents,
    /// What was found by reading in this round.
    pub(super) found: Vec<Held>,
    /// Bytes of the stage that are done with.
    pub(super) done: u64,
    of: u64,
    pub(super) outcome: Outcome,
    log: VecDeque<Item>,
    /// How often in a row it was tried to bring the device into its bootloader anew.
    pub(super) reentered: u32,
    pub(super) now: Instant,
    pub(super) over: bool,
}

/// The end of a conversation that is kept to say why it went wrong.
const LOG: usize = 300;

impl Session {
    /// `Err` says what the table lacks for this.
    pub fn new(
        plan: Plan,
        file: Option<ReadImage>,
        program: &Program,
        options: SessionOptions,
        settings: Settings,
    ) -> Result<Session, String> {
        can(&plan, options.action)?;
        if options.only_changed && plan.flash().run(FlashRun::Read).is_none() {
            return Err("this protocol cannot read back what the device holds".into());
        }
        let mut host = Host::of(program, &Run::Talk(Default::default()), &plan.env, settings)?;
        let mut runs = BTreeMap::new();
        for (run, talk) in &plan.flash().runs {
            runs.insert(*run, host.prepare(&Run::Talk(talk.clone()))?);
        }
        let ranges = plan.parts.iter().map(|part| (part.at, part.bytes.len() as u64));
        let mut session = Session {
            extents: Extents::untouched(ranges),
            outcome: Outcome {
                ended: None,
                stage: Stage::Reset,
                chip: plan.chip,
                captured: Vec::new(),
                extents: Extents::default(),
                differences: Vec::new(),
                differing: 0,
                read: Vec::new(),
                retries: 0,
                repairs: 0,
                reentries: 0,
                written: 0,
                started: None,
                items: Vec::new(),
                sent: 0,
                heard: 0,
            },
            resetting: false,
            reset: Outbox::default(),
            script: Vec::new(),
            line: settings,
            reentered: 0,
            now: Instant::ZERO,
            plan,
            file,
            options,
            host,
            runs,
            jobs: VecDeque::new(),
            current: None,
            settings,
            stage: Stage::Reset,
            found: Vec::new(),
            done: 0,
            of: 0,
            log: VecDeque::new(),
            over: false,
        };
        session.enqueue_beginning();
        Ok(session)
    }

    /// The control lines are moved this way before anything is said, and once more when the device has lost the thread.
    pub fn reset_by(&mut self, script: &[ScriptStep]) {
        self.resetting = !script.is_empty();
        self.script = script.to_vec();
        move_lines(&mut self.reset, script, self.line);
    }

    pub(super) fn has(&self, run: FlashRun) -> bool {
        self.runs.contains_key(&run)
    }

    fn enqueue_beginning(&mut self) {
        let asks_only = self.options.action == Action::Info;
        for run in [FlashRun::Begin, FlashRun::Speed] {
            if self.has(run) && !(asks_only && run == FlashRun::Speed) {
                self.jobs.push_back(Job::of(run, Stage::Begin));
            }
        }
    }

    /// What was found; can be asked at any time, also of a session that was interrupted.
    pub fn outcome(&mut self) -> Outcome {
        self.keep_items(0);
        self.note_progress();
        let result = self.host.result();
        let mut outcome = self.outcome.clone();
        if outcome.captured.is_empty() {
            outcome.captured = result.captured;
        }
        outcome.stage = self.stage;
        if let (Some(job), Some((done, Some(of)))) = (&self.current, self.host.progress())
            && job.run == FlashRun::Write
            && of == job.size
        {
            outcome.written += done; // of the run that is under way
        }
        outcome.chip = self.plan.chip;
        outcome.extents = self.extents.clone();
        outcome.items = self.log.iter().cloned().collect();
        (outcome.sent, outcome.heard) = (result.sent, result.heard);
        outcome
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    pub fn progress(&self) -> Progress {
        let under_way = match (&self.current, self.host.progress()) {
            (Some(job), Some((done, of))) if job.stage == self.stage => match of {
                // A stream that is packed is as far as the same part of it.
                Some(of) if of > 0 => (u128::from(done) * u128::from(job.size) / u128::from(of)) as u64,
                _ => done.min(job.size),
            },
            _ => 0,
        };
        Progress { stage: self.stage, done: self.done + under_way, of: self.of, settings: self.settings }
    }

    // ---- from one run to the next -----------------------------------------------------------------------------------

    fn next_job(&mut self) {
        if self.over {
            return;
        }
        let Some(job) = self.jobs.pop_front() else { return self.after_jobs() };
        let Some(run) = self.runs.get(&job.run).copied() else { return self.next_job() };
        if job.stage != self.stage {
            self.stage = job.stage;
            self.done = 0;
            let left = self.jobs.iter().filter(|other| other.stage == job.stage && !other.peek);
            self.of = job.size + left.map(|job| job.size).sum::<u64>();
        }
        let env = match &job.image {
            Some(image) => Env::new().with_image(&self.plan.regions, job.at, image.clone()),
            None => Env::new().with_place(&self.plan.regions, job.at, job.size),
        };
        if matches!(job.run, FlashRun::Erase | FlashRun::EraseAll) {
            self.extents.set(job.at, job.size, State::Doubtful);
            if job.run == FlashRun::EraseAll {
                self.extents.set(0, u64::MAX, State::Doubtful);
            }
        }
        self.current = Some(job);
        self.host.play(run, &env);
    }

    /// Nothing is left to do of what was planned so far.
    fn after_jobs(&mut self) {
        match self.stage {
            Stage::Reset | Stage::Begin => self.begun(),
            Stage::Survey => self.surveyed(),
            Stage::Verify => self.verified(),
            Stage::Erase | Stage::Write if self.options.action == Action::Flash => self.verify(),
            Stage::Write => self.finish(Ended::Unverified),
            Stage::Erase | Stage::Read | Stage::Go => self.finish(Ended::Done),
        }
    }

    /// The device takes commands, and it is known which one it is.
    fn begun(&mut self) {
        self.outcome.captured = self.host.result().captured;
        if let Err(ended) = self.identify() {
            return self.end(ended);
        }
        let ranges: Vec<(u64, u64)> =
            self.plan.parts.iter().map(|part| (part.at, part.bytes.len() as u64)).collect();
        self.extents = Extents::untouched(ranges.iter().copied());
        let writes = matches!(self.options.action, Action::Flash | Action::Write);
        if writes && ranges.is_empty() {
            return self.end(Ended::Done); // nothing to write, so nothing is erased either
        }
        let jobs = match self.options.action {
            Action::Info => return self.end(Ended::Done),
            Action::Flash | Action::Write if self.options.only_changed => {
                Ok(reading(&self.plan, &ranges, Stage::Survey))
            }
            Action::Flash | Action::Write => preparing(&self.plan, &ranges).map(|mut jobs| {
                jobs.extend(writing(&self.plan, &ranges));
                jobs
            }),
            Action::Verify => return self.verify(),
            Action::Read(range) => {
                let range = range.or_else(|| self.plan.whole());
                Ok(reading(&self.plan, range.as_slice(), Stage::Read))
            }
            Action::Erase => self.erase_everything(),
            Action::Go => {
                let at = self.plan.image.start().unwrap_or(self.plan.flash().base);
                Ok(vec![Job::of(FlashRun::Go, Stage::Go).over(at, 0)])
            }
        };
        match jobs {
            Ok(jobs) => self.enqueue(jobs),
            Err(reason) => self.end(Ended::Failed(Ending::Failed(reason))),
        }
    }

    pub(super) fn enqueue(&mut self, jobs: Vec<Job>) {
        self.jobs.extend(jobs);
        if self.jobs.is_empty() {
            return self.verify_or_finish();
        }
        self.next_job();
    }

    fn verify_or_finish(&mut self) {
        match self.options.action {
            Action::Flash => self.verify(),
            Action::Write => self.finish(Ended::Unverified),
            _ => self.finish(Ended::Done),
        }
    }

    fn erase_everything(&self) -> Result<Vec<Job>, String> {
        let (at, size) = self.plan.whole().ok_or("this table does not say what memory the device has")?;
        if self.has(FlashRun::EraseAll) {
            return Ok(vec![Job::of(FlashRun::EraseAll, Stage::Erase).over(at, size)]);
        }
        erasing(&self.plan, &[(at, size)])
    }

    /// Which chip it is, by what it told; the plan and the checks are made anew for it.
    fn identify(&mut self) -> Result<(), Ended> {
        let table = std::sync::Arc::clone(&self.plan.table);
        let told = table.chips.first().and_then(|chip| self.host.known(&chip.by));
        let is = told.as_ref().and_then(|told| table.chips.iter().position(|chip| chip.value == *told));
        if let (Some(wanted), Some(is)) = (self.plan.chip, is)
            && wanted != is
            && !self.options.force
        {
            let says =
                format!("the device is a {}, not a {}", table.chips[is].title, table.chips[wanted].title);
            let remedy = Some("leave --chip out, or connect the other device".into());
            return Err(Ended::Unfit(vec![super::Complaint { says, remedy }]));
        }
        let chip = self.plan.chip.or(is);
        let for_chip = self.plan.for_chip(chip);
        self.plan = for_chip.map_err(|error| Ended::Failed(Ending::Failed(error.to_string())))?;
        for (name, value) in self.plan.chip().map(|chip| chip.parameters.clone()).unwrap_or_default() {
            if self.plan.env.get(&name).is_none() {
                self.host.set(&name, value);
            }
        }
        let writes = matches!(self.options.action, Action::Flash | Action::Write);
        let against = complaints(&self.plan, self.file.as_ref());
        if writes && !self.options.force && !against.is_empty() {
            return Err(Ended::Unfit(against));
        }
        Ok(())
    }

    fn surveyed(&mut self) {
        let found = std::mem::take(&mut self.found);
        for held in &found {
            let state = match held.holds {
                Holds::Same => State::Verified,
                Holds::Blank => State::Erased,
                Holds::Other => State::Untouched,
            };
            self.extents.set(held.at, held.size, state);
        }
        match mending(&self.plan, &found) {
            Ok(jobs) if jobs.is_empty() => self.finish(Ended::Done),
            Ok(jobs) => self.enqueue(jobs),
            Err(reason) => self.end(Ended::Failed(Ending::Failed(reason))),
        }
    }

    fn verify(&mut self) {
        (self.outcome.differing, self.outcome.differences) = (0, Vec::new());
        match verifying(&self.plan, &self.extents) {
            Some(jobs) if !jobs.is_empty() => self.enqueue(jobs),
            Some(_) => self.finish(Ended::Done),
            None => self.finish(Ended::Unverified),
        }
    }

    /// Everything is done but starting the application.
    pub(super) fn finish(&mut self, ended: Ended) {
        let writes = matches!(self.options.action, Action::Flash | Action::Write);
        if self.outcome.ended.is_none() {
            self.outcome.ended = Some(ended.clone());
        }
        if writes && self.options.go && self.stage != Stage::Go && self.has(FlashRun::Go) {
            let at = self.plan.image.start().unwrap_or(0);
            self.jobs.push_back(Job::of(FlashRun::Go, Stage::Go).over(at, 0));
            return self.next_job();
        }
        self.over = true;
    }

    pub(super) fn end(&mut self, ended: Ended) {
        self.outcome.ended = Some(ended);
        self.over = true;
    }

    pub(super) fn keep_items(&mut self, at_most: usize) {
        if self.host.items() <= at_most {
            return;
        }
        self.log.extend(self.host.take_items());
        let too_many = self.log.len().saturating_sub(LOG);
        self.log.drain(..too_many);
    }
}

/// Whether the table has what this needs.
fn can(plan: &Plan, action: Action) -> Result<(), String> {
    let has = |run| plan.flash().run(run).is_some();
    let lacks = |what: &str| {
        Err(format!("this protocol cannot {what}: [flash] of `{}` has no such run", plan.table.name))
    };
    match action {
        Action::Flash | Action::Write if !has(FlashRun::Write) => lacks("write"),
        Action::Verify if !has(FlashRun::Verify) && !has(FlashRun::Read) => {
            lacks("verify, nor read back what the device holds")
        }
        Action::Read(_) if !has(FlashRun::Read) => lacks("read back what the device holds"),
        Action::Erase if !has(FlashRun::Erase) && !has(FlashRun::EraseAll) => lacks("erase by itself"),
        Action::Go if !has(FlashRun::Go) => lacks("start the application"),
        Action::Info if !has(FlashRun::Begin) => lacks("say anything of the device"),
        _ => Ok(()),
    }
}

impl Task for Session {
    fn on_event(&mut self, event: &LineEvent) {
        if !self.resetting && self.current.is_some() {
            self.host.on_event(event);
            self.keep_items(2 * LOG);
        }
    }

    fn on_time(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.reset.on_time(now);
        if !self.resetting {
            self.host.on_time(now);
        }
    }

    fn on_settings(&mut self, now: Instant, settings: Settings) {
        self.settings = settings;
        self.host.on_settings(now, settings);
    }

    fn on_refused(&mut self, now: Instant, settings: Settings, reason: &str) {
        self.host.on_refused(now, settings, reason);
    }

    fn next_action(&mut self) -> Option<LineAction> {
        if self.resetting {
            if let Some(action) = self.reset.next(self.settings) {
                return Some(action);
            }
            if !self.reset.is_empty() {
                return None;
            }
            self.resetting = false;
            self.host.on_time(self.now); // its time stood still; what it says now, it says now
        }
        loop {
            if self.over {
                return Some(LineAction::Done);
            }
            if self.current.is_none() {
                self.next_job();
                continue;
            }
            match self.host.next_action()? {
                LineAction::Done => {
                    self.job_over();
                    if self.resetting {
                        return self.next_action();
                    }
                }
                action => return Some(action),
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        if self.resetting {
            return self.reset.deadline();
        }
        self.host.deadline()
    }
}
