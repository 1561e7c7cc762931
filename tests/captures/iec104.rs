//! A session of a controlling station with a controlled one, and single APDUs of another.

use crate::decoded::Decoder;
use crate::shared_data::{hex, rows};

const FRAMES: [&str; 8] = ["any", "s_format", "start", "started", "stop", "stopped", "test", "tested"];

#[test]
fn every_apdu_of_a_session_decodes() {
    let Some(rows) = rows("iec104/session_part1.tsv") else { return };
    let station = Decoder::new("iec104");
    let apdus: usize = rows.iter().map(|row| station.names(&FRAMES, &hex(&row[2])).len()).sum();
    assert_eq!(rows.len(), 32);
    assert!(apdus > rows.len(), "segments carry several APDUs: {apdus}");
    let first: Vec<_> = rows.iter().take(5).flat_map(|row| station.names(&FRAMES, &hex(&row[2]))).collect();
    assert_eq!(first, ["test", "tested", "start", "started", "any"]);
}

#[test]
fn single_apdus_decode() {
    let Some(rows) = rows("iec104/apdus.hex") else { return };
    let station = Decoder::new("iec104");
    for row in &rows {
        assert_eq!(station.names(&FRAMES, &hex(&row[0])).len(), 1, "{row:?}");
    }
    assert_eq!(rows.len(), 6);
}
