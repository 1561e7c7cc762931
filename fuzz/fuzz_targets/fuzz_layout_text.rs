//! Any text: layouts, expressions and envelopes are read or refused, and what is read compiles or is refused.

#![no_main]

use hsdiag::frame::{Envelope, Expr, Frame, Layout, Nothing};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(expr) = Expr::parse(text) {
        let _ = expr.eval(&Nothing);
    }
    let envelope = Envelope::parse(text).ok();
    if let Ok(layout) = Layout::parse(text) {
        if let Ok(frame) = Frame::compile("frame".into(), layout, envelope, &[]) {
            let _ = (frame.min_len(), frame.first_bytes(), frame.specificity(), frame.fields());
            let _ = frame.encode(&[], &Nothing);
        }
    }
});
