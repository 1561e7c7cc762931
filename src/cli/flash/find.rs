//! Which bootloader answers, where the user does not say.

use std::sync::Arc;

use crate::line::Settings;
use crate::protocol::{Quiet, Risk, Table};
use crate::sweep::{Opener, Probe, ProbeOptions, openers};
use crate::transport::{End, Port};

use super::super::failure::Failure;
use super::super::progress::Progress;
use super::super::session::Session;
use super::arguments::Device;

/// Rates of a bootloader that are asked at; most measure the rate on what they are asked.
const RATES: usize = 2;

/// The questions, harmless ones first.
pub fn questions(session: &Session, device: &Device) -> Result<Vec<Opener>, Failure> {
    let tables = session.tables.all()?;
    let flashes = |table: &&Arc<Table>| table.flash.is_some() && table.probe.is_some();
    let mut plan: Vec<Opener> = Vec::new();
    for table in tables.iter().filter(flashes) {
        let options = ProbeOptions {
            only: Some(table.name.to_string()),
            bauds: device.begin_baud.into_iter().collect(),
            formats: device.format.into_iter().collect(),
            fastest: None,
        };
        plan.extend(openers(std::slice::from_ref(table), &options).into_iter().take(RATES));
    }
    plan.retain(|opener| opener.risk != Risk::Dangerous);
    // A loader that leaves at the first byte it does not know has to be asked before it hears the questions of the others.
    plan.sort_by_key(|opener| (opener.risk, opener.table.device.damaged != Quiet::Leave));
    Ok(plan)
}

/// Asks, and takes the first answer.
pub fn find(
    session: &Session,
    port: &mut dyn Port,
    plan: Vec<Opener>,
) -> Result<Option<(Arc<Table>, Settings)>, Failure> {
    let mut probe = Probe::new(plan);
    let progress = Progress::over(None, &session.output, port.abilities().virtual_time);
    let ran = session.watch(port, &mut probe, &mut |now, probe| {
        progress.tell(now, || {
            probe
                .asking()
                .map_or(String::new(), |opener| format!("asking as a host of {}", opener.table.name))
        });
    })?;
    drop(progress);
    if ran.end == End::Stopped {
        return Err(Failure::Interrupted);
    }
    Ok(probe.answer().map(|answer| (Arc::clone(&answer.opener.table), answer.opener.settings)))
}
