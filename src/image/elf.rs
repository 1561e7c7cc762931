//! The loadable segments of an ELF file, at their load (physical) addresses, read by the crate `object`.

use bytes::Bytes;
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, elf};

use super::read::{ImageError, Machine};
use super::segment::Segment;

/// Loadable segments, the entry, and the machine it was built for.
pub fn parts(file: &Bytes) -> Result<(Vec<Segment>, Option<u64>, Machine), ImageError> {
    match file.get(4) {
        Some(1) => of::<elf::FileHeader32<Endianness>>(file),
        _ => of::<elf::FileHeader64<Endianness>>(file),
    }
}

fn of<E: FileHeader<Endian = Endianness>>(
    file: &Bytes,
) -> Result<(Vec<Segment>, Option<u64>, Machine), ImageError> {
    let wrong = |error: object::read::Error| ImageError::Broken { kind: "ELF file", says: error.to_string() };
    let header = E::parse(&file[..]).map_err(wrong)?;
    let endian = header.endian().map_err(wrong)?;
    let mut parts = Vec::new();
    for program in header.program_headers(endian, &file[..]).map_err(wrong)? {
        if program.p_type(endian) != elf::PT_LOAD {
            continue;
        }
        let data = program.data(endian, &file[..]).map_err(|()| ImageError::Broken {
            kind: "ELF file",
            says: "a segment reaches beyond the end of the file".into(),
        })?;
        // What is only zeroed in memory is not part of the image.
        parts.push(Segment { at: program.p_paddr(endian).into(), bytes: file.slice_ref(data) });
    }
    let machine = match header.e_machine(endian) {
        elf::EM_ARM => Machine::Arm,
        elf::EM_AVR => Machine::Avr,
        elf::EM_RISCV => Machine::RiscV,
        elf::EM_XTENSA => Machine::Xtensa,
        elf::EM_MSP430 => Machine::Msp430,
        other => Machine::Other(other.0),
    };
    Ok((parts, Some(header.e_entry(endian).into()), machine))
}
