//! A port that can be closed and opened again: a board with a USB port of its own goes away when its loader starts, and comes back.

use crate::line::{ControlLines, Instant, LineEvent, Settings, Span};

use super::clock::Clock;
use super::port::{Abilities, Port, PortError};

/// Opens the port anew.
type Open = Box<dyn Fn() -> Result<Box<dyn Port>, PortError>>;

/// A port around one that may be replaced by a new one of the same name. Its time goes on through that.
pub struct Reopening {
    name: String,
    open: Open,
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
    pub fn new(name: &str, open: Open) -> Result<Reopening, PortError> {
        let port = open()?;
        let (settings, abilities) = (port.settings(), port.abilities());
        let (name, clock) = (name.to_string(), Clock::start());
        Ok(Reopening {
            name,
            open,
            port: Some(port),
            clock,
            behind: Span::ZERO,
            settings,
            abilities,
            looks_every: LOOKS_EVERY,
        })
    }

    /// The port, where it is open.
    fn port(&mut self) -> Result<&mut Box<dyn Port>, PortError> {
        self.port.as_mut().ok_or_else(|| PortError::Vanished {
            port: self.name.clone(),
            reason: "it was closed to be opened again, and did not come back".into(),
        })
    }
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
            match (self.open)() {
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

    use super::super::sim::{SimDevice, SimPort};
    use super::super::sim_options::SimOptions;
    use super::*;
    use crate::line::{Baud, Format, Mute};

    fn settings(baud: f64) -> Settings {
        Settings::new(Baud::nearest(baud), Format::N8)
    }

    /// A port that can be opened only when its turn has come: `away` openings fail after the first one.
    fn port(away: u32) -> (Reopening, Rc<Cell<u32>>) {
        let opened = Rc::new(Cell::new(0));
        let count = Rc::clone(&opened);
        let open = move || -> Result<Box<dyn Port>, PortError> {
            count.set(count.get() + 1);
            if (2..2 + away).contains(&count.get()) {
                return Err(PortError::NotFound { port: "test".into() });
            }
            let device = SimDevice { task: Box::new(Mute), settings: settings(9600.0) };
            Ok(Box::new(SimPort::new("test", device, &SimOptions::default())))
        };
        let port = Reopening::new("test", Box::new(open)).unwrap();
        (Reopening { looks_every: Span::ZERO, ..port }, opened)
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
