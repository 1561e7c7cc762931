//! `hsdiag explain`: what a byte, a word, a number or a line of another tool's output can mean.

use clap::Args;

use crate::diagnose::explain::{Question, explain, usual};
use crate::line::{Baud, Format, Settings};
use crate::report::Explained;

use super::args::exit_codes;
use super::failure::{Exit, Failure};
use super::session::Session;

/// What a byte, a word, a number or a line of another tool can mean
#[derive(Args)]
#[command(after_help = concat!(
    "All tables are searched backwards: start bytes, fixed values, named values, refusals, status
words. Noise is weighed by arithmetic: which bytes one pulse can make, and how many this one needs.
What can be read in several ways is explained in each.

Examples:
  hsdiag explain 0x68
  hsdiag explain 6881
  hsdiag explain 68 0B 0B 68
  hsdiag explain 0x80100068
  hsdiag explain 0x68 --expected 0x79 --baud 115200
  hsdiag explain 'stk500_recv(): not in sync: resp=0x68'
  hsdiag explain 'handshaking error: expected 0x79, got 0x68'

",
    exit_codes!()
))]
pub struct Explain {
    /// A byte (0x68, 104, h, NAK), bytes (68 0B 0B 68), a word (6881), or a line that a tool printed
    #[arg(required = true, value_name = "WHAT", allow_negative_numbers = true)]
    what: Vec<String>,
    /// The byte that was due in its place: which mistake turns the one into the other?
    #[arg(long, value_name = "BYTE", value_parser = byte)]
    expected: Option<u8>,
    /// The rate of the receiver [default: that of the tool's protocol, or 9600]
    #[arg(long)]
    baud: Option<Baud>,
    /// The character format of the receiver [default: that of the tool's protocol, or 8N1]
    #[arg(long)]
    format: Option<Format>,
}

impl Explain {
    pub fn run(self, session: &Session) -> Result<Exit, Failure> {
        let question = Question::new(&self.what.join(" "));
        let is_given = self.baud.is_some() || self.format.is_some();
        let usual = usual();
        let settings = Settings::new(self.baud.unwrap_or(usual.baud), self.format.unwrap_or(usual.format));
        let found =
            explain(&question, session.tables.registry()?, self.expected, is_given.then_some(settings));
        let exit = if found.says_something() { Exit::Yes } else { Exit::No };
        session.output.show(&Explained::new(found))?;
        Ok(exit)
    }
}

fn byte(text: &str) -> Result<u8, String> {
    let question = Question::new(text);
    let byte =
        question.readings.iter().find_map(|reading| <[u8; 1]>::try_from(reading.bytes.as_slice()).ok());
    byte.map(|[byte]| byte).ok_or_else(|| "expected one byte, such as 0x79".to_string())
}
