//! A node that was written, and that can change its VFs.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use accelnet_model::PciAddress;

use super::adapter::AdapterSpec;
use super::folder::Folder;
use super::function::Function;
use super::port::Port;

/// What lies above a function.
#[derive(Debug, Clone, Copy)]
pub(super) struct Above {
    /// The last bus of the nearest port.
    pub(super) last_bus: Option<u8>,
    /// Whether every port up to the root keeps apart what is below it.
    pub(super) isolates: bool,
    /// The IOMMU group of the nearest port.
    pub(super) group: Option<u32>,
}

/// A node that was written, and that can change its VFs.
#[derive(Debug)]
pub struct SimNode {
    pub(super) folder: Folder,
    pub(super) placed: Vec<Placed>,
    pub(super) unplugged: Vec<Placed>,
    pub(super) groups: BTreeSet<u32>,
    pub(super) has_iommu: bool,
    pub(super) root_reads: bool,
}

impl SimNode {
    /// The root folder.
    pub fn root(&self) -> &Path {
        self.folder.root()
    }

    pub(super) fn placed(&self, adapter: PciAddress) -> Option<&Placed> {
        let mut placed = self.placed.iter();
        placed.find(|placed| placed.spec.address == adapter)
    }

    pub(super) fn add_port(&mut self, port: Port, above: &str, way: Above) -> io::Result<()> {
        let config = port.config();
        let function = Function {
            address: port.address,
            above,
            ids: port.ids(),
            class: 0x06_0400,
            config: self.readable(&config),
            numa_node: -1,
            driver: Some("pcieport"),
            group: self.group(way),
        };
        function.write(&self.folder)?;
        let (here, group) = (function.folder(), function.group);
        self.groups.extend(group);
        let below = Above {
            last_bus: Some(port.buses.1),
            isolates: way.isolates && port.isolates(),
            group,
        };
        for adapter in port.adapters {
            self.add_adapter(adapter, here.clone(), below)?;
        }
        for port in port.ports {
            self.add_port(port, &here, below)?;
        }
        Ok(())
    }

    /// The part of a configuration space that the node's user may read.
    pub(super) fn readable<'a>(&self, config: &'a [u8]) -> &'a [u8] {
        match self.root_reads {
            true => config,
            false => &config[..64],
        }
    }

    /// The IOMMU group of a new function (`pci_device_group`): its port's where that does
    /// not keep things apart, or else the lowest number that is free.
    pub(super) fn group(&self, way: Above) -> Option<u32> {
        if !self.has_iommu {
            return None;
        }
        match way {
            Above {
                isolates: false,
                group: Some(group),
                ..
            } => Some(group),
            Above { .. } => (0..).find(|number| !self.groups.contains(number)),
        }
    }
}

/// An adapter in its place.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) spec: AdapterSpec,
    /// The folder that its own lies in.
    pub(super) above: String,
    pub(super) way: Above,
    /// Its VFs, by number, with their groups.
    pub(super) vfs: Vec<Option<u32>>,
}

impl Placed {
    pub(super) fn folder(&self) -> String {
        format!("{}/{}", self.above, self.spec.address)
    }
}
