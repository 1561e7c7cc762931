//! Commands to miner chains and their answers.

use crate::decoded::Decoder;
use crate::shared_data::{hex, rows};

const TO_CHIPS: [&str; 4] = ["set_address", "write", "read", "inactive"];
const FROM_CHIPS: [&str; 4] = ["content", "nonce", "content_long", "nonce_long"];

fn all_decode(file: &str) {
    let Some(rows) = rows(file) else { return };
    let chain = Decoder::new("bm13xx");
    for row in &rows {
        let frames = if row[0] == "TX" { TO_CHIPS } else { FROM_CHIPS };
        assert_eq!(chain.names(&frames, &hex(&row[1])).len(), 1, "{row:?}");
    }
    assert!(rows.len() > 10);
}

#[test]
fn frames_of_a_bm1397_chain_decode() {
    all_decode("bm13xx/bm1397_sniff.tsv");
}

#[test]
fn frames_of_newer_chains_decode() {
    all_decode("bm13xx/bm137x_frames.tsv");
}
