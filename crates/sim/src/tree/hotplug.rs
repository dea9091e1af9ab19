//! What else happens to functions: drivers bound and unbound, adapters gone and back,
//! netdevs up, moved and enslaved.

use std::io;

use accelnet_model::PciAddress;

use super::SimNode;
use super::function::{Function, Netdev, flags};
use super::numvfs::vf_address;

impl SimNode {
    /// Takes the driver from an adapter, and its netdev with it; its VFs stay.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn unbind_adapter(&self, adapter: PciAddress) -> io::Result<()> {
        let Some(placed) = self.placed(adapter) else {
            return Ok(());
        };
        if let Some(driver) = &placed.spec.driver {
            self.unbind(&placed.folder(), adapter, driver, &placed.spec.netdev)?;
        }
        Ok(())
    }

    /// Gives an adapter its driver again.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn bind_adapter(&self, adapter: PciAddress) -> io::Result<()> {
        let Some(placed) = self.placed(adapter) else {
            return Ok(());
        };
        let spec = &placed.spec;
        if self.folder.exists(&format!("{}/driver", placed.folder())) {
            return Ok(());
        }
        let function = Function {
            address: adapter,
            above: &placed.above,
            ids: spec.ids,
            class: 0x02_0000,
            config: &[],
            numa_node: spec.numa_node,
            driver: spec.driver.as_deref(),
            group: None,
        };
        if let Some(driver) = &spec.driver {
            function.bind(&self.folder, driver)?;
            let netdev = Netdev {
                speed: spec.speed,
                up: spec.up,
                ..Netdev::down(&spec.netdev)
            };
            function.write_netdev(&self.folder, &netdev)?;
        }
        Ok(())
    }

    /// Binds VF `index` of an adapter to `driver`, whichever it had. A network driver
    /// brings a netdev, vfio-pci the file of its group.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn bind_vf(&self, adapter: PciAddress, index: u16, driver: &str) -> io::Result<()> {
        let Some(placed) = self.placed(adapter) else {
            return Ok(());
        };
        let Some(sriov) = &placed.spec.sriov else {
            return Ok(());
        };
        let Some(address) = vf_address(adapter, sriov.offset, sriov.stride, index) else {
            return Ok(());
        };
        let netdev = self.vf_netdev(adapter, index);
        self.unbind_vf(adapter, index)?;
        let group = placed.vfs.get(usize::from(index)).copied().flatten();
        let function = Function {
            address,
            above: &placed.above,
            ids: (placed.spec.ids.0, sriov.vf_device),
            class: 0x02_0000,
            config: &[],
            numa_node: placed.spec.numa_node,
            driver: Some(driver),
            group,
        };
        function.bind(&self.folder, driver)?;
        match (driver, group) {
            ("vfio-pci", Some(group)) => self.folder.write(&format!("dev/vfio/{group}"), ""),
            ("vfio-pci", None) => Ok(()),
            _ => function.write_netdev(
                &self.folder,
                &Netdev {
                    speed: placed.spec.speed,
                    ..Netdev::down(&netdev)
                },
            ),
        }
    }

    /// Takes the driver from VF `index` of an adapter, if it has one.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn unbind_vf(&self, adapter: PciAddress, index: u16) -> io::Result<()> {
        let Some(placed) = self.placed(adapter) else {
            return Ok(());
        };
        let address = placed.spec.sriov.as_ref();
        let address =
            address.and_then(|sriov| vf_address(adapter, sriov.offset, sriov.stride, index));
        let Some(address) = address else {
            return Ok(());
        };
        let here = format!("{}/{address}", placed.above);
        let bound = std::fs::read_link(self.folder.root().join(format!("{here}/driver")));
        match bound.as_ref().map(|bound| bound.file_name()) {
            Ok(Some(bound)) => {
                let netdev = self.vf_netdev(adapter, index);
                self.unbind(&here, address, &bound.to_string_lossy(), &netdev)
            }
            _ => Ok(()),
        }
    }

    /// Binds VF `index` of an adapter to its own network driver.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn bind_vf_to_its_driver(&self, adapter: PciAddress, index: u16) -> io::Result<()> {
        let sriov = self
            .placed(adapter)
            .and_then(|placed| placed.spec.sriov.as_ref());
        match sriov.and_then(|sriov| sriov.vf_driver.clone()) {
            Some(driver) => self.bind_vf(adapter, index, &driver),
            None => Ok(()),
        }
    }

    /// Calls the netdev of an adapter otherwise.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn rename(&mut self, adapter: PciAddress, name: &str) -> io::Result<()> {
        let mut placed = self.placed.iter_mut();
        let Some(placed) = placed.find(|placed| placed.spec.address == adapter) else {
            return Ok(());
        };
        let old = std::mem::replace(&mut placed.spec.netdev, name.to_owned());
        let here = format!("{}/{adapter}/net", placed.above);
        let root = self.folder.root();
        std::fs::rename(
            root.join(format!("{here}/{old}")),
            root.join(format!("{here}/{name}")),
        )?;
        self.folder.remove_link(&format!("sys/class/net/{old}"))?;
        self.folder
            .link(&format!("sys/class/net/{name}"), &format!("{here}/{name}"))
    }

    /// Takes the driver from a VF, whichever it had.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn release_vf(&self, adapter: PciAddress, index: u16) -> io::Result<()> {
        let (Some(placed), Some(address)) = (self.placed(adapter), self.vf_address(adapter, index))
        else {
            return Ok(());
        };
        let here = format!("{}/{address}", placed.above);
        let bound = std::fs::read_link(self.folder.root().join(format!("{here}/driver")));
        if let Ok(bound) = bound
            && let Some(bound) = bound.file_name().and_then(|name| name.to_str())
        {
            self.unbind(&here, address, bound, &self.vf_netdev(adapter, index))?;
        }
        if let Some(group) = self.vf_group(adapter, index) {
            let file = format!("dev/vfio/{group}");
            if self.folder.exists(&file) {
                self.folder.remove_link(&file)?;
            }
        }
        Ok(())
    }

    /// The adapter and number of the VF at `address`, if one is there.
    pub fn vf_at(&self, address: PciAddress) -> Option<(PciAddress, u16)> {
        self.placed.iter().find_map(|placed| {
            let pf = placed.spec.address;
            let there = u16::try_from(placed.vfs.len()).unwrap_or(u16::MAX);
            let index = (0..there).find(|index| self.vf_address(pf, *index) == Some(address))?;
            Some((pf, index))
        })
    }

    /// The adapter whose netdev is called `netdev`, and the addresses of its VFs.
    pub fn vfs_of(&self, netdev: &str) -> Option<(PciAddress, Vec<PciAddress>)> {
        let mut placed = self.placed.iter();
        let placed = placed.find(|placed| placed.spec.netdev == netdev)?;
        let pf = placed.spec.address;
        let there = u16::try_from(placed.vfs.len()).unwrap_or(u16::MAX);
        let vfs = (0..there).filter_map(|index| self.vf_address(pf, index));
        Some((pf, vfs.collect()))
    }

    /// Whether the driver of an adapter can limit the rate of a VF.
    pub fn limits_rate(&self, adapter: PciAddress) -> bool {
        let sriov = self
            .placed(adapter)
            .and_then(|placed| placed.spec.sriov.as_ref());
        sriov.is_some_and(|sriov| sriov.limits_rate)
    }

    /// Whether the driver of an adapter takes trust of a VF.
    pub fn trusts(&self, adapter: PciAddress) -> bool {
        let sriov = self
            .placed(adapter)
            .and_then(|placed| placed.spec.sriov.as_ref());
        sriov.is_some_and(|sriov| sriov.trusts)
    }

    /// The PCI addresses of the adapters.
    pub fn adapters(&self) -> Vec<PciAddress> {
        self.placed
            .iter()
            .map(|placed| placed.spec.address)
            .collect()
    }

    /// Where VF `index` of an adapter sits.
    pub fn vf_address(&self, adapter: PciAddress, index: u16) -> Option<PciAddress> {
        let sriov = self.placed(adapter)?.spec.sriov.as_ref()?;
        vf_address(adapter, sriov.offset, sriov.stride, index)
    }

    /// What the netdev of VF `index` is called while a network driver has it.
    pub fn vf_netdev(&self, adapter: PciAddress, index: u16) -> String {
        let name = self
            .placed(adapter)
            .map(|placed| placed.spec.netdev.as_str());
        format!("{}v{index}", name.unwrap_or_default())
    }

    /// The group of VF `index`.
    pub fn vf_group(&self, adapter: PciAddress, index: u16) -> Option<u32> {
        let placed = self.placed(adapter)?;
        placed.vfs.get(usize::from(index)).copied().flatten()
    }

    /// Takes an adapter away, and its VFs with it.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn unplug(&mut self, adapter: PciAddress) -> io::Result<()> {
        let mut placed = self.placed.iter();
        let Some(index) = placed.position(|placed| placed.spec.address == adapter) else {
            return Ok(());
        };
        self.set_vfs(index, 0, 0)?;
        self.unbind_adapter(adapter)?;
        let placed = self.placed.remove(index);
        let here = placed.folder();
        let group = std::fs::read_link(self.folder.root().join(format!("{here}/iommu_group")));
        let group = group.ok().and_then(|group| {
            let name = group.file_name()?.to_str()?;
            name.parse::<u32>().ok()
        });
        let function = Function {
            address: adapter,
            above: &placed.above,
            ids: placed.spec.ids,
            class: 0x02_0000,
            config: &[],
            numa_node: placed.spec.numa_node,
            driver: None,
            group,
        };
        function.remove(&self.folder, &placed.spec.netdev)?;
        if let Some(group) = group.filter(|&group| placed.way.group != Some(group)) {
            self.folder
                .remove(&format!("sys/kernel/iommu_groups/{group}"))?;
            self.groups.remove(&group);
        }
        self.unplugged.push(placed);
        Ok(())
    }

    /// Puts back every adapter that was unplugged; they have no VFs then.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn plug(&mut self) -> io::Result<()> {
        for mut placed in std::mem::take(&mut self.unplugged) {
            if let Some(sriov) = &mut placed.spec.sriov {
                sriov.vfs = 0;
            }
            self.add_adapter(placed.spec, placed.above, placed.way)?;
        }
        Ok(())
    }

    /// Brings a netdev up.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn bring_up(&self, netdev: &str) -> io::Result<()> {
        let here = format!("sys/class/net/{netdev}");
        self.folder
            .attribute(&format!("{here}/flags"), flags(true))?;
        self.folder.attribute(&format!("{here}/carrier"), 1)
    }

    /// Makes a netdev a port of the bridge or bond `master`, which comes to be if needed.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn enslave(&self, netdev: &str, master: &str) -> io::Result<()> {
        let bridge = format!("sys/devices/virtual/net/{master}");
        if !self.folder.exists(&bridge) {
            self.folder
                .attribute(&format!("{bridge}/flags"), flags(false))?;
            self.folder
                .link(&format!("sys/class/net/{master}"), &bridge)?;
        }
        let place = std::fs::read_link(self.folder.root().join("sys/class/net").join(netdev))?;
        let place = place.to_string_lossy();
        let place = place.trim_start_matches("../");
        self.folder.link(&format!("sys/{place}/master"), &bridge)
    }

    /// Takes a netdev out of sight: it is in another network namespace now.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn move_away(&self, netdev: &str) -> io::Result<()> {
        self.folder.remove_link(&format!("sys/class/net/{netdev}"))
    }

    fn unbind(
        &self,
        here: &str,
        address: PciAddress,
        driver: &str,
        netdev: &str,
    ) -> io::Result<()> {
        self.folder.remove_link(&format!("{here}/driver"))?;
        self.folder
            .remove_link(&format!("sys/bus/pci/drivers/{driver}/{address}"))?;
        let link = format!("sys/class/net/{netdev}");
        if self.folder.exists(&link) {
            self.folder.remove_link(&link)?;
        }
        match self.folder.exists(&format!("{here}/net")) {
            true => self.folder.remove(&format!("{here}/net")),
            false => Ok(()),
        }
    }
}
