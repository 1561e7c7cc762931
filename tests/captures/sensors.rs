//! Ten readings each of five sensors.

use crate::decoded::Decoder;
use crate::shared_data::dump;

fn ten_readings(file: &str, table: &str, frame: &str) {
    let Some(rows) = dump(&format!("particulate-sensors/{file}.hexdump")) else { return };
    let sensor = Decoder::new(table);
    assert_eq!(rows.len(), 10);
    for row in &rows {
        assert_eq!(sensor.names(&[frame], row), [frame]);
    }
    let all = rows.concat();
    assert_eq!(sensor.names(&[frame], &all).len(), 10, "also as one stream");
}

#[test]
fn readings_of_a_pms5003t_decode() {
    ten_readings("PMS5003T", "pms", "pms5003");
}

#[test]
fn readings_of_an_hpma115_decode() {
    ten_readings("HPMA115C0", "hpma115", "compact");
}

#[test]
fn readings_of_an_mh_z19_decode() {
    ten_readings("MHZ19B", "mhz19", "content");
}

#[test]
fn readings_of_an_sds011_decode() {
    ten_readings("SDS01x", "sds011", "report");
}

#[test]
fn readings_of_an_sps30_decode_with_their_stuffed_bytes() {
    ten_readings("SPS30", "sps30", "content");
}
