//! What Windows knows of its ports beside their names: what Device Manager calls them, the driver, FTDI's latency timer.

use std::ptr;

use windows_sys::Win32::Devices::DeviceAndDriverInstallation::{
    DICS_FLAG_GLOBAL, DIGCF_PRESENT, DIREG_DEV, GUID_DEVCLASS_MODEM, GUID_DEVCLASS_PORTS, HDEVINFO,
    SP_DEVINFO_DATA, SPDRP_FRIENDLYNAME, SPDRP_SERVICE, SetupDiDestroyDeviceInfoList, SetupDiEnumDeviceInfo,
    SetupDiGetClassDevsW, SetupDiGetDeviceRegistryPropertyW, SetupDiOpenDevRegKey,
};
use windows_sys::Win32::Foundation::INVALID_HANDLE_VALUE;
use windows_sys::Win32::System::Registry::{HKEY, KEY_READ, RegCloseKey, RegQueryValueExW};
use windows_sys::core::GUID;

use crate::line::Span;

/// A port as Device Manager knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// "COM3".
    pub port: String,
    /// "USB Serial Port (COM3)".
    pub name: Option<String>,
    /// The driver's service: "FTSER2K".
    pub service: Option<String>,
    /// How late the adapter hands bytes over, where that is a setting of the user's.
    pub latency_timer: Option<Span>,
}

/// Every port and modem that is plugged in.
pub fn devices() -> Vec<Device> {
    [GUID_DEVCLASS_PORTS, GUID_DEVCLASS_MODEM]
        .iter()
        .flat_map(|class| List::of(class).into_iter().flatten())
        .collect()
}

/// The one behind a port's name.
pub fn device(port: &str) -> Option<Device> {
    devices().into_iter().find(|device| device.port.eq_ignore_ascii_case(port))
}

/// How late a driver hands bytes over, unless a timer of its own says so: USB turns take a few milliseconds.
pub fn latency(device: Option<&Device>) -> Span {
    let Some(device) = device else { return Span::from_millis(16) }; // nothing is known: as late as the latest
    let onboard = device.service.as_deref().is_some_and(|service| service.eq_ignore_ascii_case("Serial"));
    device.latency_timer.unwrap_or(Span::from_millis(if onboard { 1 } else { 3 }))
}

/// The devices of one class, one after another.
struct List {
    set: HDEVINFO,
    next: u32,
}

impl List {
    #[allow(unsafe_code)]
    fn of(class: &GUID) -> Option<List> {
        // SAFETY: reads one GUID, and takes null for "any enumerator" and "no window".
        let set = unsafe { SetupDiGetClassDevsW(class, ptr::null(), ptr::null_mut(), DIGCF_PRESENT) };
        (set != INVALID_HANDLE_VALUE as HDEVINFO).then_some(List { set, next: 0 })
    }

    fn text(&self, device: &SP_DEVINFO_DATA, property: u32) -> Option<String> {
        let mut buffer = [0_u16; 512];
        self.property(device, property, &mut buffer).then(|| text(&buffer))
    }

    #[allow(unsafe_code)]
    fn property(&self, device: &SP_DEVINFO_DATA, property: u32, buffer: &mut [u16]) -> bool {
        let bytes = size_of_val(buffer) as u32;
        // SAFETY: the list and its device are open as long as `self`; the call writes no more than the buffer holds, and null is
        // allowed for what is not asked.
        unsafe {
            SetupDiGetDeviceRegistryPropertyW(
                self.set,
                device,
                property,
                ptr::null_mut(),
                buffer.as_mut_ptr().cast(),
                bytes,
                ptr::null_mut(),
            ) != 0
        }
    }

    /// The device's own registry key, where its port name stands.
    #[allow(unsafe_code)]
    fn key(&self, device: &SP_DEVINFO_DATA) -> Option<Key> {
        // SAFETY: the list and its device are open as long as `self`.
        let key = unsafe { SetupDiOpenDevRegKey(self.set, device, DICS_FLAG_GLOBAL, 0, DIREG_DEV, KEY_READ) };
        (key != INVALID_HANDLE_VALUE && !key.is_null()).then_some(Key(key))
    }
}

impl Iterator for List {
    type Item = Device;

    #[allow(unsafe_code)]
    fn next(&mut self) -> Option<Device> {
        loop {
            let mut found =
                SP_DEVINFO_DATA { cbSize: size_of::<SP_DEVINFO_DATA>() as u32, ..Default::default() };
            // SAFETY: the list is open as long as `self`, and the call writes one SP_DEVINFO_DATA, whose length it is told.
            if unsafe { SetupDiEnumDeviceInfo(self.set, self.next, &mut found) } == 0 {
                return None;
            }
            self.next += 1;
            let Some(key) = self.key(&found) else { continue };
            let Some(port) = key.text("PortName") else { continue };
            return Some(Device {
                name: self.text(&found, SPDRP_FRIENDLYNAME),
                service: self.text(&found, SPDRP_SERVICE),
                latency_timer: key.number("LatencyTimer").map(|millis| Span::from_millis(millis.into())),
                port,
            });
        }
    }
}

impl Drop for List {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: the list was made by `of` and is not used again.
        unsafe { SetupDiDestroyDeviceInfoList(self.set) };
    }
}

/// An open registry key.
struct Key(HKEY);

impl Key {
    fn text(&self, name: &str) -> Option<String> {
        let mut buffer = [0_u16; 256];
        self.value(name, &mut buffer).map(|_| text(&buffer))
    }

    fn number(&self, name: &str) -> Option<u32> {
        let mut buffer = [0_u16; 2];
        let length = self.value(name, &mut buffer)?;
        (length == 4).then(|| u32::from(buffer[0]) | u32::from(buffer[1]) << 16)
    }

    /// Reads a value; returns how many bytes it had.
    #[allow(unsafe_code)]
    fn value(&self, name: &str, buffer: &mut [u16]) -> Option<u32> {
        let name: Vec<u16> = name.encode_utf16().chain([0]).collect();
        let mut length = size_of_val(buffer) as u32;
        // SAFETY: the key is open as long as `self`, the name ends with a zero, and the call writes no more than `length` bytes.
        let failed = unsafe {
            RegQueryValueExW(
                self.0,
                name.as_ptr(),
                ptr::null(),
                ptr::null_mut(),
                buffer.as_mut_ptr().cast(),
                &mut length,
            )
        };
        (failed == 0).then_some(length)
    }
}

impl Drop for Key {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: the key was opened by `List::key` and is not used again.
        unsafe { RegCloseKey(self.0) };
    }
}

/// Text up to its zero.
fn text(buffer: &[u16]) -> String {
    let end = buffer.iter().position(|unit| *unit == 0).unwrap_or(buffer.len());
    String::from_utf16_lossy(buffer.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_at_this_machine_gives_ports_with_names() {
        assert!(devices().iter().all(|device| !device.port.is_empty()));
        assert_eq!(device("COM3x"), None);
    }

    #[test]
    fn an_adapter_is_as_late_as_its_own_timer_says() {
        let ftdi = Device {
            port: "COM3".into(),
            name: Some("USB Serial Port (COM3)".into()),
            service: Some("FTSER2K".into()),
            latency_timer: Some(Span::from_millis(2)),
        };
        assert_eq!(latency(Some(&ftdi)), Span::from_millis(2));
        let onboard = Device { service: Some("Serial".into()), latency_timer: None, ..ftdi.clone() };
        assert_eq!(latency(Some(&onboard)), Span::from_millis(1));
        assert_eq!(
            latency(Some(&Device { service: Some("usbser".into()), ..onboard })),
            Span::from_millis(3)
        );
        assert_eq!(latency(None), Span::from_millis(16));
    }

    #[test]
    fn text_ends_at_its_zero() {
        assert_eq!(text(&[67, 79, 77, 51, 0, 65]), "COM3");
        assert_eq!(text(&[67]), "C");
    }
}
