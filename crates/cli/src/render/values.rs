//! Observed values.

use accelnet_model::Observed;

/// A known value in words, or why it is not known.
pub(super) fn shown<T>(value: &Observed<T>, words: impl FnOnce(&T) -> String) -> String {
    match value {
        Observed::Known(value) => words(value),
        Observed::Unknown(reason) => format!("unknown: {reason}"),
    }
}

/// A value that may not be there, in words.
pub(super) fn shown_or<T>(
    value: &Observed<Option<T>>,
    without: &str,
    words: impl FnOnce(&T) -> String,
) -> String {
    shown(value, |value| {
        value.as_ref().map_or_else(|| without.to_owned(), words)
    })
}
