//! Driver calls of Linux that no crate wraps: error counters, and the low-latency flag.

use std::os::fd::AsFd;

use rustix::io::Result;
use rustix::ioctl::{Getter, Setter, ioctl};

/// `struct serial_icounter_struct` of `linux/serial.h`: counted since the driver was loaded.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub cts: i32,
    pub dsr: i32,
    pub rng: i32,
    pub dcd: i32,
    pub rx: i32,
    pub tx: i32,
    pub frame: i32,
    pub overrun: i32,
    pub parity: i32,
    pub brk: i32,
    pub buf_overrun: i32,
    pub reserved: [i32; 9],
}

impl Counters {
    /// What was counted since `before`. The driver's counters wrap.
    pub fn since(self, before: Counters) -> Counters {
        Counters {
            frame: self.frame.wrapping_sub(before.frame),
            overrun: self.overrun.wrapping_sub(before.overrun),
            parity: self.parity.wrapping_sub(before.parity),
            brk: self.brk.wrapping_sub(before.brk),
            buf_overrun: self.buf_overrun.wrapping_sub(before.buf_overrun),
            ..Counters::default()
        }
    }
}

/// The driver's error counters; `ENOTTY` where it has none (pseudo-terminals, ch341, pl2303).
#[allow(unsafe_code)]
pub fn counters(port: impl AsFd) -> Result<Counters> {
    const CALL: u32 = libc::TIOCGICOUNT as u32;
    // SAFETY: TIOCGICOUNT writes one `struct serial_icounter_struct`, which `Counters` is: twenty ints, any value valid.
    unsafe { ioctl(port, Getter::<CALL, Counters>::new()) }
}

/// `struct serial_struct` of `linux/serial.h`; only its flags are used, the rest goes back as it came.
#[repr(C)]
#[derive(Clone, Copy)]
struct SerialStruct {
    kind: i32,
    line: i32,
    port: u32,
    irq: i32,
    flags: i32,
    xmit_fifo_size: i32,
    custom_divisor: i32,
    baud_base: i32,
    close_delay: u16,
    io_type: u8,
    reserved: u8,
    hub6: i32,
    closing_wait: u16,
    closing_wait2: u16,
    iomem_base: usize,
    iomem_reg_shift: u16,
    port_high: u32,
    iomem_map_base: libc::c_ulong,
}

const ASYNC_LOW_LATENCY: i32 = 1 << 13;

#[allow(unsafe_code)]
fn serial_struct(port: impl AsFd) -> Result<SerialStruct> {
    const CALL: u32 = libc::TIOCGSERIAL as u32;
    // SAFETY: TIOCGSERIAL writes one `struct serial_struct`; all its fields are integers here, any value valid.
    unsafe { ioctl(port, Getter::<CALL, SerialStruct>::new()) }
}

#[allow(unsafe_code)]
fn set_serial_struct(port: impl AsFd, wanted: SerialStruct) -> Result<()> {
    const CALL: u32 = libc::TIOCSSERIAL as u32;
    // SAFETY: TIOCSSERIAL reads one `struct serial_struct` and keeps no pointer to it.
    unsafe { ioctl(port, Setter::<CALL, SerialStruct>::new(wanted)) }
}

/// Switches the low-latency mode (`ftdi_sio`: a timer of 1 ms instead of 16); returns how it was before.
pub fn set_low_latency(port: impl AsFd, on: bool) -> Result<bool> {
    let found = serial_struct(&port)?;
    let flags = if on { found.flags | ASYNC_LOW_LATENCY } else { found.flags & !ASYNC_LOW_LATENCY };
    if flags != found.flags {
        set_serial_struct(port, SerialStruct { flags, ..found })?;
    }
    Ok(found.flags & ASYNC_LOW_LATENCY != 0)
}

/// Switches the packet mode of a pseudo-terminal's master: each read then begins with a byte that says what the slave did.
#[allow(unsafe_code)]
pub fn set_packet_mode(master: impl AsFd, on: bool) -> Result<()> {
    const CALL: u32 = libc::TIOCPKT as u32;
    // SAFETY: TIOCPKT reads one int and keeps no pointer to it.
    unsafe { ioctl(master, Setter::<CALL, i32>::new(i32::from(on))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structures_have_the_sizes_of_the_kernel() {
        assert_eq!(size_of::<Counters>(), 80);
        #[cfg(target_pointer_width = "64")]
        assert_eq!(size_of::<SerialStruct>(), 72);
    }

    #[test]
    fn counters_that_wrap_still_differ_by_what_was_counted() {
        let before = Counters { frame: i32::MAX, ..Counters::default() };
        let after = Counters { frame: i32::MIN + 1, ..Counters::default() };
        assert_eq!(after.since(before).frame, 2);
    }
}
