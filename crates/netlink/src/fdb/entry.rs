//! One forwarding entry.

use accelnet_model::Mac;

/// Why an entry is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FdbKind {
    /// The link's own filter has the MAC (`self`).
    Filter,
    /// The MAC is the bridge's own, or the port's.
    Local,
    /// The bridge learned the MAC behind the port, or a program added it.
    Learned,
}

/// One forwarding entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FdbEntry {
    /// Index of the link: the port, or the link whose filter has the MAC.
    pub link: u32,
    /// Index of the bridge; none for a link's own filter.
    pub bridge: Option<u32>,
    /// The MAC.
    pub mac: Mac,
    /// The VLAN; 0 without one.
    pub vlan: u16,
    /// Why it is there.
    pub kind: FdbKind,
}
