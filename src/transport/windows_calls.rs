//! Driver calls of Windows on an open port, each behind a safe face; what fails is an `io::Error` with the system's number.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::AsRawHandle;
use std::ptr;

use windows_sys::Win32::Devices::Communication::{
    CLRDTR, CLRRTS, COMMTIMEOUTS, COMSTAT, ClearCommBreak, ClearCommError, DCB, EscapeCommFunction,
    GetCommModemStatus, GetCommState, GetCommTimeouts, PURGE_RXCLEAR, PURGE_TXABORT, PURGE_TXCLEAR,
    PurgeComm, SETDTR, SETRTS, SetCommBreak, SetCommState, SetCommTimeouts,
};
use windows_sys::Win32::Devices::SerialCommunication::{IOCTL_SERIAL_GET_STATS, SERIALPERF_STATS};
use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::Media::{timeBeginPeriod, timeEndPeriod};
use windows_sys::Win32::System::IO::DeviceIoControl;
use windows_sys::Win32::System::Ioctl::IOCTL_SERIAL_LSRMST_INSERT;

/// A port's handle. Reads and writes go through [`File`], whose calls are plain `ReadFile` and `WriteFile`.
#[derive(Debug)]
pub struct Handle(File);

/// What `ClearCommError` tells: the error flags since the last call, and how much is waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    pub errors: u32,
    pub received: usize,
    pub unsent: usize,
}

impl Handle {
    /// Opens a device for nobody else to open.
    pub fn open(device: &str) -> io::Result<Handle> {
        OpenOptions::new().read(true).write(true).share_mode(0).open(device).map(Handle)
    }

    pub fn file(&self) -> &File {
        &self.0
    }

    fn raw(&self) -> HANDLE {
        self.0.as_raw_handle()
    }

    #[allow(unsafe_code)]
    pub fn settings(&self) -> io::Result<DCB> {
        let mut dcb = DCB { DCBlength: size_of::<DCB>() as u32, ..DCB::default() };
        // SAFETY: the handle is open as long as `self`, and the call writes one DCB, whose length it is told.
        done(unsafe { GetCommState(self.raw(), &mut dcb) })?;
        Ok(dcb)
    }

    #[allow(unsafe_code)]
    pub fn set_settings(&self, dcb: &DCB) -> io::Result<()> {
        // SAFETY: the handle is open as long as `self`; the call reads one DCB and keeps no pointer to it.
        done(unsafe { SetCommState(self.raw(), dcb) })
    }

    #[allow(unsafe_code)]
    pub fn timeouts(&self) -> io::Result<COMMTIMEOUTS> {
        let mut timeouts = COMMTIMEOUTS::default();
        // SAFETY: the handle is open as long as `self`, and the call writes one COMMTIMEOUTS.
        done(unsafe { GetCommTimeouts(self.raw(), &mut timeouts) })?;
        Ok(timeouts)
    }

    #[allow(unsafe_code)]
    pub fn set_timeouts(&self, timeouts: &COMMTIMEOUTS) -> io::Result<()> {
        // SAFETY: the handle is open as long as `self`; the call reads one COMMTIMEOUTS and keeps no pointer to it.
        done(unsafe { SetCommTimeouts(self.raw(), timeouts) })
    }

    #[allow(unsafe_code)]
    pub fn look(&self) -> io::Result<Look> {
        let (mut errors, mut stat) = (0, COMSTAT::default());
        // SAFETY: the handle is open as long as `self`, and the call writes one number and one COMSTAT.
        done(unsafe { ClearCommError(self.raw(), &mut errors, &mut stat) })?;
        Ok(Look { errors, received: stat.cbInQue as usize, unsent: stat.cbOutQue as usize })
    }

    /// Throws away what was received and not read.
    #[allow(unsafe_code)]
    pub fn discard(&self) -> io::Result<()> {
        // SAFETY: the handle is open as long as `self`.
        done(unsafe { PurgeComm(self.raw(), PURGE_RXCLEAR) })
    }

    /// Throws away what was written and not sent, so that closing does not wait for it.
    #[allow(unsafe_code)]
    pub fn abandon(&self) -> io::Result<()> {
        // SAFETY: the handle is open as long as `self`.
        done(unsafe { PurgeComm(self.raw(), PURGE_TXABORT | PURGE_TXCLEAR) })
    }

    pub fn set_dtr(&self, on: bool) -> io::Result<()> {
        self.escape(if on { SETDTR } else { CLRDTR })
    }

    pub fn set_rts(&self, on: bool) -> io::Result<()> {
        self.escape(if on { SETRTS } else { CLRRTS })
    }

    #[allow(unsafe_code)]
    fn escape(&self, what: u32) -> io::Result<()> {
        // SAFETY: the handle is open as long as `self`.
        done(unsafe { EscapeCommFunction(self.raw(), what) })
    }

    /// Whether the driver knows modem lines at all.
    #[allow(unsafe_code)]
    pub fn has_control_lines(&self) -> bool {
        let mut status = 0;
        // SAFETY: the handle is open as long as `self`, and the call writes one number.
        done(unsafe { GetCommModemStatus(self.raw(), &mut status) }).is_ok()
    }

    #[allow(unsafe_code)]
    pub fn set_break(&self, on: bool) -> io::Result<()> {
        // SAFETY: the handle is open as long as `self`.
        done(unsafe { if on { SetCommBreak(self.raw()) } else { ClearCommBreak(self.raw()) } })
    }

    /// Has the driver insert line errors into the data, behind this character; `None` ends it.
    pub fn insert_line_errors(&self, escape: Option<u8>) -> io::Result<()> {
        self.control(IOCTL_SERIAL_LSRMST_INSERT, &[escape.unwrap_or(0)], &mut [])
    }

    /// Whether the driver keeps counters of line errors.
    pub fn counts_line_errors(&self) -> bool {
        self.control(IOCTL_SERIAL_GET_STATS, &[], &mut [0; size_of::<SERIALPERF_STATS>()]).is_ok()
    }

    #[allow(unsafe_code)]
    fn control(&self, code: u32, input: &[u8], output: &mut [u8]) -> io::Result<()> {
        let mut written = 0;
        // SAFETY: the handle is open as long as `self`; both buffers live through the call, which knows their lengths and, without an
        // OVERLAPPED, has ended when it returns.
        done(unsafe {
            DeviceIoControl(
                self.raw(),
                code,
                input.as_ptr().cast(),
                input.len() as u32,
                output.as_mut_ptr().cast(),
                output.len() as u32,
                &mut written,
                ptr::null_mut(),
            )
        })
    }
}

/// Windows counts in steps of 15.6 ms unless somebody asks for finer ones: this asks for 1 ms as long as it lives.
#[derive(Debug)]
pub struct FineTime;

impl FineTime {
    #[allow(unsafe_code)]
    pub fn begin() -> FineTime {
        // SAFETY: takes a number; each begin is matched by an end when the value is dropped.
        unsafe { timeBeginPeriod(1) };
        FineTime
    }
}

impl Drop for FineTime {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: takes a number, and there was a begin.
        unsafe { timeEndPeriod(1) };
    }
}

fn done(success: windows_sys::core::BOOL) -> io::Result<()> {
    if success == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
