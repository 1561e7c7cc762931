//! A port that can be closed and opened again: a board with a USB port of its own goes away when its loader starts, and comes back.

use crate::line::{ControlLines, Instant, LineEvent, Settings, Span};

use super::clock::Clock;
use super::port::{Abilities, Port, PortError};
use super::ports::PortEntry;

/// Opens a port by its name.
type Open = Box<dyn Fn(&str) -> Result<Box<dyn Port>, PortError>>;

/// The machine's ports: opens one, and says which are there.
pub struct Machine {
    pub open: Open,
    pub ports: Box<dyn Fn() -> Vec<PortEntry>>,
}

/// A port around one that may be replaced by a new one, of the same name or of the one under which the board comes back: a loader is
/// another USB device, and Windows gives that a number of its own. Its time goes on through that.
pub struct Reopening {
    name: String,
    machine: Machine,
    /// What was there when it was closed.
    before: Vec<PortEntry>,
    port: Option<Box<dyn Port>>,
    clock: Clock,
    /// What the clock of the port that is open is behind.
    behind: Span,
    settings: Settings,
    abilities: Abilities,
    /// How often a port that is away is looked for.
    looks_every: Span,
}

const LOOKS_EVERY: Span = Span::from_millis(50);

impl Reopening {
    pub fn new(name: &str, machine: Machine) -> Result<Reopening, PortError> {
        let port = (machine.open)(name)?;
        let (settings, abilities) = (port.settings(), port.abilities());
        let (name, clock) = (name.to_string(), Clock::start());
        Ok(Reopening {
            name,
            machine,
            before: Vec::new(),
            port: Some(port),
            clock,
            behind: Span::ZERO,
            settings,
            abilities,
            looks_every: LOOKS_EVERY,
        })
    }

    /// The board under another name.
    fn open_newcomer(&mut self) -> Option<Box<dyn Port>> {
        let name = newcomer(&self.name, &self.before, &(self.machine.ports)())?;
        let port = (self.machine.open)(&name).ok()?;
        tracing::warn!("{} has come back as {name}", self.name);
        self.name = name;
        Some(port)
    }

    /// The port, where it is open.
    fn port(&mut self) -> Result<&mut Box<dyn Port>, PortError> {
        self.port.as_mut().ok_or_else(|| PortError::Vanished {
            port: self.name.clone(),
            reason: "it was closed to be opened again, and did not come back".into(),
        })
    }
}

/// The port that was not there before and is of the same maker; where the maker is not known, the only one that was not there.
fn newcomer(name: &str, before: &[PortEntry], now: &[PortEntry]) -> Option<String> {
    let vendor = |port: &PortEntry| port.usb.as_ref().map(|usb| usb.vendor);
    let maker = before.iter().find(|port| port.device == name).and_then(vendor);
    let mut new = now.iter().filter(|port| before.iter().all(|known| known.device != port.device));
    let found = match maker {
        Some(maker) => new.find(|port| vendor(port) == Some(maker)),
        None => new.next().filter(|_| new.next().is_none()),
    };
    found.map(|port| port.device.clone())
}

impl Port for Reopening {
    fn now(&self) -> Instant {
        self.port.as_ref().map_or_else(|| self.clock.now(), |port| port.now() + self.behind)
    }

    fn read(&mut self, until: Instant, seen: &mut Vec<LineEvent>) -> Result<(), PortError> {
        if self.port.is_none() {
            self.clock.sleep_until(until);
            return Ok(());
        }
        let (behind, from) = (self.behind, seen.len());
        let until = Instant::ZERO + until.since(Instant::ZERO + behind);
        let read = self.port()?.read(until, seen);
        seen[from..].iter_mut().for_each(|event| event.at += behind);
        read
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.port()?.write(bytes)
    }

    fn set(&mut self, settings: Settings) -> Result<Settings, PortError> {
        self.settings = match &mut self.port {
            Some(port) => port.set(settings)?,
            None => settings, // until it is open again
        };
        Ok(self.settings)
    }

    fn settings(&self) -> Settings {
        self.port.as_ref().map_or(self.settings, |port| port.settings())
    }

    fn set_lines(&mut self, lines: ControlLines) -> Result<(), PortError> {
        self.port()?.set_lines(lines)
    }

    fn send_break(&mut self, length: Span) -> Result<(), PortError> {
        self.port()?.send_break(length)
    }

    fn discard(&mut self) -> Result<(), PortError> {
        self.port.as_mut().map_or(Ok(()), |port| port.discard())
    }

    fn drain(&mut self) -> Result<(), PortError> {
        self.port.as_mut().map_or(Ok(()), |port| port.drain())
    }

    fn abilities(&self) -> Abilities {
        self.port.as_ref().map_or_else(|| self.abilities.clone(), |port| port.abilities())
    }

    fn close(&mut self) -> Result<(), PortError> {
        self.before = (self.machine.ports)();
        (self.settings, self.abilities) = (self.settings(), self.abilities());
        self.port = None;
        Ok(())
    }

    /// A board that went away is waited for; one that never went is simply opened again.
    fn open(&mut self, within: Span) -> Result<(), PortError> {
        if self.port.is_some() {
            return Ok(());
        }
        let until = self.clock.now() + within;
        let mut port = loop {
            let opened = (self.machine.open)(&self.name).or_else(|error| self.open_newcomer().ok_or(error));
            match opened {
                Ok(port) => break port,
                Err(error) if self.clock.now() >= until => return Err(error),
                Err(_) => self.clock.sleep_until(self.clock.now() + self.looks_every),
            }
        };
        self.settings = port.set(self.settings)?;
        self.behind = self.clock.now().since(port.now());
        self.port = Some(port);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::super::ports::UsbIdentity;
    use super::super::sim::{SimDevice, SimPort};
    use super::super::sim_options::SimOptions;
    use super::*;
    use crate::line::{Baud, Format, Mute};

    fn settings(baud: f64) -> Settings {
        Settings::new(Baud::nearest(baud), Format::N8)
    }

    fn entry(device: &str, vendor: Option<u16>) -> PortEntry {
        let usb = vendor.map(|vendor| UsbIdentity {
            vendor,
            product: 0x0001,
            product_name: None,
            manufacturer: None,
            serial_number: None,
        });
        let (name, driver, holder) = (None, None, None);
        PortEntry { device: device.into(), usb, name, driver, line_errors: None, latency_timer: None, holder }
    }

    fn simulated() -> Box<dyn Port> {
        let device = SimDevice { task: Box::new(Mute), settings: settings(9600.0) };
        Box::new(SimPort::new("test", device, &SimOptions::default()))
    }

    /// A port that can be opened only when its turn has come: `away` openings fail after the first one.
    fn port(away: u32) -> (Reopening, Rc<Cell<u32>>) {
        let opened = Rc::new(Cell::new(0));
        let count = Rc::clone(&opened);
        let open = move |name: &str| -> Result<Box<dyn Port>, PortError> {
            count.set(count.get() + 1);
            match (2..2 + away).contains(&count.get()) {
                true => Err(PortError::NotFound { port: name.into() }),
                false => Ok(simulated()),
            }
        };
        let machine = Machine { open: Box::new(open), ports: Box::new(Vec::new) };
        let port = Reopening::new("test", machine).unwrap();
        (Reopening { looks_every: Span::ZERO, ..port }, opened)
    }

    #[test]
    fn a_board_that_comes_back_under_another_name_is_found_there_and_later_under_its_own() {
        // The application is COM3, its loader COM4.
        let there = Rc::new(Cell::new("COM3"));
        let (seen, listed) = (Rc::clone(&there), Rc::clone(&there));
        let open = move |name: &str| match name == seen.get() {
            true => Ok(simulated()),
            false => Err(PortError::NotFound { port: name.into() }),
        };
        let ports = move || vec![entry("COM1", None), entry(listed.get(), Some(0x2341))];
        let machine = Machine { open: Box::new(open), ports: Box::new(ports) };
        let mut port = Reopening::new("COM3", machine).unwrap();
        for now in ["COM4", "COM3"] {
            port.close().unwrap();
            there.set(now);
            port.open(Span::ZERO).unwrap();
            assert_eq!(port.name, now);
            port.write(b"a").unwrap();
        }
    }

    #[test]
    fn what_else_is_plugged_in_meanwhile_is_left_alone() {
        let before = [entry("COM1", None), entry("COM3", Some(0x2341))];
        let with = |more: &[PortEntry]| newcomer("COM3", &before, &[&before[..1], more].concat());
        assert_eq!(with(&[]), None);
        assert_eq!(with(&[entry("COM5", Some(0x0403))]), None);
        let board = entry("COM6", Some(0x2341));
        assert_eq!(with(&[entry("COM5", Some(0x0403)), board.clone()]).as_deref(), Some("COM6"));
        // Of a port without a maker: only where there is no doubt.
        assert_eq!(newcomer("COM1", &before, std::slice::from_ref(&board)).as_deref(), Some("COM6"));
        assert_eq!(newcomer("COM1", &before, &[board, entry("COM7", None)]), None);
    }

    #[test]
    fn a_port_that_went_away_is_open_again_when_it_is_back_at_the_same_settings() {
        let (mut port, opened) = port(1);
        port.set(settings(115_200.0)).unwrap();
        let before = port.now();
        port.close().unwrap();
        port.open(Span::from_secs(60)).unwrap();
        assert_eq!((opened.get(), port.settings()), (3, settings(115_200.0)));
        assert!(port.now() >= before, "its time goes on");
        port.write(b"a").unwrap();
    }

    #[test]
    fn a_port_that_does_not_come_back_is_an_error_and_stays_one() {
        let (mut port, _) = port(u32::MAX - 2);
        port.close().unwrap();
        assert!(matches!(port.open(Span::ZERO), Err(PortError::NotFound { .. })));
        assert!(matches!(port.write(b"a"), Err(PortError::Vanished { .. })));
    }
}
