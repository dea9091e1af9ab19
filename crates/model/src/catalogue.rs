//! The catalogue: what every code says, needs and advises.
//!
//! One table per floor: the document's own codes, the ones that Linux adds for a node, for
//! an adapter, those of a change that did not go through, those of an agent, and of admission.

mod adapter;
mod agent;
mod capacity;
mod change;
mod cluster;
mod document;
mod platform;

use crate::Code;

/// What is known of one code.
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
    pub stands_under: Option<Code>,
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

/// What the catalogue says of `code`.
pub fn entry(code: Code) -> &'static Entry {
    all()
        .find(|entry| entry.code == code)
        .unwrap_or(&document::UNLISTED)
}

/// Whether the document that accelnet is based on has `code`.
pub fn is_of_document(code: Code) -> bool {
    document::ENTRIES.iter().any(|entry| entry.code == code)
}

impl Entry {
    /// `text`, one of this entry's, with words such as NAME for its names.
    pub fn named(&self, text: &str) -> String {
        crate::problem::fill(text, self.names)
    }

    /// Whether `needed` says more than this entry does.
    pub fn needs_more(&self, needed: &str) -> bool {
        needed != self.needed
    }
}

/// Every entry.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    [
        document::ENTRIES,
        platform::ENTRIES,
        adapter::ENTRIES,
        change::ENTRIES,
        agent::ENTRIES,
        capacity::ENTRIES,
        cluster::ENTRIES,
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests;
