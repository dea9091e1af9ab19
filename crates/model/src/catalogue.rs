//! The catalogue: message, requirement and remedy of every code.
//!
//! One table per floor: the document's own codes, the ones that Linux adds for a node, for
//! an adapter, those of a change that did not go through, those of an agent, and of admission.

mod adapter;
mod agent;
mod capacity;
mod change;
mod cluster;
mod document;
mod entry;
mod platform;
mod request;
mod vm;

use crate::Code;

pub use entry::{Entry, Severity};

/// The entry of `code`.
pub fn entry(code: Code) -> &'static Entry {
    all()
        .find(|entry| entry.code == code)
        .unwrap_or(&document::UNLISTED)
}

/// Whether the document that accelnet is based on has `code`.
pub fn is_of_document(code: Code) -> bool {
    document::ENTRIES.iter().any(|entry| entry.code == code)
}

/// Every entry.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    [
        document::ENTRIES,
        platform::ENTRIES,
        adapter::ENTRIES,
        change::ENTRIES,
        request::ENTRIES,
        vm::ENTRIES,
        agent::ENTRIES,
        capacity::ENTRIES,
        cluster::ENTRIES,
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests;
