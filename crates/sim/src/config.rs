//! Builds the configuration space of a PCI function, capability by capability.

mod builder;
mod capabilities;

pub use builder::ConfigBuilder;
pub use capabilities::{Express, Sriov};

#[cfg(test)]
mod tests;
