//! `hsdiag sweep`: which settings and which protocol the device speaks.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::capture::{Header, Record};
use crate::diagnose::Diagnosis;
use crate::line::{Baud, Format, Span};
use crate::protocol::Table;
use crate::report::{self, ProbePlan, SweepEnd};
use crate::sweep::{
    Findings, Listen, Opener, Options, Probe, ProbeOptions, Pulse, Purpose, Search, Verdict, openers, why,
};
use crate::transport::{Abilities, Address, End, Port, PortError, Ran, Tap};

use super::args::{address, duration, exit_codes};
use super::failure::{Exit, Failure};
use super::progress::Progress;
use super::recording::Recording;
use super::session::Session;
use super::stop;

/// Find out which baud, format and protocol a device speaks
#[derive(Args)]
#[command(after_help = concat!(
    "Ports: COM3, /dev/ttyUSB0, sim://NAME?baud=57600&format=8E1, tcp://host:port, rfc2217://host:port,
ws://host/path, tls://host:port, wss://host/path, replay://file.jsonl

Examples:
  hsdiag sweep /dev/ttyUSB0                      listen, and say what it is
  hsdiag sweep COM3 --reset                      pulse DTR and RTS: many boards speak when they start
  hsdiag sweep COM3 --probe --dry-run            what would be asked of a silent device
  hsdiag sweep COM3 --protocol mbus --probe      ask for one protocol only
  hsdiag sweep COM3 --record s.jsonl             keep everything; then --from s.jsonl searches it again

",
    exit_codes!()
))]
pub struct Sweep {
    /// The port
    #[arg(required_unless_present = "from")]
    port: Option<String>,
    /// End after this time with what is known by then
    #[arg(long, value_parser = duration, default_value = "20s")]
    time: Span,
    /// Only these rates, such as 9600,115200
    #[arg(long, value_delimiter = ',')]
    bauds: Vec<Baud>,
    /// Only these formats, such as 8N1,8E1
    #[arg(long, value_delimiter = ',')]
    formats: Vec<Format>,
    /// Only this protocol
    #[arg(long, value_name = "NAME")]
    protocol: Option<String>,
    /// Walk every rate, high to low, instead of choosing the next by what was heard
    #[arg(long)]
    exhaustive: bool,
    /// Pulse DTR and RTS at the start, and when the line falls silent
    #[arg(long)]
    reset: bool,
    /// If the line is silent, ask as the host of each protocol would: harmless questions only, others when named by --protocol
    #[arg(long)]
    probe: bool,
    /// Only list what --probe would send
    #[arg(long, requires = "probe")]
    dry_run: bool,
    /// Search a recording instead of a port
    #[arg(long, value_name = "FILE", conflicts_with_all = ["port", "reset", "record", "probe"])]
    from: Option<PathBuf>,
    /// Record everything that is heard to a new .jsonl file
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

/// A device that speaks by itself is heard before it is asked.
const LISTEN_BEFORE_ASKING: Span = Span::from_secs(2);

impl Sweep {
    pub fn run(self, session: &Session) -> Result<Exit, Failure> {
        let (name, address) = self.target()?;
        let tables = match &self.protocol {
            Some(only) => vec![session.tables.table(only)?],
            None if self.probe => session.tables.all()?,
            None => Vec::new(),
        };
        if self.dry_run {
            session.output.show(&ProbePlan::new(&name, &self.openers(&tables, None)))?;
            return Ok(Exit::Yes);
        }
        let port = session.open(&address)?;
        let abilities = port.abilities();
        let first = port.settings();
        let recording =
            self.record.as_deref().map(|path| Recording::begin(path, false, &port)).transpose()?;
        let heard = RefCell::new(VecDeque::new());
        let mut port = Tap::around(port, |record| {
            keep(&heard, record);
            if let Some(recording) = &recording {
                recording.take(record);
            }
        });
        if self.reset {
            session.output.note(&format!("pulsing DTR and RTS of {name}, again whenever it falls silent"));
        }
        let scorers = session.tables.scorers(self.protocol.as_deref())?;
        let mut task = Pulse::around(Search::new(self.options(&abilities), scorers), self.reset);
        let progress = Progress::over(Some(self.time), &session.output, abilities.virtual_time);
        let mut ran = session.watch(&mut port, &mut task, &mut |now, task| {
            progress.tell(now, || task.inner().doing().map_or(String::new(), doing));
        });
        let mut found = task.inner().findings();
        if self.probe
            && found.verdict == Verdict::Silent
            && ran.as_ref().is_ok_and(|ran| ran.end == End::Done)
        {
            let plan = self.openers(&tables, abilities.max_baud);
            session.output.note(&ProbePlan::announcement(&name, &plan));
            let mut probe = Probe::new(plan);
            let begin = port.now();
            ran =
                session.watch(&mut port, &mut probe, &mut |now, probe| progress.tell(now, || asking(probe)));
            found = probe.merged(found);
            found.elapsed += port.now() - begin;
        }
        let begun = Header {
            settings: first,
            line_errors: abilities.line_errors,
            uncertainty: abilities.uncertainty,
        };
        drop((port, progress));
        let heard: Vec<Record> = heard.into_inner().into();
        let why = why(&found, &begun, &heard, &|| session.tables.programs().unwrap_or_default());
        self.show(session, &name, &address, (found, why), recording.and_then(Recording::end), ran)
    }

    /// Shows what was found, whole or as far as it came.
    fn show(
        &self,
        session: &Session,
        name: &str,
        address: &Address,
        (found, why): (Findings, Diagnosis),
        disk: Option<Failure>,
        ran: Result<Ran, PortError>,
    ) -> Result<Exit, Failure> {
        let (not_possible, failure) = match ran {
            Ok(ran) => (ran.not_possible, disk),
            Err(error) => (Vec::new(), disk.or(Some(error.into()))),
        };
        let interrupted = stop::interrupted() && failure.is_none();
        let error = failure.as_ref().map(Failure::face);
        let opens = u32::from(!matches!(address, Address::Replay(_)));
        let end = SweepEnd { opens, not_possible, interrupted, error: error.clone() };
        session.output.partial(&report::Sweep::new(name, &found, &why, end), error.as_ref())?;
        Ok(match (failure, found.verdict) {
            (Some(failure), _) => failure.exit(),
            (None, _) if interrupted => Exit::Interrupted,
            (None, Verdict::Found) => Exit::Yes,
            (None, Verdict::Ambiguous | Verdict::Silent | Verdict::Undecided) => Exit::No,
        })
    }

    fn openers(&self, tables: &[Arc<Table>], fastest: Option<Baud>) -> Vec<Opener> {
        let options = ProbeOptions {
            only: self.protocol.clone(),
            bauds: self.bauds.clone(),
            formats: self.formats.clone(),
            fastest,
        };
        openers(tables, &options)
    }

    fn target(&self) -> Result<(String, Address), Failure> {
        match (&self.from, &self.port) {
            (Some(file), _) => Ok((file.display().to_string(), Address::Replay(file.clone()))),
            (None, port) => {
                let name = port.clone().unwrap_or_default();
                Ok((name.clone(), address(&name)?))
            }
        }
    }

    fn options(&self, abilities: &Abilities) -> Options {
        let usual = Options::default();
        Options {
            time: self.time,
            silence: self.probe.then_some(LISTEN_BEFORE_ASKING),
            bauds: self.bauds.clone(),
            formats: self.formats.clone(),
            exhaustive: self.exhaustive,
            protocol: self.protocol.clone(),
            fastest: abilities.max_baud.unwrap_or(usual.fastest),
            errors: abilities.line_errors,
            settle: usual.settle + abilities.uncertainty,
            ..usual
        }
    }
}

/// Records of a sweep that are kept for its diagnosis.
const MOST_RECORDS: usize = 65_536;

fn keep(heard: &RefCell<VecDeque<Record>>, record: &Record) {
    let mut heard = heard.borrow_mut();
    if heard.len() == MOST_RECORDS {
        heard.pop_front();
    }
    heard.push_back(*record);
}

/// Which question is being asked, for the progress bar.
fn asking(probe: &Probe) -> String {
    match probe.asking() {
        Some(opener) => format!("asking as a host of {} at {}", opener.table.name, opener.settings),
        None => String::new(),
    }
}

/// What is being tried, for the progress bar.
fn doing(listen: &Listen) -> String {
    let purpose = match listen.purpose {
        Purpose::Measure => "listening at",
        Purpose::Verify => "verifying",
        Purpose::CrossCheck => "cross-checking at",
        Purpose::Walk => "walking, now at",
        Purpose::Stay => "listening on at",
    };
    format!("{purpose} {}: {} characters", listen.settings, listen.bytes)
}
