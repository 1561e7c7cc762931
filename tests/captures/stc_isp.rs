//! What an STC89C52RC sent while it was flashed: payloads without their frames, which are put around them here.

use crate::decoded::Decoder;
use crate::shared_data::{hex, rows};

/// The frame of each payload, in order.
const SENT: [&str; 13] = [
    "status_89",
    "tested",
    "switched",
    "pong",
    "pong",
    "pong",
    "pong",
    "pong",
    "written",
    "written",
    "written",
    "written",
    "options_set",
];

/// dir, length, payload, sum8, 16; all but the status behind a start mark.
fn framed(payload: &[u8], bare: bool) -> Vec<u8> {
    let mut body = vec![0x68, 0, payload.len() as u8 + 5];
    body.extend_from_slice(payload);
    let sum = body.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    let mark: &[u8] = if bare { &[] } else { &[0x46, 0xB9] };
    [mark, &body, &[sum, 0x16]].concat()
}

#[test]
fn a_flashing_session_decodes_and_begins_with_68() {
    let Some(rows) = rows("stc-isp/stc89c52rc_payloads.hex") else { return };
    let stc = Decoder::new("stc-isp");
    let chip: Vec<&str> =
        vec!["status_89", "tested", "switched", "pong", "written", "options_set", "finished"];
    let frames: Vec<Vec<u8>> =
        rows.iter().enumerate().map(|(at, row)| framed(&hex(&row[0]), at == 0)).collect();
    assert_eq!(frames[0][0], 0x68);
    let names: Vec<String> = frames.iter().flat_map(|frame| stc.names(&chip, frame)).collect();
    assert_eq!(names[..SENT.len()], SENT);
    assert_eq!(names[SENT.len()..], ["finished", "pong"]);
    assert_eq!(stc.names(&chip, &frames.concat()).len(), rows.len(), "also as one stream");
}
