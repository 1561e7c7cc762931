//! A simulated device behind a pseudo-terminal, for programs that open a tty.
//!
//! The master side reads the rate that the host really set; with packet mode and `EXTPROC` it is told of every change, and writes the
//! driver's `PARMRK` marks itself. A pseudo-terminal carries no character format, so the host's is taken to be right.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{InputModes, LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::line::{Baud, LineEvent, Seen, Span};

use super::driver_calls::set_packet_mode;
use super::parmrk::{Marked, mark};
use super::port::PortError;
use super::serve::Face;
use super::sim::SimLine;

/// A pseudo-terminal whose far end is a simulated line. Dropping it removes the link.
pub struct PtyDevice {
    name: String,
    master: OwnedFd,
    /// Kept open, or the master would fail between two hosts.
    _slave: OwnedFd,
    link: Option<PathBuf>,
    /// The host's input flags, which say how a driver has to deliver a bad byte.
    flags: InputModes,
}

/// Packet bytes of `linux/tty.h`: the host threw away its input; the host changed its settings.
const FLUSHED: u8 = 0x01;
const CHANGED: u8 = 0x40;

impl PtyDevice {
    /// A new pseudo-terminal in raw mode.
    pub fn open() -> Result<PtyDevice, PortError> {
        PtyDevice::create().map_err(|errno| PortError::io("the pseudo-terminal", "open", errno))
    }

    fn create() -> rustix::io::Result<PtyDevice> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name = ptsname(&master, Vec::new())?.to_string_lossy().into_owned();
        let slave = rustix::fs::open(&*name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        let mut modes = tcgetattr(&slave)?;
        modes.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &modes)?;
        modes = tcgetattr(&master)?;
        modes.local_modes.insert(LocalModes::EXTPROC);
        tcsetattr(&master, OptionalActions::Now, &modes)?;
        set_packet_mode(&master, true)?;
        rustix::io::ioctl_fionbio(&master, true)?;
        Ok(PtyDevice { name, master, _slave: slave, link: None, flags: modes.input_modes })
    }

    /// What a host has to open: "/dev/pts/5".
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes `path` a link to the pseudo-terminal, in place of an older link; anything else there is left alone.
    pub fn link(&mut self, path: &Path) -> Result<(), PortError> {
        let failed = |error| PortError::io(&path.display().to_string(), "make a link", error);
        if std::fs::symlink_metadata(path).is_ok_and(|there| there.is_symlink()) {
            std::fs::remove_file(path).map_err(failed)?;
        }
        std::os::unix::fs::symlink(&self.name, path).map_err(failed)?;
        self.link = Some(path.to_path_buf());
        Ok(())
    }

    /// Reads the rate and the flags that the host has set now, and gives the line the rate. A host that makes its settings from nothing
    /// clears `EXTPROC`, after which nobody is told of a change: so they are read again whenever something was waited for.
    fn follow(&mut self, line: &mut SimLine) -> Result<(), PortError> {
        let modes =
            tcgetattr(&self.master).map_err(|errno| self.failed("read the host's settings", errno))?;
        self.flags = modes.input_modes;
        // Rate 0 means "hang up": the one before stays.
        let baud = Baud::new(modes.output_speed()).unwrap_or(line.host().baud);
        let wanted = line.device().with_baud(baud);
        if line.host() != wanted {
            line.set_host(wanted);
        }
        Ok(())
    }

    fn failed(&self, what: &'static str, errno: Errno) -> PortError {
        PortError::io(&self.name, what, errno)
    }

    /// A character as the driver would hand it to the host's terminal discipline, by the host's flags.
    fn drive(&self, event: &LineEvent, bytes: &mut Vec<u8>) {
        let marked = match (event.seen, event.fault) {
            (Seen::Byte(byte), None) => Marked::Good(byte),
            (Seen::Byte(0), Some(_)) | (Seen::Break, _) => Marked::BreakOrBadNul,
            (Seen::Byte(byte), Some(_)) => Marked::Bad(byte),
            (Seen::Marker, _) => return,
        };
        if self.flags.contains(InputModes::PARMRK) {
            return mark(marked, bytes);
        }
        match marked {
            Marked::Good(byte) => bytes.push(byte),
            // The checks are on and the marks are not: POSIX has the byte replaced.
            Marked::Bad(_) if self.flags.contains(InputModes::INPCK) => bytes.push(0),
            Marked::Bad(byte) => bytes.push(byte),
            Marked::BreakOrBadNul => bytes.push(0),
        }
    }
}

impl Face for PtyDevice {
    fn listen(&mut self, line: &mut SimLine, wait: Span) -> Result<(), PortError> {
        self.follow(line)?;
        let timeout = Timespec {
            tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: wait.subsec_nanos().into(),
        };
        match poll(&mut [PollFd::new(&self.master, PollFlags::IN)], Some(&timeout)) {
            Ok(0) | Err(Errno::INTR) => return Ok(()),
            Ok(_) => {}
            Err(errno) => return Err(self.failed("wait", errno)),
        }
        let mut packet = [0; 4096];
        let count = match rustix::io::read(&self.master, &mut packet) {
            Ok(count) => count,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
            Err(errno) => return Err(self.failed("read", errno)),
        };
        match packet.get(..count).and_then(<[u8]>::split_first) {
            Some((0, bytes)) => {
                self.follow(line)?; // what was set before these bytes were written
                line.send(bytes);
            }
            Some((what, _)) => {
                if what & CHANGED != 0 {
                    self.follow(line)?;
                }
                if what & FLUSHED != 0 {
                    line.discard();
                }
            }
            None => {}
        }
        Ok(())
    }

    fn deliver(&mut self, seen: &[LineEvent]) -> Result<(), PortError> {
        let mut bytes = Vec::new();
        seen.iter().for_each(|event| self.drive(event, &mut bytes));
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            match rustix::io::write(&self.master, rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(()), // nobody reads: lost, as with a real port
                Err(errno) => return Err(self.failed("write", errno)),
            }
        }
        Ok(())
    }
}

impl Drop for PtyDevice {
    fn drop(&mut self) {
        if let Some(link) = &self.link {
            let _ = std::fs::remove_file(link); // somebody else may have removed it
        }
    }
}

#[cfg(test)]
mod tests;
