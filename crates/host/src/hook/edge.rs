//! What the hook uses of the node.

use accelnet_pci::Root;

use crate::{Knobs, Links};

/// What the hook reads and changes.
#[derive(Clone, Copy)]
pub struct Edge<'a> {
    /// What is read and written lies below it.
    pub root: &'a Root,
    /// Links and VFs.
    pub links: &'a dyn Links,
    /// Who holds a VF.
    pub knobs: &'a dyn Knobs,
}
