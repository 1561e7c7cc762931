//! Checksums: the sums of serial protocols, every CRC of the catalogue by its name, and CRCs of a table's own.
//!
//! CRC-82/DARC of the catalogue is left out: no field is wider than 64 bits.

use std::sync::{Arc, Mutex, PoisonError};

use crc::{Crc, Table};

use super::text::Name;
use catalogue::{CATALOGUE, Entry, nearest};

pub use catalogue::catalogue;
pub use sums::{carry_sum8, fletcher8, lrc, sum, sum8, sum8_of, xor8, xor8_of, xor16};

mod catalogue;
mod lanes;
mod sums;

/// A CRC of the table's own, `[checksums.NAME]`, for those that the catalogue lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    pub name: Name,
    pub width: u8,
    pub poly: u64,
    pub init: u64,
    pub refin: bool,
    pub refout: bool,
    pub xorout: u64,
    /// Over the text "123456789"; tried when the table is read.
    pub check: u64,
}

/// A CRC that can be computed: of the catalogue, or of a table's own. Its tables are built when it is first used.
#[derive(Clone)]
pub struct Algorithm(Kind);

#[derive(Clone)]
enum Kind {
    Catalogue(&'static Entry),
    Own { name: Name, crc: Arc<Crc<u64, Table<1>>> },
}

/// Why there is no such CRC.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChecksumError {
    #[error("no CRC is called `{name}`")]
    Unknown { name: String, nearest: Option<&'static str> },
    #[error("a CRC has a width of 3 to 64 bits, not {0}")]
    Width(u8),
    #[error("`{what}` of a CRC of {width} bits cannot be {value:#x}")]
    TooWide { what: &'static str, width: u8, value: u64 },
    #[error("over \"123456789\" this CRC gives {found:#x}, and `check` says {check:#x}")]
    Check { check: u64, found: u64 },
}

/// What every CRC's `check` is computed over.
const CHECK_TEXT: &[u8] = b"123456789";

impl Algorithm {
    /// The CRC of that name in the catalogue: `CRC-16/MODBUS`.
    pub fn named(name: &str) -> Result<Algorithm, ChecksumError> {
        match CATALOGUE.iter().find(|entry| entry.name == name) {
            Some(entry) => Ok(Algorithm(Kind::Catalogue(entry))),
            None => Err(ChecksumError::Unknown { name: name.into(), nearest: nearest(name) }),
        }
    }

    /// The CRC that a table defines; its check value is tried.
    pub fn own(checksum: &Checksum) -> Result<Algorithm, ChecksumError> {
        let width = checksum.width;
        if !(3..=64).contains(&width) {
            return Err(ChecksumError::Width(width));
        }
        let numbers = [("poly", checksum.poly), ("init", checksum.init), ("xorout", checksum.xorout)];
        if let Some(&(what, value)) =
            numbers.iter().find(|(_, value)| value.checked_shr(width.into()).unwrap_or(0) != 0)
        {
            return Err(ChecksumError::TooWide { what, width, value });
        }
        let parameters = kept(crc::Algorithm {
            width,
            poly: checksum.poly,
            init: checksum.init,
            refin: checksum.refin,
            refout: checksum.refout,
            xorout: checksum.xorout,
            check: checksum.check,
            residue: 0,
        });
        let crc = Arc::new(Crc::<u64, Table<1>>::new(parameters));
        let found = crc.checksum(CHECK_TEXT);
        if found != checksum.check {
            return Err(ChecksumError::Check { check: checksum.check, found });
        }
        Ok(Algorithm(Kind::Own { name: checksum.name.clone(), crc }))
    }

    pub fn name(&self) -> &str {
        match &self.0 {
            Kind::Catalogue(entry) => entry.name,
            Kind::Own { name, .. } => name,
        }
    }

    /// In bits.
    pub fn width(&self) -> u8 {
        match &self.0 {
            Kind::Catalogue(entry) => entry.width,
            Kind::Own { crc, .. } => crc.algorithm.width,
        }
    }

    /// The value over the text "123456789".
    pub fn check(&self) -> u64 {
        match &self.0 {
            Kind::Catalogue(entry) => entry.check,
            Kind::Own { crc, .. } => crc.algorithm.check,
        }
    }

    /// The CRC of the pieces, one after the other.
    #[inline(always)]
    pub fn compute(&self, pieces: &[&[u8]]) -> u64 {
        match &self.0 {
            Kind::Catalogue(entry) => match pieces {
                [whole] => (entry.whole)(whole),
                _ => (entry.pieces)(pieces),
            },
            Kind::Own { crc, .. } => {
                let mut digest = crc.digest();
                pieces.iter().for_each(|piece| digest.update(piece));
                digest.finalize()
            }
        }
    }
}

impl PartialEq for Algorithm {
    fn eq(&self, other: &Algorithm) -> bool {
        match (&self.0, &other.0) {
            (Kind::Catalogue(one), Kind::Catalogue(other)) => one.name == other.name,
            (Kind::Own { crc: one, .. }, Kind::Own { crc: other, .. }) => one.algorithm == other.algorithm,
            _ => false,
        }
    }
}

impl std::fmt::Debug for Algorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Algorithm").field(&self.name()).finish()
    }
}

/// Parameters that live as long as the program, as crate `crc` wants them; equal ones are kept once.
fn kept(parameters: crc::Algorithm<u64>) -> &'static crc::Algorithm<u64> {
    static KEPT: Mutex<Vec<&'static crc::Algorithm<u64>>> = Mutex::new(Vec::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(&known) = kept.iter().find(|known| ***known == parameters) {
        return known;
    }
    let new: &'static crc::Algorithm<u64> = Box::leak(Box::new(parameters));
    kept.push(new);
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(width: u8, poly: u64, init: u64, reflected: bool, xorout: u64, check: u64) -> Checksum {
        let name = Name::new("own");
        Checksum { name, width, poly, init, refin: reflected, refout: reflected, xorout, check }
    }

    #[test]
    fn every_crc_of_the_catalogue_gives_its_check_value_whole_and_in_pieces() {
        assert_eq!(catalogue().count(), 112);
        for name in catalogue() {
            let crc = Algorithm::named(name).unwrap();
            assert_eq!(crc.name(), name);
            assert_eq!(crc.compute(&[CHECK_TEXT]), crc.check(), "{name}");
            assert_eq!(crc.compute(&[b"1234", b"", b"56789"]), crc.check(), "{name} in pieces");
        }
    }

    /// One look-up for each byte, or byte by byte, or in pieces: every length around where the way changes.
    #[test]
    fn every_crc_is_the_same_over_short_messages_whole_and_byte_by_byte() {
        let message: Vec<u8> = (0..40u32).map(|n| (n * n * 37 + 11) as u8).collect();
        for name in catalogue() {
            let crc = Algorithm::named(name).unwrap();
            for from in 0..3 {
                for to in from..message.len() {
                    let bytes: Vec<&[u8]> = message[from..to].chunks(1).collect();
                    let one_by_one = [&[&[][..]], &bytes[..]].concat();
                    assert_eq!(
                        crc.compute(&[&message[from..to]]),
                        crc.compute(&one_by_one),
                        "{name} {from}..{to}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_crcs_of_known_protocols_are_those_of_their_standards() {
        let rows: &[(&str, u8, u64)] = &[
            ("CRC-16/MODBUS", 16, 0x4B37),
            ("CRC-16/ARC", 16, 0xBB3D),
            ("CRC-16/UMTS", 16, 0xFEE8),
            ("CRC-16/IBM-SDLC", 16, 0x906E),
            ("CRC-16/IBM-3740", 16, 0x29B1),
            ("CRC-16/XMODEM", 16, 0x31C3),
            ("CRC-8/DVB-S2", 8, 0xBC),
            ("CRC-5/USB", 5, 0x19),
            ("CRC-24/LTE-A", 24, 0xCDE703),
        ];
        for &(name, width, check) in rows {
            let crc = Algorithm::named(name).unwrap();
            assert_eq!((crc.width(), crc.compute(&[CHECK_TEXT])), (width, check), "{name}");
        }
    }

    #[test]
    fn a_table_can_define_what_the_catalogue_lacks() {
        let bm13xx = own(5, 0x05, 0x1F, false, 0, 0x0F);
        let mstp_header = own(8, 0x81, 0xFF, true, 0xFF, 0x89);
        for checksum in [bm13xx, mstp_header] {
            let crc = Algorithm::own(&checksum).unwrap();
            assert_eq!(crc.compute(&[b"12345", b"6789"]), checksum.check);
            assert_eq!(crc.width(), checksum.width);
        }
        // BM13xx: "set address 0x00" as sent to a chain, its CRC5 in the last byte.
        let crc5 = Algorithm::own(&own(5, 0x05, 0x1F, false, 0, 0x0F)).unwrap();
        assert_eq!(crc5.compute(&[&[0x53, 0x05, 0x00, 0x00]]), 0x03);
    }

    #[test]
    fn a_crc_of_the_catalogue_can_be_written_as_a_table_s_own() {
        let entries: [(&crc::Algorithm<u16>, &str); 3] = [
            (&crc::CRC_16_MODBUS, "CRC-16/MODBUS"),
            (&crc::CRC_12_UMTS, "CRC-12/UMTS"),
            (&crc::CRC_11_FLEXRAY, "CRC-11/FLEXRAY"),
        ];
        for (known, name) in entries {
            let checksum = Checksum {
                name: Name::new("own"),
                width: known.width,
                poly: known.poly.into(),
                init: known.init.into(),
                refin: known.refin,
                refout: known.refout,
                xorout: known.xorout.into(),
                check: known.check.into(),
            };
            let data: Vec<u8> = (0..=255).collect();
            let own = Algorithm::own(&checksum).unwrap().compute(&[&data]);
            assert_eq!(own, Algorithm::named(name).unwrap().compute(&[&data]), "{name}");
        }
    }

    #[test]
    fn a_crc_that_cannot_be_says_why() {
        let says = |checksum: &Checksum| Algorithm::own(checksum).unwrap_err().to_string();
        assert_eq!(says(&own(2, 1, 0, false, 0, 0)), "a CRC has a width of 3 to 64 bits, not 2");
        assert_eq!(says(&own(65, 1, 0, false, 0, 0)), "a CRC has a width of 3 to 64 bits, not 65");
        assert_eq!(says(&own(5, 0x25, 0, false, 0, 0)), "`poly` of a CRC of 5 bits cannot be 0x25");
        assert_eq!(
            says(&own(5, 0x05, 0x1F, false, 0, 0x10)),
            "over \"123456789\" this CRC gives 0xf, and `check` says 0x10"
        );
    }

    #[test]
    fn a_wrong_name_gets_the_nearest_one() {
        let nearest = |name: &str| match Algorithm::named(name) {
            Err(ChecksumError::Unknown { nearest, .. }) => nearest,
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(nearest("CRC-16/MODBUSS"), Some("CRC-16/MODBUS"));
        assert_eq!(nearest("crc_16/modbus"), Some("CRC-16/MODBUS"));
        assert_eq!(nearest("CRC-16/CCITT-FALSE"), Some("CRC-16/IBM-3740"));
        assert_eq!(nearest("X-25"), Some("CRC-16/IBM-SDLC"));
        assert_eq!(nearest("blake"), None);
    }
}
