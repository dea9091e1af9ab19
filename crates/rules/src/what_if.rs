//! What if: the capacity of a cluster that a file describes, and of one that runs.

mod file;
mod judge;
mod outlook;

pub use file::{AdapterFile, AskFile, ClusterFile, FigureFile, FiguresFile, NodeFile, VmFile};
pub use judge::{Wrong, judge};
pub use outlook::{AcceleratedVm, InUse, failover_shortage, outlook};

pub(crate) use outlook::placed;

#[cfg(test)]
mod tests;
