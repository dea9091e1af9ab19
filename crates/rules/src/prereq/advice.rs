//! What to do, by architecture and by vendor.

use accelnet_model::platform::Architecture;
use accelnet_model::{Adapter, PciAddress};

/// What to do on a machine that is itself a VM.
pub const IN_A_VM: &str = "This machine is a VM. Run accelnet on its host; to try it here, enable nested virtualisation and a virtual IOMMU on the host.";

/// How to make KVM usable.
pub fn kvm(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::Intel => {
            "Enable VT-x in the BIOS and run 'modprobe kvm_intel'. On a virtual machine, enable nested virtualisation on its host."
        }
        Architecture::Amd => {
            "Enable SVM (AMD-V) in the BIOS and run 'modprobe kvm_amd'. On a virtual machine, enable nested virtualisation on its host."
        }
        Architecture::X86 => {
            "Enable VT-x or AMD-V (SVM) in the BIOS and run 'modprobe kvm_intel' or 'modprobe kvm_amd'. On a virtual machine, enable nested virtualisation on its host."
        }
        Architecture::Arm64 => {
            "The kernel must be started in EL2: look for a hypervisor setting in the firmware, and remove 'kvm-arm.mode=none' from the kernel command line. 'dmesg | grep -i kvm' shows why KVM did not start."
        }
        Architecture::Ppc64 => {
            "Run 'modprobe kvm_hv' on a bare-metal (PowerNV) host. An LPAR runs VMs only where its firmware offers nested KVM."
        }
        Architecture::S390x => {
            "Run 'modprobe kvm' in an LPAR. As a guest of z/VM or KVM, nested virtualisation must be enabled on the host."
        }
        Architecture::Other => {
            "Enable virtualisation in the firmware and load the KVM module of this architecture."
        }
    }
}

/// How to switch the IOMMU on; `parameters` are those that the kernel was booted with.
pub fn iommu(architecture: Architecture, parameters: &[String]) -> String {
    let remove: Vec<&str> = parameters
        .iter()
        .filter(|parameter| switches_iommu_off(parameter))
        .map(String::as_str)
        .collect();
    let how = match architecture {
        Architecture::Intel => {
            "Enable VT-d in the BIOS, boot with 'intel_iommu=on iommu=pt' (in /etc/default/grub, then update-grub), and reboot."
        }
        Architecture::Amd => {
            "Enable AMD-Vi (IOMMU) in the BIOS and reboot; the kernel uses it without a parameter."
        }
        Architecture::X86 => {
            "Enable VT-d or AMD-Vi (IOMMU) in the BIOS; on Intel machines boot with 'intel_iommu=on iommu=pt'; reboot."
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

/// Whether a kernel parameter keeps the IOMMU off
/// (`Documentation/admin-guide/kernel-parameters.txt`).
pub fn switches_iommu_off(parameter: &str) -> bool {
    matches!(
        parameter,
        "intel_iommu=off" | "amd_iommu=off" | "iommu=off" | "iommu=noaperture,off"
    )
}

/// How to install QEMU.
pub fn qemu(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::Intel | Architecture::Amd | Architecture::X86 => {
            "Install it: on Debian 'apt-get install qemu-system-x86'."
        }
        Architecture::Arm64 => "Install it: on Debian 'apt-get install qemu-system-arm'.",
        Architecture::Ppc64 => "Install it: on Debian 'apt-get install qemu-system-ppc'.",
        Architecture::S390x => {
            "Install it: on Debian 12 'apt-get install qemu-system-misc', later 'apt-get install qemu-system-s390x'."
        }
        Architecture::Other => "Install the system emulator of this architecture.",
    }
}

/// How to install vfio-pci.
pub fn vfio(architecture: Architecture) -> String {
    let package = match architecture {
        Architecture::Intel | Architecture::Amd | Architecture::X86 => {
            "linux-image-amd64 rather than the cloud kernel"
        }
        Architecture::Arm64 => "linux-image-arm64 rather than the cloud kernel",
        Architecture::Ppc64 => "linux-image-powerpc64le",
        Architecture::S390x => "linux-image-s390x",
        Architecture::Other => "the kernel's own package",
    };
    format!(
        "Install the kernel's full module package (on Debian {package}), then run 'modprobe vfio-pci'."
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
pub fn firmware(adapter: &Adapter) -> String {
    let address = adapter.address;
    let tool = match adapter.vendor.id.known() {
        Some(0x15b3) => format!("'mlxconfig -d {address} set SRIOV_EN=1 NUM_OF_VFS=8'"),
        Some(0x1924 | 0x10ee) => {
            let port = adapter.name();
            format!("'sfboot --adapter={port} switch-mode=sriov vf-count=8'")
        }
        Some(0x14e4) => "Broadcom's 'niccli' (formerly 'bnxtnvm'): options enable_sriov and number_of_vfs_per_pf".to_owned(),
        Some(0x8086) => "the adapter's page in the UEFI setup (HII, 'Device Level Configuration'), or Intel's 'bootutil'".to_owned(),
        Some(0x1077 | 0x19a2 | 0x10df) => {
            "the adapter's page in the UEFI setup (HII)".to_owned()
        }
        Some(0x1425) => "Chelsio's firmware configuration file ('cxgbtool' shows the one in use)".to_owned(),
        Some(0x19e5) => "Huawei's 'hinicadm'".to_owned(),
        _ => {
            return "Enable SR-IOV and set a number of VFs in the adapter's own firmware: its page in the UEFI setup, or the vendor's tool; then reboot.".to_owned();
        }
    };
    format!(
        "Enable SR-IOV and set a number of VFs in the adapter's firmware with {tool}, then reboot."
    )
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
        "Give it back to its network driver: {load}'echo {address} > /sys/bus/pci/drivers/{driver}/unbind', 'echo > /sys/bus/pci/devices/{address}/driver_override', 'echo {address} > /sys/bus/pci/drivers_probe'."
    )
}
