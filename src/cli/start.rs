//! From the arguments of the process to its exit code.

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use super::args::{Global, exit_codes};
use super::failure::{Exit, Failure};
use super::output::{Output, color_choice};
use super::session::Session;
use super::{decode, explain, flash, handshake, log, monitor, ports, protocols, record, simulate, sweep};

/// Which baud, which format, which protocol, and what the unexpected byte was.
#[derive(Parser)]
#[command(name = "hsdiag", bin_name = "hsdiag", version, propagate_version = true, max_term_width = 100, after_help = EXAMPLES)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = concat!(
    "Examples:
  hsdiag sweep /dev/ttyUSB0                         which settings does this device speak?
  hsdiag sweep 'sim://nmea?baud=4800'               the same without hardware
  hsdiag handshake COM3 --protocol stm32            why does my flasher not get through?
  hsdiag flash COM3 app.hex --protocol stm32        writes firmware and verifies it
  hsdiag explain 0x68                               what can this byte be?

",
    exit_codes!()
);

#[derive(Subcommand)]
enum Command {
    Sweep(sweep::Sweep),
    Ports(ports::Ports),
    Record(record::Record),
    Handshake(handshake::Handshake),
    Flash(Box<flash::Flash>),
    Decode(decode::Decode),
    Monitor(monitor::Monitor),
    Explain(explain::Explain),
    Protocols(protocols::Protocols),
    Simulate(simulate::Simulate),
}

impl Command {
    fn run(self, session: &Session) -> Result<Exit, Failure> {
        match self {
            Command::Sweep(sweep) => sweep.run(session),
            Command::Ports(ports) => ports.run(session),
            Command::Record(record) => record.run(session),
            Command::Handshake(handshake) => handshake.run(session),
            Command::Flash(flash) => flash.run(session),
            Command::Decode(decode) => decode.run(session),
            Command::Monitor(monitor) => monitor.run(session),
            Command::Explain(explain) => explain.run(session),
            Command::Protocols(protocols) => protocols.run(session),
            Command::Simulate(simulate) => simulate.run(session),
        }
    }
}

/// The command line as clap has it, for manual pages and completions.
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    // Before clap has read them: its own messages follow them too.
    let given: Vec<_> = std::env::args_os().collect();
    let color = color_choice(&given);
    let command = Arguments::command().color(color);
    let arguments = command
        .try_get_matches_from(&given)
        .and_then(|mut matches| Arguments::from_arg_matches_mut(&mut matches));
    let arguments = match arguments {
        Ok(arguments) => arguments,
        Err(error) => {
            let json = given.iter().any(|argument| argument == "--json");
            return Output::new(color, json).usage(&error).into();
        }
    };
    log::start(arguments.global.verbose, color);
    let session = Session::new(&arguments.global, Output::new(color, arguments.global.json));
    let exit = match arguments.command.run(&session) {
        Ok(exit) => exit,
        Err(failure) => session.output.failure(&failure),
    };
    exit.into()
}
