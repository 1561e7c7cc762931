//! From what is wanted to a session, and from its outcome to a report.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnose::{Hearing, diagnose_played};
use crate::flash::{
    Action, Complaint, Ended, Outcome, Plan, PlanError, Session as FlashSession, SessionOptions, Wish,
    complaints, estimate, reset_sequences,
};
use crate::image::{FileKind, ReadImage};
use crate::line::{Baud, Settings};
use crate::machine::{Ending, Program};
use crate::protocol::{FlashRun, ScriptStep, Table};
use crate::report::{DiagnosisFace, FlashEnd, FlashPlan, Flashed, Next, quoted};
use crate::transport::{Address, Port};

use super::super::args::address;
use super::super::environment::Environment;
use super::super::failure::{Exit, Failure};
use super::super::files;
use super::super::session::Session;
use super::arguments::{Device, File};
use super::shown::Bar;
use super::{consent, find};

/// One call of `flash`.
pub struct Job {
    pub action: Action,
    pub device: Device,
    pub wanted: Wanted,
}

/// What goes in or comes out.
pub enum Wanted {
    Image(File),
    Output { path: PathBuf, force: bool },
    Nothing,
}

/// What is known of the device's end before it is spoken to.
struct Target {
    table: Arc<Table>,
    settings: Settings,
    port: Option<Box<dyn Port>>,
}

impl Job {
    pub fn run(self, session: &Session) -> Result<Exit, Failure> {
        let address = address(&self.device.port)?;
        let file = self.file().map(|file| files::firmware(&file.path)).transpose()?;
        if let Wanted::Output { path, force } = &self.wanted
            && path.exists()
            && !force
        {
            return Err(Failure::Exists(path.clone()));
        }
        if self.dry_run() {
            return self.show_plan(session, &address, file);
        }
        let target = self.target(session, &address)?;
        let file = fitting(&target.table, file);
        let plan = self.plan(&target.table, file.as_ref())?;
        self.refuse(&complaints(&plan, file.as_ref()))?;
        let program = Arc::new(Program::compile(Arc::clone(&target.table)));
        let options = SessionOptions {
            action: self.action,
            only_changed: self.file().is_some_and(|file| file.only_changed || file.resume),
            go: !self.device.no_reset,
            force: self.file().is_some_and(|file| file.force),
        };
        let reset = self.reset(&target.table)?;
        let flash = FlashSession::new(plan, file, &program, options, target.settings);
        let flash = flash.map_err(|reason| Failure::Usage {
            sentence: format!("not possible with {}: {reason}", target.table.name),
            next: format!("`hsdiag protocols show {}` shows what it can", target.table.name),
        })?;
        if !self.announce(session, &flash, &program, target.settings)? {
            return Ok(Exit::No);
        }
        self.play(session, &address, target, flash, &reset)
    }

    fn file(&self) -> Option<&File> {
        match &self.wanted {
            Wanted::Image(file) => Some(file),
            _ => None,
        }
    }

    fn dry_run(&self) -> bool {
        self.file().is_some_and(|file| file.dry_run)
    }

    // ---- before anything is sent ------------------------------------------------------------------------------------

    fn show_plan(
        &self,
        session: &Session,
        address: &Address,
        file: Option<ReadImage>,
    ) -> Result<Exit, Failure> {
        let Some(protocol) = &self.device.protocol else {
            return Err(Failure::Usage {
                sentence: "which protocol? Without asking the device nobody knows, and a dry run asks nobody"
                    .into(),
                next: "give --protocol; `hsdiag protocols list` names them".into(),
            });
        };
        let table = session.tables.table(protocol)?;
        let settings = self.settings(&table, address);
        let file = fitting(&table, file);
        let plan = self.plan(&table, file.as_ref())?;
        let against = complaints(&plan, file.as_ref());
        let program = Arc::new(Program::compile(Arc::clone(&table)));
        let shown = self.plan_face(&plan, &program, settings, &against);
        session.output.show(&shown)?;
        let force = self.file().is_some_and(|file| file.force);
        Ok(if against.is_empty() || force { Exit::Yes } else { Exit::Failed })
    }

    fn plan_face(
        &self,
        plan: &Plan,
        program: &Arc<Program>,
        settings: Settings,
        against: &[Complaint],
    ) -> FlashPlan {
        let path = self.path();
        let takes = estimate(plan, program, settings);
        FlashPlan::new(&self.device.port, &path, self.kind(), plan, settings, takes, against)
    }

    fn path(&self) -> String {
        self.file().map_or(String::new(), |file| file.path.display().to_string())
    }

    fn kind(&self) -> &'static str {
        let kind = self.file().and_then(|file| files::firmware(&file.path).ok()).map(|read| read.kind);
        match kind {
            Some(FileKind::IntelHex) => "Intel HEX",
            Some(FileKind::SRecord) => "S-records",
            Some(FileKind::Elf) => "ELF",
            Some(FileKind::Uf2) => "UF2",
            Some(FileKind::Binary) | None => "raw binary",
        }
    }

    fn plan(&self, table: &Arc<Table>, file: Option<&ReadImage>) -> Result<Plan, Failure> {
        let mut env = Environment::new(&self.device.set).of(table)?;
        if let Some(baud) = self.device.baud.filter(|_| raises(table)) {
            env.set("rate", i128::from(baud.get()));
        }
        let wish = Wish {
            base: self.file().and_then(|file| file.base),
            offset: self.file().map_or(0, |file| file.offset),
            chip: self.device.chip.clone(),
            env,
        };
        let plan = match file {
            Some(file) => Plan::new(table, file, &wish),
            None => Plan::without_image(table, &wish),
        };
        plan.map_err(|error| {
            let sentence = error.to_string();
            let name = &table.name;
            match error {
                PlanError::TooWide { .. } | PlanError::Address => Failure::Input {
                    sentence: format!("{}: {sentence}", self.path()),
                    next: "is it the right file? A raw binary of the part that is to be written is what this wants".into(),
                },
                PlanError::NoFlash { .. } => Failure::Usage {
                    sentence,
                    next: "`hsdiag protocols list` shows which protocols flash".into(),
                },
                PlanError::HasAddresses => Failure::Usage { sentence, next: "`--offset` moves it".into() },
                PlanError::NoSuchChip { .. } => {
                    Failure::Usage { sentence, next: format!("`hsdiag protocols show {name}` shows its table") }
                }
            }
        })
    }

    /// What speaks against the image ends it here, before anything is sent.
    fn refuse(&self, against: &[Complaint]) -> Result<(), Failure> {
        let Some(file) = self.file().filter(|file| !file.force && self.action != Action::Verify) else {
            return Ok(());
        };
        match against.first() {
            None => Ok(()),
            Some(_) => Err(unfit(&file.path, against)),
        }
    }

    fn settings(&self, table: &Table, address: &Address) -> Settings {
        let told = match address {
            Address::Sim { options, .. } => (options.baud, options.format),
            _ => (None, None),
        };
        let usual = table.line.bauds.first().copied().unwrap_or(Baud::nearest(9600.0));
        let own = self.device.baud.filter(|_| !raises(table));
        let baud = self.device.begin_baud.or(own).or(told.0).unwrap_or(usual);
        Settings::new(baud, self.device.format.or(told.1).unwrap_or(table.line.format))
    }

    /// The control lines to move: those that the user names, else the table's first.
    fn reset(&self, table: &Table) -> Result<Vec<ScriptStep>, Failure> {
        let all = reset_sequences(table);
        match &self.device.reset_sequence {
            _ if self.device.no_reset => Ok(Vec::new()),
            None => Ok(all.first().map(|first| first.script.clone()).unwrap_or_default()),
            Some(name) => match all.iter().find(|known| known.name == *name) {
                Some(known) => Ok(known.script.clone()),
                None => {
                    let names: Vec<&str> = all.iter().map(|known| &*known.name).collect();
                    Err(Failure::Usage {
                        sentence: format!("{} has no reset sequence `{name}`", table.name),
                        next: format!("its sequences are {}", names.join(", ")),
                    })
                }
            },
        }
    }

    /// Which protocol: the one that the user names, else the one that answers.
    fn target(&self, session: &Session, address: &Address) -> Result<Target, Failure> {
        if let Some(protocol) = &self.device.protocol {
            let table = session.tables.table(protocol)?;
            let settings = self.settings(&table, address);
            return Ok(Target { table, settings, port: None });
        }
        let plan = find::questions(session, &self.device)?;
        let mut names: Vec<&str> = plan.iter().map(|opener| &*opener.table.name).collect();
        names.dedup();
        session.output.note(&format!(
            "no --protocol: asking which bootloader answers ({}); a device that is none of these may be disturbed by that",
            names.join(", ")
        ));
        if !consent::ask("Ask them all?", self.device.yes, &self.again(None, &[]))? {
            return Err(Failure::Usage {
                sentence: "nothing was asked".into(),
                next: "give --protocol".into(),
            });
        }
        let mut port = session.open(address)?;
        match find::find(session, &mut port, plan)? {
            Some((table, settings)) => {
                session.output.note(&format!("{} answers at {settings}", table.name));
                Ok(Target { table, settings, port: Some(port) })
            }
            None => Err(Failure::NoAnswer {
                sentence: format!("{}: no bootloader answers", self.device.port),
                next: format!(
                    "bring the device into its bootloader; `hsdiag handshake {} --protocol NAME --try-resets` tries DTR and RTS",
                    quoted(&self.device.port)
                ),
            }),
        }
    }

    /// Says what will be done, and asks where it erases or writes.
    fn announce(
        &self,
        session: &Session,
        flash: &FlashSession,
        program: &Arc<Program>,
        settings: Settings,
    ) -> Result<bool, Failure> {
        let plan = flash.plan();
        let again = self.again(Some(&plan.table.name), &[]);
        match self.action {
            Action::Flash | Action::Write => {
                let face = self.plan_face(plan, program, settings, &[]);
                session.output.note(&face.announcement());
                consent::ask("Write it?", self.device.yes, &again)
            }
            Action::Erase => {
                let chip = plan.chip().map_or("the device", |chip| &chip.title);
                session.output.note(&format!("{}: erasing {chip}, by {}", self.device.port, plan.table.name));
                consent::ask("Erase it?", self.device.yes, &again)
            }
            Action::Verify | Action::Read(_) | Action::Info | Action::Go => Ok(true),
        }
    }

    /// The command once more, with these words behind it.
    fn again(&self, protocol: Option<&str>, words: &[&str]) -> String {
        let mut said = vec!["hsdiag flash".to_string()];
        if self.word() != "flash" {
            said.push(self.word().into());
        }
        said.push(quoted(&self.device.port));
        if let Some(file) = self.file() {
            said.push(quoted(&file.path.display().to_string()));
            said.extend(file.base.map(|base| format!("--base {base:#x}")));
        }
        said.extend(protocol.or(self.device.protocol.as_deref()).map(|name| format!("--protocol {name}")));
        said.extend(self.device.baud.map(|baud| format!("--baud {baud}")));
        said.extend(words.iter().map(|word| word.to_string()));
        said.join(" ")
    }

    fn word(&self) -> &'static str {
        match self.action {
            Action::Flash => "flash",
            Action::Write => "write",
            Action::Verify => "verify",
            Action::Read(_) => "read",
            Action::Erase => "erase",
            Action::Info => "info",
            Action::Go => "go",
        }
    }

    // ---- with the device --------------------------------------------------------------------------------------------

    fn play(
        self,
        session: &Session,
        address: &Address,
        target: Target,
        mut flash: FlashSession,
        reset: &[ScriptStep],
    ) -> Result<Exit, Failure> {
        let mut port = match target.port {
            Some(port) => port,
            None => session.open(address)?,
        };
        let settings = session.set(&mut *port, target.settings)?;
        let (begin, abilities) = (port.now(), port.abilities());
        if abilities.control_lines || self.device.reset_sequence.is_some() {
            flash.reset_by(reset);
        }
        let mut bar = Bar::new(&session.output, abilities.virtual_time, begin);
        let ran = session.watch(&mut port, &mut flash, &mut |now, flash| bar.tell(now, || flash.progress()));
        let elapsed = port.now() - begin;
        drop((bar, port));
        let outcome = flash.outcome();
        // Somebody who ends it needs no diagnosis.
        let well = ran.is_ok()
            && matches!(outcome.ended, None | Some(Ended::Done | Ended::Unverified | Ended::Unfit(_)));
        let why = match well {
            true => DiagnosisFace::default(),
            false => DiagnosisFace::new(&diagnose_played(
                &outcome.items,
                &target.table,
                Hearing::both(settings, abilities.line_errors, abilities.uncertainty),
                &|| session.tables.programs().unwrap_or_default(), // a mistake in a table was told before
            )),
        };
        let (not_possible, failure) = match ran {
            Ok(ran) => (ran.not_possible, None),
            Err(error) => (Vec::new(), Some(Failure::from(error))),
        };
        if failure.is_none() {
            self.keep(&outcome)?;
        }
        let unfit = match &outcome.ended {
            Some(Ended::Unfit(against)) => Some(unfit(Path::new(&self.path()), against)),
            _ => None,
        };
        let error = failure.as_ref().or(unfit.as_ref()).map(Failure::face);
        let shown = Flashed::new(
            flash.plan(),
            &outcome,
            FlashEnd {
                port: self.device.port.clone(),
                file: self.file().map(|_| self.path()),
                action: self.word(),
                settings,
                elapsed_s: elapsed.as_secs_f64(),
                why,
                not_possible,
                verbose: session.verbose,
                error: error.clone(),
                next: self.next(flash.plan(), &outcome, settings),
            },
        );
        session.output.partial(&shown, error.as_ref())?;
        Ok(match (failure, &outcome.ended) {
            (Some(failure), _) => failure.exit(),
            (None, None) => Exit::Interrupted,
            (None, Some(Ended::Done)) if self.action == Action::Write => Exit::Unverified,
            (None, Some(Ended::Done)) => Exit::Yes,
            (None, Some(Ended::Unverified)) => Exit::Unverified,
            (None, Some(Ended::Unfit(_))) => Exit::Failed,
            (None, Some(Ended::Differs | Ended::Failed(_))) => Exit::No,
        })
    }

    /// What was read goes into its file.
    fn keep(&self, outcome: &Outcome) -> Result<(), Failure> {
        let Wanted::Output { path, force } = &self.wanted else { return Ok(()) };
        if outcome.ended != Some(Ended::Done) {
            return Ok(());
        }
        let mut file = files::create(path, *force)?;
        let written = file.write_all(&outcome.contents()).and_then(|()| file.flush());
        written.map_err(|error| Failure::file(path, "write", error))
    }

    fn next(&self, plan: &Plan, outcome: &Outcome, settings: Settings) -> Vec<Next> {
        let port = quoted(&self.device.port);
        let protocol = &plan.table.name;
        let name = Some(&**protocol);
        let mut next = Vec::new();
        let resumes = plan.flash().run(FlashRun::Read).is_some();
        let flashes = matches!(self.action, Action::Flash | Action::Write);
        match &outcome.ended {
            Some(Ended::Done | Ended::Unverified) if flashes => next.push(Next::new(
                format!("hsdiag monitor {port} --baud {} --format {}", settings.baud, settings.format),
                "what does the application say?",
            )),
            Some(Ended::Done | Ended::Unverified | Ended::Unfit(_)) => {}
            Some(Ended::Failed(Ending::NoAnswer)) if outcome.heard == 0 => {
                next.push(Next::new(
                    format!("hsdiag handshake {port} --protocol {protocol} --try-resets"),
                    "tries every way to bring it into its bootloader by DTR and RTS",
                ));
                next.push(Next::new(
                    format!("hsdiag sweep {port}"),
                    "does it speak at all, and at which settings?",
                ));
            }
            _ if flashes
                && outcome.extents.iter().any(|extent| extent.state != crate::flash::State::Untouched) =>
            {
                let words: &[&str] = if resumes { &["--resume", "--yes"] } else { &["--yes"] };
                let why = match resumes {
                    true => "bring it into its bootloader, then this goes on with what is missing",
                    false => {
                        "bring it into its bootloader, then this begins anew: the protocol cannot read back"
                    }
                };
                next.push(Next::new(self.again(name, words), why));
            }
            _ => next.push(Next::new(self.again(name, &[]), "once more, when the cause is gone")),
        }
        next
    }
}

/// What a file holds for this device, where it holds something for others as well.
fn fitting(table: &Table, file: Option<ReadImage>) -> Option<ReadImage> {
    let families = table.flash.as_ref().map_or(&[][..], |flash| &flash.families);
    file.map(|file| file.for_families(families))
}

/// Whether the table has a way to another rate after the beginning.
fn raises(table: &Table) -> bool {
    table.flash.as_ref().is_some_and(|flash| flash.run(FlashRun::Speed).is_some())
}

fn unfit(path: &Path, against: &[Complaint]) -> Failure {
    let says: Vec<&str> = against.iter().map(|one| &*one.says).collect();
    let remedy = against.iter().find_map(|one| one.remedy.clone()).unwrap_or_default();
    let mut next = remedy;
    if !next.is_empty() {
        next.push_str("; ");
    }
    next.push_str("`--force` writes it all the same");
    Failure::Input { sentence: format!("{}: {}", path.display(), says.join("; ")), next }
}
