//! A simulated device behind a terminal server that speaks RFC 2217: one host at a time, with its settings, formats included.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use crate::line::{
    Baud, ControlLines, DataBits, Fault, Format, LineEvent, Parity, Seen, Settings, Span, StopBits,
};

use super::port::PortError;
use super::serve::Face;
use super::sim::SimLine;
use super::telnet::{self, Item, Telnet, format_numbers, put};

/// A socket that a host can connect to.
pub struct Rfc2217Device {
    address: SocketAddr,
    listener: TcpListener,
    host: Option<Host>,
}

struct Host {
    stream: TcpStream,
    telnet: Telnet,
    /// Which line states it wants to be told of.
    mask: u8,
    /// Options that have been answered, so that two ends do not agree for ever.
    answered: Vec<Item>,
}

impl Rfc2217Device {
    /// Listens at `address`, such as "127.0.0.1:0" for any free port.
    pub fn listen_at(address: &str) -> Result<Rfc2217Device, PortError> {
        let failed = |error| PortError::io(address, "listen", error);
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        Ok(Rfc2217Device { address: listener.local_addr().map_err(failed)?, listener, host: None })
    }

    /// Where it really listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Host {
    fn new(stream: TcpStream) -> std::io::Result<Host> {
        stream.set_nonblocking(false)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(Span::from_millis(100)))?;
        Ok(Host { stream, telnet: Telnet::default(), mask: 0, answered: Vec::new() })
    }

    /// What came within `wait`; nothing more to expect is an error.
    fn items(&mut self, wait: Span) -> std::io::Result<Vec<Item>> {
        let mut bytes = [0; 4096];
        self.stream.set_read_timeout(Some(wait))?;
        let mut items = Vec::new();
        match self.stream.read(&mut bytes) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => self.telnet.take(bytes.get(..count).unwrap_or_default(), &mut items),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                _ => return Err(error),
            },
        }
        Ok(items)
    }

    fn put(&mut self, items: &[Item]) -> std::io::Result<()> {
        let mut bytes = Vec::new();
        items.iter().for_each(|item| put(item, &mut bytes));
        self.stream.write_all(&bytes)
    }

    fn take(&mut self, item: Item, line: &mut SimLine) -> std::io::Result<()> {
        let known = |option| matches!(option, telnet::BINARY | telnet::NO_GO_AHEAD | telnet::COM_PORT);
        let answer = match item {
            Item::Data(byte) => {
                line.send(&[byte]);
                return Ok(());
            }
            Item::Will { option, yes } => Item::Do { option, yes: yes && known(option) },
            Item::Do { option, yes } => Item::Will { option, yes: yes && known(option) },
            Item::ComPort { command, value } => {
                let value = self.command(command, value, line);
                return self.put(&[Item::ComPort { command: command.wrapping_add(telnet::ANSWER), value }]);
            }
        };
        if self.answered.contains(&answer) {
            return Ok(());
        }
        self.put(std::slice::from_ref(&answer))?;
        self.answered.push(answer);
        Ok(())
    }

    /// Carries a command out; its answer is what holds now.
    fn command(&mut self, command: u8, value: Vec<u8>, line: &mut SimLine) -> Vec<u8> {
        let host = line.host();
        let number = value.first().copied().unwrap_or(0);
        match command {
            telnet::SET_BAUD => {
                let rate = <[u8; 4]>::try_from(value).map_or(0, u32::from_be_bytes);
                if let Ok(baud) = Baud::new(rate) {
                    line.set_host(host.with_baud(baud)); // a rate that is refused leaves the old one, and the answer says so
                }
                line.host().baud.get().to_be_bytes().to_vec()
            }
            telnet::SET_DATA | telnet::SET_PARITY | telnet::SET_STOP => {
                if let Some(format) = changed(host.format, command, number) {
                    line.set_host(Settings { format, ..host });
                }
                let numbers = format_numbers(line.host().format).unwrap_or([8, 1, 1]);
                let place = usize::from(command - telnet::SET_DATA);
                numbers.get(place).copied().into_iter().collect()
            }
            telnet::SET_CONTROL => {
                let (mut dtr, mut rts) = (None, None);
                match number {
                    telnet::DTR_ON | telnet::DTR_OFF => dtr = Some(number == telnet::DTR_ON),
                    telnet::RTS_ON | telnet::RTS_OFF => rts = Some(number == telnet::RTS_ON),
                    _ => {}
                }
                line.set_lines(ControlLines { dtr, rts });
                value
            }
            telnet::LINE_STATE_MASK => {
                self.mask = number;
                value
            }
            telnet::PURGE => {
                line.discard();
                value
            }
            _ => value,
        }
    }
}

/// The format with one of its parts set to what RFC 2217 means by `number`; `None` for a question or nonsense.
fn changed(format: Format, command: u8, number: u8) -> Option<Format> {
    let every = DataBits::ALL.into_iter().flat_map(|data| {
        Parity::ALL.into_iter().flat_map(move |parity| {
            [StopBits::One, StopBits::OneAndHalf, StopBits::Two].map(|stop| Format { data, parity, stop })
        })
    });
    let place = usize::from(command.checked_sub(telnet::SET_DATA)?);
    let mut wanted = format_numbers(format)?;
    *wanted.get_mut(place)? = number;
    every.into_iter().find(|candidate| format_numbers(*candidate) == Some(wanted))
}

impl Face for Rfc2217Device {
    fn listen(&mut self, line: &mut SimLine, wait: Span) -> Result<(), PortError> {
        if let Ok((stream, _)) = self.listener.accept() {
            self.host = Host::new(stream).ok();
        }
        let Some(host) = &mut self.host else {
            std::thread::sleep(wait.min(Span::from_millis(10)));
            return Ok(());
        };
        let served =
            host.items(wait).and_then(|items| items.into_iter().try_for_each(|item| host.take(item, line)));
        if served.is_err() {
            self.host = None; // it hung up; the next may come
        }
        Ok(())
    }

    fn deliver(&mut self, seen: &[LineEvent]) -> Result<(), PortError> {
        let Some(host) = self.host.as_mut().filter(|_| !seen.is_empty()) else { return Ok(()) };
        let mut items = Vec::new();
        for event in seen {
            let state = match event.fault {
                Some(Fault::Break) => 1 << 4,
                Some(Fault::Framing | Fault::FramingOrParity) => 1 << 3,
                Some(Fault::Parity) => 1 << 2,
                Some(Fault::Overrun) => 1 << 1,
                None => 0,
            };
            if state & host.mask != 0 {
                let command = telnet::ANSWER + telnet::LINE_STATE;
                items.push(Item::ComPort { command, value: vec![state] });
            }
            if let Seen::Byte(byte) = event.seen {
                items.push(Item::Data(byte));
            }
        }
        if host.put(&items).is_err() {
            self.host = None;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
