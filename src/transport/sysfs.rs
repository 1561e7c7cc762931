//! What Linux tells of a tty outside the tty itself: its driver, who has it open, which group may open it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The name under `/sys/class/tty`, for a device path or a link to one; `None` for what is not there, such as a pseudo-terminal.
fn class_entry(device: &Path) -> Option<PathBuf> {
    let real = fs::canonicalize(device).ok()?;
    let entry = Path::new("/sys/class/tty").join(real.file_name()?);
    entry.exists().then_some(entry)
}

/// The name of the driver behind a tty.
pub fn driver(device: &Path) -> Option<String> {
    let mut place = fs::canonicalize(class_entry(device)?.join("device")).ok()?;
    // Since Linux 6.5 a UART's tty hangs below the "port" and "ctrl" of serial-base; the driver proper is further up.
    for _ in 0..4 {
        let driver = fs::read_link(place.join("driver")).ok();
        let name = driver.and_then(|link| Some(link.file_name()?.to_string_lossy().into_owned()));
        match name {
            Some(name) if name != "port" && name != "ctrl" => return Some(name),
            _ => place = place.parent()?.to_path_buf(),
        }
    }
    None
}

/// The latency timer of an FTDI adapter in milliseconds.
pub fn latency_timer(device: &Path) -> Option<u64> {
    let text = fs::read_to_string(class_entry(device)?.join("device/latency_timer")).ok()?;
    text.trim().parse().ok()
}

/// Another program that has the device open, as far as we may look: "minicom (pid 41)".
pub fn holder(device: &Path) -> Option<String> {
    let real = fs::canonicalize(device).ok()?;
    let own = std::process::id();
    for process in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(open) = fs::read_dir(process.path().join("fd")) else { continue };
        let holds = open.flatten().any(|fd| fs::read_link(fd.path()).is_ok_and(|target| target == real));
        if holds && pid != own {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(format!("{} (pid {pid})", name.trim()));
        }
    }
    None
}

/// The name of the group that owns the device, or its number.
pub fn group(device: &Path) -> Option<String> {
    let gid = fs::metadata(device).ok()?.gid();
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    let of_line = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(gid)).then(|| name.to_owned())
    };
    groups.lines().find_map(of_line).or_else(|| Some(gid.to_string()))
}
