//! Frames that meters push on their customer ports, without the flags around them.

use crate::decoded::Decoder;
use crate::shared_data::{hex, rows};

#[test]
fn frames_of_three_meters_decode_the_last_of_them_with_stuffed_bytes() {
    let Some(rows) = rows("hdlc/ams_frames.hex") else { return };
    let meter = Decoder::new("dlms-hdlc");
    let between_flags = |row: &Vec<String>| [vec![0x7E], hex(&row[0]), vec![0x7E]].concat();
    let name = |row| meter.names(&["short", "long", "stuffed"], &between_flags(row));
    let names: Vec<_> = rows.iter().flat_map(name).collect();
    assert_eq!(names, ["short", "long", "stuffed"]);
}
