//! Writes a physical function.

use std::io;

use super::function::{Function, Netdev};
use super::node::{Above, Placed};
use super::{AdapterSpec, SimNode, SriovSpec};
use crate::config::{ConfigBuilder, Express, Sriov};

/// Flags of a 64-bit prefetchable memory space (`include/linux/ioport.h`, with the
/// register's own low bits).
const WIDE_MEMORY: u64 = 0x14_220c;
/// The same in a BAR register.
const WIDE_REGISTER: u32 = 0xc;
/// Where the BARs of VFs begin, each adapter's on a bus of its own.
const MEMORY: u64 = 0x80_0000_0000;

impl SimNode {
    pub(super) fn add_adapter(
        &mut self,
        spec: AdapterSpec,
        above: String,
        way: Above,
    ) -> io::Result<()> {
        let config = config(&spec, 0);
        let function = Function {
            address: spec.address,
            above: &above,
            ids: spec.ids,
            class: spec.class,
            config: self.readable(&config),
            numa_node: spec.numa_node,
            driver: spec.driver.as_deref(),
            group: self.group(way),
        };
        function.write(&self.folder)?;
        if let Some(driver) = &spec.driver {
            let netdev = Netdev {
                speed: spec.speed,
                up: spec.up,
                link_type: spec.link_type,
                port_name: spec.port_name.as_deref(),
                ..Netdev::down(&spec.netdev)
            };
            if !spec.netdev.is_empty() {
                function.write_netdev(&self.folder, &netdev)?;
            }
            for (further, number) in spec.netdevs.iter().zip(1..) {
                let netdev = Netdev {
                    speed: further.speed,
                    up: true,
                    link_type: spec.link_type,
                    port_name: further.port_name.as_deref(),
                    number,
                    device: further.device.as_deref(),
                    ..Netdev::down(&further.name)
                };
                function.write_netdev(&self.folder, &netdev)?;
            }
            if let Some(version) = &spec.driver_version {
                let path = format!("sys/module/{driver}/version");
                self.folder.attribute(&path, version)?;
            }
        }
        let (here, group) = (function.folder(), function.group);
        self.groups.extend(group);
        self.write_link(&here, &spec)?;
        let total = spec.sriov.as_ref().map_or(0, |sriov| sriov.vfs);
        let resource = resource(&spec);
        self.folder.write(&format!("{here}/resource"), resource)?;
        if let Some(sriov) = &spec.sriov
            && sriov.in_sysfs
        {
            self.write_sriov(&here, sriov)?;
        }
        self.placed.push(Placed {
            spec,
            above,
            way,
            vfs: Vec::new(),
        });
        let index = self.placed.len() - 1;
        self.set_vfs(index, total, total)
    }

    fn write_link(&self, here: &str, spec: &AdapterSpec) -> io::Result<()> {
        let Some(rates) = spec.pcie else {
            return Ok(());
        };
        for (which, (speed, width)) in ["max", "current"].into_iter().zip(rates) {
            let speed_path = format!("{here}/{which}_link_speed");
            self.folder.attribute(&speed_path, speed)?;
            let width_path = format!("{here}/{which}_link_width");
            self.folder.attribute(&width_path, width)?;
        }
        Ok(())
    }

    fn write_sriov(&self, here: &str, sriov: &SriovSpec) -> io::Result<()> {
        let attribute = |name: &str, value: String| {
            let path = format!("{here}/{name}");
            self.folder.attribute(&path, value)
        };
        attribute("sriov_totalvfs", sriov.total_vfs.to_string())?;
        attribute("sriov_numvfs", "0".to_owned())?;
        attribute("sriov_offset", sriov.offset.to_string())?;
        attribute("sriov_stride", sriov.stride.to_string())?;
        attribute("sriov_vf_device", format!("{:x}", sriov.vf_device))?;
        let autoprobe = u8::from(sriov.drivers_autoprobe).to_string();
        attribute("sriov_drivers_autoprobe", autoprobe)?;
        let vectors = sriov.vf_total_msix.unwrap_or(0);
        attribute("sriov_vf_total_msix", vectors.to_string())
    }
}

/// The configuration space of an adapter with `vfs` VFs switched on.
pub(super) fn config(spec: &AdapterSpec, vfs: u16) -> Vec<u8> {
    let (vendor, device) = spec.ids;
    let express = Express {
        port_type: 0,
        speed: 1,
        lanes: 4,
        slot: None,
        ari_forwarding: false,
    };
    let config = ConfigBuilder::function(vendor, device, spec.class)
        .msix(0x70, spec.msix_vectors, spec.driver.is_some())
        .express(0xa0, &express)
        .aer(0x100)
        .ari(0x150, 0);
    let Some(sriov) = &spec.sriov else {
        return config.build();
    };
    let mut bars = [0; 6];
    for (bar, _) in &sriov.bars {
        bars[usize::from(*bar)] = WIDE_REGISTER;
    }
    let capability = Sriov {
        control: match vfs {
            0 => 0,
            _ => 0b1_1001,
        },
        initial_vfs: sriov.hardware_vfs,
        total_vfs: sriov.hardware_vfs,
        num_vfs: vfs,
        offset: sriov.offset,
        stride: sriov.stride,
        vf_device: sriov.vf_device,
        page_sizes: 0x553,
        bars,
    };
    config.sriov(0x160, &capability).build()
}

/// The file `resource`: six BARs and the ROM, then, with SR-IOV in the kernel, six VF BARs.
fn resource(spec: &AdapterSpec) -> String {
    let lines = match &spec.sriov {
        Some(sriov) if !sriov.in_sysfs => 7,
        _ => 13,
    };
    let mut resources = vec![(0, 0, 0); lines];
    let mut place = MEMORY + (u64::from(spec.address.routing_id()) << 28);
    if let Some(sriov) = &spec.sriov
        && sriov.bars_assigned
    {
        for (bar, size) in &sriov.bars {
            let length = size * u64::from(sriov.hardware_vfs);
            if let Some(resource) = resources.get_mut(7 + usize::from(*bar)) {
                *resource = (place, place + length - 1, WIDE_MEMORY);
            }
            place += length;
        }
    }
    resources
        .into_iter()
        .map(|(start, end, flags)| format!("{start:#018x} {end:#018x} {flags:#018x}\n"))
        .collect()
}
