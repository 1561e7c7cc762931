//! Any text is read as a table or refused with its mistakes: no panic, no hang, and every place lies within the text.

#![no_main]

use hsdiag::protocol::Table;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(mistakes) = Table::read("fuzz.toml", text) {
        assert!(mistakes.iter().next().is_some());
        assert!(mistakes.iter().all(|mistake| mistake.range.start <= mistake.range.end));
        assert!(mistakes.iter().all(|mistake| mistake.range.end <= text.len()));
        mistakes.render(false);
    }
});
