//! What the kernel does on a write to `sriov_numvfs` (`sriov_numvfs_store` in
//! `drivers/pci/pci-sysfs.c`, `sriov_enable` in `drivers/pci/iov.c`).

use std::io;

use accelnet_model::PciAddress;

use super::SimNode;
use super::function::{Function, Netdev};
use super::pf::config;
use crate::config::ConfigBuilder;

/// Error numbers of Linux.
const ENOENT: i32 = 2;
const ENOMEM: i32 = 12;
const EBUSY: i32 = 16;
const ENODEV: i32 = 19;
const ERANGE: i32 = 34;

impl SimNode {
    /// Changes the number of VFs as a write of `vfs` to `sriov_numvfs` would.
    ///
    /// # Errors
    ///
    /// As the kernel: ERANGE past `sriov_totalvfs`, ENOENT without a driver, EBUSY from one
    /// number to another, ENOMEM without bus numbers or memory space for the VFs; ENODEV
    /// for an adapter that is not there. Errors of writing the tree have other numbers.
    pub fn apply_numvfs(&mut self, adapter: PciAddress, vfs: u16) -> io::Result<()> {
        self.apply_numvfs_partly(adapter, vfs, vfs)
    }

    /// The same, but only `made` of the VFs come to be: a driver that gave up in the middle.
    ///
    /// # Errors
    ///
    /// As [`SimNode::apply_numvfs`].
    pub fn apply_numvfs_partly(
        &mut self,
        adapter: PciAddress,
        vfs: u16,
        made: u16,
    ) -> io::Result<()> {
        let index = self.admit(adapter, vfs)?;
        match index {
            Some(index) => self.set_vfs(index, vfs, made),
            None => Ok(()),
        }
    }

    /// Whether the kernel lets a write of `vfs` through to the driver: the place of the
    /// adapter, or none when there is nothing to do.
    ///
    /// # Errors
    ///
    /// As [`SimNode::apply_numvfs`].
    fn admit(&self, adapter: PciAddress, vfs: u16) -> io::Result<Option<usize>> {
        let refuse = |number| Err(io::Error::from_raw_os_error(number));
        let mut placed = self.placed.iter();
        let Some(index) = placed.position(|placed| placed.spec.address == adapter) else {
            return refuse(ENODEV);
        };
        let placed = &self.placed[index];
        let spec = &placed.spec;
        let Some(sriov) = &spec.sriov else {
            return refuse(ENODEV);
        };
        if vfs > sriov.total_vfs {
            return refuse(ERANGE);
        }
        let now = self
            .folder
            .read(&format!("{}/sriov_numvfs", placed.folder()))?;
        if now == vfs.to_string() {
            return Ok(None);
        }
        if !self.folder.exists(&format!("{}/driver", placed.folder())) {
            return refuse(ENOENT);
        }
        if vfs != 0 && now != "0" {
            return refuse(EBUSY);
        }
        let last = vfs
            .checked_sub(1)
            .and_then(|last| vf_address(adapter, sriov.offset, sriov.stride, last));
        let past_buses = match (last, placed.way.last_bus) {
            (Some(last), Some(bus)) => last.bus > bus,
            (None, _) => vfs > 0,
            (Some(_), None) => false,
        };
        if vfs > 0 && (past_buses || !sriov.bars_assigned) {
            return refuse(ENOMEM);
        }
        Ok(Some(index))
    }

    /// Makes `sriov_numvfs` of an adapter report `vfs` and `made` VFs exist, without asking.
    pub(super) fn set_vfs(&mut self, adapter: usize, vfs: u16, made: u16) -> io::Result<()> {
        let here = self.placed[adapter].folder();
        let spec = &self.placed[adapter].spec;
        let mut bytes = config(spec, vfs);
        if spec.left_the_bus {
            bytes.fill(0xff);
        }
        let bytes = self.readable(&bytes);
        self.folder.write(&format!("{here}/config"), bytes)?;
        let number = format!("{here}/sriov_numvfs");
        if self.folder.exists(&number) {
            self.folder.attribute(&number, vfs)?;
        }
        for index in 0..self.placed[adapter].vfs.len() {
            self.remove_vf(adapter, index)?;
        }
        self.placed[adapter].vfs.clear();
        self.add_vfs(adapter, made)
    }

    /// Lets VFs come that an earlier change left out, up to `made` of them.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn complete_vfs(&mut self, adapter: PciAddress, made: u16) -> io::Result<()> {
        let mut placed = self.placed.iter();
        match placed.position(|placed| placed.spec.address == adapter) {
            Some(index) => self.add_vfs(index, made),
            None => Ok(()),
        }
    }

    fn add_vfs(&mut self, adapter: usize, made: u16) -> io::Result<()> {
        let there = u16::try_from(self.placed[adapter].vfs.len()).unwrap_or(u16::MAX);
        for index in there..made {
            let group = self.add_vf(adapter, index)?;
            self.groups.extend(group);
            self.placed[adapter].vfs.push(group);
        }
        Ok(())
    }

    fn add_vf(&self, adapter: usize, index: u16) -> io::Result<Option<u32>> {
        let placed = &self.placed[adapter];
        let (spec, here) = (&placed.spec, placed.folder());
        let Some(sriov) = &spec.sriov else {
            return Ok(None);
        };
        let Some(address) = vf_address(spec.address, sriov.offset, sriov.stride, index) else {
            return Ok(None);
        };
        let probed = match self.folder.read(&format!("{here}/sriov_drivers_autoprobe")) {
            Ok(flag) => flag == "1",
            Err(_) => sriov.drivers_autoprobe,
        };
        let config = ConfigBuilder::virtual_function()
            .msix(0x70, sriov.vf_msix_vectors, false)
            .build();
        let function = Function {
            address,
            above: &placed.above,
            ids: (spec.ids.0, sriov.vf_device),
            class: 0x02_0000,
            config: self.readable(&config),
            numa_node: spec.numa_node,
            driver: sriov.vf_driver.as_deref().filter(|_| probed),
            group: self.group(placed.way),
        };
        function.write(&self.folder)?;
        let there = function.folder();
        self.folder.link(&format!("{there}/physfn"), &here)?;
        self.folder.link(&format!("{here}/virtfn{index}"), &there)?;
        if sriov.vf_total_msix.is_some() {
            // The kernel's is write-only; what is read is in the capability.
            self.folder
                .write(&format!("{there}/sriov_vf_msix_count"), "")?;
        }
        if let Some(driver) = function.driver
            && driver != "vfio-pci"
        {
            let name = format!("{}v{index}", spec.netdev);
            let netdev = Netdev {
                speed: spec.speed,
                ..Netdev::down(&name)
            };
            function.write_netdev(&self.folder, &netdev)?;
        }
        Ok(function.group)
    }

    /// Does what was written to `sriov_vf_msix_count` of VF `index` since the last time: 0 is
    /// the driver's own choice.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn apply_msix_count(&self, adapter: PciAddress, index: u16) -> io::Result<()> {
        let (Some(placed), Some(address)) = (self.placed(adapter), self.vf_address(adapter, index))
        else {
            return Ok(());
        };
        let Some(sriov) = &placed.spec.sriov else {
            return Ok(());
        };
        let there = format!("{}/{address}", placed.above);
        let knob = format!("{there}/sriov_vf_msix_count");
        let vectors = match self.folder.read(&knob).map(|text| text.parse::<u16>()) {
            Ok(Ok(0)) => sriov.vf_msix_vectors,
            Ok(Ok(vectors)) => vectors,
            _ => return Ok(()),
        };
        let config = ConfigBuilder::virtual_function()
            .msix(0x70, vectors, false)
            .build();
        self.folder
            .write(&format!("{there}/config"), self.readable(&config))?;
        self.folder.write(&knob, "")
    }

    /// A driver works VF `index`, or no longer does: its Bus Master Enable.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn set_bus_master(&self, adapter: PciAddress, index: u16, on: bool) -> io::Result<()> {
        let (Some(placed), Some(address)) = (self.placed(adapter), self.vf_address(adapter, index))
        else {
            return Ok(());
        };
        let path = format!("{}/{address}/config", placed.above);
        let mut config = std::fs::read(self.folder.root().join(&path))?;
        if let Some(command) = config.get_mut(4) {
            *command = (*command & !4) | (u8::from(on) << 2);
        }
        self.folder.write(&path, config)
    }

    fn remove_vf(&mut self, adapter: usize, index: usize) -> io::Result<()> {
        let placed = &self.placed[adapter];
        let link = format!("{}/virtfn{index}", placed.folder());
        let (Ok(number), Ok(target)) = (
            u16::try_from(index),
            std::fs::read_link(self.folder.root().join(&link)),
        ) else {
            return Ok(());
        };
        let Some(sriov) = &placed.spec.sriov else {
            return Ok(());
        };
        let spec = &placed.spec;
        let Some(address) = vf_address(spec.address, sriov.offset, sriov.stride, number) else {
            return Ok(());
        };
        let group = placed.vfs[index];
        let there = format!("{}/{address}", placed.above);
        debug_assert!(target.ends_with(address.to_string()), "links name their VF");
        let driver = std::fs::read_link(self.folder.root().join(format!("{there}/driver")));
        let driver = driver
            .ok()
            .and_then(|driver| Some(driver.file_name()?.to_str()?.to_owned()));
        let function = Function {
            address,
            above: &placed.above,
            ids: spec.ids,
            class: 0x02_0000,
            config: &[],
            numa_node: spec.numa_node,
            driver: driver.as_deref(),
            group,
        };
        self.folder.remove_link(&link)?;
        function.remove(&self.folder, &format!("{}v{index}", spec.netdev))?;
        // A group that is left empty goes with its last function.
        if let Some(group) = group.filter(|&group| placed.way.group != Some(group)) {
            self.folder
                .remove(&format!("sys/kernel/iommu_groups/{group}"))?;
            self.groups.remove(&group);
        }
        Ok(())
    }
}

/// Where VF `index` sits; none where routing ids run out.
pub(super) fn vf_address(
    pf: PciAddress,
    offset: u16,
    stride: u16,
    index: u16,
) -> Option<PciAddress> {
    let id = stride.checked_mul(index)?.checked_add(offset)?;
    let id = id.checked_add(pf.routing_id())?;
    Some(pf.with_routing_id(id))
}
