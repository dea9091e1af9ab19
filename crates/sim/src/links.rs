//! The links of a node that never existed: those of its tree, and what netlink and ethtool
//! would say of them.

use std::io;
use std::path::Path;

use accelnet_host::{CopiedLinks, Links};
use accelnet_model::adapter::EswitchMode;
use accelnet_model::link::{Channels, DriverInfo, Link};
use accelnet_model::vf::{VfLinkState, VfSettings, VlanProtocol};
use accelnet_model::{Mac, PciAddress};
use accelnet_netlink::{NetlinkError, VfChange};

use crate::fault::Fault;
use crate::kernel::SimKernel;

impl SimKernel {
    /// The VFs that the adapter of `link` has now.
    fn vfs_of(&self, link: &Link) -> u32 {
        let Some(parent) = link.parent else { return 0 };
        let names = self.root.names(&format!("/sys/bus/pci/devices/{parent}"));
        let names = names.unwrap_or_default();
        let vfs = names.iter().filter(|name| name.starts_with("virtfn"));
        u32::try_from(vfs.count()).unwrap_or(u32::MAX)
    }

    fn driver_of(&self, name: &str) -> Option<String> {
        let path = format!("/sys/class/net/{name}/device/driver");
        self.root.link_name(&path).ok().flatten()
    }
}

impl Links for SimKernel {
    fn links(&self) -> Result<Vec<Link>, NetlinkError> {
        CopiedLinks::new(self.root.clone()).links()
    }

    /// A namespace is a file with the lines `NETDEV ADDRESS`, one for each link that is a
    /// PCI function's.
    fn links_in(&self, file: &Path) -> Result<Vec<Link>, NetlinkError> {
        let what = format!("list the links of {}", file.display());
        let text = std::fs::read_to_string(file).map_err(|error| NetlinkError::System {
            what,
            call: "setns",
            reason: error.to_string(),
        })?;
        let link = |line: &str| {
            let (name, address) = line.split_once(' ')?;
            Some(Link {
                index: 2,
                name: name.to_owned(),
                alt_names: Vec::new(),
                mac: None,
                permanent_mac: None,
                mtu: 1500,
                up: true,
                carrier: true,
                master: None,
                kind: None,
                parent: address.parse().ok(),
                vf_count: None,
            })
        };
        Ok(text.lines().filter_map(link).collect())
    }

    fn vf_settings(&self, link: &Link) -> Result<Vec<VfSettings>, NetlinkError> {
        let vfs = self.vfs_of(link);
        match self.fault() {
            Some(Fault::SettingsCutShort { got }) if got < vfs => {
                Err(NetlinkError::CutShort { got, expected: vfs })
            }
            _ => Ok((0..vfs).map(untouched).collect()),
        }
    }

    fn set_vf(
        &self,
        _index: u32,
        _vf: u32,
        _change: VfChange,
    ) -> Result<Option<String>, NetlinkError> {
        Ok(None)
    }

    fn driver_info(&self, name: &str) -> io::Result<DriverInfo> {
        match self.driver_of(name) {
            None => Err(io::Error::from_raw_os_error(95)),
            Some(driver) => Ok(DriverInfo {
                driver,
                version: Some("6.12.48".to_owned()),
                firmware: Some("3.25.0".to_owned()),
                bus: None,
            }),
        }
    }

    fn channels(&self, name: &str) -> io::Result<Option<Channels>> {
        Ok(self.driver_of(name).map(|_| Channels {
            combined: 8,
            max_combined: 8,
            ..Channels::default()
        }))
    }

    fn eswitch_mode(&self, _address: PciAddress) -> Result<Option<EswitchMode>, NetlinkError> {
        Ok(None)
    }
}

/// The settings of a VF that nobody set.
fn untouched(index: u32) -> VfSettings {
    VfSettings {
        index,
        mac: Mac::ZERO,
        vlan: 0,
        qos: 0,
        vlan_protocol: VlanProtocol::Dot1Q,
        max_tx_rate: 0,
        min_tx_rate: 0,
        spoof_check: Some(true),
        trust: Some(false),
        link_state: Some(VfLinkState::Auto),
        rss_query: None,
    }
}
