//! Nodes that never existed: generated sysfs trees and configuration spaces.
//!
//! For tests and benchmarks: a [`Tree`](tree::Tree) describes a node in a few lines and
//! writes what its kernel would show.

pub mod config;
pub mod tree;

pub use config::ConfigBuilder;
pub use tree::{AdapterSpec, Port, SimNode, Tree};
