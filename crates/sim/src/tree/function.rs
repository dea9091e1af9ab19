//! Writes one PCI function as sysfs shows it, with its netdev, driver and IOMMU group.

use std::io;

use accelnet_model::PciAddress;

use super::folder::Folder;

/// A PCI function.
#[derive(Debug)]
pub(super) struct Function<'a> {
    pub(super) address: PciAddress,
    /// The folder that its own lies in, such as `sys/devices/pci0000:00/0000:00:01.0`.
    pub(super) above: &'a str,
    pub(super) ids: (u16, u16),
    pub(super) class: u32,
    pub(super) config: &'a [u8],
    pub(super) numa_node: i32,
    pub(super) driver: Option<&'a str>,
    pub(super) group: Option<u32>,
}

/// A netdev of a function.
#[derive(Debug)]
pub(super) struct Netdev<'a> {
    pub(super) name: &'a str,
    /// Mb/s; none without carrier.
    pub(super) speed: Option<u32>,
    /// Whether it is up; fresh ones are not.
    pub(super) up: bool,
    /// `type`: the `ARPHRD_*` number.
    pub(super) link_type: u16,
    /// `phys_port_name`, where the driver gives one.
    pub(super) port_name: Option<&'a str>,
    /// Its number among the netdevs of the function.
    pub(super) number: u16,
    /// The device between the function and it, such as a subfunction's.
    pub(super) device: Option<&'a str>,
}

impl<'a> Netdev<'a> {
    /// An Ethernet netdev that is down.
    pub(super) fn down(name: &'a str) -> Self {
        Netdev {
            name,
            speed: None,
            up: false,
            link_type: 1,
            port_name: None,
            number: 0,
            device: None,
        }
    }
}

impl Function<'_> {
    pub(super) fn folder(&self) -> String {
        format!("{}/{}", self.above, self.address)
    }

    pub(super) fn write(&self, folder: &Folder) -> io::Result<()> {
        let (here, address) = (self.folder(), self.address);
        let (vendor, device) = self.ids;
        folder.attribute(&format!("{here}/vendor"), format_args!("{vendor:#06x}"))?;
        folder.attribute(&format!("{here}/device"), format_args!("{device:#06x}"))?;
        let class = self.class;
        folder.attribute(&format!("{here}/class"), format_args!("{class:#08x}"))?;
        folder.write(&format!("{here}/config"), self.config)?;
        folder.attribute(&format!("{here}/numa_node"), self.numa_node)?;
        folder.attribute(&format!("{here}/driver_override"), "(null)")?;
        folder.link(&format!("sys/bus/pci/devices/{address}"), &here)?;
        folder.link(&format!("{here}/subsystem"), "sys/bus/pci")?;
        if let Some(driver) = self.driver {
            self.bind(folder, driver)?;
        }
        if let Some(group) = self.group {
            let group = format!("sys/kernel/iommu_groups/{group}");
            folder.attribute(&format!("{group}/type"), "DMA-FQ")?;
            folder.link(&format!("{here}/iommu_group"), &group)?;
            folder.link(&format!("{group}/devices/{address}"), &here)?;
        }
        Ok(())
    }

    pub(super) fn bind(&self, folder: &Folder, driver: &str) -> io::Result<()> {
        let here = self.folder();
        let place = format!("sys/bus/pci/drivers/{driver}");
        let module = format!("sys/module/{}", driver.replace('-', "_"));
        folder.make(&module)?;
        if !folder.exists(&format!("{place}/module")) {
            folder.link(&format!("{place}/module"), &module)?;
        }
        folder.link(&format!("{place}/{}", self.address), &here)?;
        folder.link(&format!("{here}/driver"), &place)
    }

    pub(super) fn write_netdev(&self, folder: &Folder, netdev: &Netdev<'_>) -> io::Result<()> {
        let device = match netdev.device {
            Some(device) => format!("{}/{device}", self.folder()),
            None => self.folder(),
        };
        let here = format!("{device}/net/{}", netdev.name);
        let id = self.address.routing_id().to_be_bytes();
        let number = netdev.number;
        let mac = format!("52:54:00:{number:02x}:{:02x}:{:02x}", id[0], id[1]);
        folder.attribute(&format!("{here}/address"), mac)?;
        folder.attribute(&format!("{here}/addr_assign_type"), 0)?;
        folder.attribute(&format!("{here}/type"), netdev.link_type)?;
        folder.attribute(&format!("{here}/dev_port"), number)?;
        if let Some(port_name) = netdev.port_name {
            folder.attribute(&format!("{here}/phys_port_name"), port_name)?;
        }
        let index = u32::from(self.address.routing_id()) + 2 + (u32::from(number) << 16);
        folder.attribute(&format!("{here}/ifindex"), index)?;
        folder.attribute(&format!("{here}/mtu"), 1500)?;
        let (speed, state) = match netdev.speed {
            Some(speed) if netdev.up => (speed.to_string(), "up"),
            _ => ("-1".to_owned(), "down"),
        };
        folder.attribute(&format!("{here}/flags"), flags(netdev.up))?;
        if netdev.up {
            // Of a link that is down it is EINVAL.
            let carrier = u8::from(netdev.speed.is_some());
            folder.attribute(&format!("{here}/carrier"), carrier)?;
        }
        folder.attribute(&format!("{here}/speed"), speed)?;
        folder.attribute(&format!("{here}/operstate"), state)?;
        folder.link(&format!("{here}/device"), &device)?;
        folder.link(&format!("sys/class/net/{}", netdev.name), &here)
    }

    /// Takes away what the others wrote for a function that is gone.
    pub(super) fn remove(&self, folder: &Folder, netdev: &str) -> io::Result<()> {
        let address = self.address;
        let mut links = vec![
            format!("sys/bus/pci/devices/{address}"),
            format!("sys/class/net/{netdev}"),
        ];
        if let Some(driver) = self.driver {
            links.push(format!("sys/bus/pci/drivers/{driver}/{address}"));
        }
        if let Some(group) = self.group {
            links.push(format!("sys/kernel/iommu_groups/{group}/devices/{address}"));
        }
        for link in links {
            if folder.exists(&link) {
                folder.remove_link(&link)?;
            }
        }
        folder.remove(&self.folder())
    }
}

/// `IFF_BROADCAST | IFF_MULTICAST`, and `IFF_UP`.
pub(super) fn flags(up: bool) -> String {
    format!("{:#x}", 0x1002 | u32::from(up))
}
