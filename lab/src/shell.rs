//! A node for the developer: boot it, inspect it, and it is gone.

use crate::error::Result;
use crate::node::{Node, accelnet_binary};
use crate::topologies;

/// Boots the topology of this name and gives a shell in it, until the shell ends. The node has the
/// `accelnet` that was built last, if any.
///
/// # Errors
/// When there is no such topology, or as [`Node::boot`].
pub fn shell(name: &str) -> Result<()> {
    let topology = topologies::named(name)?;
    eprintln!("lab: booting {}: {}", topology.name(), topology.about());
    let node = match accelnet_binary() {
        Ok(accelnet) => Node::boot_with(&topology, &[accelnet])?,
        Err(error) => {
            eprintln!("lab: no accelnet in the node: {error}");
            Node::boot(&topology)?
        }
    };
    eprintln!("{}\nThe node is gone when this shell ends.", node.access());
    node.interact()
}
