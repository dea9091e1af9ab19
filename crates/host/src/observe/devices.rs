//! The device files through which a VF can be held from user space.

use accelnet_pci::{PciVf, Root};

/// The device files of one VF: its vfio group, its vfio device, uio, RDMA.
pub fn of(root: &Root, vf: &PciVf) -> Vec<String> {
    let mut files = Vec::new();
    if let Some(group) = vf.iommu_group.present() {
        files.push(format!("/dev/vfio/{group}"));
        files.push(format!("/dev/vfio/noiommu-{group}"));
    }
    let below = |class: &str, place: &str| {
        let names = root.names(&format!("/sys/bus/pci/devices/{}/{class}", vf.address));
        let names = names.unwrap_or_default().into_iter();
        names.map(|name| format!("{place}/{name}")).collect()
    };
    let folders: [Vec<String>; 3] = [
        below("vfio-dev", "/dev/vfio/devices"),
        below("uio", "/dev"),
        below("infiniband_verbs", "/dev/infiniband"),
    ];
    files.extend(folders.into_iter().flatten());
    files
}
