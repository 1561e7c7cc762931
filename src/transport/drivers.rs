//! What serial drivers tell of line errors, and how late they hand bytes over. Read in the sources of Linux 6.12 (`drivers/tty/serial`,
//! `drivers/usb/serial`, `drivers/usb/class`), not measured.

use crate::line::{Baud, LineErrors, Span};

/// What is known of a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    pub line_errors: LineErrors,
    /// How late a byte is handed over, where nothing shortens it.
    pub latency: Span,
    /// The fastest rate of any model it drives; `None` where models differ too much to say.
    pub max_baud: Option<u32>,
}

impl Facts {
    const fn of(line_errors: LineErrors, latency_ms: u64, max_baud: Option<u32>) -> Facts {
        Facts { line_errors, latency: Span::from_millis(latency_ms), max_baud }
    }

    pub fn fastest(self) -> Option<Baud> {
        self.max_baud.and_then(|rate| Baud::new(rate).ok())
    }
}

use LineErrors::{Counter, Never, Packet, PerByte};

/// By the driver's name in sysfs.
const DRIVERS: [(&[&str], Facts); 11] = [
    // The UARTs of PCs and boards: flags of the receiver beside each character; the FIFO waits for four idle characters.
    (
        &["serial8250", "serial", "8250_pci", "of_serial", "dw-apb-uart", "8250_dw", "16550A", "8250_core"],
        Facts::of(PerByte, 1, None),
    ),
    (&["uart-pl011", "pl011", "bcm2835-aux-uart"], Facts::of(PerByte, 1, None)),
    (&["imx-uart", "stm32-usart", "sc16is7xx", "fsl-lpuart"], Facts::of(PerByte, 1, None)),
    // One status for each USB packet of up to 62 (510) bytes; parity hides framing. The latency timer is 16 ms.
    (&["ftdi_sio"], Facts::of(Packet, 16, Some(3_000_000))),
    // Event mode, on while INPCK is. Counterfeit CP2102 lack it.
    (&["cp210x"], Facts::of(PerByte, 3, Some(3_000_000))),
    // The latest interrupt status for a whole URB: "something was wrong near here".
    (&["pl2303"], Facts::of(Packet, 3, None)),
    // Nothing at all; a break arrives as 00.
    (&["ch341-uart", "ch341"], Facts::of(Never, 3, Some(3_000_000))),
    (&["cdc_acm", "mxuport"], Facts::of(Counter, 3, None)),
    (&["f81232", "f81534a", "f81534a_serial", "f81534"], Facts::of(PerByte, 3, None)),
    (&["ark3116", "ssu100", "keyspan"], Facts::of(Packet, 3, None)),
    (
        &["xr_serial", "option", "usbserial_generic", "generic", "mos7840", "quatech2"],
        Facts::of(Never, 3, None),
    ),
];

/// What is known of the driver with this name.
pub fn facts(driver: &str) -> Option<Facts> {
    let known = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(driver));
    DRIVERS.iter().find(|(names, _)| known(names)).map(|(_, facts)| *facts)
}

/// A pseudo-terminal: bytes without a line, at once.
pub const PTY: Facts = Facts::of(Never, 0, None);

/// A driver that nobody has looked at: nothing is claimed, and USB is assumed for its latency.
pub const UNKNOWN: Facts = Facts::of(Never, 16, None);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ftdi_adapter_never_claims_to_know_which_byte_was_bad() {
        assert_eq!(facts("ftdi_sio").map(|f| f.line_errors), Some(Packet));
        assert_eq!(facts("ch341-uart").map(|f| f.line_errors), Some(Never));
        assert_eq!(facts("a driver of next year"), None);
    }
}
