//! A byte stream, bare over TCP or wrapped: no settings, no line errors, no control lines.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};

use crate::line::{Baud, ControlLines, Direction, Format, Instant, LineErrors, LineEvent, Settings, Span};

use super::clock::Clock;
use super::port::{Abilities, Formats, OnOpen, Port, PortError};

const PATIENCE: Span = Span::from_secs(3);

/// A connection whose writes end within a bounded time; `name` is how messages call it.
pub fn stream(name: &str, host: &str, port: u16) -> Result<TcpStream, PortError> {
    let failed = |what| move |error| PortError::io(name, what, error);
    let addresses = (host, port).to_socket_addrs().map_err(failed("look up the host"))?;
    let mut last = std::io::Error::new(ErrorKind::NotFound, "the host has no address");
    for address in addresses {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => {
                stream.set_nodelay(true).map_err(failed("set up the connection"))?;
                stream.set_write_timeout(Some(PATIENCE)).map_err(failed("set up the connection"))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(failed("connect")(last))
}

/// What carries bytes both ways: a bare connection, or one within an encryption or a web socket.
pub trait Stream {
    /// `receive` waits no longer than this.
    fn wait_at_most(&mut self, span: Span) -> std::io::Result<()>;

    /// Appends what has come; 0 when the other end has closed. An error of the kind `WouldBlock` or `TimedOut` says that nothing has.
    fn receive(&mut self, bytes: &mut Vec<u8>) -> std::io::Result<usize>;

    /// Hands over bytes, and returns how many were taken.
    fn send(&mut self, bytes: &[u8]) -> std::io::Result<usize>;
}

impl Stream for TcpStream {
    fn wait_at_most(&mut self, span: Span) -> std::io::Result<()> {
        self.set_read_timeout(Some(span))
    }

    fn receive(&mut self, bytes: &mut Vec<u8>) -> std::io::Result<usize> {
        read_some(self, bytes)
    }

    fn send(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.write(bytes)
    }
}

/// One read, appended.
pub fn read_some(from: &mut impl Read, bytes: &mut Vec<u8>) -> std::io::Result<usize> {
    let mut read = [0; 4096];
    let count = from.read(&mut read)?;
    bytes.extend_from_slice(read.get(..count).unwrap_or_default());
    Ok(count)
}

/// A byte stream to a terminal server, a gateway or a device.
pub struct StreamPort<S> {
    name: String,
    stream: S,
    clock: Clock,
    settings: Settings,
}

/// A connection to a terminal server's raw port.
pub type TcpPort = StreamPort<TcpStream>;

impl TcpPort {
    pub fn connect(host: &str, port: u16) -> Result<TcpPort, PortError> {
        let name = format!("tcp://{host}:{port}");
        let stream = stream(&name, host, port)?;
        Ok(StreamPort::new(name, stream))
    }
}

impl<S: Stream> StreamPort<S> {
    /// A port over a stream that is open; `name` is how messages call it.
    pub fn new(name: String, stream: S) -> StreamPort<S> {
        let settings = Settings::new(Baud::nearest(9600.0), Format::N8);
        StreamPort { name, stream, clock: Clock::start(), settings }
    }

    fn unsupported(&self, what: &'static str) -> PortError {
        let reason = "a bare byte stream has none; rfc2217:// has".into();
        PortError::Unsupported { port: self.name.clone(), what, reason }
    }
}

impl<S: Stream> Port for StreamPort<S> {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn read(&mut self, until: Instant, seen: &mut Vec<LineEvent>) -> Result<(), PortError> {
        let failed = |error| PortError::io(&self.name, "read", error);
        let span = self.clock.until(until).max(Span::from_micros(1)); // zero would mean for ever
        self.stream.wait_at_most(span).map_err(failed)?;
        let mut bytes = Vec::new();
        match self.stream.receive(&mut bytes) {
            Ok(0) => Err(PortError::Vanished {
                port: self.name.clone(),
                reason: "the other end closed the connection".into(),
            }),
            Ok(_) => {
                let at = self.clock.now();
                seen.extend(bytes.iter().map(|byte| LineEvent::byte(at, Direction::Rx, *byte)));
                Ok(())
            }
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => Ok(()),
                _ => Err(PortError::Vanished { port: self.name.clone(), reason: error.to_string() }),
            },
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.stream.send(rest) {
                Ok(count) if count > 0 => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(_) => break,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => break,
                Err(error) => {
                    return Err(PortError::Vanished { port: self.name.clone(), reason: error.to_string() });
                }
            }
        }
        if rest.is_empty() {
            return Ok(());
        }
        Err(PortError::Timeout {
            port: self.name.clone(),
            done: bytes.len() - rest.len(),
            asked: bytes.len(),
            reason: "the other end takes no more".into(),
        })
    }

    fn set(&mut self, settings: Settings) -> Result<Settings, PortError> {
        if settings == self.settings { Ok(settings) } else { Err(self.unsupported("change its settings")) }
    }

    fn assume(&mut self, settings: Settings) -> bool {
        self.settings = settings;
        true
    }

    fn settings(&self) -> Settings {
        self.settings
    }

    fn set_lines(&mut self, _: ControlLines) -> Result<(), PortError> {
        Err(self.unsupported("move DTR and RTS"))
    }

    fn send_break(&mut self, _: Span) -> Result<(), PortError> {
        Err(self.unsupported("send a break"))
    }

    fn discard(&mut self) -> Result<(), PortError> {
        let mut seen = Vec::new();
        loop {
            seen.clear();
            self.read(Instant::ZERO, &mut seen)?;
            if seen.is_empty() {
                return Ok(());
            }
        }
    }

    fn drain(&mut self) -> Result<(), PortError> {
        Ok(()) // nothing tells when the far end has sent it
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            line_errors: LineErrors::Never,
            means: "nothing: a bare byte stream does not tell",
            uncertainty: Span::from_millis(20),
            max_baud: None,
            formats: Formats::NoEffect,
            control_lines: false,
            on_open: OnOpen::Unknown,
            driver: None,
            virtual_time: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn pair() -> (TcpPort, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = TcpPort::connect("127.0.0.1", listener.local_addr().unwrap().port()).unwrap();
        (port, listener.accept().unwrap().0)
    }

    #[test]
    fn bytes_pass_in_both_directions() {
        let (mut port, mut far) = pair();
        far.write_all(b"\x68\xFF\x00").unwrap();
        let (mut seen, until) = (Vec::new(), port.now() + Span::from_secs(2));
        while seen.len() < 3 && port.now() < until {
            port.read(until, &mut seen).unwrap();
        }
        assert_eq!(seen.iter().filter_map(LineEvent::value).collect::<Vec<_>>(), b"\x68\xFF\x00");
        port.write(b"abc").unwrap();
        let mut heard = [0; 3];
        far.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"abc");
    }

    #[test]
    fn a_closed_connection_is_a_vanished_port() {
        let (mut port, far) = pair();
        drop(far);
        let until = port.now() + Span::from_secs(2);
        assert!(matches!(port.read(until, &mut Vec::new()), Err(PortError::Vanished { .. })));
    }

    #[test]
    fn a_byte_stream_says_that_it_has_no_rate() {
        let (mut port, _far) = pair();
        let wanted = port.settings().with_baud(Baud::nearest(57_600.0));
        let error = port.set(wanted).unwrap_err().to_string();
        assert!(error.contains("rfc2217://"), "{error}");
        // Whoever knows those of the far end can say them.
        assert!(port.assume(wanted));
        assert_eq!((port.settings(), port.set(wanted).unwrap()), (wanted, wanted));
    }
}
