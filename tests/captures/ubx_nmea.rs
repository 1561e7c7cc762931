//! Logs of u-blox receivers: UBX, NMEA and RTCM3 mixed on one line.

use std::collections::BTreeMap;

use crate::decoded::Decoder;
use crate::shared_data::bytes;

/// A log, how many frames of UBX, NMEA and RTCM3 it has, and how many bytes at its end are none.
struct Log {
    file: &'static str,
    ubx: usize,
    nmea: usize,
    rtcm: usize,
    left: usize,
}

const fn whole(file: &'static str, ubx: usize, nmea: usize, rtcm: usize) -> Log {
    Log { file, ubx, nmea, rtcm, left: 0 }
}

const LOGS: [Log; 17] = [
    whole("2023-4-17_82912_serial-COM3.ubx", 160, 818, 0),
    whole("assistnow.log", 153, 0, 0),
    whole("pygpsdata-CFG.log", 21, 0, 0),
    whole("pygpsdata-HNR.log", 13, 0, 0),
    whole("pygpsdata-MIXED-RTCM3.log", 1, 2, 7),
    whole("pygpsdata-MIXED.log", 300, 8, 0),
    whole("pygpsdata-MIXED3.log", 3, 4, 0),
    whole("pygpsdata-MON.log", 12, 0, 0),
    whole("pygpsdata-NAV.log", 28, 0, 0),
    whole("pygpsdata-RXM.log", 5, 0, 0),
    whole("pygpsdata-SEC.log", 8, 0, 0),
    whole("ucenter-ZEDF9P-configdebug.log", 188, 0, 0),
    // A stray byte behind the last frame.
    Log { left: 1, ..whole("pygpsdata-ITER.log", 6, 0, 0) },
    // The last sentence was published with a wrong checksum.
    Log { left: 73, ..whole("pygpsdata-NMEA.log", 0, 20, 0) },
    // Damaged on purpose: a checksum, an end that is missing, a header.
    Log { left: 532, ..whole("pygpsdata-BADCK2.log", 25, 0, 0) },
    Log { left: 9, ..whole("pygpsdata-BADEOF2.log", 2, 0, 0) },
    Log { left: 100, ..whole("pygpsdata-BADHDR.log", 2, 0, 0) },
];

#[test]
fn logs_decode_as_ubx_nmea_and_rtcm3_and_only_what_is_damaged_is_left() {
    let receiver = Decoder::new("ubx");
    for log in &LOGS {
        let Some(bytes) = bytes(&format!("ubx-nmea/{}", log.file)) else { return };
        let mut seen = BTreeMap::new();
        let mut left = 0;
        for piece in receiver.pieces(&["ubx", "sentence", "own", "rtcm"], &bytes) {
            match piece.frame {
                Some(name) => *seen.entry(name).or_insert(0) += 1,
                None => left += piece.bytes.len(),
            }
        }
        let count = |name: &str| seen.get(name).copied().unwrap_or(0);
        let found = (count("ubx"), count("sentence") + count("own"), count("rtcm"), left);
        assert_eq!(found, (log.ubx, log.nmea, log.rtcm, log.left), "{}", log.file);
    }
}
