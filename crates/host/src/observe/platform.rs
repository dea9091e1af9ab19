//! The machine and its software.

use accelnet_libvirt::{LibvirtError, Reading};
use accelnet_model::Observed;
use accelnet_model::link::Link;
use accelnet_model::platform::{
    Architecture, Iommu, Kernel, Kvm, Libvirt, Lockdown, Platform, Version, Vfio,
};
use accelnet_netlink::NetlinkError;
use accelnet_pci::{ReadError, Root};

use super::cpu;
use crate::Host;
use crate::hook::access;

/// Everything that is not an adapter or a VM.
pub fn read(
    host: &Host<'_>,
    reading: &Result<Reading, LibvirtError>,
    links: Result<&[Link], &NetlinkError>,
) -> Platform {
    let root = host.root;
    Platform {
        architecture: architecture(root),
        kernel_parameters: kernel_parameters(root),
        kernel: kernel(root),
        lockdown: lockdown(root),
        cpu: cpu::topology(root),
        smt: cpu::smt(root),
        iommu: iommu(root),
        kvm: kvm(root),
        vfio: vfio(root),
        libvirt: libvirt(reading),
        qemu: qemu(host, reading),
        bridge_filter: crate::firewall::bridge_filter(host, links),
        hook: access::read(root),
    }
}

/// `/proc/sys/kernel/arch` is there from Linux 6.1 on; the processor's own line reports it, too.
fn architecture(root: &Root) -> Architecture {
    let processor = root.text("/proc/cpuinfo").unwrap_or_default();
    let says = |word: &str| processor.contains(word);
    let by_processor = match () {
        () if says("GenuineIntel") => Architecture::Intel,
        () if says("AuthenticAMD") || says("HygonGenuine") => Architecture::Amd,
        () if says("CPU implementer") => Architecture::Arm64,
        () if says("IBM/S390") => Architecture::S390x,
        () if says("POWER") => Architecture::Ppc64,
        () => Architecture::Other,
    };
    let module = |name: &str| root.exists(&format!("/sys/module/{name}"));
    match (root.text("/proc/sys/kernel/arch").as_deref(), by_processor) {
        (Ok("x86_64"), vendor @ (Architecture::Intel | Architecture::Amd)) => vendor,
        (Ok("x86_64"), _) if module("kvm_intel") => Architecture::Intel,
        (Ok("x86_64"), _) if module("kvm_amd") => Architecture::Amd,
        (Ok("x86_64"), _) => Architecture::X86,
        (Ok("aarch64"), _) => Architecture::Arm64,
        (Ok("ppc64" | "ppc64le"), _) => Architecture::Ppc64,
        (Ok("s390x"), _) => Architecture::S390x,
        (_, by_processor) => by_processor,
    }
}

/// Parameters of IOMMUs and PCI; the rest of the command line may hold secrets, and is not read.
const PARAMETERS: [&str; 9] = [
    "amd_iommu",
    "arm-smmu",
    "arm-smmu-v3",
    "intel_iommu",
    "iommu",
    "kvm-arm",
    "pci",
    "pcie_acs_override",
    "vfio",
];

/// The parameters that the running kernel was booted with, as they are written.
fn kernel_parameters(root: &Root) -> Vec<String> {
    let line = root.text("/proc/cmdline").unwrap_or_default();
    let concerns = |parameter: &&str| {
        let name = parameter.split(['=', '.']).next().unwrap_or_default();
        PARAMETERS.contains(&name)
    };
    let words = line.split_whitespace().take_while(|word| *word != "--");
    words.filter(concerns).map(str::to_owned).collect()
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
    // vfio makes groups for devices without an IOMMU where a parameter allows it (`vfio_noiommu`).
    let is_unsafe = |group: &&String| {
        let name = root.text(&format!("/sys/kernel/iommu_groups/{group}/name"));
        name.is_ok_and(|name| name == "vfio-noiommu")
    };
    let count = |groups: usize| u32::try_from(groups).unwrap_or(u32::MAX);
    Observed::from(there(root.names("/sys/class/iommu"))).map(|units| Iommu {
        units,
        groups: count(groups.len()),
        unsafe_groups: count(groups.iter().filter(is_unsafe).count()),
    })
}

fn kvm(root: &Root) -> Observed<Kvm> {
    let module = ["kvm_intel", "kvm_amd", "kvm_hv"]
        .into_iter()
        .find(|module| root.exists(&format!("/sys/module/{module}")))
        .map(str::to_owned);
    let file = root.locate("/dev/kvm");
    match std::fs::File::options().read(true).write(true).open(file) {
        Ok(_) => Observed::Known(Kvm::Usable { module }),
        Err(error) => match error.kind() {
            std::io::ErrorKind::NotFound => Observed::Known(Kvm::Missing {
                reason: match module {
                    Some(module) => format!("{module} is loaded, but /dev/kvm does not exist."),
                    None => "/dev/kvm does not exist, and no KVM module is loaded.".to_owned(),
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
