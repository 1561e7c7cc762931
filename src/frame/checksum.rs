//! Checksums: the sums of serial protocols, every CRC of the catalogue by its name, and CRCs of a table's own.
//!
//! The catalogue is Greg Cook's, as crate `crc` has it. CRC-82/DARC is left out: no field is wider than 64 bits.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crc::{Crc, Table};

use super::text::Name;

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

/// A row of the catalogue.
struct Entry {
    name: &'static str,
    width: u8,
    check: u64,
    compute: fn(&[&[u8]]) -> u64,
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
    #[inline]
    pub fn compute(&self, pieces: &[&[u8]]) -> u64 {
        match &self.0 {
            Kind::Catalogue(entry) => (entry.compute)(pieces),
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

/// The name of every CRC of the catalogue, narrow ones first.
pub fn catalogue() -> impl Iterator<Item = &'static str> {
    CATALOGUE.iter().map(|entry| entry.name)
}

/// The sum of all bytes; `sum8`, `sum16` and `sum32` are its low bits.
pub fn sum(pieces: &[&[u8]]) -> u64 {
    pieces.iter().map(|piece| piece.iter().map(|&byte| u64::from(byte)).sum::<u64>()).sum()
}

pub fn sum8(pieces: &[&[u8]]) -> u8 {
    pieces.iter().fold(0, |sum: u8, piece| sum.wrapping_add(sum8_of(piece)))
}

pub fn xor8(pieces: &[&[u8]]) -> u8 {
    pieces.iter().fold(0, |xor, piece| xor ^ xor8_of(piece))
}

/// [`sum8`] of one piece.
#[inline(always)]
pub fn sum8_of(piece: &[u8]) -> u8 {
    let (blocks, [low, high]) = blocks_and_words(piece);
    let mut sum = sum_of_word(low).wrapping_add(sum_of_word(high));
    for byte in blocks {
        sum = sum.wrapping_add(*byte);
    }
    sum
}

/// [`xor8`] of one piece.
#[inline(always)]
pub fn xor8_of(piece: &[u8]) -> u8 {
    let (blocks, [low, high]) = blocks_and_words(piece);
    let half = low ^ high ^ (low ^ high) >> 32;
    let quarter = half ^ half >> 16;
    let mut xor = (quarter ^ quarter >> 8) as u8;
    for byte in blocks {
        xor ^= *byte;
    }
    xor
}

#[inline(always)]
fn sum_of_word(word: u64) -> u8 {
    // Every other byte, so that four sums of two bytes have room.
    let pairs = (word & 0x00FF_00FF_00FF_00FF) + (word >> 8 & 0x00FF_00FF_00FF_00FF);
    (pairs.wrapping_mul(0x0001_0001_0001_0001) >> 48) as u8
}

/// Two's complement of `sum8` (Modbus ASCII, DF1 BCC).
pub fn lrc(pieces: &[&[u8]]) -> u8 {
    sum8(pieces).wrapping_neg()
}

/// 8-bit Fletcher, A then B (UBX): both sums modulo 256.
pub fn fletcher8(pieces: &[&[u8]]) -> [u8; 2] {
    let [mut a, mut b] = [0u8; 2];
    for &byte in pieces.iter().copied().flatten() {
        a = a.wrapping_add(byte);
        b = b.wrapping_add(a);
    }
    [a, b]
}

/// Inverted sum with end-around carry (LIN).
pub fn carry_sum8(pieces: &[&[u8]]) -> u8 {
    let total = sum(pieces);
    // A carry that is added back at once is a sum modulo 255, with FF where that is 0 but the sum is not.
    let carried = if total == 0 { 0 } else { (total - 1) % 255 + 1 };
    !(carried as u8)
}

/// Full blocks of bytes, and what is behind them as two words filled up with zeros.
///
/// Frames are short and of many lengths: the rest is loaded at once, not in a loop whose end no processor can foresee.
#[inline(always)]
fn blocks_and_words(bytes: &[u8]) -> (&[u8], [u64; 2]) {
    let (blocks, rest) = bytes.as_chunks::<16>();
    let words = match (rest.first_chunk(), rest.last_chunk()) {
        (Some(&first), Some(&last)) => {
            let seen_twice = 16 - rest.len();
            [u64::from_le_bytes(first), u64::from_le_bytes(last).unbounded_shr(8 * seen_twice as u32)]
        }
        _ => [word(rest), 0],
    };
    (blocks.as_flattened(), words)
}

/// Fewer than eight bytes as the low ones of a word.
#[inline(always)]
fn word(bytes: &[u8]) -> u64 {
    let count = bytes.len() as u32;
    if let (Some(&first), Some(&last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let [first, last] = [first, last].map(u32::from_le_bytes);
        u64::from(first) | u64::from(last).unbounded_shl(8 * (count - 4))
    } else if let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) {
        let middle = bytes[bytes.len() / 2];
        let [first, middle, last] = [first, middle, last].map(u64::from);
        first | middle << (8 * (count / 2)) | last << (8 * (count - 1))
    } else {
        0
    }
}

/// The right spelling of a name that is almost one, or is another name for one.
fn nearest(name: &str) -> Option<&'static str> {
    let wanted = name.to_ascii_uppercase().replace('_', "-");
    let also = ALSO_CALLED.iter().find(|(also, _)| *also == wanted).map(|(_, name)| *name);
    let likeness = |known: &str| strsim::jaro_winkler(&wanted, known);
    also.or_else(|| {
        let best = catalogue().max_by(|one, other| likeness(one).total_cmp(&likeness(other)))?;
        (likeness(best) > 0.85).then_some(best)
    })
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

/// Common other names; only for "did you mean".
const ALSO_CALLED: &[(&str, &str)] = &[
    ("CRC-8", "CRC-8/SMBUS"),
    ("CRC-8/CCITT", "CRC-8/SMBUS"),
    ("CRC-16", "CRC-16/ARC"),
    ("CRC-16/IBM", "CRC-16/ARC"),
    ("CRC-16/LHA", "CRC-16/ARC"),
    ("MODBUS", "CRC-16/MODBUS"),
    ("CRC-16/BUYPASS", "CRC-16/UMTS"),
    ("CRC-16/CCITT-FALSE", "CRC-16/IBM-3740"),
    ("CRC-16/AUTOSAR", "CRC-16/IBM-3740"),
    ("CRC-16/CCITT", "CRC-16/KERMIT"),
    ("CRC-16/CCITT-TRUE", "CRC-16/KERMIT"),
    ("KERMIT", "CRC-16/KERMIT"),
    ("CRC-16/V-41-LSB", "CRC-16/KERMIT"),
    ("X-25", "CRC-16/IBM-SDLC"),
    ("CRC-16/X-25", "CRC-16/IBM-SDLC"),
    ("CRC-16/ISO-HDLC", "CRC-16/IBM-SDLC"),
    ("CRC-B", "CRC-16/IBM-SDLC"),
    ("CRC-A", "CRC-16/ISO-IEC-14443-3-A"),
    ("XMODEM", "CRC-16/XMODEM"),
    ("ZMODEM", "CRC-16/XMODEM"),
    ("CRC-16/ACORN", "CRC-16/XMODEM"),
    ("CRC-16/LTE", "CRC-16/XMODEM"),
    ("CRC-16/V-41-MSB", "CRC-16/XMODEM"),
    ("DOW-CRC", "CRC-8/MAXIM-DOW"),
    ("CRC-8/MAXIM", "CRC-8/MAXIM-DOW"),
    ("CRC-16/MAXIM", "CRC-16/MAXIM-DOW"),
    ("CRC-24", "CRC-24/OPENPGP"),
    ("CRC-24Q", "CRC-24/LTE-A"),
    ("CRC-32", "CRC-32/ISO-HDLC"),
    ("CRC-32/ADCCP", "CRC-32/ISO-HDLC"),
    ("CRC-32/PKZIP", "CRC-32/ISO-HDLC"),
    ("CRC-32C", "CRC-32/ISCSI"),
    ("CRC-32/CASTAGNOLI", "CRC-32/ISCSI"),
    ("CRC-64", "CRC-64/ECMA-182"),
];

/// The CRC of a few bytes, with all parameters known to the compiler: in short frames two thirds of the time would go into
/// looking at them. `refin` and `refout` are the same.
macro_rules! short {
    ($width:ident, $algorithm:expr, $tables:ident, $bytes:ident) => {{
        const UNUSED: u32 = $width::BITS - $algorithm.width as u32;
        let table = &$tables.table()[0];
        let next = |register: u64, byte: &u8| -> u64 {
            if $algorithm.refin {
                u64::from(table[usize::from(register as u8 ^ byte)]) ^ register >> 8
            } else {
                let first = (register >> ($width::BITS - 8)) as u8;
                u64::from(table[usize::from(first ^ byte)]) ^ (register << 8) & u64::from($width::MAX)
            }
        };
        let init = if $algorithm.refin {
            $algorithm.init.reverse_bits() >> UNUSED
        } else {
            $algorithm.init << UNUSED
        };
        let register = $bytes.iter().fold(u64::from(init), next);
        let value = if $algorithm.refin { register } else { register >> UNUSED };
        value ^ u64::from($algorithm.xorout)
    }};
}

macro_rules! catalogue {
    ($($name:literal = $width:ident $constant:ident,)*) => {
        static CATALOGUE: &[Entry] = &[$(Entry {
            name: $name,
            width: crc::$constant.width,
            check: crc::$constant.check as u64,
            compute: |pieces| {
                // 16 lanes are as fast as one below 16 bytes, and up to ten times faster above.
                static TABLES: OnceLock<Crc<$width, Table<16>>> = OnceLock::new();
                let tables = TABLES.get_or_init(|| Crc::<$width, Table<16>>::new(&crc::$constant));
                if let [piece] = pieces {
                    let is_short = piece.len() < 16 && crc::$constant.refin == crc::$constant.refout;
                    return if is_short { short!($width, crc::$constant, tables, piece) } else { tables.checksum(piece) as u64 };
                }
                let mut digest = tables.digest();
                pieces.iter().for_each(|piece| digest.update(piece));
                digest.finalize() as u64
            },
        }),*];
    };
}

catalogue! {
    "CRC-3/GSM" = u8 CRC_3_GSM,
    "CRC-3/ROHC" = u8 CRC_3_ROHC,
    "CRC-4/G-704" = u8 CRC_4_G_704,
    "CRC-4/INTERLAKEN" = u8 CRC_4_INTERLAKEN,
    "CRC-5/EPC-C1G2" = u8 CRC_5_EPC_C1G2,
    "CRC-5/G-704" = u8 CRC_5_G_704,
    "CRC-5/USB" = u8 CRC_5_USB,
    "CRC-6/CDMA2000-A" = u8 CRC_6_CDMA2000_A,
    "CRC-6/CDMA2000-B" = u8 CRC_6_CDMA2000_B,
    "CRC-6/DARC" = u8 CRC_6_DARC,
    "CRC-6/G-704" = u8 CRC_6_G_704,
    "CRC-6/GSM" = u8 CRC_6_GSM,
    "CRC-7/MMC" = u8 CRC_7_MMC,
    "CRC-7/ROHC" = u8 CRC_7_ROHC,
    "CRC-7/UMTS" = u8 CRC_7_UMTS,
    "CRC-8/AUTOSAR" = u8 CRC_8_AUTOSAR,
    "CRC-8/BLUETOOTH" = u8 CRC_8_BLUETOOTH,
    "CRC-8/CDMA2000" = u8 CRC_8_CDMA2000,
    "CRC-8/DARC" = u8 CRC_8_DARC,
    "CRC-8/DVB-S2" = u8 CRC_8_DVB_S2,
    "CRC-8/GSM-A" = u8 CRC_8_GSM_A,
    "CRC-8/GSM-B" = u8 CRC_8_GSM_B,
    "CRC-8/HITAG" = u8 CRC_8_HITAG,
    "CRC-8/I-432-1" = u8 CRC_8_I_432_1,
    "CRC-8/I-CODE" = u8 CRC_8_I_CODE,
    "CRC-8/LTE" = u8 CRC_8_LTE,
    "CRC-8/MAXIM-DOW" = u8 CRC_8_MAXIM_DOW,
    "CRC-8/MIFARE-MAD" = u8 CRC_8_MIFARE_MAD,
    "CRC-8/NRSC-5" = u8 CRC_8_NRSC_5,
    "CRC-8/OPENSAFETY" = u8 CRC_8_OPENSAFETY,
    "CRC-8/ROHC" = u8 CRC_8_ROHC,
    "CRC-8/SAE-J1850" = u8 CRC_8_SAE_J1850,
    "CRC-8/SMBUS" = u8 CRC_8_SMBUS,
    "CRC-8/TECH-3250" = u8 CRC_8_TECH_3250,
    "CRC-8/WCDMA" = u8 CRC_8_WCDMA,
    "CRC-10/ATM" = u16 CRC_10_ATM,
    "CRC-10/CDMA2000" = u16 CRC_10_CDMA2000,
    "CRC-10/GSM" = u16 CRC_10_GSM,
    "CRC-11/FLEXRAY" = u16 CRC_11_FLEXRAY,
    "CRC-11/UMTS" = u16 CRC_11_UMTS,
    "CRC-12/CDMA2000" = u16 CRC_12_CDMA2000,
    "CRC-12/DECT" = u16 CRC_12_DECT,
    "CRC-12/GSM" = u16 CRC_12_GSM,
    "CRC-12/UMTS" = u16 CRC_12_UMTS,
    "CRC-13/BBC" = u16 CRC_13_BBC,
    "CRC-14/DARC" = u16 CRC_14_DARC,
    "CRC-14/GSM" = u16 CRC_14_GSM,
    "CRC-15/CAN" = u16 CRC_15_CAN,
    "CRC-15/MPT1327" = u16 CRC_15_MPT1327,
    "CRC-16/ARC" = u16 CRC_16_ARC,
    "CRC-16/CDMA2000" = u16 CRC_16_CDMA2000,
    "CRC-16/CMS" = u16 CRC_16_CMS,
    "CRC-16/DDS-110" = u16 CRC_16_DDS_110,
    "CRC-16/DECT-R" = u16 CRC_16_DECT_R,
    "CRC-16/DECT-X" = u16 CRC_16_DECT_X,
    "CRC-16/DNP" = u16 CRC_16_DNP,
    "CRC-16/EN-13757" = u16 CRC_16_EN_13757,
    "CRC-16/GENIBUS" = u16 CRC_16_GENIBUS,
    "CRC-16/GSM" = u16 CRC_16_GSM,
    "CRC-16/IBM-3740" = u16 CRC_16_IBM_3740,
    "CRC-16/IBM-SDLC" = u16 CRC_16_IBM_SDLC,
    "CRC-16/ISO-IEC-14443-3-A" = u16 CRC_16_ISO_IEC_14443_3_A,
    "CRC-16/KERMIT" = u16 CRC_16_KERMIT,
    "CRC-16/LJ1200" = u16 CRC_16_LJ1200,
    "CRC-16/M17" = u16 CRC_16_M17,
    "CRC-16/MAXIM-DOW" = u16 CRC_16_MAXIM_DOW,
    "CRC-16/MCRF4XX" = u16 CRC_16_MCRF4XX,
    "CRC-16/MODBUS" = u16 CRC_16_MODBUS,
    "CRC-16/NRSC-5" = u16 CRC_16_NRSC_5,
    "CRC-16/OPENSAFETY-A" = u16 CRC_16_OPENSAFETY_A,
    "CRC-16/OPENSAFETY-B" = u16 CRC_16_OPENSAFETY_B,
    "CRC-16/PROFIBUS" = u16 CRC_16_PROFIBUS,
    "CRC-16/RIELLO" = u16 CRC_16_RIELLO,
    "CRC-16/SPI-FUJITSU" = u16 CRC_16_SPI_FUJITSU,
    "CRC-16/T10-DIF" = u16 CRC_16_T10_DIF,
    "CRC-16/TELEDISK" = u16 CRC_16_TELEDISK,
    "CRC-16/TMS37157" = u16 CRC_16_TMS37157,
    "CRC-16/UMTS" = u16 CRC_16_UMTS,
    "CRC-16/USB" = u16 CRC_16_USB,
    "CRC-16/XMODEM" = u16 CRC_16_XMODEM,
    "CRC-17/CAN-FD" = u32 CRC_17_CAN_FD,
    "CRC-21/CAN-FD" = u32 CRC_21_CAN_FD,
    "CRC-24/BLE" = u32 CRC_24_BLE,
    "CRC-24/FLEXRAY-A" = u32 CRC_24_FLEXRAY_A,
    "CRC-24/FLEXRAY-B" = u32 CRC_24_FLEXRAY_B,
    "CRC-24/INTERLAKEN" = u32 CRC_24_INTERLAKEN,
    "CRC-24/LTE-A" = u32 CRC_24_LTE_A,
    "CRC-24/LTE-B" = u32 CRC_24_LTE_B,
    "CRC-24/OPENPGP" = u32 CRC_24_OPENPGP,
    "CRC-24/OS-9" = u32 CRC_24_OS_9,
    "CRC-30/CDMA" = u32 CRC_30_CDMA,
    "CRC-31/PHILIPS" = u32 CRC_31_PHILIPS,
    "CRC-32/AIXM" = u32 CRC_32_AIXM,
    "CRC-32/AUTOSAR" = u32 CRC_32_AUTOSAR,
    "CRC-32/BASE91-D" = u32 CRC_32_BASE91_D,
    "CRC-32/BZIP2" = u32 CRC_32_BZIP2,
    "CRC-32/CD-ROM-EDC" = u32 CRC_32_CD_ROM_EDC,
    "CRC-32/CKSUM" = u32 CRC_32_CKSUM,
    "CRC-32/ISCSI" = u32 CRC_32_ISCSI,
    "CRC-32/ISO-HDLC" = u32 CRC_32_ISO_HDLC,
    "CRC-32/JAMCRC" = u32 CRC_32_JAMCRC,
    "CRC-32/MEF" = u32 CRC_32_MEF,
    "CRC-32/MPEG-2" = u32 CRC_32_MPEG_2,
    "CRC-32/XFER" = u32 CRC_32_XFER,
    "CRC-40/GSM" = u64 CRC_40_GSM,
    "CRC-64/ECMA-182" = u64 CRC_64_ECMA_182,
    "CRC-64/GO-ISO" = u64 CRC_64_GO_ISO,
    "CRC-64/MS" = u64 CRC_64_MS,
    "CRC-64/NVME" = u64 CRC_64_NVME,
    "CRC-64/REDIS" = u64 CRC_64_REDIS,
    "CRC-64/WE" = u64 CRC_64_WE,
    "CRC-64/XZ" = u64 CRC_64_XZ,
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

    #[test]
    fn sums_of_blocks_and_words_are_those_byte_by_byte() {
        let bytes: Vec<u8> = (0..100u32).map(|n| (n * n * 37 + 11) as u8).collect();
        for from in 0..20 {
            for to in from..bytes.len() {
                let piece = &bytes[from..to];
                assert_eq!(
                    sum8(&[piece]),
                    piece.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte)),
                    "{from}..{to}"
                );
                assert_eq!(xor8(&[piece]), piece.iter().fold(0, |xor, byte| xor ^ byte), "{from}..{to}");
            }
        }
    }

    #[test]
    fn sums_are_those_of_the_protocols_that_use_them() {
        // M-Bus: SND_NKE to address 1. Modbus ASCII: read coils 0x13.. of 0x11. NMEA: checksum of a GLL sentence.
        assert_eq!(sum8(&[&[0x40, 0x01]]), 0x41);
        assert_eq!(lrc(&[&[0x11, 0x03, 0x00, 0x6B, 0x00, 0x03]]), 0x7E);
        assert_eq!(xor8(&[b"GPGLL,5300.97914,N,00259.98174,E,125926,A"]), 0x28);
        // UBX: poll of MON-VER. LIN 2.0: classic checksum of 4A 55 93 E5 is E6.
        assert_eq!(fletcher8(&[&[0x0A, 0x04, 0x00, 0x00]]), [0x0E, 0x34]);
        assert_eq!(carry_sum8(&[&[0x4A, 0x55, 0x93, 0xE5]]), 0xE6);
        assert_eq!(carry_sum8(&[&[0xFF]]), 0x00);
        assert_eq!(carry_sum8(&[]), 0xFF);
        assert_eq!(sum(&[&[0xFF; 300], &[1]]), 300 * 255 + 1);
    }
}
