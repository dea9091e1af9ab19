//! A node as it is described: its CPUs, its memory, and the adapters with what stands above them.

/// A model of adapter that QEMU emulates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nic {
    /// Intel 82576, with SR-IOV (7 VFs under Linux).
    Igb,
    /// Intel 82574L, without SR-IOV.
    E1000e,
}

/// How the node's CPUs are arranged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cpus {
    /// Sockets.
    pub sockets: u32,
    /// Cores of a socket.
    pub cores: u32,
    /// Threads of a core; 2 shows SMT to the node.
    pub threads: u32,
}

/// An adapter in its slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Adapter {
    pub nic: Nic,
    pub bound: bool,
}

/// What a root port leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Below {
    Nothing,
    Adapter(Adapter),
    /// A switch, with one downstream port for each adapter.
    Switch(Vec<Adapter>),
}

/// A PCIe root port. Its name is its QEMU id, for `device_add` into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    pub(crate) name: String,
    pub(crate) acs: bool,
    pub(crate) below: Below,
}

impl Port {
    /// An empty port with ACS; a NIC can be plugged into it later.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            acs: true,
            below: Below::Nothing,
        }
    }

    /// Takes the port's ACS capability away.
    #[must_use]
    pub fn without_acs(self) -> Self {
        Self { acs: false, ..self }
    }

    /// Puts an adapter behind the port.
    #[must_use]
    pub fn nic(self, nic: Nic) -> Self {
        Self {
            below: Below::Adapter(Adapter { nic, bound: true }),
            ..self
        }
    }

    /// Puts an adapter behind the port and takes its driver away once the node is up.
    #[must_use]
    pub fn nic_without_driver(self, nic: Nic) -> Self {
        Self {
            below: Below::Adapter(Adapter { nic, bound: false }),
            ..self
        }
    }

    /// Puts a switch behind the port, whose downstream ports have no ACS, with an adapter in each.
    #[must_use]
    pub fn switch(self, nics: &[Nic]) -> Self {
        let adapters = nics.iter().map(|&nic| Adapter { nic, bound: true });
        Self {
            below: Below::Switch(adapters.collect()),
            ..self
        }
    }
}

/// A node as it is described.
///
/// Its adapters are named `pf0`, `pf1` and so on, in the order of the ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) ports: Vec<Port>,
    pub(crate) iommu: bool,
    pub(crate) cpus: Cpus,
    pub(crate) memory_mib: u32,
    pub(crate) counts: bool,
    pub(crate) one_wire: bool,
}

impl Topology {
    /// A node with 1 CPU, 2 GiB and an IOMMU, as yet without adapters.
    #[must_use]
    pub fn new(name: &str, about: &str) -> Self {
        Self {
            name: name.to_owned(),
            about: about.to_owned(),
            ports: Vec::new(),
            iommu: true,
            cpus: Cpus {
                sockets: 1,
                cores: 1,
                threads: 1,
            },
            memory_mib: 2048,
            counts: false,
            one_wire: false,
        }
    }

    /// Adds a root port.
    #[must_use]
    pub fn port(mut self, port: Port) -> Self {
        self.ports.push(port);
        self
    }

    /// Leaves the IOMMU out.
    #[must_use]
    pub fn without_iommu(self) -> Self {
        Self {
            iommu: false,
            ..self
        }
    }

    /// Arranges the CPUs.
    #[must_use]
    pub fn cpus(self, cpus: Cpus) -> Self {
        Self { cpus, ..self }
    }

    /// Sets the memory, in MiB.
    #[must_use]
    pub fn memory_mib(self, memory_mib: u32) -> Self {
        Self { memory_mib, ..self }
    }

    /// Plugs all adapters into one hub, with one network behind it, instead of each into a network of its
    /// own. A hub learns no MACs: it is a switch that forgets at once which port a station was behind.
    #[must_use]
    pub fn on_one_wire(self) -> Self {
        Self {
            one_wire: true,
            ..self
        }
    }

    /// Has the node's time pass with its instructions, one each nanosecond, and with its waits: as on a
    /// processor of 1,000 MIPS, whatever else this machine does. It takes a third longer, runs on one
    /// thread, and VMs inside hardly get on.
    #[must_use]
    pub fn counting_instructions(self) -> Self {
        Self {
            counts: true,
            ..self
        }
    }

    /// The topology's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The topology in one line.
    #[must_use]
    pub fn about(&self) -> &str {
        &self.about
    }

    /// The adapters in the order of their names, `pf0` first.
    pub(crate) fn adapters(&self) -> impl Iterator<Item = Adapter> {
        self.ports.iter().flat_map(|port| match &port.below {
            Below::Nothing => Vec::new(),
            Below::Adapter(adapter) => vec![*adapter],
            Below::Switch(adapters) => adapters.clone(),
        })
    }
}
