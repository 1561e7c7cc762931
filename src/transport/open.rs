//! An address to an open port.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use crate::capture::Reader;

use super::address::Address;
use super::port::{Port, PortError};
use super::ports::ports;
use super::reopen::{Machine, Reopening};
use super::replay::Replay;
use super::rfc2217::Rfc2217Port;
#[cfg(target_os = "linux")]
use super::serial_linux::SerialPort;
#[cfg(all(unix, not(target_os = "linux")))]
use super::serial_macos::SerialPort;
#[cfg(windows)]
use super::serial_windows::SerialPort;
use super::sim::{SimDevice, SimPort};
use super::sim_options::SimOptions;
use super::tcp::TcpPort;
use super::websocket::{self, Place};

/// Makes the simulated device behind `sim://NAME`; the error says why there is none, and which there are.
pub type DeviceSource<'a> = &'a dyn Fn(&str, &SimOptions) -> Result<SimDevice, String>;

/// Opens what `address` names. `device` makes the device of a simulated line.
pub fn open(address: &Address, device: DeviceSource<'_>) -> Result<Box<dyn Port>, PortError> {
    match address {
        Address::Native(name) => native(name),
        Address::Tcp { host, port } => Ok(Box::new(TcpPort::connect(host, *port)?)),
        Address::Sim { device: name, options } => {
            let port = format!("sim://{name}");
            let made = device(name, options).map_err(|reason| PortError::Unsupported {
                port: port.clone(),
                what: "be simulated",
                reason,
            })?;
            Ok(Box::new(SimPort::new(port, made, options)))
        }
        Address::Replay(file) => Ok(Box::new(replay(file)?)),
        Address::Rfc2217 { host, port } => Ok(Box::new(Rfc2217Port::connect(host, *port)?)),
        Address::Tls { host, port, verify } => tls(host, *port, *verify),
        Address::WebSocket { place, secure: false, .. } => Ok(Box::new(websocket::connect(place)?)),
        Address::WebSocket { place, verify, .. } => secure_websocket(place, *verify),
    }
}

#[cfg(feature = "tls")]
fn tls(host: &str, port: u16, verify: bool) -> Result<Box<dyn Port>, PortError> {
    Ok(Box::new(super::tls::connect(host, port, verify)?))
}

#[cfg(feature = "tls")]
fn secure_websocket(place: &Place, verify: bool) -> Result<Box<dyn Port>, PortError> {
    Ok(Box::new(super::tls::websocket(place, verify)?))
}

#[cfg(not(feature = "tls"))]
fn tls(host: &str, port: u16, _: bool) -> Result<Box<dyn Port>, PortError> {
    Err(without_tls(format!("tls://{host}:{port}")))
}

#[cfg(not(feature = "tls"))]
fn secure_websocket(place: &Place, _: bool) -> Result<Box<dyn Port>, PortError> {
    Err(without_tls(format!("wss://{}", place.written())))
}

#[cfg(not(feature = "tls"))]
fn without_tls(port: String) -> PortError {
    let reason = "this hsdiag was built without TLS, whose ciphers need a C compiler to build".into();
    PortError::Unsupported { port, what: "speak TLS", reason }
}

fn native(name: &str) -> Result<Box<dyn Port>, PortError> {
    let open = |name: &str| -> Result<Box<dyn Port>, PortError> { Ok(Box::new(SerialPort::open(name)?)) };
    let machine = Machine { open: Box::new(open), ports: Box::new(ports) };
    Ok(Box::new(Reopening::new(name, machine)?))
}

/// A recording as far as it can be read; a mistake in it is told to the log, and everything before it is played.
fn replay(path: &Path) -> Result<Replay, PortError> {
    let name = format!("replay://{}", path.display());
    let file = File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => PortError::NotFound { port: name.clone() },
        _ => PortError::io(&name, "open", error),
    })?;
    let reader = Reader::new(BufReader::new(file))
        .map_err(|mistake| PortError::io(&name, "read", std::io::Error::other(mistake)))?;
    let header = *reader.header();
    let mut records = Vec::new();
    for record in reader {
        match record {
            Ok(record) => records.push(record),
            Err(mistake) => tracing::warn!("{name}: {mistake}; everything before it is played"),
        }
    }
    Ok(Replay::new(name, header, records))
}
