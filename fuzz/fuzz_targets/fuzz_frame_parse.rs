//! A layout and the bytes behind it: nothing panics, and what a beginning said holds for the whole.

#![no_main]

use hsdiag::frame::{Frame, Layout, Nothing, Outcome};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some(end) = input.iter().position(|byte| *byte == b'\n') else { return };
    let Ok(text) = std::str::from_utf8(&input[..end]) else { return };
    let bytes = &input[end + 1..];
    let Ok(layout) = Layout::parse(text) else { return };
    let Ok(frame) = Frame::compile("frame".into(), layout, None, &[]) else { return };
    let whole = frame.parse(bytes, false, &Nothing);
    for len in 0..bytes.len().min(256) {
        match (frame.parse(&bytes[..len], false, &Nothing), &whole) {
            (Outcome::More(more), Outcome::Complete(reading)) => assert!(len + more <= reading.len),
            (Outcome::More(_), _) => {}
            (sooner, _) => assert_eq!(&sooner, &whole),
        }
    }
    if let Outcome::Complete(reading) = frame.parse(bytes, true, &Nothing) {
        let _ = frame.encode(&reading.sent(), &Nothing);
    }
    frame.parse_damaged(bytes, true, &Nothing, 2);
});
