//! The capabilities that matter for virtual functions, register by register.

use super::ConfigBuilder;

/// A PCI Express capability, version 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Express {
    /// Device or port type: 0 endpoint, 4 root port, 5 upstream, 6 downstream.
    pub port_type: u8,
    /// Link speed at most and now: 1 for 2.5 GT/s, 2 for 5, 3 for 8, 4 for 16.
    pub speed: u8,
    /// Lanes at most and now.
    pub lanes: u8,
    /// Number of the slot below.
    pub slot: Option<u16>,
    /// The port can forward to functions past 7, and does.
    pub ari_forwarding: bool,
}

/// An SR-IOV capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sriov {
    /// Control register: bit 0 VF enable, bit 3 memory space enable.
    pub control: u16,
    /// InitialVFs.
    pub initial_vfs: u16,
    /// TotalVFs.
    pub total_vfs: u16,
    /// NumVFs.
    pub num_vfs: u16,
    /// First VF offset.
    pub offset: u16,
    /// VF stride.
    pub stride: u16,
    /// Device id of the VFs.
    pub vf_device: u16,
    /// Supported page sizes.
    pub page_sizes: u32,
    /// VF BAR registers.
    pub bars: [u32; 6],
}

impl ConfigBuilder {
    /// Adds a PCI Express capability.
    #[must_use]
    pub fn express(self, offset: u8, express: &Express) -> Self {
        let mut body = [0; 0x3a];
        let mut put = |register: usize, bytes: &[u8]| {
            body[register - 2..][..bytes.len()].copy_from_slice(bytes);
        };
        let slot = u8::from(express.slot.is_some());
        put(0x02, &[express.port_type << 4 | 2, slot]);
        let link = u16::from(express.lanes) << 4 | u16::from(express.speed);
        put(0x0c, &link.to_le_bytes());
        put(0x12, &link.to_le_bytes());
        put(0x16, &(express.slot.unwrap_or(0) << 3).to_le_bytes());
        let ari = u8::from(express.ari_forwarding) << 5;
        put(0x24, &[ari]);
        put(0x28, &[ari]);
        self.capability(offset, 0x10, &body)
    }

    /// Adds an MSI-X capability with a table of `vectors`, 1..=2048.
    #[must_use]
    pub fn msix(self, offset: u8, vectors: u16, enabled: bool) -> Self {
        let control = vectors.saturating_sub(1) & 0x7ff | u16::from(enabled) << 15;
        let mut body = [0; 10];
        body[..2].copy_from_slice(&control.to_le_bytes());
        self.capability(offset, 0x11, &body)
    }

    /// Adds access control services: those that the port has, and those that are on.
    #[must_use]
    pub fn acs(self, offset: u16, capable: u16, enabled: u16) -> Self {
        let [a, b] = capable.to_le_bytes();
        let [c, d] = enabled.to_le_bytes();
        self.extended(offset, 0x0d, 1, &[a, b, c, d])
    }

    /// Adds alternative routing-ID interpretation.
    #[must_use]
    pub fn ari(self, offset: u16, next_function: u8) -> Self {
        self.extended(offset, 0x0e, 1, &[0, next_function, 0, 0])
    }

    /// Adds advanced error reporting, all quiet.
    #[must_use]
    pub fn aer(self, offset: u16) -> Self {
        self.extended(offset, 0x01, 2, &[0; 0x44])
    }

    /// Adds SR-IOV.
    #[must_use]
    pub fn sriov(self, offset: u16, sriov: &Sriov) -> Self {
        let mut body = [0; 0x3c];
        let mut put = |register: usize, bytes: &[u8]| {
            body[register - 4..][..bytes.len()].copy_from_slice(bytes);
        };
        put(0x08, &sriov.control.to_le_bytes());
        put(0x0c, &sriov.initial_vfs.to_le_bytes());
        put(0x0e, &sriov.total_vfs.to_le_bytes());
        put(0x10, &sriov.num_vfs.to_le_bytes());
        put(0x14, &sriov.offset.to_le_bytes());
        put(0x16, &sriov.stride.to_le_bytes());
        put(0x1a, &sriov.vf_device.to_le_bytes());
        put(0x1c, &sriov.page_sizes.to_le_bytes());
        put(0x20, &1u32.to_le_bytes());
        for (register, bar) in (0x24..).step_by(4).zip(sriov.bars) {
            put(register, &bar.to_le_bytes());
        }
        self.extended(offset, 0x10, 1, &body)
    }
}
