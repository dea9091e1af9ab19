//! The agent of a node.
pub mod vf_change;
