//! What a node of a tree is like beside PCI: kernel, CPUs, IOMMU, modules.

use std::io;

use super::folder::Folder;

/// A machine and its kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformSpec {
    /// Host name.
    pub host_name: String,
    /// Kernel release.
    pub kernel: String,
    /// Architecture, as `uname -m` prints it.
    pub architecture: String,
    /// Kernel command line.
    pub command_line: String,
    /// CPU model.
    pub cpu_model: String,
    /// Sockets, cores in each, threads in each core.
    pub cpus: (u32, u32, u32),
    /// `smt/control`: on, off, forceoff, notsupported.
    pub smt: String,
    /// Names of IOMMUs; none for a machine without.
    pub iommus: Vec<String>,
    /// `/sys/kernel/security/lockdown`, such as `[none] integrity confidentiality`; none
    /// for a kernel without.
    pub lockdown: Option<String>,
    /// Loaded modules beside those of the adapters' drivers.
    pub modules: Vec<String>,
    /// Groups that vfio made for devices without an IOMMU.
    pub unsafe_groups: u32,
    /// Whether there is a `/dev/kvm`.
    pub kvm: bool,
    /// Memory in MiB: all of it, and what is available.
    pub memory_mib: (u64, u64),
    /// Whether configuration spaces may be read whole, as root may.
    pub root_reads: bool,
}

impl Default for PlatformSpec {
    /// A server with two sockets of four cores, two threads each.
    fn default() -> Self {
        PlatformSpec {
            host_name: "node1".to_owned(),
            kernel: "6.12.48+deb13-amd64".to_owned(),
            architecture: "x86_64".to_owned(),
            command_line: "root=/dev/sda1 ro quiet".to_owned(),
            cpu_model: "Imaginary Server CPU".to_owned(),
            cpus: (2, 4, 2),
            smt: "on".to_owned(),
            iommus: vec!["dmar0".to_owned()],
            lockdown: Some("[none] integrity confidentiality".to_owned()),
            modules: ["kvm", "kvm_intel", "vfio", "vfio_pci"]
                .map(String::from)
                .into(),
            unsafe_groups: 0,
            kvm: true,
            memory_mib: (512 << 10, 400 << 10),
            root_reads: true,
        }
    }
}

impl PlatformSpec {
    pub(super) fn write(&self, folder: &Folder) -> io::Result<()> {
        folder.make("etc")?;
        folder.attribute("proc/sys/kernel/hostname", &self.host_name)?;
        folder.attribute("proc/sys/kernel/osrelease", &self.kernel)?;
        folder.attribute("proc/sys/kernel/arch", &self.architecture)?;
        folder.attribute("proc/cmdline", &self.command_line)?;
        let (total, available) = self.memory_mib;
        let memory = format!(
            "MemTotal: {} kB\nMemAvailable: {} kB\n",
            total << 10,
            available << 10
        );
        folder.write("proc/meminfo", memory)?;
        self.write_cpus(folder)?;
        if self.kvm {
            folder.write("dev/kvm", "")?;
        }
        folder.write("dev/kmsg", "")?;
        folder.make("sys/class/iommu")?;
        folder.make("sys/kernel/iommu_groups")?;
        for iommu in &self.iommus {
            let device = format!("sys/devices/virtual/iommu/{iommu}");
            folder.make(&device)?;
            folder.link(&format!("sys/class/iommu/{iommu}"), &device)?;
        }
        for group in 0..self.unsafe_groups {
            let group = format!("sys/kernel/iommu_groups/{group}");
            folder.attribute(&format!("{group}/name"), "vfio-noiommu")?;
        }
        if let Some(lockdown) = &self.lockdown {
            folder.attribute("sys/kernel/security/lockdown", lockdown)?;
        }
        for module in &self.modules {
            folder.attribute(&format!("sys/module/{module}/initstate"), "live")?;
        }
        let modules = format!("lib/modules/{}/modules.dep", self.kernel);
        folder.write(&modules, "kernel/drivers/vfio/pci/vfio-pci.ko.xz:\n")?;
        if self.modules.iter().any(|module| module == "vfio_pci") {
            folder.make("sys/bus/pci/drivers/vfio-pci")?;
        }
        folder.make("sys/bus/pci/devices")?;
        folder.make("sys/class/net")
    }

    fn write_cpus(&self, folder: &Folder) -> io::Result<()> {
        let (sockets, cores, threads) = self.cpus;
        let mut info = String::new();
        let mut number = 0;
        for socket in 0..sockets {
            for core in 0..cores {
                let first = number;
                for _ in 0..threads {
                    info += &format!(
                        "processor\t: {number}\nmodel name\t: {}\nphysical id\t: {socket}\n\
                         core id\t\t: {core}\n\n",
                        self.cpu_model
                    );
                    let cpu = format!("sys/devices/system/cpu/cpu{number}");
                    folder.attribute(&format!("{cpu}/online"), 1)?;
                    let topology = format!("{cpu}/topology");
                    folder.attribute(&format!("{topology}/physical_package_id"), socket)?;
                    folder.attribute(&format!("{topology}/core_id"), core)?;
                    let siblings = range(first, first + threads - 1);
                    folder.attribute(&format!("{topology}/thread_siblings_list"), siblings)?;
                    number += 1;
                }
            }
        }
        folder.write("proc/cpuinfo", info)?;
        let cpu = "sys/devices/system/cpu";
        for list in ["online", "present", "possible"] {
            let all = range(0, number.saturating_sub(1));
            folder.attribute(&format!("{cpu}/{list}"), all)?;
        }
        folder.attribute(&format!("{cpu}/smt/control"), &self.smt)?;
        folder.attribute(&format!("{cpu}/smt/active"), u8::from(self.smt == "on"))
    }
}

/// Numbers as the kernel lists them: `3` or `0-7`.
fn range(first: u32, last: u32) -> String {
    match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    }
}
