//! The links of a node that never existed: those of its tree, and what netlink and ethtool
//! would show of them.

use std::io;
use std::path::Path;

use accelnet_host::{CopiedLinks, Links};
use accelnet_model::adapter::EswitchMode;
use accelnet_model::link::{Channels, DriverInfo, Link, LinkType};
use accelnet_model::vf::{VfLinkState, VfSettings, VlanProtocol};
use accelnet_model::{Mac, PciAddress};
use accelnet_netlink::{FdbEntry, FdbEvent, FdbKind, NetlinkError, VfChange};

use crate::fault::Fault;
use crate::kernel::SimKernel;
use crate::mutex::held;

impl SimKernel {
    /// The VFs that the adapter of `link` has now.
    fn vfs_of(&self, link: &Link) -> u32 {
        let Some(parent) = link.parent else { return 0 };
        let names = self.root.names(&format!("/sys/bus/pci/devices/{parent}"));
        let names = names.unwrap_or_default();
        let vfs = names.iter().filter(|name| name.starts_with("virtfn"));
        u32::try_from(vfs.count()).unwrap_or(u32::MAX)
    }

    /// `IFLA_INFO_KIND` of a link, by what its folder has.
    fn kind_of(&self, name: &str) -> Option<String> {
        let has = |file: &str| self.root.exists(&format!("/sys/class/net/{name}/{file}"));
        let kinds = [
            ("bridge", "bridge"),
            ("tun_flags", "tun"),
            ("bonding", "bond"),
        ];
        let kind = kinds.into_iter().find(|(file, _)| has(file));
        kind.map(|(_, kind)| kind.to_owned())
    }

    /// A frame from `mac` comes in by `port`, from which its bridge learns; the kernel's event, where the
    /// bridge knew otherwise.
    ///
    /// # Errors
    ///
    /// When the tree cannot be read.
    pub fn receives(&self, port: &str, mac: Mac) -> Result<Option<FdbEvent>, NetlinkError> {
        let links = self.links()?;
        let link = links.iter().find(|link| link.name == port);
        let Some(bridge) = link.and_then(|link| link.master.clone()) else {
            return Ok(None);
        };
        if link.is_some_and(|link| held(&self.learning_off).contains(&link.index)) {
            return Ok(None);
        }
        let key = (bridge, mac);
        let before = held(&self.learned).insert(key, port.to_owned());
        if before.as_deref() == Some(port) {
            return Ok(None);
        }
        let index = link.map(|link| link.index);
        let entries = self.fdb()?.into_iter();
        let mut entries = entries.filter(|one| one.kind == FdbKind::Learned && one.mac == mac);
        let entry = entries.find(|one| Some(one.link) == index);
        Ok(entry.map(FdbEvent::Here))
    }

    /// `mac` was silent for five minutes; the kernel's event.
    ///
    /// # Errors
    ///
    /// When the tree cannot be read.
    pub fn ages(&self, mac: Mac) -> Result<Option<FdbEvent>, NetlinkError> {
        let mut entries = self.fdb()?.into_iter();
        let entry = entries.find(|one| one.kind == FdbKind::Learned && one.mac == mac);
        held(&self.learned).retain(|(_, one), _| *one != mac);
        Ok(entry.map(FdbEvent::Gone))
    }

    fn driver_of(&self, name: &str) -> Option<String> {
        let path = format!("/sys/class/net/{name}/device/driver");
        self.root.link_name(&path).ok().flatten()
    }
}

impl Links for SimKernel {
    fn links(&self) -> Result<Vec<Link>, NetlinkError> {
        let mut links = CopiedLinks::new(self.root.clone()).links()?;
        for link in &mut links {
            link.kind = self.kind_of(&link.name);
        }
        Ok(links)
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
                link_type: LinkType::Ether,
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
                bond: None,
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
            fault => {
                let left_out = match fault {
                    Some(Fault::SettingsLeftOut { vf }) => Some(vf),
                    _ => None,
                };
                let set = held(&self.settings);
                let one = |vf| {
                    let known = link.parent.and_then(|pf| set.get(&(pf, vf)));
                    known.cloned().unwrap_or_else(|| untouched(vf))
                };
                let answered = (0..vfs).filter(|vf| Some(*vf) != left_out);
                Ok(answered.map(one).collect())
            }
        }
    }

    fn set_vf(
        &self,
        index: u32,
        vf: u32,
        change: VfChange,
    ) -> Result<Option<String>, NetlinkError> {
        let what = format!("{change} of VF {vf} on link {index}");
        let links = self.links()?;
        let link = links.iter().find(|link| link.index == index);
        let Some((link, pf)) = link.and_then(|link| Some((link, link.parent?))) else {
            return Err(refused(what, 19, "ENODEV"));
        };
        if vf >= self.vfs_of(link) {
            return Err(refused(what, 22, "EINVAL"));
        }
        if let VfChange::Rate { min, max } = change {
            // `igb_ndo_set_vf_bw` refuses every rate without link, none at all included.
            if !link.up || !link.carrier {
                return Err(refused(what, 22, "EINVAL"));
            }
            if (min, max) != (0, 0) && !self.node().limits_rate(pf) {
                return Err(refused(what, 95, "EOPNOTSUPP"));
            }
        }
        let trusts = self.node().trusts(pf) && !*held(&self.refuses_trust);
        if matches!(change, VfChange::Trust(_)) && !trusts {
            return Err(refused(what, 95, "EOPNOTSUPP"));
        }
        let mut all = held(&self.settings);
        let settings = all.entry((pf, vf)).or_insert_with(|| untouched(vf));
        match change {
            VfChange::Mac(mac) => settings.mac = mac,
            VfChange::Vlan { id, qos, protocol } => {
                settings.vlan = id;
                settings.qos = qos;
                settings.vlan_protocol = protocol;
            }
            VfChange::Rate { min, max } => {
                settings.min_tx_rate = min;
                settings.max_tx_rate = max;
            }
            VfChange::SpoofCheck(on) => settings.spoof_check = Some(on),
            VfChange::Trust(on) => settings.trust = Some(on),
            VfChange::LinkState(state) => settings.link_state = Some(state),
        }
        Ok(None)
    }

    fn take_in(&self, index: u32, mac: Mac, on: bool) -> Result<bool, NetlinkError> {
        let doing = if on { "add" } else { "remove" };
        let what = format!("{doing} the filter address {mac} on link {index}");
        let links = self.links()?;
        let link = links.iter().find(|link| link.index == index);
        let Some(link) = link.filter(|link| link.parent.is_some() || link.bond.is_some()) else {
            return Err(refused(what, 19, "ENODEV"));
        };
        let room = *held(&self.filter_capacity);
        let mut taken_in = held(&self.taken_in);
        if !on {
            return Ok(taken_in.remove(&(link.name.clone(), mac)));
        }
        if taken_in.contains(&(link.name.clone(), mac)) {
            return Ok(false);
        }
        // `igb_ndo_fdb_add`: no free receive address register.
        let there = taken_in.iter().filter(|(one, _)| *one == link.name).count();
        if room.is_some_and(|room| there >= room) {
            return Err(refused(what, 12, "ENOMEM"));
        }
        Ok(taken_in.insert((link.name.clone(), mac)))
    }

    fn fdb(&self) -> Result<Vec<FdbEntry>, NetlinkError> {
        let links = self.links()?;
        let index = |name: &str| links.iter().find(|link| link.name == name);
        let taken_in = held(&self.taken_in);
        let filters = taken_in.iter().filter_map(|(name, mac)| {
            Some(FdbEntry {
                link: index(name)?.index,
                bridge: None,
                mac: *mac,
                vlan: 0,
                kind: FdbKind::Filter,
            })
        });
        let bridges = links
            .iter()
            .filter(|link| link.kind.as_deref() == Some("bridge"));
        let own = bridges.filter_map(|bridge| {
            Some(FdbEntry {
                link: bridge.index,
                bridge: Some(bridge.index),
                mac: bridge.mac?,
                vlan: 0,
                kind: FdbKind::Local,
            })
        });
        // What was learned goes with its port.
        let mut learned = held(&self.learned);
        learned.retain(|(bridge, _), port| {
            index(port).is_some_and(|port| port.master.as_ref() == Some(bridge))
        });
        let learned = learned.iter().filter_map(|((bridge, mac), port)| {
            Some(FdbEntry {
                link: index(port)?.index,
                bridge: Some(index(bridge)?.index),
                mac: *mac,
                vlan: 0,
                kind: FdbKind::Learned,
            })
        });
        Ok(filters.chain(own).chain(learned).collect())
    }

    fn unlearn(&self, port: u32, mac: Mac, _vlan: u16) -> Result<(), NetlinkError> {
        let links = self.links()?;
        let port = links.iter().find(|link| link.index == port);
        let name = port.map(|port| port.name.as_str()).unwrap_or_default();
        let mut learned = held(&self.learned);
        let before = learned.len();
        learned.retain(|(_, one), behind| *one != mac || behind != name);
        match learned.len() < before {
            true => Ok(()),
            false => Err(refused(format!("forget {mac} behind {name}"), 2, "ENOENT")),
        }
    }

    fn learn(&self, port: u32, mac: Mac, _vlan: u16) -> Result<(), NetlinkError> {
        let links = self.links()?;
        let port = links.iter().find(|link| link.index == port);
        let learned = port.and_then(|port| Some(((port.master.clone()?, mac), port.name.clone())));
        match learned {
            Some((key, port)) => {
                held(&self.learned).insert(key, port);
                Ok(())
            }
            None => Err(refused(format!("learn {mac}"), 22, "EINVAL")),
        }
    }

    fn set_learning(&self, port: u32, on: bool) -> Result<(), NetlinkError> {
        let mut off = held(&self.learning_off);
        match on {
            true => off.remove(&port),
            false => off.insert(port),
        };
        Ok(())
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

/// A refusal without words, as the kernel's are.
pub(crate) fn refused(what: String, errno: i32, name: &str) -> NetlinkError {
    NetlinkError::Refused {
        errno,
        name: name.to_owned(),
        words: None,
        what,
    }
}

/// The settings of a VF that no process set.
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
