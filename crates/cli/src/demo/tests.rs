//! The demonstration's cluster, asked from a node that has no VM.

mod everywhere;
mod wire;
