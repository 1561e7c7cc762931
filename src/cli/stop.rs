//! Ctrl-C and its kin: the first asks everything to end properly, the second ends at once.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use super::failure::Exit;

static STOP: AtomicBool = AtomicBool::new(false);
static LISTENING: Once = Once::new();

/// The flag that Ctrl-C raises; from the first call on, it does.
pub fn flag() -> &'static AtomicBool {
    LISTENING.call_once(|| {
        let listening = ctrlc::set_handler(|| {
            if STOP.swap(true, Ordering::Relaxed) {
                std::process::exit(Exit::Interrupted as i32);
            }
        });
        if let Err(error) = listening {
            tracing::warn!("Ctrl-C will end the program at once: {error}");
        }
    });
    &STOP
}

/// Whether somebody wants it to end.
pub fn asked() -> bool {
    STOP.load(Ordering::Relaxed)
}
