//! What is observed of the node, and read anew when.

pub(crate) mod bindings;
pub(crate) mod observer;
pub(crate) mod snapshot;

pub(crate) use bindings::Bindings;
pub(crate) use observer::Observer;
pub(crate) use snapshot::Snapshot;
