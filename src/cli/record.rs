//! `hsdiag record`: event lines to a file, as they come.

use std::path::PathBuf;

use clap::Args;

use crate::capture::Listening;
use crate::line::{Instant, Span};
use crate::report::Recorded;
use crate::transport::{Port, Tap};

use super::args::{LineArguments, address, duration, exit_codes};
use super::failure::{Exit, Failure};
use super::progress::Progress;
use super::recording::Recording;
use super::session::Session;
use super::stop;

/// Record what comes over a line, byte by byte with times and faults
#[derive(Args)]
#[command(after_help = concat!(
    "Examples:
  hsdiag record /dev/ttyUSB0 --baud 115200 -o boot.jsonl --time 10s
  hsdiag record COM3 --baud 2400 --format 8E1 -o meter.jsonl      until Ctrl-C
  hsdiag decode meter.jsonl                                       what it was

",
    exit_codes!()
))]
pub struct Record {
    /// The port: COM3, /dev/ttyUSB0, sim://NAME?baud=9600, tcp://host:port, rfc2217://host:port
    port: String,
    /// Where to: a new .jsonl file
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    line: LineArguments,
    /// End after this time; without it, at Ctrl-C
    #[arg(long, value_parser = duration)]
    time: Option<Span>,
    /// Overwrite the file if it is there
    #[arg(long)]
    force: bool,
}

impl Record {
    pub fn run(self, session: &Session) -> Result<Exit, Failure> {
        let address = address(&self.port)?;
        let mut port = session.open(&address)?;
        let settings = session.set(&mut *port, self.line.settings())?;
        let virtual_time = port.abilities().virtual_time;
        session.needs_end(&self.port, &address, &port, self.time)?;
        let recording = Recording::begin(&self.output, self.force, &port)?;
        let progress = Progress::over(self.time, &session.output, virtual_time);
        let mut port = Tap::around(port, |record| recording.take(record));
        let ran = session.watch(&mut port, &mut Listening::lasting(self.time), &mut |now, _| {
            recording.flush();
            progress.tell(now, || format!("recording at {settings}: {} events", recording.events()));
        });
        let now = port.now();
        drop((port, progress));
        let (events, faults) = (recording.events(), recording.faults());
        let failure = recording.end().or(ran.err().map(Failure::from));
        let stopped = stop::interrupted() && failure.is_none();
        let error = failure.as_ref().map(Failure::face);
        session.output.partial(
            &Recorded {
                port: self.port,
                file: self.output.display().to_string(),
                baud: settings.baud.get(),
                format: settings.format.to_string(),
                events,
                faults,
                seconds: (now - Instant::ZERO).as_secs_f64(),
                interrupted: stopped,
                error: error.clone(),
            },
            error.as_ref(),
        )?;
        Ok(match failure {
            Some(failure) => failure.exit(),
            None if stopped => Exit::Interrupted,
            None => Exit::Yes,
        })
    }
}
