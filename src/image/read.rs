//! A file's bytes to an image: what kind of file it is, and what is in it.

use std::fmt;

use bytes::Bytes;

use super::segment::{Image, Overlap};
use super::{bin, elf, ihex, srec, uf2};

/// No firmware is larger: what is larger is something else.
pub const LARGEST: u64 = 512 << 20;

/// What a firmware file was written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    Binary,
    IntelHex,
    SRecord,
    Elf,
    Uf2,
}

/// The processor a file says it was built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    Arm,
    Avr,
    RiscV,
    Xtensa,
    Msp430,
    /// Its number in the ELF header.
    Other(u16),
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Machine::Arm => f.write_str("ARM"),
            Machine::Avr => f.write_str("AVR"),
            Machine::RiscV => f.write_str("RISC-V"),
            Machine::Xtensa => f.write_str("Xtensa"),
            Machine::Msp430 => f.write_str("MSP430"),
            Machine::Other(number) => write!(f, "ELF machine {number}"),
        }
    }
}

/// An image with what its file tells of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadImage {
    pub kind: FileKind,
    pub image: Image,
    /// Where it starts running, if the file says so.
    pub entry: Option<u64>,
    pub machine: Option<Machine>,
    /// The UF2 family.
    pub family: Option<u32>,
    /// What else the file holds, for other families.
    pub others: Vec<(Option<u32>, Image)>,
    /// The addresses are the file's own; a binary has none, and stands at 0.
    pub has_addresses: bool,
}

impl ReadImage {
    /// An image of which its file tells nothing else.
    pub fn of(kind: FileKind, image: Image) -> ReadImage {
        let has_addresses = kind != FileKind::Binary;
        ReadImage { kind, image, entry: None, machine: None, family: None, others: Vec::new(), has_addresses }
    }

    /// The same file, of which the part for the first of its families that is wanted is taken; as it is where it has none of them.
    pub fn for_families(mut self, wanted: &[u32]) -> ReadImage {
        let fits = |family: &Option<u32>| family.is_some_and(|family| wanted.contains(&family));
        if !fits(&self.family)
            && let Some(place) = self.others.iter().position(|(family, _)| fits(family))
        {
            let (family, image) = &mut self.others[place];
            std::mem::swap(family, &mut self.family);
            std::mem::swap(image, &mut self.image);
        }
        self
    }
}

/// Why a file is no image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    #[error("the file is empty")]
    Empty,
    #[error("the file holds {size} bytes; no firmware is larger than {LARGEST}")]
    TooLarge { size: u64 },
    #[error("line {line}: {says}")]
    Line { line: usize, says: String },
    #[error("the file breaks off: {says}")]
    Truncated { says: String },
    #[error("this {kind} is broken: {says}")]
    Broken { kind: &'static str, says: String },
    #[error("two parts of the file claim address {at:#x}: {first:02X} and {second:02X}")]
    Overlap { at: u64, first: u8, second: u8 },
    #[error("this is {what}, not firmware")]
    NotFirmware { what: &'static str },
}

impl From<Overlap> for ImageError {
    fn from(overlap: Overlap) -> ImageError {
        ImageError::Overlap { at: overlap.at, first: overlap.first, second: overlap.second }
    }
}

/// Files that people pick by mistake: how they begin, and what they are.
const NOT_FIRMWARE: [(&[u8], &str); 9] = [
    (b"\x89PNG", "a PNG picture"),
    (b"\xFF\xD8\xFF", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"PK\x03\x04", "a ZIP archive; unpack it first"),
    (b"\x1F\x8B", "a gzip file; unpack it first"),
    (b"%PDF", "a PDF document"),
    (b"7z\xBC\xAF", "a 7z archive; unpack it first"),
    (b"MZ", "a Windows program"),
    (b"<!DOCTYPE", "a web page"),
];

/// Reads a firmware file by what is in it; its name does not matter.
pub fn read(file: Bytes) -> Result<ReadImage, ImageError> {
    if file.is_empty() {
        return Err(ImageError::Empty);
    }
    if file.len() as u64 > LARGEST {
        return Err(ImageError::TooLarge { size: file.len() as u64 });
    }
    if let Some((_, what)) = NOT_FIRMWARE.iter().find(|(head, _)| file.starts_with(head)) {
        return Err(ImageError::NotFirmware { what });
    }
    let made = |kind, parts, entry, machine| -> Result<ReadImage, ImageError> {
        let image = Image::from_parts(parts)?;
        if image.is_empty() {
            return Err(ImageError::Empty);
        }
        Ok(ReadImage { entry, machine, ..ReadImage::of(kind, image) })
    };
    match kind_of(&file) {
        FileKind::Elf => {
            let (parts, entry, machine) = elf::parts(&file)?;
            made(FileKind::Elf, parts, entry, Some(machine))
        }
        FileKind::Uf2 => {
            let mut families = uf2::parts(&file)?.into_iter();
            let (family, parts) = families.next().unwrap_or_default();
            let image = |(family, parts)| Ok((family, Image::from_parts(parts)?));
            let others = families.map(image).collect::<Result<_, ImageError>>()?;
            Ok(ReadImage { family, others, ..made(FileKind::Uf2, parts, None, None)? })
        }
        FileKind::IntelHex => {
            let (parts, entry) = ihex::parts(&text(&file))?;
            made(FileKind::IntelHex, parts, entry, None)
        }
        FileKind::SRecord => {
            let (parts, entry) = srec::parts(&text(&file))?;
            made(FileKind::SRecord, parts, entry, None)
        }
        FileKind::Binary => made(FileKind::Binary, bin::parts(file), None, None),
    }
}

fn text(file: &[u8]) -> String {
    String::from_utf8_lossy(file).into_owned()
}

/// What kind of file it is, by how it begins.
fn kind_of(file: &[u8]) -> FileKind {
    let line = file.trim_ascii_start();
    let hex = |bytes: &[u8]| bytes.len() >= 2 && bytes.iter().take(8).all(u8::is_ascii_hexdigit);
    match line {
        _ if file.starts_with(b"\x7FELF") => FileKind::Elf,
        _ if uf2::is_uf2(file) => FileKind::Uf2,
        [b':', rest @ ..] if hex(rest) => FileKind::IntelHex,
        [b'S', b'0'..=b'9', rest @ ..] if hex(rest) => FileKind::SRecord,
        _ => FileKind::Binary,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_what_is_in_it() {
        let kind = |file: &'static [u8]| read(Bytes::from_static(file)).map(|read| read.kind);
        assert_eq!(kind(b":0400000001020304F2\n:00000001FF\n"), Ok(FileKind::IntelHex));
        assert_eq!(kind(b"S1137AF00A0A0D0000000000000000000000000061\n"), Ok(FileKind::SRecord));
        assert_eq!(kind(b"\x00\x50\x00\x20\x09\x01\x00\x08"), Ok(FileKind::Binary));
        assert_eq!(kind(b""), Err(ImageError::Empty));
        assert_eq!(kind(b"\x89PNG\r\n\x1A\n...."), Err(ImageError::NotFirmware { what: "a PNG picture" }));
        assert!(matches!(kind(b":10000000ZZ\n"), Err(ImageError::Line { line: 1, .. })));
        assert!(matches!(kind(b"\x7FELF\x01\x01\x01short"), Err(ImageError::Broken { .. })));
    }

    #[test]
    fn no_bytes_make_it_panic() {
        proptest::proptest!(|(head in proptest::sample::select(vec![&b"\x7FELF\x01\x01\x01"[..], b"UF2\n\x57\x51\x5D\x9E", b":1000", b"S123", b""]), rest: Vec<u8>)| {
            let _ = read(Bytes::from([head, &rest].concat()));
        });
    }
}
