//! `hsdiag decode`: what was said in a recording.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::diagnose::{observe, recognise, unknown_protocol};
use crate::machine::{Env, Item, Program};
use crate::report::{Counts, Decoded, DiagnosisFace, ItemFace};

use super::args::exit_codes;
use super::environment::Environment;
use super::failure::{Exit, Failure};
use super::files::{self, Captured};
use super::session::Session;

/// Read a recording: frames, what did not fit, and why
#[derive(Args)]
#[command(after_help = concat!(
    "Examples:
  hsdiag decode meter.jsonl                        recognise the protocol, then read it
  hsdiag decode meter.jsonl --protocol mbus        read it as M-Bus
  hsdiag decode meter.jsonl --protocol mbus --json | jq '.items[] | select(.kind==\"unexpected\")'

",
    exit_codes!()
))]
pub struct Decode {
    /// Event lines (.jsonl), as `hsdiag record` writes them
    file: PathBuf,
    /// The protocol, or auto to have it recognised
    #[arg(long, value_name = "NAME", default_value = "auto")]
    protocol: String,
    #[command(flatten)]
    environment: Environment,
}

impl Decode {
    pub fn run(self, session: &Session) -> Result<Exit, Failure> {
        let named = match self.protocol.as_str() {
            "auto" => None,
            name => Some(session.tables.program(name)?),
        };
        let captured = files::capture(&self.file)?;
        let recognised = named.is_none();
        let mut programs = match named {
            Some(program) => vec![program],
            None => {
                let found = recognise(&session.tables.programs()?, &captured.header, &captured.records);
                found.into_iter().map(|one| one.program).collect()
            }
        }
        .into_iter();
        let program = programs.next();
        let others = programs.map(|program| program.table().name.to_string()).collect();
        let all = || session.tables.programs().unwrap_or_default();
        let (items, why) = match (&program, unknown_protocol()) {
            (Some(program), _) => read(program, &captured, &self.environment.of(program.table())?, &all),
            (None, Some(unknown)) => read(&unknown, &captured, &Env::new(), &all),
            (None, None) => Default::default(),
        };
        let verdict = match &program {
            _ if captured.records.iter().all(|record| record.event().is_none()) => "empty",
            None => "unknown",
            Some(_) if items.iter().all(ItemFace::is_clean) => "clean",
            Some(_) => "unclean",
        };
        let error = captured.mistake.as_ref().map(Failure::face);
        let decoded = Decoded {
            file: self.file.display().to_string(),
            protocol: program.map(|program| program.table().name.to_string()),
            recognised,
            others,
            verdict,
            frames: Counts::of(&items),
            why,
            items,
            error: error.clone(),
        };
        session.output.partial(&decoded, error.as_ref())?;
        Ok(match (captured.mistake, verdict) {
            (Some(failure), _) => failure.exit(),
            (None, "clean") => Exit::Yes,
            (None, _) => Exit::No,
        })
    }
}

fn read(
    program: &Arc<Program>,
    captured: &Captured,
    env: &Env,
    others: &dyn Fn() -> Vec<Arc<Program>>,
) -> (Vec<ItemFace>, DiagnosisFace) {
    let observed = observe(program, &captured.header, &captured.records, env, others);
    let face = |(item, verdict): &(Arc<Item>, _)| ItemFace::new(item, program.table()).judged(*verdict);
    (observed.items.iter().map(face).collect(), DiagnosisFace::new(&observed.diagnosis))
}
