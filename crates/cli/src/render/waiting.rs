//! The line on a terminal while an agent works.

use std::time::Duration;

use accelnet_model::outside;
use indicatif::{ProgressBar, ProgressStyle};

/// How often the line moves.
const TICK: Duration = Duration::from_millis(120);

/// A line on standard error that reports what is waited for, and for how long by now.
pub struct Waiting {
    bar: ProgressBar,
}

impl Waiting {
    /// Shows the line, if `shown`.
    pub fn begin(shown: bool, what: &str) -> Self {
        if !shown {
            return Waiting {
                bar: ProgressBar::hidden(),
            };
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(outside::short(what, 80));
        bar.enable_steady_tick(TICK);
        Waiting { bar }
    }

    /// Takes the line away.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}
