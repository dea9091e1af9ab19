//! How answers look to people.

mod adapter;
mod changed;
mod checks;
pub mod documentation;
mod entries;
mod node;
mod problem;
mod progress;
mod table;

pub use adapter::{AdapterSummary, adapter, adapters};
pub use changed::changed;
pub use checks::checks;
pub use entries::{entries, entry, severity};
pub use node::node;
pub use problem::problem;
pub use progress::ProgressLine;

use accelnet_model::Observed;

/// A known value in words, or why it is not known.
fn shown<T>(value: &Observed<T>, words: impl FnOnce(&T) -> String) -> String {
    match value {
        Observed::Known(value) => words(value),
        Observed::Unknown(reason) => format!("unknown: {reason}"),
    }
}

/// A value that may not be there, in words.
fn shown_or<T>(
    value: &Observed<Option<T>>,
    without: &str,
    words: impl FnOnce(&T) -> String,
) -> String {
    shown(value, |value| {
        value.as_ref().map_or_else(|| without.to_owned(), words)
    })
}
