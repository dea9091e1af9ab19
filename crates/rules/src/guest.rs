//! Which system a guest is, and whether it can use a VF beside its vNIC.

use accelnet_model::platform::Version;
use accelnet_model::{Code, Problem};

/// The first Linux with net_failover.
const FAILOVER: Version = Version::new(4, 18, 0);

/// Linux distributions: ids in os-release and, with a dot, hosts of libosinfo's URLs.
const LINUX: [&str; 48] = [
    "alma",
    "almalinux",
    "almalinux.org",
    "alpine",
    "alpinelinux.org",
    "alt",
    "altlinux.org",
    "amzn",
    "arch",
    "archlinux",
    "archlinux.org",
    "centos",
    "centos.org",
    "cirros",
    "cirros-cloud.net",
    "debian",
    "debian.org",
    "elementary.io",
    "fedora",
    "fedoraproject.org",
    "gentoo",
    "gentoo.org",
    "kali",
    "linuxmint",
    "mageia",
    "mageia.org",
    "manjaro",
    "manjaro.org",
    "nixos",
    "nixos.org",
    "ol",
    "openeuler",
    "opensuse",
    "opensuse.org",
    "opensuse-leap",
    "opensuse-tumbleweed",
    "oracle.com/ol",
    "raspbian",
    "redhat.com",
    "rhel",
    "rocky",
    "rockylinux.org",
    "sles",
    "suse.com",
    "ubuntu",
    "ubuntu.com",
    "voidlinux.org",
    "libosinfo.org/linux",
];
/// Windows, likewise.
const WINDOWS: [&str; 2] = ["mswindows", "microsoft.com"];

/// A guest's system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum System {
    /// Linux, with its kernel's release where that is known.
    Linux(Option<String>),
    /// Windows.
    Windows,
    /// Another one, by its name.
    Other(String),
}

impl System {
    /// The system that a guest agent reports: id, release and version of its kernel
    /// (`guest-get-osinfo`). A version that begins with `#` is Linux's.
    pub fn of_agent(id: &str, release: &str, version: &str) -> Self {
        let known = |list: &[&str]| list.contains(&id);
        match () {
            () if known(&WINDOWS) => System::Windows,
            () if known(&LINUX) || version.starts_with('#') => {
                System::Linux(Some(release.to_owned()).filter(|release| !release.is_empty()))
            }
            () if id.is_empty() => System::Other("a system without a name".to_owned()),
            () => System::Other(format!("{id} {release}").trim().to_owned()),
        }
    }

    /// The system that libosinfo's metadata names, such as `http://debian.org/debian/13`.
    pub fn of_url(url: &str) -> Self {
        let path = url.split_once("://").map_or(url, |(_, path)| path);
        let path = path.strip_prefix("www.").unwrap_or(path);
        let host = path.split('/').next().unwrap_or(path);
        let known = |list: &[&str]| {
            let mut names = list.iter().filter(|name| name.contains('.'));
            names.any(|name| match name.contains('/') {
                true => path.starts_with(name),
                false => host == *name,
            })
        };
        match () {
            () if known(&WINDOWS) => System::Windows,
            () if known(&LINUX) => System::Linux(None),
            () => System::Other(path.to_owned()),
        }
    }
}

/// The warning about the guest of `vm`; none where it is known to use a VF beside its vNIC.
pub fn warning(vm: &str, system: &System) -> Option<Problem> {
    let warn = |found: String| Problem::new(Code::GuestUnknown, &[vm], found);
    match system {
        System::Linux(None) => None,
        System::Linux(Some(release)) => {
            let old = release.parse().is_ok_and(|version: Version| version < FAILOVER);
            old.then(|| warn(format!("The guest runs Linux {release}, which has no net_failover.")))
        }
        // NetKVM's documentation (virtio-win, kvm-guest-drivers-windows): failover since 2020.
        System::Windows => Some(
            warn(
                "The guest is Windows: while its vNIC has the failover feature, virtio-win's NetKVM reports no link until the protocol VIOPROT is installed and bound to the VF."
                    .to_owned(),
            )
            .resolution(
                "Install VIOPROT in the guest first ('netcfg -v -l vioprot.inf -c p -i VIOPROT'). It binds to the VFs of a list (Intel 82576, 82599, X540, X552, 700 series, a few of Mellanox and Broadcom); add others in the guest's registry, as NetKVM's documentation shows.",
            ),
        ),
        // VTNET_COMMON_FEATURES (sys/dev/virtio/network/if_vtnetvar.h) has no VIRTIO_NET_F_STANDBY.
        System::Other(name) if name.starts_with("freebsd") => Some(
            warn(format!(
                "The guest is FreeBSD ({name}): its vtnet driver does not support failover, so the VM stays on its software path."
            ))
            .resolution("No change is required: the software path carries the traffic of the VM."),
        ),
        System::Other(name) => Some(warn(format!(
            "The guest is {name}, which has no known failover driver."
        ))),
    }
}

#[cfg(test)]
mod tests;
