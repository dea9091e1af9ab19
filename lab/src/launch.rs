//! A node that boots by itself.

use std::path::PathBuf;

use crate::error::Result;
use crate::image::build;
use crate::node::Node;
use crate::qemu::Seat;
use crate::slots::Slot;
use crate::topology::Topology;

impl Node {
    /// Builds the artifacts if need be, waits for a free place on the machine, boots the node and
    /// waits until it can be used.
    ///
    /// # Errors
    /// When the artifacts cannot be built, QEMU ends, or the node is not up in time; the text holds the
    /// end of its console.
    pub fn boot(topology: &Topology) -> Result<Self> {
        Self::boot_with(topology, &[])
    }

    /// As [`Node::boot`], with these programs of the host on the node's path.
    ///
    /// # Errors
    /// As [`Node::boot`], and when a program is not there.
    pub fn boot_with(topology: &Topology, programs: &[PathBuf]) -> Result<Self> {
        let artifacts = build()?;
        let slot = Slot::take()?;
        Self::boot_at(topology, artifacts, Seat::default(), Some(slot), programs)
    }
}
