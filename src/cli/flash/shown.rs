//! The progress of a flash session on a terminal: stage, bytes, rate, share of what the wire can carry, and how long it still takes.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::flash::Progress;
use crate::line::Instant;

use super::super::output::Output;

/// A bar over the bytes of a stage.
pub struct Bar {
    bar: ProgressBar,
    stage: &'static str,
    began: Instant,
}

impl Bar {
    /// Only where somebody watches and waits.
    pub fn new(output: &Output, virtual_time: bool, now: Instant) -> Bar {
        if virtual_time || !output.progress() {
            return Bar { bar: ProgressBar::hidden(), stage: "", began: now };
        }
        let bar = ProgressBar::new(0);
        let style =
            ProgressStyle::with_template("{spinner} {prefix:<7} {bar:24} {bytes}/{total_bytes}  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸ "));
        bar.enable_steady_tick(Duration::from_millis(120));
        Bar { bar, stage: "", began: now }
    }

    pub fn tell(&mut self, now: Instant, progress: impl FnOnce() -> Progress) {
        if self.bar.is_hidden() {
            return;
        }
        let progress = progress();
        let stage = progress.stage.word();
        if stage != self.stage {
            (self.stage, self.began) = (stage, now);
            self.bar.set_prefix(stage);
        }
        self.bar.set_length(progress.of);
        self.bar.set_position(progress.done);
        let seconds = now.since(self.began).as_secs_f64();
        if progress.done == 0 || seconds < 0.2 {
            return self.bar.set_message("");
        }
        let rate = progress.done as f64 / seconds;
        let wire = 1.0 / progress.settings.character_time().as_secs_f64();
        let left = progress.of.saturating_sub(progress.done) as f64 / rate;
        self.bar.set_message(format!(
            "{rate:.0} B/s, {:.0} % of the wire, {left:.0} s left",
            100.0 * rate / wire
        ));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
