//! Telegrams of 49 meters, and what one master sends.

use hsdiag::frame::Value;

use crate::decoded::Decoder;
use crate::shared_data::{bytes, files, hex};

const ANSWERS: [&str; 8] =
    ["variable", "variable_msb", "fixed", "fixed_msb", "error", "error_unspecified", "alarm", "plain"];

/// Files that no master and no meter would accept, and why.
const BROKEN: [(&str, &str); 2] = [
    ("invalid_length.hex", "a length of 0, and a checksum that is wrong as well"),
    ("manual_frame1.hex", "its first half byte is lost: 0D 04 04 68"),
];

fn telegram(file: &str) -> Vec<u8> {
    let text = bytes(&format!("mbus/{file}")).expect("the folder was there");
    hex(&String::from_utf8(text).expect("hex is text"))
}

#[test]
fn every_telegram_of_a_meter_decodes_whole_with_a_valid_checksum() {
    let Some(files) = files("mbus", "hex") else { return };
    let mbus = Decoder::new("mbus");
    let mut decoded = 0;
    for file in &files {
        let bytes = telegram(file);
        let frames = if bytes[0] == 0x68 && bytes.get(4) == Some(&0x53) { &["write"][..] } else { &ANSWERS };
        let pieces = mbus.pieces(frames, &bytes);
        let is_whole = pieces.len() == 1 && pieces[0].frame.is_some();
        let broken = BROKEN.iter().any(|(known, _)| known == file);
        assert_eq!(is_whole, !broken, "{file}: {pieces:?}");
        decoded += usize::from(is_whole);
    }
    assert_eq!((files.len(), decoded), (52, 50));
}

#[test]
fn a_telegram_says_who_sent_it() {
    if files("mbus", "hex").is_none() {
        return;
    }
    let mbus = Decoder::new("mbus");
    let bytes = telegram("GWF-MTKcoder.hex");
    assert_eq!(mbus.field("variable", "id", &bytes), Value::Int(0x0018_2007));
    assert_eq!(mbus.field("variable", "medium", &bytes), Value::Int(7));
    let bytes = telegram("application_busy.hex");
    assert_eq!(mbus.field("error", "error", &bytes), Value::Int(8));
}
