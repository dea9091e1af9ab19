//! Trees like those of `/sys` and `/proc`, from a small description.
//!
//! ```
//! use accelnet_sim::{AdapterSpec, Port, Tree};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let igb = AdapterSpec::igb("0000:01:00.0".parse()?, "ens1").vfs(2);
//! let node = Tree::new()
//!     .port(Port::root("0000:00:01.0".parse()?, 1, 2).adapter(igb))
//!     .write(folder.path())?;
//! assert!(node.root().join("sys/class/net/ens1/device/virtfn1").exists());
//! # Ok(())
//! # }
//! ```

mod adapter;
mod folder;
mod function;
mod hotplug;
mod net;
mod node;
mod numvfs;
mod pf;
mod platform;
mod port;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use accelnet_model::PciAddress;

pub use adapter::{AdapterSpec, NetdevSpec, SriovSpec};
pub use net::SoftLink;
pub use node::SimNode;
pub use platform::PlatformSpec;
pub use port::Port;

use folder::Folder;
use node::Above;

/// A few lines of `pci.ids`, in its format.
const PCI_IDS: &str = "# Names of what trees are made of
104c  Texas Instruments
\t8233  XIO3130 PCI Express Switch (Downstream)
15b3  Mellanox Technologies
\t101d  MT2892 Family [ConnectX-6 Dx]
\t101e  ConnectX Family mlx5Gen Virtual Function
8086  Intel Corporation
\t10c9  82576 Gigabit Network Connection
\t\t8086 a01c  Gigabit ET Dual Port Server Adapter
\t10ca  82576 Virtual Function
\t10d3  82574L Gigabit Network Connection
C 02  Network controller
";

/// The description of a node.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    platform: PlatformSpec,
    ports: Vec<Port>,
    adapters: Vec<AdapterSpec>,
}

impl Tree {
    /// A node without adapters.
    pub fn new() -> Self {
        Tree::default()
    }

    /// With a root port.
    #[must_use]
    pub fn port(mut self, port: Port) -> Self {
        self.ports.push(port);
        self
    }

    /// With an adapter on the root bus.
    #[must_use]
    pub fn adapter(mut self, adapter: AdapterSpec) -> Self {
        self.adapters.push(adapter);
        self
    }

    /// With another machine or kernel.
    #[must_use]
    pub fn platform(mut self, change: impl FnOnce(&mut PlatformSpec)) -> Self {
        change(&mut self.platform);
        self
    }

    /// `adapters` adapters with `vfs` VFs each, every one behind a root port of its own:
    /// what benchmarks read. At most 31 adapters, on buses of their own.
    pub fn of_size(adapters: u8, vfs: u16) -> Self {
        (1..=adapters.min(31)).fold(Tree::new(), |tree, number| {
            let bus = (number - 1) * 8 + 1;
            let on = |bus, device| PciAddress {
                domain: 0,
                bus,
                device,
                function: 0,
            };
            let adapter = AdapterSpec::mlx5(on(bus, 0), &format!("ens{number}np0")).vfs(vfs);
            tree.port(Port::root(on(0, number), bus, bus + 7).adapter(adapter))
        })
    }

    /// Writes the node into the empty folder `root`.
    ///
    /// # Errors
    ///
    /// When something cannot be written there.
    pub fn write(self, root: impl AsRef<Path>) -> io::Result<SimNode> {
        let mut node = SimNode {
            folder: Folder::new(root.as_ref().to_owned()),
            placed: Vec::new(),
            unplugged: Vec::new(),
            groups: BTreeSet::new(),
            has_iommu: !self.platform.iommus.is_empty(),
            root_reads: self.platform.root_reads,
        };
        self.platform.write(&node.folder)?;
        node.folder.write("usr/share/misc/pci.ids", PCI_IDS)?;
        let open = Above {
            last_bus: None,
            isolates: true,
            group: None,
        };
        for port in self.ports {
            let host_bridge = host_bridge(port.address);
            node.add_port(port, &host_bridge, open)?;
        }
        for adapter in self.adapters {
            let host_bridge = host_bridge(adapter.address);
            node.add_adapter(adapter, host_bridge, open)?;
        }
        Ok(node)
    }
}

fn host_bridge(address: PciAddress) -> String {
    format!("sys/devices/pci{:04x}:00", address.domain)
}
