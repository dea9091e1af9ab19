//! A node that never existed, as a [`Host`]: its kernel, its VMs, and its processes.

use std::io;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

use accelnet_host::{Clock, Host, Hypervisor};
use accelnet_libvirt::{Domains, LibvirtError, Reading, Versions};
use accelnet_model::domain::{DomainSettings, DomainState};
use accelnet_model::platform::Version;
use accelnet_model::{Domain, PciAddress};

use crate::kernel::SimKernel;
use crate::tree::Tree;

/// A node with everything at its edge.
#[derive(Debug)]
pub struct SimHost {
    /// Its kernel.
    pub kernel: SimKernel,
    /// Its libvirt.
    pub libvirt: SimLibvirt,
}

/// A libvirt daemon with given answers.
#[derive(Debug, Clone)]
pub struct SimLibvirt {
    /// What it answers.
    pub answer: Result<Reading, LibvirtError>,
    /// QEMU as it is found without libvirt.
    pub qemu: Option<Version>,
}

impl Default for SimLibvirt {
    /// libvirt 11.3 with QEMU 10, and no VM.
    fn default() -> Self {
        let qemu = Some(Version::new(10, 0, 3));
        SimLibvirt {
            answer: Ok(Reading {
                versions: Versions {
                    libvirt: Version::new(11, 3, 0),
                    qemu,
                },
                domains: Ok(Domains::default()),
            }),
            qemu,
        }
    }
}

impl SimLibvirt {
    /// Adds a running VM that has the host functions `devices`.
    pub fn run(&mut self, name: &str, devices: &[PciAddress]) {
        if let Ok(Reading {
            domains: Ok(domains),
            ..
        }) = &mut self.answer
        {
            domains.read.push(Domain {
                name: name.to_owned(),
                uuid: "2f6a5b1c-0000-4000-8000-000000000001"
                    .parse()
                    .expect("a UUID"),
                state: DomainState::Running,
                persistent: true,
                vcpus: 4,
                memory_mib: 2048,
                vnics: Vec::new(),
                host_devices: devices.to_vec(),
                settings: DomainSettings::default(),
            });
        }
    }
}

impl Hypervisor for SimLibvirt {
    fn read_domains(&self, _within: Duration) -> Result<Reading, LibvirtError> {
        self.answer.clone()
    }

    fn qemu_version(&self) -> Result<Option<Version>, String> {
        Ok(self.qemu)
    }
}

impl Clock for SimKernel {
    fn now(&self) -> String {
        self.time.now()
    }

    fn uptime(&self) -> Duration {
        self.time.passed()
    }

    fn sleep(&self, time: Duration) {
        self.advance(time);
    }
}

impl SimHost {
    /// Writes `tree` into the empty folder `root`, and boots it.
    ///
    /// # Errors
    ///
    /// When something cannot be written there.
    pub fn boot(tree: Tree, root: impl Into<PathBuf>) -> io::Result<Self> {
        Ok(SimHost {
            kernel: SimKernel::new(tree.write(root.into())?),
            libvirt: SimLibvirt::default(),
        })
    }

    /// The edge.
    pub fn host(&self) -> Host<'_> {
        Host {
            root: &self.kernel.root,
            links: &self.kernel,
            knobs: &self.kernel,
            hypervisor: &self.libvirt,
            rulesets: &self.kernel.rulesets,
            clock: &self.kernel,
        }
    }

    /// A process with its command line, which has `files` open.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn process(&self, pid: u32, command: &[&str], files: &[&str]) -> io::Result<()> {
        let folder = self.kernel.root.locate(&format!("/proc/{pid}"));
        std::fs::create_dir_all(folder.join("fd"))?;
        std::fs::create_dir_all(folder.join("ns"))?;
        let name = command.first().and_then(|word| word.rsplit('/').next());
        // The kernel keeps 15 bytes of a name.
        let name: String = name.unwrap_or_default().chars().take(15).collect();
        std::fs::write(folder.join("comm"), format!("{name}\n"))?;
        std::fs::write(folder.join("cmdline"), command.join("\0"))?;
        symlink("net:[4026531840]", folder.join("ns/net"))?;
        for (number, file) in files.iter().enumerate() {
            symlink(file, folder.join("fd").join((number + 3).to_string()))?;
        }
        Ok(())
    }

    /// A process whose open files no process may list.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn opaque_process(&self, pid: u32, command: &[&str]) -> io::Result<()> {
        self.process(pid, command, &[])?;
        let files = self.kernel.root.locate(&format!("/proc/{pid}/fd"));
        std::fs::remove_dir(&files)?;
        std::fs::write(&files, "")
    }

    /// Takes a process away.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn end_process(&self, pid: u32) -> io::Result<()> {
        std::fs::remove_dir_all(self.kernel.root.locate(&format!("/proc/{pid}")))
    }

    /// Moves the netdev of VF `vf` into the named network namespace.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn move_to_namespace(
        &self,
        adapter: PciAddress,
        vf: u16,
        namespace: &str,
    ) -> io::Result<()> {
        let node = self.kernel.node();
        let netdev = node.vf_netdev(adapter, vf);
        node.move_away(&netdev)?;
        let folder = self.kernel.root.locate("/run/netns");
        std::fs::create_dir_all(&folder)?;
        let address = node.vf_address(adapter, vf);
        let address = address.map_or_else(String::new, |address| address.to_string());
        std::fs::write(folder.join(namespace), format!("{netdev} {address}\n"))
    }

    /// Brings it back.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn end_namespace(&self, adapter: PciAddress, vf: u16, namespace: &str) -> io::Result<()> {
        std::fs::remove_file(self.kernel.root.locate("/run/netns").join(namespace))?;
        self.kernel.node().bind_vf_to_its_driver(adapter, vf)
    }
}
