//! What every port can do, wherever its bytes come from: see line events, send, change settings, and say what it cannot tell.

use crate::line::{Baud, ControlLines, Format, Instant, LineErrors, LineEvent, Settings, Span};

/// A line to a device: a serial port, a socket, a recording or a simulated wire.
pub trait Port {
    /// The time on this port's clock; it never runs backwards.
    fn now(&self) -> Instant;

    /// Waits until something is seen, but no longer than `until`, and appends what was seen in order of time.
    ///
    /// A port in virtual time moves its clock to the first event or to `until`; one in real time waits.
    fn read(&mut self, until: Instant, seen: &mut Vec<LineEvent>) -> Result<(), PortError>;

    /// Hands bytes over for sending. It waits no longer than a bounded time and then says how many bytes got through.
    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError>;

    /// Changes the settings of the open port; returns what the driver says it really set.
    ///
    /// What was received at the old settings and not yet read is discarded.
    fn set(&mut self, settings: Settings) -> Result<Settings, PortError>;

    /// Takes it that the far end has these settings, where the port itself has none to change; whether that is so.
    fn assume(&mut self, _settings: Settings) -> bool {
        false
    }

    /// The settings that hold, as far as the port knows.
    fn settings(&self) -> Settings;

    /// Moves DTR and RTS.
    fn set_lines(&mut self, lines: ControlLines) -> Result<(), PortError>;

    /// Holds the line at space for so long, then returns it to idle.
    fn send_break(&mut self, length: Span) -> Result<(), PortError>;

    /// Throws away what was received and not read.
    fn discard(&mut self) -> Result<(), PortError>;

    /// Waits, for a bounded time, until everything written has left, as far as the driver knows.
    fn drain(&mut self) -> Result<(), PortError>;

    /// Closes the port for a while. One that cannot be opened again stays as it is.
    fn close(&mut self) -> Result<(), PortError> {
        Ok(())
    }

    /// Opens what was closed, at the same settings; it may take so long until the port is there.
    fn open(&mut self, _within: Span) -> Result<(), PortError> {
        Ok(())
    }

    /// What this port can do and tell; it may get to know more as time goes by.
    fn abilities(&self) -> Abilities;
}

impl<P: Port + ?Sized> Port for Box<P> {
    fn now(&self) -> Instant {
        (**self).now()
    }
    fn read(&mut self, until: Instant, seen: &mut Vec<LineEvent>) -> Result<(), PortError> {
        (**self).read(until, seen)
    }
    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        (**self).write(bytes)
    }
    fn set(&mut self, settings: Settings) -> Result<Settings, PortError> {
        (**self).set(settings)
    }
    fn assume(&mut self, settings: Settings) -> bool {
        (**self).assume(settings)
    }
    fn settings(&self) -> Settings {
        (**self).settings()
    }
    fn set_lines(&mut self, lines: ControlLines) -> Result<(), PortError> {
        (**self).set_lines(lines)
    }
    fn send_break(&mut self, length: Span) -> Result<(), PortError> {
        (**self).send_break(length)
    }
    fn discard(&mut self) -> Result<(), PortError> {
        (**self).discard()
    }
    fn drain(&mut self) -> Result<(), PortError> {
        (**self).drain()
    }
    fn close(&mut self) -> Result<(), PortError> {
        (**self).close()
    }
    fn open(&mut self, within: Span) -> Result<(), PortError> {
        (**self).open(within)
    }
    fn abilities(&self) -> Abilities {
        (**self).abilities()
    }
}

/// What a port can do and tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// How exactly line errors are reported.
    pub line_errors: LineErrors,
    /// By which means they are told, for a report: "marks in the data (PARMRK)".
    pub means: &'static str,
    /// How late an event can be stamped: the adapter's latency and the character it was waiting for.
    pub uncertainty: Span,
    /// The fastest rate, where it is known.
    pub max_baud: Option<Baud>,
    pub formats: Formats,
    /// DTR and RTS can be moved.
    pub control_lines: bool,
    pub on_open: OnOpen,
    /// The driver's name, where there is one.
    pub driver: Option<String>,
    /// The port runs in virtual time: waiting costs nothing.
    pub virtual_time: bool,
}

/// Which formats a port can be set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formats {
    /// Every one that the line model has.
    All,
    /// Five to eight data bits, any parity, one or two stop bits (five data bits: one and a half).
    Uart,
    /// The same without mark and space parity.
    UartWithoutMarkSpace,
    /// The port carries bytes, not characters: a format has no effect and cannot be read back.
    NoEffect,
}

impl Formats {
    /// Whether the port can be asked for `format`.
    pub fn allow(self, format: Format) -> bool {
        use crate::line::{DataBits, Parity, StopBits};
        let uart = format.data != DataBits::Nine
            && (format.stop != StopBits::OneAndHalf || format.data == DataBits::Five);
        match self {
            Formats::All => true,
            Formats::Uart => uart,
            Formats::UartWithoutMarkSpace => uart && !matches!(format.parity, Parity::Mark | Parity::Space),
            Formats::NoEffect => format.data == DataBits::Eight && uart,
        }
    }
}

/// What opening the port did to DTR and RTS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnOpen {
    /// There are no such lines, or they were left as they were.
    Untouched,
    /// The operating system raised both, whatever was asked: boards that reset on DTR have been reset.
    Raised,
    /// The operating system dropped both.
    Dropped,
    /// It cannot be known (the far end of a socket).
    Unknown,
}

/// What can go wrong with a port. What to do next is told by the command line.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    #[error("{port} is in use{}", holder.as_ref().map(|h| format!(" by {h}")).unwrap_or_default())]
    Busy { port: String, holder: Option<String> },
    #[error("no permission to open {port}{}", group.as_ref().map(|g| format!(": it belongs to group `{g}`")).unwrap_or_default())]
    Permission { port: String, group: Option<String> },
    #[error("there is no port {port}")]
    NotFound { port: String },
    #[error("{port} is not a serial port")]
    NotATty { port: String },
    #[error("{port} has vanished ({reason})")]
    Vanished { port: String, reason: String },
    #[error("{port} refuses {baud} baud ({reason})")]
    BaudRefused { port: String, baud: Baud, reason: String },
    #[error("{port} cannot do {format} ({reason})")]
    FormatRefused { port: String, format: Format, reason: String },
    #[error("{port} took {done} of {asked} bytes and then no more ({reason})")]
    Timeout { port: String, done: usize, asked: usize, reason: String },
    #[error("{port} cannot {what} ({reason})")]
    Unsupported { port: String, what: &'static str, reason: String },
    /// `heard` is how it begins.
    #[error("{port}: the other end does not speak {expected}; it says {}", shown(heard))]
    OtherSpeech { port: String, expected: &'static str, heard: Vec<u8> },
    #[error("the recording {port} ends here")]
    EndOfRecording { port: String },
    #[error("{0}")]
    Address(#[from] super::address::AddressError),
    #[error("{port}: {what}: {source}")]
    Io { port: String, what: &'static str, source: std::io::Error },
}

/// The first bytes, in hexadecimal.
fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 16;
    let shown: Vec<String> = bytes.iter().take(MOST).map(|byte| format!("{byte:02X}")).collect();
    format!("{}{}", shown.join(" "), if bytes.len() > MOST { " ..." } else { "" })
}

impl PortError {
    /// The operating system failed at `what`.
    pub fn io(port: &str, what: &'static str, source: impl Into<std::io::Error>) -> PortError {
        PortError::Io { port: port.into(), what, source: source.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_port_names_its_holder_and_a_forbidden_one_its_group() {
        let busy = PortError::Busy { port: "/dev/ttyUSB0".into(), holder: Some("minicom (pid 41)".into()) };
        assert_eq!(busy.to_string(), "/dev/ttyUSB0 is in use by minicom (pid 41)");
        let denied = PortError::Permission { port: "/dev/ttyUSB0".into(), group: Some("dialout".into()) };
        assert_eq!(denied.to_string(), "no permission to open /dev/ttyUSB0: it belongs to group `dialout`");
    }

    #[test]
    fn a_uart_has_no_ninth_bit_and_a_byte_stream_no_seven() {
        assert!(Formats::Uart.allow("8M1".parse().unwrap()));
        assert!(!Formats::Uart.allow("9N1".parse().unwrap()));
        assert!(!Formats::UartWithoutMarkSpace.allow("8M1".parse().unwrap()));
        assert!(!Formats::NoEffect.allow("7E1".parse().unwrap()));
        assert!(Formats::Uart.allow("5N1.5".parse().unwrap()));
    }
}
