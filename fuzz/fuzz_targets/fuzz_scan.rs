//! A stream of any bytes in any pieces: all of it is told once and in order, the same however it is cut.
//!
//! The first byte says how long the pieces are, the second which frames are looked for.

#![no_main]

use hsdiag::frame::{Envelope, Found, Frame, Layout, Nothing, Stream};
use libfuzzer_sys::fuzz_target;

const FRAMES: &[(&str, Option<&str>)] = &[
    ("68 n:u8=size(control..data) =n 68 control:u8 address:u8 ci:u8 data:bytes sum8(control..data) 16", None),
    ("10 control:u8 address:u8 sum8(control..address) 16", None),
    ("address:u8 03 n:u8 data:bytes(n) crc(CRC-16/MODBUS, ..) le", None),
    ("address:u8 function:u8 body:bytes crc(CRC-16/MODBUS, ..) le", None),
    ("FE{0..4} 68 data:bytes(3) 16", None),
    ("(n-1):u16be (page:u16be){n} xor8(..)", None),
    ("kind:u8 data:bytes xor8(..)", Some("hdlc(11 13)")),
    ("kind:u8 data:bytes xor8(..)", Some("slip")),
    ("kind:u8 data:bytes", Some("cobs")),
    ("data:bytes lrc(data)", Some("hex(3A, 0D 0A)")),
    ("\"OK\"", Some("line(, 0D 0A)")),
    ("total:u16be=size(data) data:bytes", Some("lines(06 09, 04 14, 0A, base64, 127)")),
];

fuzz_target!(|input: &[u8]| {
    let [piece, which, bytes @ ..] = input else { return };
    let from = usize::from(*which) % FRAMES.len();
    let frames: Vec<Frame> = FRAMES.iter().cycle().skip(from).take(3).filter_map(frame).collect();
    let whole = read(&frames, bytes, bytes.len().max(1));
    assert_eq!(read(&frames, bytes, usize::from(*piece).max(1)), whole);
    assert_eq!(whole.iter().map(|(_, _, len)| len).sum::<u64>(), bytes.len() as u64);
});

fn frame((layout, envelope): &(&str, Option<&str>)) -> Option<Frame> {
    let envelope = envelope.and_then(|text| Envelope::parse(text).ok());
    Frame::compile("frame".into(), Layout::parse(layout).ok()?, envelope, &[]).ok()
}

/// Frame or none, where, how long.
fn read(frames: &[Frame], bytes: &[u8], piece: usize) -> Vec<(Option<usize>, u64, u64)> {
    let mut all = Vec::new();
    let mut told = |found: Found<'_>| {
        all.push(match found {
            Found::Frame { frame, at, bytes } => (Some(frame), at, bytes.len() as u64),
            Found::Skipped { at, len } => (None, at, len),
        });
    };
    let mut stream = Stream::new(frames);
    bytes.chunks(piece).for_each(|piece| stream.push(piece, &Nothing, &mut told));
    stream.close(&Nothing, &mut told);
    all
}
