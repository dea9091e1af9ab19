//! What a node is beside its adapters: kernel, CPUs, virtualization.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Observed;
use crate::firewall::BridgeFilter;

/// The hardware and software of a node that VFs depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Platform {
    /// Architecture.
    #[serde(default)]
    pub architecture: Architecture,
    /// Parameters of the running kernel that concern IOMMUs and PCI.
    #[serde(default)]
    pub kernel_parameters: Vec<String>,
    /// Running kernel.
    pub kernel: Observed<Kernel>,
    /// Kernel lockdown (`/sys/kernel/security/lockdown`); none if the kernel does not support it.
    pub lockdown: Observed<Option<Lockdown>>,
    /// CPU topology.
    pub cpu: Observed<Cpu>,
    /// Simultaneous multithreading.
    pub smt: Observed<Smt>,
    /// IOMMU.
    pub iommu: Observed<Iommu>,
    /// KVM.
    pub kvm: Observed<Kvm>,
    /// vfio-pci.
    pub vfio: Observed<Vfio>,
    /// libvirt.
    pub libvirt: Observed<Libvirt>,
    /// QEMU; none if not installed.
    pub qemu: Observed<Option<Version>>,
    /// Whether the security policies of the node allow libvirt's hook to run.
    #[serde(default = "unseen")]
    pub hook: Observed<HookAccess>,
    /// What decides whether bridges forward. It is not part of what is shown and reported: a firewall can
    /// have tens of thousands of rules.
    #[serde(skip, default = "not_kept")]
    pub bridge_filter: Observed<BridgeFilter>,
}

/// What a node that was reported or shown has instead of its [`BridgeFilter`].
pub fn not_kept() -> Observed<BridgeFilter> {
    Observed::unknown("it is not part of a report")
}

/// Of a report of an earlier release.
fn unseen() -> Observed<HookAccess> {
    Observed::Known(HookAccess::default())
}

impl Platform {
    /// A platform of which nothing is known, for one `reason`.
    pub fn unknown(reason: &str) -> Self {
        Platform {
            architecture: Architecture::default(),
            kernel_parameters: Vec::new(),
            kernel: Observed::unknown(reason),
            lockdown: Observed::unknown(reason),
            cpu: Observed::unknown(reason),
            smt: Observed::unknown(reason),
            iommu: Observed::unknown(reason),
            kvm: Observed::unknown(reason),
            vfio: Observed::unknown(reason),
            libvirt: Observed::unknown(reason),
            qemu: Observed::unknown(reason),
            bridge_filter: Observed::unknown(reason),
            hook: Observed::unknown(reason),
        }
    }
}

/// The architecture of a machine, and on x86 the vendor of its processors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
    /// x86-64 with processors by Intel.
    Intel,
    /// x86-64 with processors by AMD or Hygon.
    Amd,
    /// x86-64 of another or an unknown vendor.
    X86,
    /// 64-bit Arm.
    Arm64,
    /// 64-bit POWER.
    Ppc64,
    /// IBM Z.
    S390x,
    /// Any other, or unknown.
    #[default]
    #[serde(other)]
    Other,
}

/// What prevents libvirt's hook from running.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct HookAccess {
    /// The program that the installed hook calls; none where no hook is installed.
    pub program: Option<String>,
    /// Enforced AppArmor profiles of libvirt's daemons that do not let it run.
    pub apparmor: Vec<String>,
    /// SELinux is enforcing, and its boolean for hooks is off.
    pub selinux: bool,
}

/// The running kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Kernel {
    /// Full release, as `uname -r` prints it.
    pub release: String,
    /// Its numbers.
    pub version: Version,
}

/// Kernel lockdown level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Lockdown {
    /// Off.
    None,
    /// The running kernel may not be changed: PCI configuration space of devices cannot
    /// be written from user space.
    Integrity,
    /// The kernel's memory may not be read either.
    Confidentiality,
}

/// CPU topology.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Cpu {
    /// Model name.
    pub model: String,
    /// Sockets with a CPU that is online.
    pub sockets: u32,
    /// Physical cores online, over all sockets.
    pub cores: u32,
    /// Logical CPUs online.
    pub threads: u32,
}

/// Simultaneous multithreading (hyperthreading), from `/sys/devices/system/cpu/smt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Smt {
    /// Threads share cores now.
    On,
    /// The CPUs could, and it is switched off, or only one thread a core is online.
    Off,
    /// The CPUs cannot.
    NotSupported,
}

impl Smt {
    /// Whether threads share cores now.
    pub fn is_on(self) -> bool {
        self == Smt::On
    }
}

/// The IOMMUs of the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Iommu {
    /// Names of the IOMMUs under `/sys/class/iommu`.
    pub units: Vec<String>,
    /// Number of IOMMU groups.
    pub groups: u32,
    /// Number of groups that vfio created for devices without an IOMMU (`vfio-noiommu`): they do not isolate devices.
    #[serde(default)]
    pub unsafe_groups: u32,
}

impl Iommu {
    /// Devices can be given away only where an IOMMU has groups.
    pub fn is_on(&self) -> bool {
        self.groups > self.unsafe_groups
    }
}

/// Whether KVM can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Kvm {
    /// `/dev/kvm` opens and speaks the stable API.
    Usable {
        /// The KVM module, such as `kvm_intel` or `kvm_amd`, if it is known.
        module: Option<String>,
    },
    /// `/dev/kvm` does not exist.
    Missing {
        /// The reason, as far as it is known.
        reason: String,
    },
    /// `/dev/kvm` exists and does not work.
    Broken {
        /// The error.
        reason: String,
    },
}

/// The state of vfio-pci.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Vfio {
    /// The driver is registered.
    Loaded,
    /// The module is installed for the running kernel and is loaded when needed.
    Available,
    /// Neither.
    Missing,
}

/// Whether libvirt answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Libvirt {
    /// Its daemon answers.
    Running {
        /// The daemon's version.
        version: Version,
    },
    /// It is installed, but its daemon does not answer.
    NotRunning {
        /// libvirt's error.
        reason: String,
    },
    /// It is not installed.
    Missing,
}

/// A version of three numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version {
    /// First number.
    pub major: u32,
    /// Second number.
    pub minor: u32,
    /// Third number.
    pub patch: u32,
}

impl Version {
    /// A version from its numbers.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Version {
            major,
            minor,
            patch,
        }
    }

    /// From libvirt's form: `major * 1_000_000 + minor * 1_000 + patch`.
    pub fn from_libvirt(number: u64) -> Self {
        let part = |divisor: u64| (number / divisor % 1_000) as u32;
        Version::new((number / 1_000_000) as u32, part(1_000), part(1))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The text does not begin with a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} does not begin with a version like 6.12.3")]
pub struct NotAVersion(pub String);

impl FromStr for Version {
    type Err = NotAVersion;

    /// Reads the numbers that `text` begins with; what follows them is a vendor's.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || NotAVersion(text.to_owned());
        let mut numbers = [0u32; 3];
        let mut rest = text;
        for (place, number) in numbers.iter_mut().enumerate() {
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            if digits == 0 {
                match place {
                    0 => return Err(wrong()),
                    _ => break,
                }
            }
            *number = rest[..digits].parse().map_err(|_| wrong())?;
            match rest[digits..].strip_prefix('.') {
                Some(after) => rest = after,
                None => break,
            }
        }
        let [major, minor, patch] = numbers;
        Ok(Version::new(major, minor, patch))
    }
}

impl TryFrom<String> for Version {
    type Error = NotAVersion;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

#[cfg(test)]
mod tests;
