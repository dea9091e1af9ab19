//! The demonstration: a cluster of nodes that never existed, with real agents, one store, their
//! sockets and this command line.
//!
//! [`cluster`] starts it, [`tasks`] is what the document does on it, as data, and [`walk`]
//! does that and shows what came of it.

pub mod cluster;
pub mod line;
mod tasks;
pub mod walk;

#[cfg(test)]
mod tests;
