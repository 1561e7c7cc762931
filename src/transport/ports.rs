//! Which serial ports are there, what is known of them, and what changes as adapters come and go.

use serialport::SerialPortType;

use crate::line::{LineErrors, Span};

/// A port of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortEntry {
    /// What to give to `open`: "/dev/ttyUSB0", "COM3".
    pub device: String,
    pub usb: Option<UsbIdentity>,
    /// What the system calls it, where it has a name of its own for it: "USB Serial Port (COM3)" in Device Manager.
    pub name: Option<String>,
    pub driver: Option<String>,
    /// How exactly its driver reports line errors; `None` when the driver is not known.
    pub line_errors: Option<LineErrors>,
    /// How late it hands bytes over, where that is a setting that only the user can change (FTDI under Windows).
    pub latency_timer: Option<Span>,
    /// Another program that has it open, as far as we may look.
    pub holder: Option<String>,
}

/// What a USB adapter says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsbIdentity {
    pub vendor: u16,
    pub product: u16,
    pub product_name: Option<String>,
    pub manufacturer: Option<String>,
    pub serial_number: Option<String>,
}

/// The ports that are there now, by name. Without any, or without the system's list of them, it is empty.
pub fn ports() -> Vec<PortEntry> {
    #[cfg(target_os = "linux")]
    if !std::path::Path::new("/sys/class/tty").is_dir() {
        return Vec::new(); // serialport would panic
    }
    let mut found: Vec<PortEntry> =
        serialport::available_ports().unwrap_or_default().into_iter().filter_map(entry).collect();
    found.sort_by(|a, b| natural(&a.device).cmp(&natural(&b.device)));
    found.dedup_by(|a, b| a.device == b.device);
    found
}

fn entry(port: serialport::SerialPortInfo) -> Option<PortEntry> {
    let device = port.port_name;
    if cfg!(target_os = "macos") && device.starts_with("/dev/tty.") {
        return None; // waits for a carrier; the same port is there as /dev/cu.*
    }
    let usb = match port.port_type {
        SerialPortType::UsbPort(usb) => Some(UsbIdentity {
            vendor: usb.vid,
            product: usb.pid,
            product_name: usb.product,
            manufacturer: usb.manufacturer,
            serial_number: usb.serial_number,
        }),
        _ => None,
    };
    if usb.is_none() && is_dead(&device) {
        return None;
    }
    let entry = PortEntry {
        device,
        usb,
        name: None,
        driver: None,
        line_errors: None,
        latency_timer: None,
        holder: None,
    };
    Some(with_system(entry))
}

/// What the system knows beside what serialport found out.
#[cfg(target_os = "linux")]
fn with_system(entry: PortEntry) -> PortEntry {
    use super::{drivers, sysfs};
    let path = std::path::Path::new(&entry.device);
    let driver = sysfs::driver(path);
    let line_errors = driver.as_deref().and_then(drivers::facts).map(|facts| facts.line_errors);
    PortEntry { driver, line_errors, holder: sysfs::holder(path), ..entry }
}

#[cfg(windows)]
fn with_system(entry: PortEntry) -> PortEntry {
    let Some(found) = super::windows_devices::device(&entry.device) else { return entry };
    PortEntry { name: found.name, driver: found.service, latency_timer: found.latency_timer, ..entry }
}

#[cfg(not(any(target_os = "linux", windows)))]
fn with_system(entry: PortEntry) -> PortEntry {
    entry
}

/// A `ttyS` for which the kernel found no UART. Looked up in sysfs, for opening a port would move DTR.
#[cfg(target_os = "linux")]
fn is_dead(device: &str) -> bool {
    let Some(name) = device.strip_prefix("/dev/") else { return false };
    let kind = std::fs::read_to_string(format!("/sys/class/tty/{name}/type"));
    name.starts_with("ttyS") && kind.is_ok_and(|kind| kind.trim() == "0")
}

#[cfg(not(target_os = "linux"))]
fn is_dead(_: &str) -> bool {
    false
}

/// The name with its number as a number, so that `COM10` comes behind `COM9`.
fn natural(device: &str) -> (&str, u64) {
    let name = device.trim_end_matches(|c: char| c.is_ascii_digit());
    (name, device.get(name.len()..).and_then(|number| number.parse().ok()).unwrap_or(0))
}

/// What changed between two looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Came(PortEntry),
    Went(PortEntry),
    /// The same device, now held by somebody else or by nobody.
    Changed(PortEntry),
}

/// What changed from `before` to `now`: what went first, then what came, then what is different.
pub fn changes(before: &[PortEntry], now: &[PortEntry]) -> Vec<Change> {
    let same = |a: &PortEntry, b: &PortEntry| a.device == b.device && a.usb == b.usb;
    let went = before.iter().filter(|old| !now.iter().any(|new| same(old, new)));
    let came = now.iter().filter(|new| !before.iter().any(|old| same(old, new)));
    let changed = now.iter().filter(|new| before.iter().any(|old| same(old, new) && old != *new));
    went.cloned()
        .map(Change::Went)
        .chain(came.cloned().map(Change::Came))
        .chain(changed.cloned().map(Change::Changed))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(device: &str) -> PortEntry {
        PortEntry {
            device: device.into(),
            usb: None,
            name: None,
            driver: None,
            line_errors: None,
            latency_timer: None,
            holder: None,
        }
    }

    #[test]
    fn a_look_at_this_machine_does_not_panic() {
        let found = ports();
        assert!(found.iter().all(|port| !port.device.is_empty()));
        assert_eq!(changes(&found, &found), []);
    }

    #[test]
    fn an_adapter_that_is_exchanged_goes_and_comes() {
        let usb = |serial: &str| UsbIdentity {
            vendor: 0x0403,
            product: 0x6001,
            product_name: None,
            manufacturer: None,
            serial_number: Some(serial.into()),
        };
        let old = PortEntry { usb: Some(usb("A1")), ..named("/dev/ttyUSB0") };
        let new = PortEntry { usb: Some(usb("B2")), ..named("/dev/ttyUSB0") };
        let before = [old.clone(), named("/dev/ttyS0")];
        let now = [new.clone(), PortEntry { holder: Some("minicom (pid 4)".into()), ..named("/dev/ttyS0") }];
        assert_eq!(
            changes(&before, &now),
            [Change::Went(old), Change::Came(new), Change::Changed(now[1].clone())]
        );
    }

    #[test]
    fn ports_are_sorted_as_people_count() {
        let mut names = ["COM10", "COM9", "COM1"];
        names.sort_by_key(|name| natural(name));
        assert_eq!(names, ["COM1", "COM9", "COM10"]);
    }
}
