//! What is reported about domains and networks beside their definitions.

/// A virtual network of libvirt's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VirtualNetwork {
    /// Name, unique on its node.
    pub name: String,
    /// UUID, with hyphens.
    pub uuid: String,
    /// Whether it runs.
    pub active: bool,
    /// Whether its definition survives a stop.
    pub persistent: bool,
    /// Whether it starts with libvirt.
    pub autostart: bool,
    /// Its XML: of an active one what runs.
    pub xml: String,
}

/// What is saved of a domain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SavedState {
    /// Whether it would resume from a saved image at its next start, with the devices that
    /// it had then.
    pub managed_save: bool,
    /// Number of its snapshots.
    pub snapshots: u32,
}

/// Which side of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What runs.
    Live,
    /// What it starts with next time.
    Config,
}
