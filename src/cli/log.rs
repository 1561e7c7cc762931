//! What is being done, on standard error, for whoever asks with -v or RUST_LOG.

use std::io::IsTerminal;

use clap::ColorChoice;
use tracing_subscriber::EnvFilter;

/// Begins to log; without -v and without RUST_LOG only warnings are told.
pub fn start(verbose: u8, color: ColorChoice) {
    let asked = std::env::var("RUST_LOG").ok().filter(|asked| !asked.is_empty());
    let filter = match (verbose, asked) {
        (0, Some(asked)) => EnvFilter::try_new(asked).unwrap_or_else(|_| EnvFilter::new("hsdiag=warn")),
        (0, None) => EnvFilter::new("hsdiag=warn"),
        (1, _) => EnvFilter::new("hsdiag=debug"),
        _ => EnvFilter::new("hsdiag=trace"),
    };
    let ansi = match color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty())
        }
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(ansi)
        .without_time()
        .init();
}
