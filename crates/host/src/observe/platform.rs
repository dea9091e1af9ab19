//! The machine and its software.

use accelnet_libvirt::{LibvirtError, Reading};
use accelnet_model::Observed;
use accelnet_model::platform::{Iommu, Kernel, Kvm, Libvirt, Lockdown, Platform, Version, Vfio};
use accelnet_pci::{ReadError, Root};

use super::cpu;
use crate::Host;
use crate::hook::access;

/// Everything that is not an adapter or a VM.
pub fn look(host: &Host<'_>, reading: &Result<Reading, LibvirtError>) -> Platform {
    let root = host.root;
    Platform {
        kernel: kernel(root),
        lockdown: lockdown(root),
        cpu: cpu::topology(root),
        smt: cpu::smt(root),
        iommu: iommu(root),
        kvm: kvm(root),
        vfio: vfio(root),
        libvirt: libvirt(reading),
        qemu: qemu(host, reading),
        bridge_filter: crate::firewall::bridge_filter(host),
        hook: access::look(root),
    }
}

fn kernel(root: &Root) -> Observed<Kernel> {
    match root.text("/proc/sys/kernel/osrelease") {
        Err(error) => Observed::unknown(error.to_string()),
        Ok(release) => Observed::from(release.parse::<Version>()).map(|version| Kernel {
            release: release.clone(),
            version,
        }),
    }
}

/// The level stands in brackets: `none [integrity] confidentiality`.
fn lockdown(root: &Root) -> Observed<Option<Lockdown>> {
    let folder = "/sys/kernel/security";
    match root.text(&format!("{folder}/lockdown")) {
        Ok(text) => {
            let level = text.split(['[', ']']).nth(1);
            match level {
                Some("none") => Observed::Known(Some(Lockdown::None)),
                Some("integrity") => Observed::Known(Some(Lockdown::Integrity)),
                Some("confidentiality") => Observed::Known(Some(Lockdown::Confidentiality)),
                _ => Observed::unknown(format!("{text:?} in {folder}/lockdown names no level")),
            }
        }
        Err(error) if error.is_missing() => match root.names(folder) {
            Ok(names) if !names.is_empty() => Observed::Known(None),
            _ => Observed::unknown(format!("securityfs is not mounted at {folder}")),
        },
        Err(error) => Observed::unknown(error.to_string()),
    }
}

fn iommu(root: &Root) -> Observed<Iommu> {
    let there = |names: Result<Vec<String>, ReadError>| match names {
        Err(error) if error.is_missing() => Ok(Vec::new()),
        other => other,
    };
    let groups = match there(root.names("/sys/kernel/iommu_groups")) {
        Ok(groups) => groups,
        Err(error) => return Observed::unknown(error.to_string()),
    };
    Observed::from(there(root.names("/sys/class/iommu"))).map(|units| Iommu {
        units,
        groups: u32::try_from(groups.len()).unwrap_or(u32::MAX),
    })
}

fn kvm(root: &Root) -> Observed<Kvm> {
    let module = ["kvm_intel", "kvm_amd"]
        .into_iter()
        .find(|module| root.exists(&format!("/sys/module/{module}")))
        .map(str::to_owned);
    let file = root.locate("/dev/kvm");
    match std::fs::File::options().read(true).write(true).open(file) {
        Ok(_) => Observed::Known(Kvm::Usable { module }),
        Err(error) => match error.kind() {
            std::io::ErrorKind::NotFound => Observed::Known(Kvm::Missing {
                reason: match module {
                    Some(module) => format!("{module} is loaded, and there is no /dev/kvm."),
                    None => "There is no /dev/kvm, and neither kvm_intel nor kvm_amd is loaded."
                        .to_owned(),
                },
            }),
            std::io::ErrorKind::PermissionDenied => {
                Observed::unknown("permission denied opening /dev/kvm (needs root or group kvm)")
            }
            _ => Observed::Known(Kvm::Broken {
                reason: format!("/dev/kvm does not open: {error}."),
            }),
        },
    }
}

fn vfio(root: &Root) -> Observed<Vfio> {
    if root.exists("/sys/bus/pci/drivers/vfio-pci") {
        return Observed::Known(Vfio::Loaded);
    }
    let release = match root.text("/proc/sys/kernel/osrelease") {
        Ok(release) => release,
        Err(error) => return Observed::unknown(error.to_string()),
    };
    match root.text(&format!("/lib/modules/{release}/modules.dep")) {
        Ok(modules) if modules.contains("/vfio-pci.ko") => Observed::Known(Vfio::Available),
        Ok(_) => Observed::Known(Vfio::Missing),
        Err(error) if error.is_missing() => Observed::Known(Vfio::Missing),
        Err(error) => Observed::unknown(error.to_string()),
    }
}

fn libvirt(reading: &Result<Reading, LibvirtError>) -> Observed<Libvirt> {
    match reading {
        Ok(reading) => Observed::Known(Libvirt::Running {
            version: reading.versions.libvirt,
        }),
        Err(LibvirtError::NotInstalled { .. }) => Observed::Known(Libvirt::Missing),
        Err(error @ (LibvirtError::NotRunning { .. } | LibvirtError::TimedOut { .. })) => {
            Observed::Known(Libvirt::NotRunning {
                reason: error.to_string(),
            })
        }
        Err(error) => Observed::unknown(error.to_string()),
    }
}

fn qemu(host: &Host<'_>, reading: &Result<Reading, LibvirtError>) -> Observed<Option<Version>> {
    match reading {
        Ok(Reading { versions, .. }) if versions.qemu.is_some() => Observed::Known(versions.qemu),
        _ => Observed::from(host.hypervisor.qemu_version()),
    }
}
