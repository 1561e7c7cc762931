//! The ports of this machine, and their coming and going.

use serde::Serialize;

use crate::transport::{Change, PortEntry};

use super::escape::escaped;
use super::paint::{BAD, FAINT, GOOD, STRONG, WARN};
use super::table::{Cell, Column, Table};
use super::{Page, Report};

/// A port of this machine.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PortFace {
    /// What to give to a command: "/dev/ttyUSB0", "COM3".
    pub device: String,
    /// "0403:6001", where it is a USB adapter.
    pub usb: Option<String>,
    /// What the adapter or the system calls it: "FT232R USB UART", "USB Serial Port (COM3)".
    pub product: Option<String>,
    pub manufacturer: Option<String>,
    pub serial_number: Option<String>,
    pub driver: Option<String>,
    /// "per-byte", "packet", "counter" or "none"; `null` when the driver is not known.
    pub line_errors: Option<&'static str>,
    /// Milliseconds that it hands bytes over late, where that is a setting which only the user can change.
    pub latency_timer: Option<u64>,
    /// The program that has it open.
    pub holder: Option<String>,
}

impl From<&PortEntry> for PortFace {
    fn from(entry: &PortEntry) -> PortFace {
        let usb = entry.usb.as_ref();
        PortFace {
            device: entry.device.clone(),
            usb: usb.map(|usb| format!("{:04x}:{:04x}", usb.vendor, usb.product)),
            product: entry.name.clone().or_else(|| usb.and_then(|usb| usb.product_name.clone())),
            manufacturer: usb.and_then(|usb| usb.manufacturer.clone()),
            serial_number: usb.and_then(|usb| usb.serial_number.clone()),
            driver: entry.driver.clone(),
            line_errors: entry.line_errors.map(|errors| errors.word()),
            latency_timer: entry
                .latency_timer
                .map(|timer| u64::try_from(timer.as_millis()).unwrap_or(u64::MAX)),
            holder: entry.holder.clone(),
        }
    }
}

impl PortFace {
    /// What to do about an adapter that hands bytes over late; a USB turn takes as long as two milliseconds anyway.
    fn latency_advice(&self) -> Option<String> {
        let timer = self.latency_timer.filter(|timer| *timer > 2)?;
        Some(format!(
            "{} hands bytes over up to {timer} ms late, which slows every question and answer. Set its latency timer to 1 ms: \
             Device Manager, the port's properties, Port Settings, Advanced; then plug it in again.",
            escaped(&self.device)
        ))
    }
}

/// All ports that are there.
#[derive(Clone, Debug, Serialize)]
pub struct Ports {
    pub ports: Vec<PortFace>,
}

impl Report for Ports {
    const SCHEMA: &'static str = "hsdiag.ports/1";

    fn text(&self, page: &mut Page) {
        if self.ports.is_empty() {
            page.paragraph(
                "There is no serial port. Plug an adapter in; `hsdiag ports --watch` shows it coming. \
                 Without hardware, sim://mbus and its kin are ports too.",
            );
            return;
        }
        let mut table = Table::new(vec![
            Column::left("port", 0),
            Column::left("USB", 3),
            Column::left("product", 2),
            Column::left("serial number", 6),
            Column::left("driver", 5),
            Column::left("line errors", 4),
            Column::left("in use by", 1),
        ]);
        for port in &self.ports {
            table.row(vec![
                Cell::styled(escaped(&port.device), STRONG),
                said(&port.usb),
                said(&port.product),
                said(&port.serial_number),
                said(&port.driver),
                Cell::plain(port.line_errors.unwrap_or("unknown")),
                Cell::styled(port.holder.as_deref().map(escaped).unwrap_or_default(), WARN),
            ]);
        }
        page.table(&table);
        for advice in self.ports.iter().filter_map(PortFace::latency_advice) {
            page.blank();
            page.paragraph(&advice);
        }
    }
}

/// What an adapter says of itself comes from a device: escaped.
fn said(text: &Option<String>) -> Cell {
    Cell::plain(text.as_deref().map(escaped).unwrap_or_default())
}

/// A port that came, went or changed hands.
#[derive(Clone, Debug, Serialize)]
pub struct PortChange {
    /// Seconds since the watch began.
    pub at: f64,
    /// "came", "went" or "changed".
    pub change: &'static str,
    pub port: PortFace,
}

impl PortChange {
    pub fn new(at: f64, change: &Change) -> PortChange {
        let (change, entry) = match change {
            Change::Came(entry) => ("came", entry),
            Change::Went(entry) => ("went", entry),
            Change::Changed(entry) => ("changed", entry),
        };
        PortChange { at: super::json::rounded(at, 3), change, port: entry.into() }
    }
}

impl Report for PortChange {
    const SCHEMA: &'static str = "hsdiag.port-change/1";

    fn text(&self, page: &mut Page) {
        let style = match self.change {
            "came" => GOOD,
            "went" => BAD,
            _ => WARN,
        };
        let port = &self.port;
        let holder = port.holder.as_ref().map(|holder| format!("in use by {holder}"));
        let driver = port.driver.as_ref().map(|driver| format!("driver {driver}"));
        let known = [port.usb.clone(), port.product.clone(), port.serial_number.clone(), driver, holder];
        let known: Vec<String> = known.iter().flatten().map(|text| escaped(text).into_owned()).collect();
        page.line(format_args!(
            "{FAINT}{:9.3} s{FAINT:#}  {style}{:<7}{style:#}  {STRONG}{}{STRONG:#}  {}",
            self.at,
            self.change,
            escaped(&port.device),
            known.join(", ")
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{LineErrors, Span};
    use crate::transport::UsbIdentity;

    fn text(report: &impl Report) -> String {
        let mut page = Page::new(110);
        report.text(&mut page);
        anstream::adapter::strip_str(&page.into_text()).to_string()
    }

    fn adapter() -> PortEntry {
        let usb = UsbIdentity {
            vendor: 0x0403,
            product: 0x6001,
            product_name: Some("FT232R \x1b[31mUART".into()),
            manufacturer: Some("FTDI".into()),
            serial_number: Some("A50285BI".into()),
        };
        PortEntry {
            device: "/dev/ttyUSB0".into(),
            usb: Some(usb),
            name: None,
            driver: Some("ftdi_sio".into()),
            line_errors: Some(LineErrors::Packet),
            latency_timer: None,
            holder: Some("minicom (pid 41)".into()),
        }
    }

    #[test]
    fn a_port_is_told_with_what_its_adapter_says_of_itself_escaped() {
        let onboard = PortEntry {
            device: "/dev/ttyS0".into(),
            usb: None,
            name: None,
            driver: None,
            line_errors: None,
            latency_timer: None,
            holder: None,
        };
        let ports = Ports { ports: vec![(&onboard).into(), (&adapter()).into()] };
        assert_eq!(
            text(&ports),
            "port          USB        product              serial number  driver    line errors  in use by\n\
             /dev/ttyS0                                                             unknown\n\
             /dev/ttyUSB0  0403:6001  FT232R \\x1B[31mUART  A50285BI       ftdi_sio  packet       minicom (pid 41)\n"
        );
    }

    #[test]
    fn a_port_of_windows_is_called_as_device_manager_calls_it_and_a_late_one_has_its_advice() {
        let entry = PortEntry {
            device: "COM3".into(),
            name: Some("USB Serial Port (COM3)".into()),
            driver: Some("FTSER2K".into()),
            line_errors: None,
            latency_timer: Some(Span::from_millis(16)),
            holder: None,
            ..adapter()
        };
        assert_eq!(
            text(&Ports { ports: vec![(&entry).into()] }),
            "port  USB        product                 serial number  driver   line errors\n\
             COM3  0403:6001  USB Serial Port (COM3)  A50285BI       FTSER2K  unknown\n\
             \n\
             COM3 hands bytes over up to 16 ms late, which slows every question and answer. Set its latency timer to 1 ms:\n\
             Device Manager, the port's properties, Port Settings, Advanced; then plug it in again.\n"
        );
        let early = PortEntry { latency_timer: Some(Span::from_millis(1)), ..entry };
        assert!(!text(&Ports { ports: vec![(&early).into()] }).contains("late"));
    }

    #[test]
    fn no_port_is_a_hint_and_not_an_empty_screen() {
        assert_eq!(
            text(&Ports { ports: Vec::new() }),
            "There is no serial port. Plug an adapter in; `hsdiag ports --watch` shows it coming. Without hardware,\n\
             sim://mbus and its kin are ports too.\n"
        );
    }

    #[test]
    fn an_adapter_that_comes_and_goes_is_one_line_each() {
        let came = PortChange::new(1.25, &Change::Came(adapter()));
        assert_eq!(
            text(&came),
            "    1.250 s  came     /dev/ttyUSB0  0403:6001, FT232R \\x1B[31mUART, A50285BI, driver ftdi_sio, \
             in use by minicom (pid 41)\n"
        );
    }
}
