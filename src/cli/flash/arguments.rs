//! The arguments of `flash` and its kin.

use std::path::PathBuf;

use clap::Args;

use crate::line::{Baud, Format};

use super::super::failure::Failure;

/// Which device, and how to get at it.
#[derive(Args)]
pub struct Device {
    /// The port: COM3, /dev/ttyUSB0, sim://NAME, tcp://host:port, rfc2217://host:port
    pub port: String,
    /// The protocol of its bootloader; without it, the bootloader that answers
    #[arg(long, value_name = "NAME")]
    pub protocol: Option<String>,
    /// Rate to write at: raised after the beginning where the protocol can, else the rate of the line
    #[arg(long)]
    pub baud: Option<Baud>,
    /// Rate at which the conversation begins; else the protocol's usual one
    #[arg(long, value_name = "BAUD")]
    pub begin_baud: Option<Baud>,
    /// Format of the line; else the protocol's usual one
    #[arg(long)]
    pub format: Option<Format>,
    /// The chip, where the device does not tell, such as ATmega328P
    #[arg(long)]
    pub chip: Option<String>,
    /// How DTR and RTS bring it into its bootloader: 1, 2, 1-inverted, 1-swapped, none; `handshake --try-resets` finds it
    #[arg(long, value_name = "NAME")]
    pub reset_sequence: Option<String>,
    /// Move no control lines, and do not start the application at the end
    #[arg(long)]
    pub no_reset: bool,
    /// Do not ask before something is erased or written
    #[arg(short, long)]
    pub yes: bool,
    // Not flattened: clap does not see whether a group of arguments is there when another lies within it.
    /// Set a parameter of the protocol, such as pins=5; `hsdiag protocols show NAME` lists them
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
}

/// What to write or to compare with.
#[derive(Args)]
pub struct Image {
    #[command(flatten)]
    pub device: Device,
    #[command(flatten)]
    pub file: File,
}

#[derive(Args)]
pub struct File {
    /// The firmware: raw binary, Intel HEX, S-records, ELF or UF2
    #[arg(value_name = "FILE")]
    pub path: PathBuf,
    /// Where a raw image goes; else the protocol's usual place
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub base: Option<u64>,
    /// Add this to every address
    #[arg(long, value_name = "BYTES", value_parser = offset, default_value = "0", allow_hyphen_values = true)]
    pub offset: i64,
    /// Read what is there first, and write only what differs
    #[arg(long)]
    pub only_changed: bool,
    /// Go on with what was interrupted: reads what is there, and writes what is missing
    #[arg(long)]
    pub resume: bool,
    /// Print the whole plan and send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Go on although the image does not look like one for this device
    #[arg(long)]
    pub force: bool,
}

#[derive(Args)]
pub struct Read {
    #[command(flatten)]
    pub device: Device,
    /// The file to write what was read to, as raw binary
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Where to begin; else the beginning of the memory
    #[arg(long, value_name = "ADDRESS", value_parser = address, requires = "size")]
    pub base: Option<u64>,
    /// How many bytes; else the whole memory
    #[arg(long, value_name = "BYTES", value_parser = address, requires = "base")]
    pub size: Option<u64>,
    /// Write over a file that is there already
    #[arg(long)]
    pub force: bool,
}

impl Read {
    pub fn range(&self) -> Result<Option<(u64, u64)>, Failure> {
        let Some((base, size)) = self.base.zip(self.size) else { return Ok(None) };
        if size == 0 || base.checked_add(size - 1).is_none() {
            return Err(Failure::Usage {
                sentence: format!("{size} bytes from {base:#x} are no range that can be read"),
                next: "give a size of 1 or more, within 64 bits".into(),
            });
        }
        Ok(Some((base, size)))
    }
}

/// A number as people write addresses: 0x08000000, 4096, 64K.
fn address(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is no address; such as 0x08000000, 4096 or 64K");
    let plain = text.replace('_', "");
    let (digits, times) = match plain.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1024),
        None => (plain.strip_suffix('M').unwrap_or(&plain), if plain.ends_with('M') { 1 << 20 } else { 1 }),
    };
    let number = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    number.ok().and_then(|number| number.checked_mul(times)).ok_or_else(wrong)
}

fn offset(text: &str) -> Result<i64, String> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let number = i64::try_from(address(rest)?).map_err(|_| format!("`{text}` is too far"))?;
    Ok(sign * number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        assert_eq!(address("0x0800_0000"), Ok(0x0800_0000));
        assert_eq!((address("64K"), address("1M"), address("10")), (Ok(0x10000), Ok(0x10_0000), Ok(10)));
        assert!(
            address("base").is_err() && address("-1").is_err() && address("0xFFFFFFFFFFFFFFFFF").is_err()
        );
        assert_eq!((offset("-0x100"), offset("+4K")), (Ok(-0x100), Ok(0x1000)));
    }
}
