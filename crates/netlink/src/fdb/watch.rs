//! Which forwarding entries are reported.

use accelnet_model::Mac;

/// What is reported; the kernel drops all else before it wakes the listener.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FdbWatch {
    /// The bridges, by index.
    pub bridges: Vec<u32>,
    /// Their ports behind which only `macs` are reported, by index: those that lead outside.
    pub outside: Vec<u32>,
    /// The MACs that are reported wherever they turn up.
    pub macs: Vec<Mac>,
}
