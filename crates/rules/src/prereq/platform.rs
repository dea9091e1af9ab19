//! A node's machine and software, and their summary.

use accelnet_model::check::{CheckName, Row};
use accelnet_model::platform::{Architecture, Kvm, Libvirt, Lockdown, Version, Vfio};
use accelnet_model::{Check, Code, Node, Observed, Problem};

use super::{advice, models};
use crate::software_path::{self, Forwarding};

/// Oldest kernel: the first that names the PCI device behind a link of another network
/// namespace (`IFLA_PARENT_DEV_NAME`, Linux 5.14).
pub const MINIMUM_KERNEL: Version = Version::new(5, 14, 0);
/// Oldest libvirt: the first with `<teaming>` (7.1.0).
pub const MINIMUM_LIBVIRT: Version = Version::new(7, 1, 0);
/// Oldest QEMU: the first with virtio-net failover (4.2.0).
pub const MINIMUM_QEMU: Version = Version::new(4, 2, 0);

/// The libvirt whose daemon crashes when an interface of a hostdev network is attached to a running VM:
/// v12.1.0 (2026-03-02) brought the fault in with IOMMUFD for host devices, and v12.2.0 (2026-04-01)
/// repaired it (libvirt's NEWS.rst, "Bug fixes" of v12.2.0).
pub const FAULTY_LIBVIRT: Version = Version::new(12, 1, 0);

/// One row a requirement, then the platform as a whole.
pub fn judge(node: &Node) -> Vec<Check> {
    let name = node.display_name();
    let row = |check| Row {
        name: check,
        node: name,
        subject: name,
    };
    let mut rows = vec![
        kernel(node, row(CheckName::Kernel)),
        lockdown(node, row(CheckName::Lockdown)),
        kvm(node, row(CheckName::Kvm)),
        iommu(node, row(CheckName::Iommu)),
        vfio(node, row(CheckName::Vfio)),
        libvirt(node, row(CheckName::Libvirt)),
        qemu(node, row(CheckName::Qemu)),
        forwarding(node, row(CheckName::SoftwarePath)),
        hook(node, row(CheckName::Hook)),
    ];
    rows.push(whole(&rows, node.is_copy, row(CheckName::Platform)));
    rows
}

fn kernel(node: &Node, row: Row<'_>) -> Check {
    match &node.platform.kernel {
        Observed::Unknown(reason) => row.unknown("the kernel's release", reason),
        Observed::Known(kernel) if kernel.version >= MINIMUM_KERNEL => {
            row.passed(format!("Linux {}.", kernel.release))
        }
        Observed::Known(kernel) => row.failed(Problem::new(
            Code::KernelTooOld,
            &[row.node],
            format!("Linux {}.", kernel.release),
        )),
    }
}

fn lockdown(node: &Node, row: Row<'_>) -> Check {
    match &node.platform.lockdown {
        Observed::Unknown(reason) => {
            let judged = format!("Lockdown of {}", row.node);
            let names = [judged.as_str(), "its level"];
            row.warned(Problem::new(Code::NotReadable, &names, reason.clone()))
        }
        Observed::Known(None | Some(Lockdown::None)) => {
            row.passed("The kernel is not locked down.")
        }
        Observed::Known(Some(level)) => {
            let level = match level {
                Lockdown::Confidentiality => "confidentiality",
                _ => "integrity",
            };
            row.warned(Problem::new(
                Code::KernelLockdown,
                &[row.node],
                format!("Lockdown level {level}."),
            ))
        }
    }
}

/// Whether VFs without their PF prove that the node is a VM. They do not where the node has an adapter that can
/// have VFs itself, and on IBM Z, whose partitions are given VFs alone (zpci_iov_find_parent_pf, arch/s390).
fn is_vm(node: &Node) -> bool {
    let adapters = || node.adapters.known().into_iter().flatten();
    let has_pf = adapters().any(|adapter| adapter.sriov.present().is_some());
    let is_partition = node.platform.architecture == Architecture::S390x;
    !has_pf && !is_partition && adapters().any(models::proves_a_vm)
}

fn kvm(node: &Node, row: Row<'_>) -> Check {
    match &node.platform.kvm {
        Observed::Unknown(reason) => row.unknown("/dev/kvm", reason),
        Observed::Known(Kvm::Usable { module }) => row.passed(match module {
            Some(module) => format!("/dev/kvm opens ({module})."),
            None => "/dev/kvm opens.".to_owned(),
        }),
        Observed::Known(Kvm::Missing { reason } | Kvm::Broken { reason }) => {
            let problem = Problem::new(Code::KvmUnusable, &[row.node], reason.clone());
            row.failed(problem.resolution(match is_vm(node) {
                true => advice::IN_A_VM.to_owned(),
                false => advice::kvm(node.platform.architecture, &node.platform.kernel_parameters),
            }))
        }
    }
}

fn iommu(node: &Node, row: Row<'_>) -> Check {
    match &node.platform.iommu {
        Observed::Unknown(reason) => row.unknown("the IOMMU groups", reason),
        Observed::Known(iommu) if iommu.is_on() => row.passed(match iommu.units.as_slice() {
            [] => format!("{} IOMMU groups.", iommu.groups),
            units => format!("{} IOMMU groups ({}).", iommu.groups, units.join(", ")),
        }),
        Observed::Known(iommu) => {
            let mut found = match iommu.units.as_slice() {
                [] if iommu.unsafe_groups > 0 => format!(
                    "No IOMMU; {} unsafe no-IOMMU groups of vfio, which isolate nothing.",
                    iommu.unsafe_groups
                ),
                [] => "No IOMMU and no IOMMU group.".to_owned(),
                units => format!("IOMMU {} exists, but no IOMMU group.", units.join(", ")),
            };
            let parameters = &node.platform.kernel_parameters;
            let architecture = node.platform.architecture;
            let off = advice::switches_iommu_off(architecture, parameters);
            if !off.is_empty() {
                found += &format!(" The kernel was booted with '{}'.", off.join(" "));
            }
            let problem = Problem::new(Code::IommuOff, &[row.node], found);
            row.failed(problem.resolution(match is_vm(node) {
                true => advice::IN_A_VM.to_owned(),
                false => advice::iommu(architecture, parameters),
            }))
        }
    }
}

fn vfio(node: &Node, row: Row<'_>) -> Check {
    match &node.platform.vfio {
        Observed::Unknown(reason) => row.unknown("the vfio-pci driver", reason),
        Observed::Known(Vfio::Loaded) => row.passed("vfio-pci is loaded."),
        Observed::Known(Vfio::Available) => {
            row.passed("vfio-pci is installed and is loaded on demand.")
        }
        Observed::Known(Vfio::Missing) => {
            let found = "vfio-pci is neither loaded nor installed for the running kernel.";
            let problem = Problem::new(Code::VfioMissing, &[row.node], found);
            row.failed(problem.resolution(advice::vfio(node.platform.architecture)))
        }
    }
}

fn libvirt(node: &Node, row: Row<'_>) -> Check {
    let seen = match &node.platform.libvirt {
        Observed::Unknown(_) if node.is_copy => return row.not_judged("a running libvirt"),
        Observed::Unknown(reason) => Observed::Unknown(reason.clone()),
        Observed::Known(Libvirt::Missing) => Observed::Known(None),
        Observed::Known(Libvirt::Running { version }) if *version == FAULTY_LIBVIRT => {
            return row.failed(Problem::new(
                Code::LibvirtFaulty,
                &[row.node],
                format!("libvirt {version}."),
            ));
        }
        Observed::Known(Libvirt::Running { version }) => Observed::Known(Some(*version)),
        Observed::Known(Libvirt::NotRunning { reason }) => {
            let problem = Problem::new(
                Code::LibvirtMissing,
                &[row.node],
                "libvirt is installed, but its daemon does not answer.",
            );
            return row.failed(problem.cause(reason));
        }
    };
    versioned(
        &seen,
        row,
        ("libvirt", MINIMUM_LIBVIRT),
        (Code::LibvirtMissing, Code::LibvirtTooOld),
    )
}

fn qemu(node: &Node, row: Row<'_>) -> Check {
    if node.is_copy && node.platform.qemu.known().is_none() {
        return row.not_judged("programs");
    }
    let check = versioned(
        &node.platform.qemu,
        row,
        ("QEMU", MINIMUM_QEMU),
        (Code::QemuMissing, Code::QemuTooOld),
    );
    match check.code {
        Some(Code::QemuMissing) => Check {
            resolution: advice::qemu(node.platform.architecture).to_owned(),
            ..check
        },
        _ => check,
    }
}

/// The bridges that an adapter is a port of are judged, or else one that is to be made. It fails when all
/// of them carry nothing.
fn forwarding(node: &Node, row: Row<'_>) -> Check {
    let filter = match &node.platform.bridge_filter {
        Observed::Unknown(reason) => {
            let judged = format!("Check {} of {}", row.name.as_str(), row.node);
            let names = [judged.as_str(), "the host's firewall"];
            return row.warned(Problem::new(
                Code::NotReadable,
                &names,
                format!("{reason}."),
            ));
        }
        Observed::Known(filter) => filter,
    };
    let bridges = filter.bridges.iter().filter(|bridge| bridge.has_adapter);
    let mut judged: Vec<(Option<&str>, Forwarding)> = bridges
        .map(|bridge| {
            (
                Some(bridge.name.as_str()),
                software_path::judge(filter, &bridge.name),
            )
        })
        .collect();
    if judged.is_empty() {
        judged.push((None, software_path::judge_new(filter)));
    }
    let drops = judged
        .iter()
        .filter_map(|(bridge, forwarding)| forwarding.must_pass(row.node, *bridge).err());
    let drops: Vec<Problem> = drops.collect();
    let all = drops.len() == judged.len();
    if let Some(first) = drops.into_iter().next() {
        return match all {
            true => row.failed(first),
            false => row.warned(first),
        };
    }
    let mut unclear = judged
        .iter()
        .filter_map(|(bridge, forwarding)| forwarding.warning(row.node, *bridge));
    match unclear.next() {
        Some(warning) => row.warned(warning),
        None => row.passed("The firewall accepts bridged traffic."),
    }
}

/// The hook sets a VF before its guest sees it.
fn hook(node: &Node, row: Row<'_>) -> Check {
    let access = match &node.platform.hook {
        Observed::Unknown(_) if node.is_copy => return row.not_judged("libvirt's hooks"),
        Observed::Unknown(reason) => return row.unknown("libvirt's hook", reason),
        Observed::Known(access) => access,
    };
    let Some(program) = &access.program else {
        return row.passed("libvirt's hook is not installed yet; 'accelnet setup' installs it.");
    };
    let blocked = |found: String, what_to_do: &str| {
        row.failed(Problem::new(Code::HookBlocked, &[row.node], found).resolution(what_to_do))
    };
    match (access.apparmor.as_slice(), access.selinux) {
        ([], false) => row.passed(format!("libvirt may run {program}.")),
        ([], true) => blocked(
            "SELinux is enforcing, and its boolean virt_hooks_unconfined is off.".to_owned(),
            "Run 'setsebool -P virt_hooks_unconfined on'.",
        ),
        (profiles, _) => blocked(
            format!(
                "AppArmor's profile {} does not allow it to run {program}.",
                profiles.join(", ")
            ),
            "Run 'accelnet setup', which adds a rule to the node's part of the profile.",
        ),
    }
}

/// A program that must be there at a version.
fn versioned(
    seen: &Observed<Option<Version>>,
    row: Row<'_>,
    (program, minimum): (&str, Version),
    (missing, too_old): (Code, Code),
) -> Check {
    match seen {
        Observed::Unknown(reason) => row.unknown(&format!("the version of {program}"), reason),
        Observed::Known(None) => row.failed(Problem::new(
            missing,
            &[row.node],
            format!("{program} is not installed."),
        )),
        Observed::Known(Some(version)) if *version >= minimum => {
            row.passed(format!("{program} {version}."))
        }
        Observed::Known(Some(version)) => row.failed(Problem::new(
            too_old,
            &[row.node],
            format!("{program} {version}."),
        )),
    }
}

/// The document's own check: everything above together.
fn whole(parts: &[Check], is_copy: bool, row: Row<'_>) -> Check {
    let missing: Vec<&str> = parts
        .iter()
        .filter(|part| !part.passed)
        .map(|part| part.name.as_str())
        .collect();
    match missing.as_slice() {
        [] if is_copy => row.passed("No check of the copy failed."),
        [] => row.passed("The node supports accelerated VMs."),
        missing => row.failed(Problem::new(
            Code::AccelNetNotSupported,
            &[row.node],
            format!("Failed checks: {}.", missing.join(", ")),
        )),
    }
}
