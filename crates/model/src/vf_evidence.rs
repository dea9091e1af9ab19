//! Whether a running VM's guest has its VF, as the host sees it. The domain's XML is no evidence: it
//! lists a VF that QEMU hides, refuses, or that no driver of the guest works.

use crate::Observed;

/// What the host shows of one VF and the VM that libvirt gave it to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VfEvidence {
    /// Whether the VM's QEMU process has the VF open.
    pub held: Observed<Holding>,
    /// Bus Master Enable of the VF's PCI command register: the guest's driver sets it, whatever the
    /// operating system, and QEMU's reset and vfio clear it.
    pub bus_master: Observed<bool>,
}

/// Whether a QEMU process has a VF open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holding {
    /// Through the device file that is named, such as `/dev/vfio/12`.
    Held(String),
    /// It has none of the VF's device files open.
    NotHeld,
}
