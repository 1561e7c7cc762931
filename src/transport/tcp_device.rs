//! A simulated device behind a listening TCP socket: bare bytes, one host at a time, at the device's own settings.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use crate::line::{LineEvent, Seen, Span};

use super::port::PortError;
use super::serve::Face;
use super::sim::SimLine;

/// A socket that a host can connect to.
pub struct TcpDevice {
    address: SocketAddr,
    listener: TcpListener,
    host: Option<TcpStream>,
}

impl TcpDevice {
    /// Listens at `address`, such as "127.0.0.1:0" for any free port.
    pub fn listen_at(address: &str) -> Result<TcpDevice, PortError> {
        let failed = |error| PortError::io(address, "listen", error);
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        Ok(TcpDevice { address: listener.local_addr().map_err(failed)?, listener, host: None })
    }

    /// Where it really listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn failed(&self, what: &'static str, error: std::io::Error) -> PortError {
        PortError::io(&self.address.to_string(), what, error)
    }
}

impl Face for TcpDevice {
    fn listen(&mut self, line: &mut SimLine, wait: Span) -> Result<(), PortError> {
        if let Ok((stream, _)) = self.listener.accept() {
            let set_up = stream
                .set_nonblocking(false)
                .and_then(|()| stream.set_nodelay(true))
                .and_then(|()| stream.set_write_timeout(Some(Span::from_millis(100))));
            set_up.map_err(|error| self.failed("set up a connection", error))?;
            self.host = Some(stream);
        }
        // A byte stream has no settings to be wrong. Set anew they would cost the character that is under way.
        if line.host() != line.device() {
            line.set_host(line.device());
        }
        let Some(host) = &mut self.host else {
            std::thread::sleep(wait.min(Span::from_millis(10)));
            return Ok(());
        };
        let mut bytes = [0; 4096];
        let read = host.set_read_timeout(Some(wait)).and_then(|()| host.read(&mut bytes));
        match read {
            Ok(0) => self.host = None,
            Ok(count) => line.send(bytes.get(..count).unwrap_or_default()),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                _ => self.host = None, // it hung up; the next may come
            },
        }
        Ok(())
    }

    fn deliver(&mut self, seen: &[LineEvent]) -> Result<(), PortError> {
        let byte = |event: &LineEvent| match event.seen {
            Seen::Byte(byte) => Some(byte),
            Seen::Break => Some(0),
            Seen::Marker => None,
        };
        let bytes: Vec<u8> = seen.iter().filter_map(byte).collect();
        if let Some(host) = self.host.as_mut().filter(|_| !bytes.is_empty())
            && host.write_all(&bytes).is_err()
        {
            self.host = None;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{Action, Baud, Format, Instant, Settings, Task};
    use crate::transport::SimOptions;
    use crate::transport::sim::SimDevice;

    /// Sends back what it hears.
    #[derive(Default)]
    struct Parrot(Vec<u8>);

    impl Task for Parrot {
        fn on_event(&mut self, event: &LineEvent) {
            self.0.extend(event.value());
        }
        fn on_time(&mut self, _: Instant) {}
        fn on_settings(&mut self, _: Instant, _: Settings) {}
        fn on_refused(&mut self, _: Instant, _: Settings, _: &str) {}
        fn next_action(&mut self) -> Option<Action> {
            (!self.0.is_empty()).then(|| Action::Send(std::mem::take(&mut self.0)))
        }
        fn deadline(&self) -> Option<Instant> {
            None
        }
    }

    #[test]
    fn looking_for_what_the_host_says_costs_no_character_that_is_under_way() {
        let settings = Settings::new(Baud::nearest(9600.0), Format::N8);
        let device = SimDevice { task: Box::<Parrot>::default(), settings };
        // The host is at other settings to begin with.
        let host = Settings::new(Baud::nearest(115_200.0), Format::E8);
        let mut line = SimLine::new(device, &SimOptions::default(), host);
        let mut face = TcpDevice::listen_at("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(face.address()).unwrap();
        let said = [0x01, 0x03, 0x00, 0x55, 0xAA, 0xFF, 0xC5, 0xCD];
        client.write_all(&said).unwrap();
        let mut seen = Vec::new();
        // Five looks a character, until all of it is there; 2,000 characters are far more than it takes.
        let mut looks = 0;
        while seen.len() < said.len() && looks < 10_000 {
            looks += 1;
            face.listen(&mut line, Span::from_millis(1)).unwrap();
            let until = line.now() + settings.character_time() / 5;
            line.advance(until, false, &mut seen);
        }
        let heard: Vec<u8> = seen.iter().filter_map(LineEvent::value).collect();
        assert_eq!((heard, seen.iter().filter(|event| event.fault.is_some()).count()), (said.to_vec(), 0));
    }
}
