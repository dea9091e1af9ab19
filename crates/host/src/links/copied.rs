//! Links of a copy of a node: `/sys/class/net` below its root, and recorded netlink
//! answers for the VFs in `/run/accelnet/recorded/NAME.netlink`.

use std::io;
use std::path::Path;

use accelnet_model::adapter::EswitchMode;
use accelnet_model::link::{Bond, BondMode, Channels, DriverInfo, Link, LinkType};
use accelnet_model::vf::VfSettings;
use accelnet_model::{Mac, PciAddress};
use accelnet_netlink::{FdbEntry, NetlinkError, VfChange, decode};
use accelnet_pci::Root;

use super::Links;

/// `IFF_UP` of `linux/if.h`.
const IFF_UP: u32 = 1;

/// Links below a root folder.
#[derive(Debug, Clone)]
pub struct CopiedLinks {
    root: Root,
}

impl CopiedLinks {
    /// The links below `root`.
    pub fn new(root: Root) -> Self {
        CopiedLinks { root }
    }

    /// A bond by its folder `bonding`, in which `mode` is a name and its number.
    fn bond(&self, name: &str) -> Option<Bond> {
        let text = |file: &str| {
            self.root
                .text(&format!("/sys/class/net/{name}/bonding/{file}"))
        };
        let mode = text("mode").ok()?;
        let number = mode.rsplit(' ').next().and_then(|word| word.parse().ok());
        Some(Bond {
            mode: number.map_or(BondMode::Unknown, BondMode::from_number),
            active: text("active_slave").ok().filter(|name| !name.is_empty()),
        })
    }

    fn link(&self, name: &str) -> Link {
        let file = |attribute: &str| format!("/sys/class/net/{name}/{attribute}");
        let text = |attribute: &str| self.root.text(&file(attribute)).ok();
        let mac = text("address").and_then(|mac| mac.parse::<Mac>().ok());
        let device = self.root.link_name(&file("device")).ok().flatten();
        Link {
            index: self.root.number(&file("ifindex")).unwrap_or(0),
            name: name.to_owned(),
            link_type: self
                .root
                .number(&file("type"))
                .map_or(LinkType::Ether, LinkType::from_number),
            alt_names: Vec::new(),
            mac,
            permanent_mac: mac.filter(|_| text("addr_assign_type").as_deref() == Some("0")),
            mtu: self.root.number(&file("mtu")).unwrap_or(0),
            up: self
                .root
                .hex::<u32>(&file("flags"))
                .is_ok_and(|flags| flags & IFF_UP != 0),
            carrier: text("carrier").as_deref() == Some("1"),
            master: self.root.link_name(&file("master")).ok().flatten(),
            kind: None,
            parent: device.as_ref().and_then(|address| address.parse().ok()),
            vf_count: self.root.number(&file("device/sriov_numvfs")).ok(),
            bond: device.is_none().then(|| self.bond(name)).flatten(),
        }
    }
}

/// What a copy cannot determine or do.
fn not_in_a_copy(what: &str, call: &'static str) -> NetlinkError {
    NetlinkError::System {
        what: what.to_owned(),
        call,
        reason: "this is a copy of a node".to_owned(),
    }
}

impl Links for CopiedLinks {
    fn is_copy(&self) -> bool {
        true
    }

    fn links(&self) -> Result<Vec<Link>, NetlinkError> {
        let names = self
            .root
            .names("/sys/class/net")
            .map_err(|error| NetlinkError::System {
                what: "list links".to_owned(),
                call: "read",
                reason: error.to_string(),
            })?;
        Ok(names.iter().map(|name| self.link(name)).collect())
    }

    fn links_in(&self, _file: &Path) -> Result<Vec<Link>, NetlinkError> {
        Err(not_in_a_copy("list links of a namespace", "setns"))
    }

    fn vf_settings(&self, link: &Link) -> Result<Vec<VfSettings>, NetlinkError> {
        let path = format!("/run/accelnet/recorded/{}.netlink", link.name);
        let answer = self
            .root
            .read(&path)
            .map_err(|error| NetlinkError::System {
                what: format!("read the settings of the VFs of {}", link.name),
                call: "read",
                reason: error.to_string(),
            })?;
        decode::vf_settings(&answer)
    }

    fn set_vf(
        &self,
        _index: u32,
        _vf: u32,
        _change: VfChange,
    ) -> Result<Option<String>, NetlinkError> {
        Err(not_in_a_copy("change a VF", "sendmsg"))
    }

    fn take_in(&self, _index: u32, _mac: Mac, _on: bool) -> Result<bool, NetlinkError> {
        Err(not_in_a_copy("add a filter MAC", "sendmsg"))
    }

    fn fdb(&self) -> Result<Vec<FdbEntry>, NetlinkError> {
        Err(not_in_a_copy("list the forwarding entries", "sendmsg"))
    }

    fn unlearn(&self, _port: u32, _mac: Mac, _vlan: u16) -> Result<(), NetlinkError> {
        Err(not_in_a_copy("forget a MAC", "sendmsg"))
    }

    fn learn(&self, _port: u32, _mac: Mac, _vlan: u16) -> Result<(), NetlinkError> {
        Err(not_in_a_copy("learn a MAC", "sendmsg"))
    }

    fn set_learning(&self, _port: u32, _on: bool) -> Result<(), NetlinkError> {
        Err(not_in_a_copy("set learning of a port", "sendmsg"))
    }

    fn driver_info(&self, _name: &str) -> io::Result<DriverInfo> {
        Err(io::Error::other("this is a copy of a node"))
    }

    fn channels(&self, _name: &str) -> io::Result<Option<Channels>> {
        Err(io::Error::other("this is a copy of a node"))
    }

    fn eswitch_mode(&self, _address: PciAddress) -> Result<Option<EswitchMode>, NetlinkError> {
        Err(not_in_a_copy("read the eswitch mode", "sendmsg"))
    }
}
