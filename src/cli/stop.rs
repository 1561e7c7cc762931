//! Ctrl-C and its kin: the first asks everything to end properly, the second ends at once.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use super::failure::Exit;

static STOP: AtomicBool = AtomicBool::new(false);
static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static LISTENING: Once = Once::new();

/// The flag that ends whatever runs; from the first call on, Ctrl-C raises it.
pub fn flag() -> &'static AtomicBool {
    LISTENING.call_once(|| {
        let listening = ctrlc::set_handler(|| {
            end();
            if INTERRUPTED.swap(true, Ordering::Relaxed) {
                std::process::exit(Exit::Interrupted as i32);
            }
        });
        if let Err(error) = listening {
            tracing::warn!("Ctrl-C will end the program at once: {error}");
        }
    });
    &STOP
}

/// Ends what runs, for a reason of our own.
pub fn end() {
    STOP.store(true, Ordering::Relaxed);
}

/// Whether it is to end.
pub fn asked() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// Whether it is to end because the user says so.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}
