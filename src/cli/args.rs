//! Arguments that several commands share.

use std::path::PathBuf;

use clap::{ArgAction, Args, ColorChoice};

use crate::line::{Baud, Format, Settings, Span};
use crate::report::escaped;
use crate::transport::{Address, AddressError, SimOptions};

use super::failure::Failure;

/// Exit codes as every help text ends with them; [`super::failure::Exit`] has them as a type.
macro_rules! exit_codes {
    () => {
        "Exit codes:
  0  yes: found, clean, verified
  1  the answer is no: not found, ambiguous, silent, the device misbehaves
  2  usage
  3  an input or a port failed
  4  sent, but it could not be verified
  130  interrupted"
    };
}
pub(super) use exit_codes;

/// What every command takes.
#[derive(Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// Answer as JSON on standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// Colours on the terminal; NO_COLOR is heeded too
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = false)]
    pub color: ColorChoice,
    /// Tables of your own, beside the shipped ones or in their place
    #[arg(long, global = true, value_name = "DIR")]
    pub protocols: Vec<PathBuf>,
    /// Tell what is being done (-v), and every step of it (-vv)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

/// The settings of a line, where a command is told them.
#[derive(Args, Clone, Copy)]
pub struct LineArguments {
    /// Rate of the line, such as 115200 or 1M
    #[arg(long, default_value = "9600")]
    pub baud: Baud,
    /// Data bits, parity and stop bits
    #[arg(long, default_value = "8N1")]
    pub format: Format,
}

impl LineArguments {
    pub fn settings(self) -> Settings {
        Settings::new(self.baud, self.format)
    }
}

/// A port by what the user wrote.
pub fn address(text: &str) -> Result<Address, Failure> {
    text.parse().map_err(no_address)
}

/// The options behind the `?` of a simulated device.
pub fn sim_options(query: &str) -> Result<SimOptions, Failure> {
    SimOptions::read(query).map_err(no_address)
}

fn no_address(error: AddressError) -> Failure {
    let next = "`hsdiag sweep --help` shows every way to name a port".into();
    Failure::Usage { sentence: escaped(&error.to_string()).into_owned(), next }
}

/// A length of time as people write it; nothing is no length.
pub fn duration(text: &str) -> Result<Span, String> {
    match humantime::parse_duration(text) {
        Ok(span) if !span.is_zero() => Ok(span),
        Ok(_) => Err("it must be longer than nothing, such as 10s or 250ms".into()),
        Err(error) => Err(format!("{error}; a time is written like 10s, 250ms or 1m 30s")),
    }
}
