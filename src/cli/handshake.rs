//! `hsdiag handshake`: plays the host, and says where it failed.

use clap::Args;

use crate::diagnose::diagnose_played;
use crate::line::{Baud, Format, Settings};
use crate::machine::{Ending, Host, Run};
use crate::protocol::Table;
use crate::report::{self, DiagnosisFace, ItemFace, Next, quoted};
use crate::transport::{Address, Port};

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
    #[command(flatten)]
    environment: Environment,
}

impl Handshake {
    pub fn run(self, session: &Session) -> Result<Exit, Failure> {
        let address = address(&self.port)?;
        let table = session.tables.table(&self.protocol)?;
        let env = self.environment.of(&table)?;
        let mut port = session.open(&address)?;
        let settings = port.set(self.settings(&table, &address))?;
        let host = Host::new(&table, &Run::Handshake, &env, settings);
        let mut host = host
            .map_err(|reason| Failure::Input {
                sentence: format!("{} has no handshake to play: {reason}", table.name),
                next: "`hsdiag monitor` reads along instead".into(),
            })?
            .with_tries(self.tries);
        let begin = port.now();
        let progress = Progress::over(None, &session.output, port.abilities().virtual_time);
        let ran = session.watch(&mut port, &mut host, &mut |now, host| {
            progress.tell(now, || {
                format!("asking as a host of {}: {} items", self.protocol, host.result().items.len())
            });
        });
        let elapsed = port.now() - begin;
        let abilities = port.abilities();
        drop((progress, port));
        let result = host.result();
        let why = diagnose_played(&result.items, settings, abilities.line_errors, abilities.uncertainty);
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
