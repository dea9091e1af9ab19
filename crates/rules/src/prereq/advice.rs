//! What to do, by architecture and by vendor.

use accelnet_model::platform::Architecture;
use accelnet_model::{Adapter, Check, PciAddress};

use super::models;

/// What to do on a machine that is itself a VM.
pub const IN_A_VM: &str = "This machine is a VM. Run accelnet on its host; to try it here, enable nested virtualization and a virtual IOMMU on the host.";

/// How to make KVM usable; `parameters` are those that the kernel was booted with.
pub fn kvm(architecture: Architecture, parameters: &[String]) -> String {
    let off = "kvm-arm.mode=none";
    let how = match architecture {
        Architecture::Arm64 if parameters.iter().any(|one| one == off) => {
            return format!("Remove '{off}' from the kernel command line, and reboot.");
        }
        Architecture::Intel => {
            "Enable VT-x in the BIOS and run 'modprobe kvm_intel'. On a virtual machine, enable nested virtualization on its host."
        }
        Architecture::Amd => {
            "Enable SVM (AMD-V) in the BIOS and run 'modprobe kvm_amd'. On a virtual machine, enable nested virtualization on its host."
        }
        Architecture::X86 => {
            "Enable VT-x or AMD-V (SVM) in the BIOS and run 'modprobe kvm_intel' or 'modprobe kvm_amd'. On a virtual machine, enable nested virtualization on its host."
        }
        Architecture::Arm64 => {
            "The kernel must be started in EL2: look for a hypervisor setting in the firmware. 'dmesg | grep -i kvm' shows why KVM did not start."
        }
        Architecture::Ppc64 => {
            "Run 'modprobe kvm_hv' on a bare-metal (PowerNV) host. An LPAR runs VMs only where its firmware offers nested KVM."
        }
        Architecture::S390x => {
            "Run 'modprobe kvm' in an LPAR. As a guest of z/VM or KVM, nested virtualization must be enabled on the host."
        }
        Architecture::Other => {
            "Enable virtualization in the firmware and load the KVM module of this architecture."
        }
    };
    how.to_owned()
}

/// How to switch the IOMMU on; `parameters` are those that the kernel was booted with.
pub fn iommu(architecture: Architecture, parameters: &[String]) -> String {
    let remove = switches_iommu_off(architecture, parameters);
    let asked = parameters
        .iter()
        .any(|one| tokens(one, "intel_iommu").any(|token| token == "on"));
    let how = match architecture {
        Architecture::Intel if asked => "Enable VT-d in the BIOS and reboot.",
        Architecture::Intel => {
            "Enable VT-d in the BIOS, add 'intel_iommu=on iommu=pt' to the kernel command line (on Debian and Ubuntu in /etc/default/grub, then 'update-grub'; on RHEL and Fedora 'grubby --update-kernel=ALL --args=\"intel_iommu=on iommu=pt\"'), and reboot."
        }
        Architecture::Amd => {
            "Enable AMD-Vi (IOMMU) in the BIOS and reboot; the kernel uses it without a parameter."
        }
        Architecture::X86 => {
            "Enable VT-d or AMD-Vi (IOMMU) in the BIOS; on Intel machines, add 'intel_iommu=on iommu=pt' to the kernel command line; then reboot."
        }
        Architecture::Arm64 => {
            "Enable the SMMU in the firmware and reboot: the kernel finds it in the ACPI table IORT or in the device tree."
        }
        Architecture::Ppc64 => {
            "Run accelnet on a bare-metal (PowerNV) host: an LPAR has no IOMMU groups without 'vfio-pci' support of its firmware."
        }
        Architecture::S390x => {
            "Assign PCI functions to this LPAR: the IOMMU belongs to them, and needs no setting."
        }
        Architecture::Other => "Enable the IOMMU in the firmware and reboot.",
    };
    match remove.as_slice() {
        [] => how.to_owned(),
        remove => format!(
            "Remove '{}' from the kernel command line. {how}",
            remove.join(" ")
        ),
    }
}

/// The words after `name=` of a parameter; none of another parameter.
fn tokens<'a>(parameter: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let value = parameter
        .strip_prefix(name)
        .and_then(|rest| rest.strip_prefix('='));
    let value = value.unwrap_or_default().trim_matches('"');
    value.split(',').filter(|token| !token.is_empty())
}

/// The kernel parameters that keep the IOMMU off on that architecture (`intel_iommu_setup`,
/// `parse_amd_iommu_options`, `iommu_setup` of arch/x86, `early_cmdline_parse` of arch/powerpc).
pub fn switches_iommu_off(architecture: Architecture, parameters: &[String]) -> Vec<&str> {
    let names: &[&str] = match architecture {
        Architecture::Intel => &["intel_iommu", "iommu"],
        Architecture::Amd => &["amd_iommu", "iommu"],
        Architecture::X86 | Architecture::Other => &["intel_iommu", "amd_iommu", "iommu"],
        Architecture::Ppc64 => &["iommu"],
        Architecture::Arm64 | Architecture::S390x => &[],
    };
    // Of "on" and "off" for intel_iommu the last one holds; the others know no "on".
    let words = parameters.iter().flat_map(|one| tokens(one, "intel_iommu"));
    let last = words.filter(|word| ["on", "off"].contains(word)).last();
    let is_off = |parameter: &&String| {
        names.iter().any(|name| {
            let overruled = *name == "intel_iommu" && last == Some("on");
            !overruled && tokens(parameter, name).any(|token| token == "off")
        })
    };
    parameters
        .iter()
        .filter(is_off)
        .map(String::as_str)
        .collect()
}

/// How to install QEMU.
pub fn qemu(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::Intel | Architecture::Amd | Architecture::X86 => {
            "Install QEMU: 'apt-get install qemu-system-x86' on Debian and Ubuntu, 'dnf install qemu-kvm' on RHEL and Fedora."
        }
        Architecture::Arm64 => {
            "Install QEMU: 'apt-get install qemu-system-arm' on Debian and Ubuntu, 'dnf install qemu-kvm' on RHEL and Fedora."
        }
        Architecture::Ppc64 => "Install QEMU: on Debian 'apt-get install qemu-system-ppc'.",
        Architecture::S390x => {
            "Install QEMU: on Debian 12 'apt-get install qemu-system-misc', later 'apt-get install qemu-system-s390x'."
        }
        Architecture::Other => "Install the system emulator of this architecture.",
    }
}

/// How to install vfio-pci.
pub fn vfio(architecture: Architecture) -> String {
    let package = match architecture {
        Architecture::Intel | Architecture::Amd | Architecture::X86 => {
            "linux-image-amd64 instead of the cloud kernel"
        }
        Architecture::Arm64 => "linux-image-arm64 instead of the cloud kernel",
        Architecture::Ppc64 => "linux-image-powerpc64le",
        Architecture::S390x => "linux-image-s390x",
        Architecture::Other => "the kernel's own package",
    };
    format!(
        "Install all modules of the kernel (on Debian: {package}), then run 'modprobe vfio-pci'."
    )
}

/// How to have the memory of VFs assigned.
pub fn vf_memory(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::Intel | Architecture::Amd | Architecture::X86 | Architecture::Other => {
            "Enable 'Above 4G decoding' and SR-IOV in the BIOS, or boot with 'pci=realloc', then reboot; 'dmesg | grep -i \"can.t assign\"' shows what did not fit."
        }
        Architecture::Arm64 | Architecture::Ppc64 => {
            "Give the PCI host bridge a larger 64-bit memory window in the firmware, or boot with 'pci=realloc', then reboot; 'dmesg | grep -i \"can.t assign\"' shows what did not fit."
        }
        Architecture::S390x => {
            "'dmesg | grep -i pci' shows why the function has no memory space; the firmware assigns it."
        }
    }
}

/// How to allow VFs in the adapter's firmware, with the vendor's own tool.
pub fn firmware(adapter: &Adapter, architecture: Architecture) -> String {
    let address = adapter.address;
    let driver = adapter.driver.present().map(|driver| driver.name.as_str());
    let of = |name: &str| driver == Some(name) || models::module(adapter) == Some(name);
    let has_uefi = !matches!(architecture, Architecture::Ppc64 | Architecture::S390x);
    let hii = "the adapter's page in the UEFI setup (HII)";
    let tool = match adapter.vendor.id.known() {
        Some(0x15b3) => format!("'mlxconfig -d {address} set SRIOV_EN=1 NUM_OF_VFS=8'"),
        Some(0x1924 | 0x10ee) => {
            let port = adapter.name();
            format!("'sfboot --adapter={port} switch-mode=sriov vf-count=8'")
        }
        // NetXtreme II, which Broadcom sold to QLogic.
        Some(0x14e4) if of("bnx2x") && has_uefi => hii.to_owned(),
        Some(0x14e4) if !of("bnx2x") => {
            "Broadcom's 'niccli' (formerly 'bnxtnvm'): options enable_sriov and number_of_vfs_per_pf".to_owned()
        }
        Some(0x8086) if has_uefi => "the adapter's page in the UEFI setup (HII, 'Device Level Configuration'), or Intel's 'bootutil'".to_owned(),
        Some(0x1077 | 0x19a2 | 0x10df) if has_uefi => hii.to_owned(),
        Some(0x1425) => "Chelsio's firmware configuration file ('cxgbtool' shows the one in use)".to_owned(),
        Some(0x19e5) if of("hns3") => {
            return "Enable SR-IOV in the setup of the machine's firmware, since the adapter is part of the processor; then reboot.".to_owned();
        }
        Some(0x19e5) => "Huawei's 'hinicadm'".to_owned(),
        _ if has_uefi => {
            return "Enable SR-IOV and set a number of VFs in the adapter's own firmware: its page in the UEFI setup, or the vendor's tool; then reboot.".to_owned();
        }
        _ => "the vendor's tool".to_owned(),
    };
    format!(
        "Enable SR-IOV and set a number of VFs in the adapter's firmware with {tool}, then reboot."
    )
}

/// Virtio's vendor, and the devices of VMware and Google that hypervisors show to VMs: adapters that no
/// firmware gives VFs to.
fn is_virtual(adapter: &Adapter) -> bool {
    let ids = (adapter.vendor.id.known(), adapter.device.id.known());
    matches!(
        ids,
        (Some(0x1af4), _) | (Some(0x15ad), Some(0x07b0)) | (Some(0x1ae0), Some(0x0042))
    )
}

/// What to do with a VF whose PF is elsewhere, where that does not prove a VM.
pub fn vf_alone(adapter: &Adapter, architecture: Architecture) -> Option<&'static str> {
    match architecture {
        Architecture::S390x => {
            Some("Assign the PF of this VF to the LPAR, or use another adapter.")
        }
        _ if !models::proves_a_vm(adapter) => {
            Some("Use another adapter. If this machine is a VM, run accelnet on its host.")
        }
        _ => None,
    }
}

/// What to do with an adapter that no hypervisor gives VFs to.
pub fn without_sriov(adapter: &Adapter) -> Option<&'static str> {
    is_virtual(adapter).then_some(
        "Use a physical adapter: this one is virtual. If this machine is a VM, run accelnet on its host.",
    )
}

/// A row with advice for that architecture: only x86 machines have a BIOS.
pub fn fit(mut row: Check, architecture: Architecture) -> Check {
    if matches!(
        architecture,
        Architecture::Arm64 | Architecture::Ppc64 | Architecture::S390x
    ) {
        row.resolution = row.resolution.replace("in the BIOS", "in the firmware");
    }
    row
}

/// How to switch a port to Ethernet.
pub fn ethernet(adapter: &Adapter) -> Option<String> {
    let address = adapter.address;
    (adapter.vendor.id.known() == Some(&0x15b3)).then(|| {
        format!("Run 'mlxconfig -d {address} set LINK_TYPE_P1=2' (LINK_TYPE_P2 for a second port), then reboot.")
    })
}

/// How to give a function back to its network driver.
pub fn give_back(address: PciAddress, driver: &str, module: Option<&str>) -> String {
    let load = match module {
        Some(module) => format!("'modprobe {module}', "),
        None => String::new(),
    };
    format!(
        "Bind the adapter to its network driver: {load}'echo {address} > /sys/bus/pci/drivers/{driver}/unbind', 'echo > /sys/bus/pci/devices/{address}/driver_override', 'echo {address} > /sys/bus/pci/drivers_probe'."
    )
}
