//! Values of options.

use clap::builder::NonEmptyStringValueParser;

/// A name, which is not empty.
pub(super) fn filled() -> NonEmptyStringValueParser {
    NonEmptyStringValueParser::new()
}
