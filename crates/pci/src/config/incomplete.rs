//! Why something in a configuration space cannot be determined.

use crate::read_error::ReadError;

/// Whether something is there cannot be determined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    /// What was read ends too early. Linux shows ordinary users 64 bytes
    /// (`pci_read_config` in `drivers/pci/pci-sysfs.c`).
    #[error("only the first {read} bytes of the configuration space may be read (needs root)")]
    Truncated {
        /// Bytes that can be read.
        read: u16,
    },
    /// A PCI Express function of which only 256 bytes can be reached.
    #[error("the extended configuration space cannot be reached (no memory-mapped access)")]
    NoExtendedSpace,
    /// All ones: the function is switched off, resets, or is gone.
    #[error("the device does not answer (its status register reads as all ones)")]
    NoAnswer,
    /// The list of capabilities does not end well, so what is not found may still be there.
    #[error("the list of capabilities is broken at {at:#x}: {how}")]
    Broken {
        /// Offset of the entry that is wrong or points wrongly.
        at: u16,
        /// What is wrong with it.
        how: Breakage,
    },
    /// The configuration space cannot be read.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
}

/// How a list of capabilities is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Breakage {
    /// It comes back to an entry that was there before.
    #[error("it comes back to itself")]
    Loop,
    /// A pointer leads into the header.
    #[error("it points into the header")]
    IntoHeader,
    /// A pointer leads to where nothing answers.
    #[error("no device answers")]
    Void,
    /// A capability reaches past the end of its space.
    #[error("it reaches past the end of the space")]
    PastEnd,
}
