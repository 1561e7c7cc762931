//! `hsdiag sweep`: which settings and which protocol the device speaks.

use std::path::PathBuf;

use clap::Args;

use crate::line::{Baud, Format, Span};
use crate::report::{self, SweepEnd};
use crate::sweep::{Listen, Options, Pulse, Purpose, Search, Verdict};
use crate::transport::{Abilities, Address, Port, Tap};

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
replay://file.jsonl

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
    /// Search a recording instead of a port
    #[arg(long, value_name = "FILE", conflicts_with_all = ["port", "reset", "record"])]
    from: Option<PathBuf>,
    /// Record everything that is heard to a new .jsonl file
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

impl Sweep {
    pub fn run(self, session: &Session) -> Result<Exit, Failure> {
        let (name, address) = self.target()?;
        let port = session.open(&address)?;
        let abilities = port.abilities();
        let recording =
            self.record.as_deref().map(|path| Recording::begin(path, false, &port)).transpose()?;
        let mut port = Tap::around(port, |record| {
            if let Some(recording) = &recording {
                recording.take(record);
            }
        });
        let search = Search::new(self.options(&abilities), session.devices.scorers());
        let mut task = Pulse::around(search, self.reset);
        if self.reset {
            session.output.note(&format!("pulsing DTR and RTS of {name}, again whenever it falls silent"));
        }
        let progress = Progress::over(Some(self.time), &session.output, abilities.virtual_time);
        let ran = session.watch(&mut port, &mut task, &mut |now, task| {
            progress.tell(now, || task.inner().doing().map_or(String::new(), doing));
        });
        drop((port, progress));
        let found = task.inner().findings();
        let (not_possible, failure) = match ran {
            Ok(ran) => (ran.not_possible, None),
            Err(error) => (Vec::new(), Some(Failure::from(error))),
        };
        let failure = recording.and_then(Recording::end).or(failure);
        let interrupted = stop::asked() && failure.is_none();
        let error = failure.as_ref().map(Failure::face);
        let opens = u32::from(!matches!(address, Address::Replay(_)));
        let end = SweepEnd { opens, not_possible, interrupted, error: error.clone() };
        session.output.partial(&report::Sweep::new(&name, &found, end), error.as_ref())?;
        Ok(match (failure, found.verdict) {
            (Some(failure), _) => failure.exit(),
            (None, _) if interrupted => Exit::Interrupted,
            (None, Verdict::Found) => Exit::Yes,
            (None, Verdict::Ambiguous | Verdict::Silent | Verdict::Undecided) => Exit::No,
        })
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

/// What is being tried, for the progress bar.
fn doing(listen: &Listen) -> String {
    let purpose = match listen.purpose {
        Purpose::Measure => "listening at",
        Purpose::Verify => "verifying",
        Purpose::CrossCheck => "cross-checking at",
        Purpose::Walk => "walking, now at",
    };
    format!("{purpose} {}: {} characters", listen.settings, listen.bytes)
}
