//! `hsdiag ports`: which ports are there.

use std::time::Duration;

use clap::Args;

use crate::line::Instant;
use crate::report;
use crate::transport::{self, Clock};

use super::args::exit_codes;
use super::failure::{Exit, Failure};
use super::session::Session;
use super::stop;

/// List the serial ports: adapter, driver, what it can report, who has it open
#[derive(Args)]
#[command(after_help = concat!(
    "Examples:
  hsdiag ports              every port that is there
  hsdiag ports --watch      and then each one as it comes and goes, until Ctrl-C
  hsdiag ports --json       for scripts

Line errors: \"per-byte\" belong to a character, \"packet\" to one of a USB packet, \"counter\" to some
character since the last look; \"none\" means the driver never tells.

",
    exit_codes!()
))]
pub struct Ports {
    /// Stay and tell each port that comes or goes
    #[arg(long)]
    watch: bool,
}

/// Hot-plugging is done by hand: nobody sees a tenth of a second.
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Ports {
    pub fn run(self, session: &Session) -> Result<Exit, Failure> {
        let mut before = transport::ports();
        let listed = report::Ports { ports: before.iter().map(Into::into).collect() };
        if !self.watch {
            session.output.show(&listed)?;
            return Ok(Exit::Yes);
        }
        stop::flag();
        session.output.show_next(&listed)?;
        let clock = Clock::start();
        while !stop::asked() && !session.output.is_closed() {
            std::thread::sleep(LOOK_EVERY);
            let now = transport::ports();
            for change in transport::changes(&before, &now) {
                let at = (clock.now() - Instant::ZERO).as_secs_f64();
                session.output.show_next(&report::PortChange::new(at, &change))?;
            }
            before = now;
        }
        Ok(if stop::interrupted() { Exit::Interrupted } else { Exit::Yes })
    }
}
