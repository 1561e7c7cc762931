//! A serial port of a Windows machine, owned by the one thread that runs the task.
//!
//! The handle is not overlapped: a second thread's write would wait for the first one's read, so there is none, and reads and writes
//! are bounded by the port's timeouts. A read asks for one byte and then for what is waiting, for a driver may take a longer wish as
//! a wish for all of it. Line errors stand in the data where the driver inserts them (`IOCTL_SERIAL_LSRMST_INSERT`: Serial.sys);
//! elsewhere its error flags are read after each batch of bytes, and mean "at least one of these".

use std::io::{self, ErrorKind, Read, Write};

use windows_sys::Win32::Devices::Communication::{
    CE_BREAK, CE_FRAME, CE_OVERRUN, CE_RXOVER, CE_RXPARITY, COMMTIMEOUTS, DCB, EVENPARITY, MARKPARITY,
    NOPARITY, ODDPARITY, ONE5STOPBITS, ONESTOPBIT, SPACEPARITY, TWOSTOPBITS,
};

use crate::line::{
    Baud, ControlLines, DataBits, Direction, Fault, Format, Instant, LineErrors, LineEvent, Parity, Seen,
    Settings, Span, StopBits,
};

use super::clock::{Clock, times_in};
use super::lsrmst::{ESCAPE, Lsrmst, Told};
use super::port::{Abilities, Formats, OnOpen, Port, PortError};
use super::sim::refused_polarity;
use super::windows_calls::{FineTime, Handle, Look};
use super::windows_devices;

/// An open port. Dropping it puts its settings back as they were found.
pub struct SerialPort {
    name: String,
    handle: Handle,
    found: (DCB, COMMTIMEOUTS),
    timeouts: COMMTIMEOUTS,
    clock: Clock,
    /// When the last character that was read was in.
    heard: Instant,
    settings: Settings,
    lines: ControlLines,
    /// The driver inserts line errors into the data.
    inserts: bool,
    /// It does not, but it keeps counters, so its error flags mean something when they are not up.
    counts: bool,
    insertions: Lsrmst,
    /// Error flags that were told since the last bytes were handed on.
    flags: u32,
    flags_seen: bool,
    latency: Span,
    driver: Option<String>,
    control_lines: bool,
    _fine_time: FineTime,
}

/// How long a write may wait beyond the time that its bytes take on the line.
const WRITE_PATIENCE: Span = Span::from_secs(1);

/// Fields of `DCB::_bitfield` (winbase.h).
mod bits {
    pub const BINARY: u32 = 1;
    pub const PARITY: u32 = 1 << 1;
    /// Flow control, replaced and dropped characters, stopping at an error: everything that would change what is heard.
    pub const MEDDLING: u32 = 0b111_1111 << 2 | 0b1111 << 8 | 0b111 << 12;
    pub const DTR: u32 = 1 << 4;
    pub const RTS: u32 = 1 << 12;
}

impl SerialPort {
    /// Opens a port for nobody else to open, at 9600 8N1, and raises DTR and RTS, as Linux does by itself.
    pub fn open(name: &str) -> Result<SerialPort, PortError> {
        let handle = Handle::open(&device_path(name)).map_err(|error| not_opened(name, error))?;
        let not_a_port = |_| PortError::NotATty { port: name.into() };
        let found = (handle.settings().map_err(not_a_port)?, handle.timeouts().map_err(not_a_port)?);
        let device = windows_devices::device(name);
        let inserts = handle.insert_line_errors(Some(ESCAPE)).is_ok();
        let settings = Settings::new(Baud::nearest(9600.0), Format::N8);
        let mut port = SerialPort {
            name: name.into(),
            found,
            timeouts: COMMTIMEOUTS::default(),
            clock: Clock::start(),
            heard: Instant::ZERO,
            settings,
            lines: ControlLines { dtr: Some(true), rts: Some(true) },
            inserts,
            counts: !inserts && handle.counts_line_errors(),
            insertions: Lsrmst::default(),
            flags: 0,
            flags_seen: false,
            latency: windows_devices::latency(device.as_ref()),
            control_lines: handle.has_control_lines(),
            handle,
            driver: device.as_ref().and_then(|device| device.service.clone()),
            _fine_time: FineTime::begin(),
        };
        port.settings = port.apply(settings)?;
        port.discard()?;
        if let Some(timer) =
            device.and_then(|device| device.latency_timer).filter(|timer| timer.as_millis() > 2)
        {
            tracing::warn!(
                "{name} hands bytes over up to {} ms late; `hsdiag ports` says how to change that",
                timer.as_millis()
            );
        }
        Ok(port)
    }

    /// Sets baud and format, and reads back what came of it.
    fn apply(&mut self, wanted: Settings) -> Result<Settings, PortError> {
        let before = self.handle.settings().map_err(|error| self.lost(&error))?;
        let asked = self.dcb(before, wanted);
        if let Err(error) = self.handle.set_settings(&asked) {
            return Err(self.refused(before, wanted, &error));
        }
        let set = self.handle.settings().map_err(|error| self.lost(&error))?;
        let format = |dcb: &DCB| (dcb.ByteSize, dcb.Parity, dcb.StopBits);
        if format(&set) != format(&asked) {
            self.handle.set_settings(&before).map_err(|error| self.lost(&error))?;
            let reason = "the driver keeps another format".into();
            return Err(PortError::FormatRefused { port: self.name.clone(), format: wanted.format, reason });
        }
        let baud = Baud::new(set.BaudRate).map_err(|_| PortError::BaudRefused {
            port: self.name.clone(),
            baud: wanted.baud,
            reason: "the driver reads back no rate".into(),
        })?;
        Ok(wanted.with_baud(baud))
    }

    /// The settings as Windows writes them, over those that hold.
    fn dcb(&self, before: DCB, wanted: Settings) -> DCB {
        let parity = wanted.format.parity;
        let mut fields = before._bitfield & !(bits::MEDDLING | bits::PARITY) | bits::BINARY;
        for (field, on) in [
            (bits::PARITY, parity != Parity::None),
            (bits::DTR, self.lines.dtr == Some(true)),
            (bits::RTS, self.lines.rts == Some(true)),
        ] {
            fields |= if on { field } else { 0 };
        }
        DCB {
            BaudRate: wanted.baud.get(),
            _bitfield: fields,
            ByteSize: match wanted.format.data {
                DataBits::Five => 5,
                DataBits::Six => 6,
                DataBits::Seven => 7,
                DataBits::Eight | DataBits::Nine => 8,
            },
            Parity: match parity {
                Parity::None => NOPARITY,
                Parity::Odd => ODDPARITY,
                Parity::Even => EVENPARITY,
                Parity::Mark => MARKPARITY,
                Parity::Space => SPACEPARITY,
            },
            StopBits: match (wanted.format.stop, wanted.format.data) {
                (StopBits::One, _) => ONESTOPBIT,
                // A 16550 cannot do otherwise, and Windows refuses what it cannot do.
                (StopBits::OneAndHalf, _) | (StopBits::Two, DataBits::Five) => ONE5STOPBITS,
                (StopBits::Two, _) => TWOSTOPBITS,
            },
            ..before
        }
    }

    /// Which of the two the driver did not take: it does not say, so the rate is tried alone.
    fn refused(&self, before: DCB, wanted: Settings, error: &io::Error) -> PortError {
        if !matches!(error.raw_os_error(), Some(ERROR_INVALID_PARAMETER | ERROR_NOT_SUPPORTED)) {
            return self.lost(error);
        }
        let rate_alone = DCB { BaudRate: wanted.baud.get(), ..before };
        let reason = error.to_string();
        if self.handle.set_settings(&rate_alone).is_ok() {
            // What was set before still holds when somebody asks.
            let _ = self.handle.set_settings(&before);
            PortError::FormatRefused { port: self.name.clone(), format: wanted.format, reason }
        } else {
            PortError::BaudRefused { port: self.name.clone(), baud: wanted.baud, reason }
        }
    }

    /// Bounds the next reads and writes. A read returns with the first bytes, or when its time is over.
    fn wait_no_longer(&mut self, read: Span, write: Span) -> Result<(), PortError> {
        let millis =
            |span: Span| u32::try_from(span.as_millis()).unwrap_or(u32::MAX - 1).clamp(1, u32::MAX - 1);
        let wanted = COMMTIMEOUTS {
            ReadIntervalTimeout: u32::MAX,
            ReadTotalTimeoutMultiplier: u32::MAX,
            ReadTotalTimeoutConstant: millis(read),
            WriteTotalTimeoutMultiplier: 0,
            WriteTotalTimeoutConstant: millis(write),
        };
        let fields = |t: &COMMTIMEOUTS| (t.ReadTotalTimeoutConstant, t.WriteTotalTimeoutConstant);
        if fields(&wanted) != fields(&self.timeouts) {
            self.handle.set_timeouts(&wanted).map_err(|error| self.lost(&error))?;
            self.timeouts = wanted;
        }
        Ok(())
    }

    /// Asks what is waiting, and keeps the error flags that come with the answer: they are told only once.
    fn look(&mut self) -> Result<Look, PortError> {
        let look = self.handle.look().map_err(|error| self.lost(&error))?;
        self.flags |= look.errors;
        Ok(look)
    }

    /// Line events out of one batch of bytes.
    fn events(&mut self, bytes: &[u8], seen: &mut Vec<LineEvent>) {
        let mut told = Vec::with_capacity(bytes.len());
        if self.inserts {
            self.insertions.take(bytes, &mut told);
            self.flags = 0; // the same, told twice
        } else {
            let fault = fault(std::mem::take(&mut self.flags), self.settings.format.parity);
            self.flags_seen |= fault.is_some();
            flagged(bytes, fault, &mut told);
        }
        let (now, character) = (self.clock.now(), self.settings.character_time());
        let characters = told.iter().filter(|told| **told != Told::Lost).count();
        let mut times = times_in(characters, now, character, self.heard);
        let mut lost = false;
        for what in told {
            let (what, fault) = match what {
                Told::Lost => {
                    lost = true;
                    continue;
                }
                Told::Byte(byte, fault) => (Seen::Byte(byte), fault),
                Told::Break => (Seen::Break, Some(Fault::Break)),
            };
            let fault = fault.or(std::mem::take(&mut lost).then_some(Fault::Overrun));
            let at = times.next().unwrap_or(now);
            self.heard = at;
            seen.push(LineEvent { at, direction: Direction::Rx, seen: what, fault });
        }
    }

    fn lost(&self, error: &io::Error) -> PortError {
        PortError::Vanished { port: self.name.clone(), reason: error.to_string() }
    }

    fn unsupported(&self, what: &'static str, error: &io::Error) -> PortError {
        PortError::Unsupported { port: self.name.clone(), what, reason: error.to_string() }
    }

    fn time_of(&self, bytes: usize) -> Span {
        self.settings.character_time().saturating_mul(u32::try_from(bytes).unwrap_or(u32::MAX))
    }
}

impl Port for SerialPort {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn read(&mut self, until: Instant, seen: &mut Vec<LineEvent>) -> Result<(), PortError> {
        let write = Span::from_millis(self.timeouts.WriteTotalTimeoutConstant.into());
        self.wait_no_longer(self.clock.until(until), write)?;
        let mut bytes = [0; 4096];
        let Some((first, more)) = bytes.split_first_mut() else { return Ok(()) };
        let first = match self.handle.file().read(std::slice::from_mut(first)) {
            Ok(count) => count,
            Err(error) if is_timeout(&error) => 0,
            Err(error) => return Err(self.lost(&error)),
        };
        let waiting = self.look()?.received; // also tells when the port is gone
        if first == 0 {
            return Ok(());
        }
        let length = waiting.min(more.len());
        let rest = match more.get_mut(..length) {
            Some(more) if length > 0 => self.handle.file().read(more).map_err(|error| self.lost(&error))?,
            _ => 0,
        };
        self.events(bytes.get(..first + rest).unwrap_or_default(), seen);
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        let patience = self.time_of(bytes.len()) + WRITE_PATIENCE;
        let read = Span::from_millis(self.timeouts.ReadTotalTimeoutConstant.into());
        self.wait_no_longer(read, patience)?;
        let until = self.clock.now() + patience;
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.handle.file().write(rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if is_timeout(&error) => {}
                Err(error) => return Err(self.lost(&error)),
            }
            if !rest.is_empty() && self.clock.now() >= until {
                return Err(PortError::Timeout {
                    port: self.name.clone(),
                    done: bytes.len() - rest.len(),
                    asked: bytes.len(),
                    reason: "nothing takes them at the other end".into(),
                });
            }
        }
        Ok(())
    }

    fn set(&mut self, wanted: Settings) -> Result<Settings, PortError> {
        if wanted.inverted || wanted.msb_first {
            return Err(refused_polarity(&self.name, wanted));
        }
        if !Formats::Uart.allow(wanted.format) {
            return Err(PortError::FormatRefused {
                port: self.name.clone(),
                format: wanted.format,
                reason: "Windows has five to eight data bits, and one or two stop bits".into(),
            });
        }
        self.drain()?;
        self.settings = self.apply(wanted)?;
        // What the adapter still holds was received at the old rate.
        self.clock.sleep_until(self.clock.now() + self.latency + Span::from_millis(2));
        self.discard()?;
        Ok(self.settings)
    }

    fn settings(&self) -> Settings {
        self.settings
    }

    fn set_lines(&mut self, lines: ControlLines) -> Result<(), PortError> {
        if let Some(on) = lines.dtr {
            self.handle.set_dtr(on).map_err(|error| self.unsupported("move DTR", &error))?;
            self.lines.dtr = Some(on);
        }
        if let Some(on) = lines.rts {
            self.handle.set_rts(on).map_err(|error| self.unsupported("move RTS", &error))?;
            self.lines.rts = Some(on);
        }
        Ok(())
    }

    fn send_break(&mut self, length: Span) -> Result<(), PortError> {
        let begin = self.clock.now();
        self.handle.set_break(true).map_err(|error| self.unsupported("send a break", &error))?;
        self.clock.sleep_until(begin + length);
        self.handle.set_break(false).map_err(|error| self.unsupported("end a break", &error))
    }

    fn discard(&mut self) -> Result<(), PortError> {
        self.handle.discard().map_err(|error| self.lost(&error))?;
        self.look()?;
        self.flags = 0;
        self.insertions.reset();
        Ok(())
    }

    fn drain(&mut self) -> Result<(), PortError> {
        // Not FlushFileBuffers: it waits for ever when nothing takes the bytes.
        let (mut fewest, mut until) = (usize::MAX, self.clock.now() + WRITE_PATIENCE);
        loop {
            let left = self.look()?.unsent;
            if left == 0 {
                return Ok(());
            }
            if left < fewest {
                until = self.clock.now() + WRITE_PATIENCE; // it moves
                fewest = left;
            }
            if self.clock.now() >= until {
                return Err(PortError::Timeout {
                    port: self.name.clone(),
                    done: 0,
                    asked: left,
                    reason: "they wait in the driver".into(),
                });
            }
            let nap = self.time_of(left).clamp(Span::from_millis(1), Span::from_millis(20));
            self.clock.sleep_until(self.clock.now() + nap);
        }
    }

    fn abilities(&self) -> Abilities {
        let (line_errors, means) = match (self.inserts, self.counts || self.flags_seen) {
            (true, _) => (LineErrors::PerByte, "what the driver inserts into the data (LSRMST_INSERT)"),
            (false, true) => {
                (LineErrors::Packet, "the driver's flags after each batch of bytes (ClearCommError)")
            }
            (false, false) => {
                (LineErrors::Never, "nothing so far: the driver has no counters and raised no flag")
            }
        };
        Abilities {
            line_errors,
            means,
            uncertainty: self.latency.max(Span::from_millis(1)),
            max_baud: None,
            formats: Formats::Uart,
            control_lines: self.control_lines,
            on_open: if self.control_lines { OnOpen::Raised } else { OnOpen::Untouched },
            driver: self.driver.clone(),
            virtual_time: false,
        }
    }
}

impl Drop for SerialPort {
    fn drop(&mut self) {
        // What was written leaves first, but what nobody takes is not waited for.
        if self.drain().is_err() {
            let _ = self.handle.abandon();
        }
        // A port that has vanished has nothing to put back.
        if self.inserts {
            let _ = self.handle.insert_line_errors(None);
        }
        let _ = self.handle.set_settings(&self.found.0);
        let _ = self.handle.set_timeouts(&self.found.1);
    }
}

/// What error flags say of the bytes that came with them; of several, the one that says most about the line.
fn fault(flags: u32, parity: Parity) -> Option<Fault> {
    let kinds = [
        (CE_BREAK, Fault::Break),
        (CE_FRAME, Fault::Framing),
        // Without parity there is none to be wrong.
        (if parity == Parity::None { 0 } else { CE_RXPARITY }, Fault::Parity),
        (CE_OVERRUN | CE_RXOVER, Fault::Overrun),
    ];
    kinds.into_iter().find(|(flag, _)| flags & flag != 0).map(|(_, fault)| fault)
}

/// A batch of bytes under what the flags say of it.
fn flagged(bytes: &[u8], fault: Option<Fault>, told: &mut Vec<Told>) {
    match fault {
        // Most drivers deliver a break as a 00 too.
        Some(Fault::Break) if bytes.contains(&0) => told
            .extend(bytes.iter().map(|byte| if *byte == 0 { Told::Break } else { Told::Byte(*byte, None) })),
        Some(Fault::Break) => {
            told.push(Told::Break);
            flagged(bytes, None, told);
        }
        Some(Fault::Overrun) => {
            told.push(Told::Lost);
            flagged(bytes, None, told);
        }
        fault => told.extend(bytes.iter().map(|byte| Told::Byte(*byte, fault))),
    }
}

/// The name that opens a port: beyond COM9 Windows wants its device prefix, and takes it for the others too.
fn device_path(name: &str) -> String {
    format!(r"\\.\{name}")
}

/// System error codes (winerror.h), signed as `io::Error` has them.
const ERROR_FILE_NOT_FOUND: i32 = 2;
const ERROR_PATH_NOT_FOUND: i32 = 3;
const ERROR_ACCESS_DENIED: i32 = 5;
const ERROR_SHARING_VIOLATION: i32 = 32;
const ERROR_NOT_SUPPORTED: i32 = 50;
const ERROR_INVALID_PARAMETER: i32 = 87;
const ERROR_INVALID_NAME: i32 = 123;

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

fn not_opened(name: &str, error: io::Error) -> PortError {
    let port = || name.to_owned();
    match error.raw_os_error() {
        Some(ERROR_FILE_NOT_FOUND | ERROR_PATH_NOT_FOUND | ERROR_INVALID_NAME) => {
            PortError::NotFound { port: port() }
        }
        // A serial port can be opened once; the second one is told "access denied".
        Some(ERROR_ACCESS_DENIED | ERROR_SHARING_VIOLATION) => PortError::Busy { port: port(), holder: None },
        Some(ERROR_INVALID_PARAMETER) => PortError::NotATty { port: port() },
        _ => PortError::io(name, "open", error),
    }
}

#[cfg(test)]
mod tests;
