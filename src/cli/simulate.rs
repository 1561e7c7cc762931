//! `hsdiag simulate`: a device that other programs can talk to.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::line::Settings;
use crate::report::Simulated;
use crate::simulate::Playback;
use crate::transport::{
    self, Address, Face, Rfc2217Device, SimDevice, SimLine, SimOptions, TcpDevice, Traffic,
};

use super::args::{address, exit_codes, sim_options};
use super::failure::{Exit, Failure};
use super::files;
use super::session::Session;
use super::stop;

/// Offer a simulated device on a pseudo-terminal or a socket, until Ctrl-C
#[derive(Args)]
#[command(after_help = concat!(
    "Options behind the name are those of sim://: baud, format, inverted, msb-first, noise, fault, seed,
traffic, app, wired, errors, fastest, skew, jitter, late, then, snaps, native.

Examples:
  hsdiag simulate stm32 --link /tmp/board            then: stm32flash /tmp/board
  hsdiag simulate 'mbus?baud=300&noise=2'            a noisy meter
  hsdiag simulate nmea --tcp 127.0.0.1:0             a GPS receiver behind a socket
  hsdiag simulate mbus --rfc2217 127.0.0.1:4001      a meter behind a terminal server
  hsdiag simulate 'replay://bus.jsonl?baud=19200'    what was recorded, sent again and again

A pseudo-terminal carries no character format: there the device takes the host's for right.

",
    exit_codes!()
))]
pub struct Simulate {
    /// The device (`hsdiag protocols list` names them) or replay://FILE, with options if wanted
    #[arg(value_name = "NAME[?OPTIONS]")]
    name: String,
    /// Make a link to the pseudo-terminal, so that its name is always the same
    #[arg(long, value_name = "PATH")]
    link: Option<PathBuf>,
    /// Listen for raw TCP instead; port 0 takes any free one
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "link")]
    tcp: Option<String>,
    /// Listen for RFC 2217 (telnet with serial settings) instead
    #[arg(long, value_name = "HOST:PORT", conflicts_with_all = ["link", "tcp"])]
    rfc2217: Option<String>,
}

/// Who sends, how, and what both are called.
type Sender = (SimDevice, Box<SimOptions>, String, String);

impl Simulate {
    pub fn run(self, session: &Session) -> Result<Exit, Failure> {
        let (device, options, name, title) = match self.name.strip_prefix("replay://") {
            Some(recording) => recorded(recording)?,
            None => self.simulated(session)?,
        };
        let settings = options.settings(device.settings);
        let (mut face, address) = self.face()?;
        session.output.show_next(&Simulated {
            device: name,
            title,
            baud: settings.baud.get(),
            format: settings.format.to_string(),
            address,
            link: self.link.map(|link| link.display().to_string()),
        })?;
        let mut line = SimLine::new(device, &options, Settings::new(settings.baud, settings.format));
        transport::serve(&mut *face, &mut line, stop::flag(), &mut |_| {})?;
        Ok(Exit::Interrupted)
    }

    /// The device of a table.
    fn simulated(&self, session: &Session) -> Result<Sender, Failure> {
        let Address::Sim { device: name, options } = address(&format!("sim://{}", self.name))? else {
            return Err(Failure::Usage {
                sentence: format!("`{}` is no name of a device", self.name),
                next: "`hsdiag protocols list` names them".into(),
            });
        };
        let table = session.tables.table(&name)?;
        let device = session.tables.simulated(&name, &options).map_err(|reason| Failure::Input {
            sentence: format!("{name} cannot be simulated: {reason}"),
            next: "`hsdiag protocols list` names the devices that can".into(),
        })?;
        Ok((device, options, name, table.title.clone()))
    }

    /// Where hosts come to, and its address.
    fn face(&self) -> Result<(Box<dyn Face>, String), Failure> {
        if let Some(place) = &self.tcp {
            let face = TcpDevice::listen_at(place)?;
            let address = format!("tcp://{}", face.address());
            return Ok((Box::new(face), address));
        }
        if let Some(place) = &self.rfc2217 {
            let face = Rfc2217Device::listen_at(place)?;
            let address = format!("rfc2217://{}", face.address());
            return Ok((Box::new(face), address));
        }
        self.terminal()
    }

    #[cfg(target_os = "linux")]
    fn terminal(&self) -> Result<(Box<dyn Face>, String), Failure> {
        let mut face = transport::PtyDevice::open()?;
        if let Some(link) = &self.link {
            face.link(link)?;
        }
        let address = face.name().to_owned();
        Ok((Box::new(face), address))
    }

    #[cfg(not(target_os = "linux"))]
    fn terminal(&self) -> Result<(Box<dyn Face>, String), Failure> {
        Err(Failure::Usage {
            sentence: "this system has no pseudo-terminals to offer a device on".into(),
            next: "use a socket: --tcp 127.0.0.1:0 or --rfc2217 127.0.0.1:0".into(),
        })
    }
}

/// A recording as a device, at its own settings or at those behind the `?`.
fn recorded(recording: &str) -> Result<Sender, Failure> {
    let (path, query) = recording.split_once('?').unwrap_or((recording, ""));
    let options = sim_options(query)?;
    if options.fault.is_some() || options.app || options.traffic != Traffic::Device {
        return Err(Failure::Usage {
            sentence: "a recording knows no fault, app or traffic: it says what was heard".into(),
            next: "`hsdiag simulate NAME` simulates a device that answers".into(),
        });
    }
    let captured = files::capture(Path::new(path))?;
    if let Some(mistake) = captured.mistake {
        return Err(mistake);
    }
    let settings = captured.header.settings;
    let events = captured.records.iter().filter_map(|record| record.event().copied());
    let playback = Playback::new(events, settings).ok_or_else(|| Failure::Input {
        sentence: format!("{path}: nothing was recorded that could be sent again"),
        next: "`hsdiag record PORT -o FILE` records".into(),
    })?;
    let device = SimDevice { task: Box::new(playback), settings };
    Ok((device, Box::new(options), path.into(), "a recording".into()))
}
