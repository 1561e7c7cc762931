//! `hsdiag handshake`: plays the host, and says where it failed.

use clap::Args;

use crate::diagnose::{Hearing, diagnose_played};
use crate::flash::{AfterReset, ResetSearch, reset_sequences};
use crate::line::{Baud, Format, Settings};
use crate::machine::{Ending, Host, Program, Run};
use crate::protocol::{ScriptStep, Table};
use crate::report::{self, DiagnosisFace, ItemFace, Next, TriedReset, quoted};
use crate::transport::{Address, End, Port};

use super::args::{address, exit_codes};
use super::environment::Environment;
use super::failure::{Exit, Failure};
use super::progress::Progress;
use super::session::Session;

/// Play the host of a protocol up to readiness, and say where and why it fails
#[derive(Args)]
#[command(after_help = concat!(
    "It changes nothing in the device: it asks what brings the device to readiness, and no more.

Examples:
  hsdiag handshake /dev/ttyUSB0 --protocol stm32
  hsdiag handshake COM3 --protocol mbus --baud 300 --set address=5
  hsdiag handshake /dev/ttyUSB0 --protocol esp-rom --try-resets     how are DTR and RTS wired?
  hsdiag handshake 'sim://stm32?fault=refuse' --protocol stm32      without hardware

",
    exit_codes!()
))]
pub struct Handshake {
    /// The port: COM3, /dev/ttyUSB0, sim://NAME, tcp://host:port, rfc2217://host:port
    port: String,
    /// The protocol; `hsdiag protocols list` names them
    #[arg(long, value_name = "NAME")]
    protocol: String,
    /// Rate of the line; else the protocol's usual one
    #[arg(long)]
    baud: Option<Baud>,
    /// Format of the line; else the protocol's usual one
    #[arg(long)]
    format: Option<Format>,
    /// How often a question is asked before silence is the answer
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    tries: u32,
    /// Reset the device into its bootloader first, as the protocol's table says
    #[arg(long)]
    reset: bool,
    /// Reset it by this sequence: 1, 2, 1-inverted, 1-swapped
    #[arg(long, value_name = "NAME", conflicts_with = "reset")]
    reset_sequence: Option<String>,
    /// Try every way to move DTR and RTS until the bootloader answers, and print the one to keep
    #[arg(long, conflicts_with_all = ["reset", "reset_sequence"])]
    try_resets: bool,
    #[command(flatten)]
    environment: Environment,
}

impl Handshake {
    pub fn run(self, session: &Session) -> Result<Exit, Failure> {
        let address = address(&self.port)?;
        let table = session.tables.table(&self.protocol)?;
        let env = self.environment.of(&table)?;
        let mut port = session.open(&address)?;
        let settings = session.set(&mut *port, self.settings(&table, &address))?;
        let no_handshake = |reason| Failure::Input {
            sentence: format!("{} has no handshake to play: {reason}", table.name),
            next: "`hsdiag monitor` reads along instead".into(),
        };
        if self.try_resets {
            let program = Program::compile(table.clone());
            let search = ResetSearch::new(&program, &env, settings).map_err(no_handshake)?;
            return self.try_resets(session, &mut port, search);
        }
        let script = self.script(&table)?;
        let host = Host::new(&table, &Run::Handshake, &env, settings).map_err(no_handshake)?;
        let mut host = AfterReset::new(&script, host.with_tries(self.tries), settings);
        let begin = port.now();
        let progress = Progress::over(None, &session.output, port.abilities().virtual_time);
        let ran = session.watch(&mut port, &mut host, &mut |now, host| {
            progress.tell(now, || {
                format!("asking as a host of {}: {} items", self.protocol, host.inner().result().items.len())
            });
        });
        let elapsed = port.now() - begin;
        let abilities = port.abilities();
        drop((progress, port));
        let result = host.inner().result();
        let why = diagnose_played(
            &result.items,
            &table,
            Hearing::both(settings, abilities.line_errors, abilities.uncertainty),
            &|| {
                session.tables.programs().unwrap_or_default() // a mistake in a table was told before
            },
        );
        let (not_possible, failure) = match ran {
            Ok(ran) => (ran.not_possible, None),
            Err(error) => (Vec::new(), Some(Failure::from(error))),
        };
        let error = failure.as_ref().map(Failure::face);
        let (ending, reason) = report::Handshake::ending(result.ending.as_ref());
        let (captured, shown) = report::Handshake::learnt(&table, &result.captured);
        let shown = report::Handshake {
            next: self.next(result.ending.as_ref(), settings),
            port: self.port,
            protocol: self.protocol,
            baud: settings.baud.get(),
            format: settings.format.to_string(),
            ending,
            reason,
            elapsed_s: elapsed.as_secs_f64(),
            sent: result.sent,
            heard: result.heard,
            captured,
            shown,
            why: DiagnosisFace::new(&why),
            items: result.items.iter().map(|item| ItemFace::new(item, &table)).collect(),
            not_possible,
            error: error.clone(),
        };
        session.output.partial(&shown, error.as_ref())?;
        Ok(match (failure, result.ending) {
            (Some(failure), _) => failure.exit(),
            (None, None) => Exit::Interrupted,
            (None, Some(Ending::Done)) => Exit::Yes,
            (None, Some(_)) => Exit::No,
        })
    }

    /// The control lines to move first.
    fn script(&self, table: &Table) -> Result<Vec<ScriptStep>, Failure> {
        let wanted = self.reset_sequence.as_deref().or(self.reset.then_some("1"));
        let all = reset_sequences(table);
        let Some(wanted) = wanted else { return Ok(Vec::new()) };
        all.iter().find(|known| known.name == wanted).map(|known| known.script.clone()).ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|known| &*known.name).collect();
            Failure::Usage {
                sentence: format!("{} has no reset sequence `{wanted}`", table.name),
                next: format!("its sequences are {}", names.join(", ")),
            }
        })
    }

    fn try_resets(
        self,
        session: &Session,
        port: &mut dyn Port,
        mut search: ResetSearch,
    ) -> Result<Exit, Failure> {
        let progress = Progress::over(None, &session.output, port.abilities().virtual_time);
        let ran = session.watch(port, &mut search, &mut |now, search| {
            progress.tell(now, || format!("sequence {}", search.trying().unwrap_or_default()));
        })?;
        drop(progress);
        let tried = search.tried().iter().map(|tried| {
            let (ending, _) = report::Handshake::ending(tried.result.ending.as_ref());
            TriedReset::new(&tried.sequence.name, &tried.sequence.script, ending, tried.result.heard)
        });
        let found = search.found().map(|found| found.name.clone());
        let interrupted = ran.end == End::Stopped;
        let (quoted, protocol) = (quoted(&self.port), &self.protocol);
        let next = match found.as_deref() {
            None | Some("none") => Vec::new(),
            Some(name) => vec![
                Next::new(
                    format!("hsdiag flash {quoted} FILE --protocol {protocol} --reset-sequence {name}"),
                    "flashes this board without a hand at its buttons",
                ),
                Next::new(
                    format!("hsdiag handshake {quoted} --protocol {protocol} --reset-sequence {name}"),
                    "the handshake once more, by this sequence",
                ),
            ],
        };
        let shown = report::ResetSearch {
            tried: tried.collect(),
            interrupted,
            not_possible: ran.not_possible,
            next,
            found: found.clone(),
            port: self.port,
            protocol: self.protocol,
        };
        session.output.show(&shown)?;
        Ok(match (interrupted, found) {
            (true, None) => Exit::Interrupted,
            (_, Some(_)) => Exit::Yes,
            (false, None) => Exit::No,
        })
    }

    /// What the user says, else what a simulated device was told to speak, else what the table says.
    fn settings(&self, table: &Table, address: &Address) -> Settings {
        let told = match address {
            Address::Sim { options, .. } => (options.baud, options.format),
            _ => (None, None),
        };
        let usual = table.line.bauds.first().copied().unwrap_or(Baud::nearest(9600.0));
        let baud = self.baud.or(told.0).unwrap_or(usual);
        Settings::new(baud, self.format.or(told.1).unwrap_or(table.line.format))
    }

    fn next(&self, ending: Option<&Ending>, settings: Settings) -> Vec<Next> {
        let (port, protocol) = (quoted(&self.port), &self.protocol);
        match ending {
            None => Vec::new(),
            Some(Ending::Done) => vec![Next::new(
                format!(
                    "hsdiag monitor {port} --protocol {protocol} --baud {} --format {}",
                    settings.baud, settings.format
                ),
                "reads along",
            )],
            Some(Ending::NoAnswer) => vec![
                Next::new(
                    format!("hsdiag sweep {port} --probe --protocol {protocol}"),
                    "asks at every rate and format of this protocol",
                ),
                Next::new(
                    format!("hsdiag sweep {port}"),
                    "listens: the device may speak by itself, at other settings",
                ),
            ],
            Some(Ending::Refused | Ending::Unexpected | Ending::Failed(_)) => vec![Next::new(
                format!("hsdiag sweep {port} --protocol {protocol}"),
                "which settings does the device really speak?",
            )],
        }
    }
}
