//! What is being tried, on a terminal only and only where time passes.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::line::{Instant, Span};

use super::output::Output;

/// A bar over the time a command may take.
pub struct Progress(ProgressBar);

impl Progress {
    /// `shown` only where somebody watches and waits.
    pub fn over(time: Option<Span>, output: &Output, virtual_time: bool) -> Progress {
        if virtual_time || !output.progress() {
            return Progress(ProgressBar::hidden());
        }
        let bar = time.map_or_else(ProgressBar::no_length, |time| ProgressBar::new(millis(time)));
        let style = match time {
            Some(_) => ProgressStyle::with_template("{spinner} {wide_msg} {bar:20} {elapsed}"),
            None => ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}"),
        };
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸ "));
        bar.enable_steady_tick(Duration::from_millis(120));
        Progress(bar)
    }

    /// What is being done at this time.
    pub fn tell(&self, now: Instant, doing: impl FnOnce() -> String) {
        if !self.0.is_hidden() {
            self.0.set_position(now.nanos() / 1_000_000);
            self.0.set_message(doing());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn millis(span: Span) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
