//! The progress line of a change, on a terminal.

use std::time::Duration;

use accelnet_host::execute::Progress;
use indicatif::{ProgressBar, ProgressStyle};

/// A line on standard error that reports what is waited for, and for how long at most.
pub struct ProgressLine {
    bar: ProgressBar,
    within: Duration,
}

impl ProgressLine {
    /// A line that shows only if `shown`.
    pub fn new(shown: bool, within: Duration) -> Self {
        let bar = match shown {
            true => ProgressBar::new_spinner(),
            false => ProgressBar::hidden(),
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        ProgressLine { bar, within }
    }

    /// Shows how far it is.
    pub fn show(&self, progress: Progress<'_>) {
        self.bar.set_message(format!(
            "{}: {} created, {} ready; timeout after {} s",
            progress.step,
            progress.there,
            progress.ready,
            self.within.as_secs()
        ));
        self.bar.tick();
    }

    /// Takes the line away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}
