//! Every CRC of Greg Cook's catalogue by its name, as crate `crc` has it; and what else they are called.

use std::sync::LazyLock;

use crc::{Crc, Table};

use super::lanes;

/// A row of the catalogue.
pub(super) struct Entry {
    pub name: &'static str,
    pub width: u8,
    pub check: u64,
    /// Over one piece.
    pub whole: fn(&[u8]) -> u64,
    /// Over pieces, one after the other.
    pub pieces: fn(&[&[u8]]) -> u64,
}

/// The name of every CRC of the catalogue, narrow ones first.
pub fn catalogue() -> impl Iterator<Item = &'static str> {
    CATALOGUE.iter().map(|entry| entry.name)
}

/// The right spelling of a name that is almost one, or is another name for one.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let wanted = name.to_ascii_uppercase().replace('_', "-");
    let also = ALSO_CALLED.iter().find(|(also, _)| *also == wanted).map(|(_, name)| *name);
    let likeness = |known: &str| strsim::jaro_winkler(&wanted, known);
    also.or_else(|| {
        let best = catalogue().max_by(|one, other| likeness(one).total_cmp(&likeness(other)))?;
        (likeness(best) > 0.85).then_some(best)
    })
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

/// The CRC of a short message, with all parameters known to the compiler: in short frames two thirds of the time would go
/// into looking at them. `None` for other messages. `refin` and `refout` are the same.
macro_rules! short {
    ($width:ident, $algorithm:expr, $tables:ident, $message:ident) => {{
        const UNUSED: u32 = $width::BITS - $algorithm.width as u32;
        let start = if $algorithm.refin {
            $algorithm.init.reverse_bits() >> UNUSED
        } else {
            ($algorithm.init << UNUSED).swap_bytes()
        };
        let value = |register: $width| if $algorithm.refin { register } else { register >> UNUSED };
        lanes::register($tables.table(), start.into(), $message)
            .map(|register| u64::from(value(register) ^ $algorithm.xorout))
    }};
}

macro_rules! catalogue {
    ($($name:literal = $width:ident $constant:ident,)*) => {
        pub(super) static CATALOGUE: &[Entry] = &[$({
            // 16 lanes are as fast as one below 16 bytes, and up to ten times faster above. Boxed: the loader would touch the place of
            // every one, a megabyte in all, before the program begins.
            static TABLES: LazyLock<Box<Crc<$width, Table<16>>>> =
                LazyLock::new(|| Box::new(Crc::<$width, Table<16>>::new(&crc::$constant)));
            Entry {
                name: $name,
                width: crc::$constant.width,
                check: crc::$constant.check as u64,
                whole: |message| {
                    let tables = &**TABLES;
                    let short = if crc::$constant.refin == crc::$constant.refout {
                        short!($width, crc::$constant, tables, message)
                    } else {
                        None
                    };
                    short.unwrap_or_else(|| tables.checksum(message).into())
                },
                pieces: |pieces| {
                    let mut digest = TABLES.digest();
                    pieces.iter().for_each(|piece| digest.update(piece));
                    digest.finalize().into()
                },
            }
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
