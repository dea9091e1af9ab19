//! Memory of a node and of a VM's process.

use serde::{Deserialize, Serialize};

/// Memory of a node, in MiB.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeMemory {
    /// All of it (`MemTotal`).
    pub total_mib: u64,
    /// What processes can still have without swapping (`MemAvailable`).
    pub available_mib: u64,
    /// The default size of a huge page, in KiB.
    pub default_hugepage_kib: u64,
    /// Huge pages that no process has or was promised.
    pub free_hugepages: Vec<FreeHugepages>,
}

/// The free huge pages of one size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreeHugepages {
    /// Size of a page, in KiB.
    pub size_kib: u64,
    /// All of them together, in MiB.
    pub free_mib: u64,
}

/// Memory of the process that a VM runs in, in MiB.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessMemory {
    /// Resident, without huge pages of the pool (`VmRSS`).
    pub resident_mib: u64,
    /// Of that, merged with pages of other processes by KSM.
    pub merged_mib: u64,
}
