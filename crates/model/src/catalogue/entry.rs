//! One entry of the catalogue.

use crate::Code;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The code.
    pub code: Code,
    /// Exit status of a command that ends with it; unique, and never changed.
    pub exit_status: u8,
    /// HTTP status of an answer that carries it.
    pub http_status: u16,
    /// Whether it stops anything.
    pub severity: Severity,
    /// The document's code that it is a case of: a check that fails with this one is the
    /// check that the document knows by that one.
    pub case_of: Option<Code>,
    /// The sentence; `{0}`, `{1}` stand for names.
    pub sentence: &'static str,
    /// Words for `{0}`, `{1}` where the entry is printed without a case.
    pub names: &'static [&'static str],
    /// What is found when it is raised.
    pub found: &'static str,
    /// What is needed instead.
    pub needed: &'static str,
    /// What to do.
    pub resolution: &'static str,
}

/// Whether a code stops what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It does.
    Error,
    /// It does not; it costs something or may.
    Warning,
}

impl Entry {
    /// `text`, one of this entry's, with words such as NAME for its names.
    pub fn named(&self, text: &str) -> String {
        crate::problem::fill(text, self.names)
    }

    /// Whether `needed` reports more than this entry does.
    pub fn needs_more(&self, needed: &str) -> bool {
        needed != self.needed
    }
}
