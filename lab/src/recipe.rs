//! What the lab's image is made of. Its hash names the artifacts: change anything here, and the next
//! use builds again.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use crate::error::{Result, io};

/// Raised when the code around the recipe changes what it makes.
const FORMAT: u32 = 2;

/// The lowest QEMU that emulates the igb well enough, as Debian writes it.
pub(crate) const QEMU: &str = "1:10.0";

/// The sources whose packages come from backports, where the release's own are too old.
pub(crate) const LATE: &[&str] = &[
    "src:qemu",
    "src:seabios",
    "src:libvirt",
    "src:mmdebstrap",
    "src:linux",
    "src:linux-signed-amd64",
];

/// A node's packages.
pub(crate) const NODE: &[&str] = &[
    "systemd-sysv",
    "udev",
    "kmod",
    "iproute2",
    "iputils-ping",
    "pciutils",
    "ethtool",
    "procps",
    "ca-certificates",
    "dbus",
    "openssh-server",
    "python3-minimal",
    "busybox-static",
    "tcpdump",
    "qemu-system-x86",
    "libvirt-daemon-system",
    "libvirt-clients",
    "etcd-server",
    "etcd-client",
    "network-manager",
    "isc-dhcp-client",
    "nftables",
    "iptables",
    "apparmor",
];

/// The package that depends on the newest kernel.
pub(crate) const KERNEL: &str = "linux-image-amd64";

/// What a node's initramfs loads: the way to its root disk, and its NICs.
pub(crate) const NODE_MODULES: &[&str] = &[
    "virtio_blk",
    "crc32c_generic",
    "crc32c-intel",
    "ext4",
    "virtio_net",
    "igb",
];

/// What a nested VM's initramfs holds.
pub(crate) const VM_MODULES: &[&str] = &[
    "af_packet",
    "ipv6",
    "virtio_pci",
    "virtio_net",
    "net_failover",
    "igbvf",
    "virtio_console",
];

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../recipe/", $path)))),*]
    };
}

const FILES: &[(&str, &str)] = files![
    "customize.sh",
    "init-node.sh",
    "init-vm.sh",
    "initramfs.sh",
    "kernel.sh",
    "seal.sh",
    "vm/bin/agent.sh",
    "vm/bin/udhcpc.sh",
    "rootfs/etc/fstab",
    "rootfs/etc/hostname",
    "rootfs/etc/hosts",
    "rootfs/etc/modules-load.d/kvm.conf",
    "rootfs/etc/systemd/network/10-mgmt.network",
    "rootfs/etc/systemd/network/99-default.link",
    "rootfs/etc/systemd/system/host.mount",
    "rootfs/etc/systemd/system/lab-ready.service",
    "rootfs/etc/udev/rules.d/70-names.rules",
];

/// The name of what this recipe makes on this Debian release.
pub(crate) fn hash(release: &str) -> String {
    let mut hasher = DefaultHasher::new();
    (
        FORMAT,
        release,
        LATE,
        NODE,
        KERNEL,
        NODE_MODULES,
        VM_MODULES,
        FILES,
    )
        .hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Writes the recipe's files below `folder`.
pub(crate) fn write_to(folder: &Path) -> Result<()> {
    for (path, text) in FILES {
        let path = folder.join(path);
        let failed = || io(format!("write {}", path.display()));
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed())?;
        }
        fs::write(&path, text).map_err(failed())?;
        if path.starts_with(folder.join("vm")) {
            fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))
                .map_err(failed())?;
        }
    }
    Ok(())
}
