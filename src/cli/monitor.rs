//! `hsdiag monitor`: reads along on one port.

use std::sync::Arc;

use clap::Args;

use crate::diagnose::{Follow, Followed};
use crate::line::Span;
use crate::machine::Program;
use crate::report::{BytesFace, ItemFace, WhyFace};
use crate::transport::{End, Port};

use super::args::{LineArguments, address, duration, exit_codes};
use super::environment::Environment;
use super::failure::{Exit, Failure};
use super::session::Session;
use super::stop;

/// Read along: frames of a protocol as they come, bare bytes until one is recognised
#[derive(Args)]
#[command(after_help = concat!(
    "With --json, one object a line, as it comes.

Examples:
  hsdiag monitor /dev/ttyUSB0 --baud 115200                         text, or whatever it is
  hsdiag monitor COM3 --baud 2400 --format 8E1 --protocol mbus      M-Bus frames
  hsdiag monitor 'sim://nmea?baud=4800' --baud 4800 --time 3s       without hardware

",
    exit_codes!()
))]
pub struct Monitor {
    /// The port: COM3, /dev/ttyUSB0, sim://NAME, tcp://host:port, rfc2217://host:port, replay://file.jsonl
    port: String,
    /// The protocol, or auto to have it recognised
    #[arg(long, value_name = "NAME", default_value = "auto")]
    protocol: String,
    #[command(flatten)]
    line: LineArguments,
    /// End after this time; without it, at Ctrl-C
    #[arg(long, value_parser = duration)]
    time: Option<Span>,
    #[command(flatten)]
    environment: Environment,
}

impl Monitor {
    pub fn run(self, session: &Session) -> Result<Exit, Failure> {
        let address = address(&self.port)?;
        let mut follow = match self.protocol.as_str() {
            "auto" => Follow::any(session.tables.programs()?, self.time),
            name => {
                let program = session.tables.program(name)?;
                let env = self.environment.of(program.table())?;
                Follow::protocol(program, env, self.time)
            }
        };
        let mut port = session.open(&address)?;
        session.needs_end(&self.port, &address, &port, self.time)?;
        session.set(&mut port, self.line.settings())?;
        let abilities = port.abilities();
        follow = follow.heard_with(abilities.line_errors, abilities.uncertainty);
        let mut shown = Ok(());
        let ran = session.watch(&mut port, &mut follow, &mut |_, follow| {
            if shown.is_ok() {
                shown = show(session, follow);
            }
            if shown.is_err() || session.output.is_closed() {
                stop::end();
            }
        });
        drop(port);
        follow.finish();
        shown.and_then(|()| show(session, &mut follow))?;
        match ran?.end {
            End::Stopped if stop::interrupted() => Ok(Exit::Interrupted),
            End::Stopped | End::Done | End::EndOfRecording => Ok(Exit::Yes),
        }
    }
}

fn show(session: &Session, follow: &mut Follow) -> Result<(), Failure> {
    let pieces = follow.new_pieces();
    let program: Option<Arc<Program>> = follow.program().cloned();
    for piece in pieces {
        match (piece, &program) {
            (Followed::Item(item), Some(program)) => {
                session.output.show_next(&ItemFace::new(&item, program.table()))?;
            }
            (Followed::Recognised(name), _) => session.output.note(&format!("this is {name}")),
            (Followed::Bytes(events), _) => session.output.show_next(&BytesFace::new(&events))?,
            (Followed::Why(at, why), _) => session.output.show_next(&WhyFace::new(at, &why))?,
            (Followed::Item(_), None) => {}
        }
    }
    Ok(())
}
