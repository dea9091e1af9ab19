//! The ports of the node's bridges and what is behind them, as far as the filters of adapters need it.

use std::collections::{BTreeMap, BTreeSet};

use accelnet_model::domain::DomainState;
use accelnet_model::intent::BoundAdapter;
use accelnet_model::link::Link;
use accelnet_model::{Domain, Mac};
use accelnet_netlink::{FdbEntry, FdbKind, FdbWatch};
use accelnet_rules::switch::uplink_ports;
use accelnet_rules::vm::Switch;

/// The port of a bridge that leads to adapters of the managed intent.
#[derive(Debug, Clone)]
pub(crate) struct Uplink {
    /// The port, whose filter gets the entries: an adapter's link, or a bond, which passes them on to its
    /// active port.
    pub port: Link,
    /// The adapters' links, by index.
    pub adapters: BTreeSet<u32>,
    /// Index of the bridge.
    bridge: u32,
}

/// The VM of a vNIC.
#[derive(Debug, Clone)]
pub(crate) struct VnicOwner {
    /// Its UUID.
    pub uuid: String,
    /// Its name.
    pub name: String,
    /// Index of the bridge's port that it is plugged into.
    pub port: Option<u32>,
}

/// Bridges, ports and VMs.
#[derive(Debug, Default)]
pub(crate) struct Ports {
    /// The managed intent's uplinks.
    pub uplinks: Vec<Uplink>,
    /// Links of all of the intent's adapters: their VFs have MACs.
    pub adapters: Vec<Link>,
    /// The node's own MACs on those bridges.
    pub node: BTreeSet<Mac>,
    /// vNICs on those bridges of VMs that run.
    pub vms: BTreeMap<Mac, VnicOwner>,
    /// Whether libvirt reported its VMs.
    pub vms_are_known: bool,
    /// The bridges' other ports, by index.
    pub ports: BTreeMap<u32, String>,
}

impl Ports {
    /// Finds the adapters, and which of them are uplinks.
    pub fn find_uplinks(&mut self, links: &[Link], bound: &[BoundAdapter]) {
        let is_bound = |link: &&Link| bound.iter().any(|one| link.parent == Some(one.address));
        self.adapters = links.iter().filter(is_bound).cloned().collect();
        let mut uplinks: Vec<Uplink> = Vec::new();
        for adapter in &self.adapters {
            let port = adapter.parent.map(|parent| uplink_ports(links, &[parent]));
            let port = port.and_then(|ports| ports.first().copied());
            let port = links.iter().find(|link| Some(link.index) == port);
            let Some(port) = port else { continue };
            let known = uplinks.iter_mut().find(|one| one.port.index == port.index);
            if let Some(known) = known {
                known.adapters.insert(adapter.index);
                continue;
            }
            let master = port.master.as_ref();
            if let Some(bridge) = links.iter().find(|link| Some(&link.name) == master) {
                uplinks.push(Uplink {
                    port: port.clone(),
                    adapters: BTreeSet::from([adapter.index]),
                    bridge: bridge.index,
                });
            }
        }
        self.uplinks = uplinks;
    }

    /// Finds out whose addresses are on the bridges. VMs stay what they were while libvirt is away.
    pub fn find_addresses(
        &mut self,
        links: &[Link],
        entries: &[FdbEntry],
        switch: Option<&Switch>,
        domains: Option<&[Domain]>,
    ) {
        let is_ours = |index: u32| self.uplinks.iter().any(|uplink| uplink.bridge == index);
        let bridges: Vec<&Link> = links.iter().filter(|one| is_ours(one.index)).collect();
        let ports = links.iter().filter(|link| {
            let master = link.master.as_ref();
            let here = bridges.iter().any(|bridge| Some(&bridge.name) == master);
            here && !self.is_outside(link.index)
        });
        self.ports = ports.map(|link| (link.index, link.name.clone())).collect();
        // A macvlan or VLAN on a bridge has its MAC in the bridge's own filter.
        let above = entries
            .iter()
            .filter(|one| one.kind == FdbKind::Filter && is_ours(one.link));
        let own = bridges.iter().filter_map(|bridge| bridge.mac);
        self.node = own.chain(above.map(|one| one.mac)).collect();
        let Some(domains) = domains else { return };
        self.vms_are_known = true;
        self.vms.clear();
        // One that is paused may be on its way here, and still is where it was.
        for domain in domains
            .iter()
            .filter(|one| one.state == DomainState::Running)
        {
            for vnic in &domain.vnics {
                let tap = vnic.target.as_ref();
                let port = self.ports.iter().find(|(_, name)| Some(*name) == tap);
                let port = port.map(|(index, _)| *index);
                let here = port.is_some() || switch.is_some_and(|switch| switch.has(vnic));
                let of = VnicOwner {
                    uuid: domain.uuid.to_string(),
                    name: domain.name.clone(),
                    port,
                };
                if let Some(mac) = vnic.mac.filter(|_| here) {
                    self.vms.insert(mac, of);
                }
            }
        }
    }

    /// Whether a port leads outside.
    pub fn is_outside(&self, port: u32) -> bool {
        self.uplinks.iter().any(|uplink| uplink.port.index == port)
    }

    /// Whether an entry is of an address that one of the bridges learned.
    pub fn is_learned(&self, entry: &FdbEntry) -> bool {
        let mut uplinks = self.uplinks.iter();
        entry.kind == FdbKind::Learned && uplinks.any(|one| Some(one.bridge) == entry.bridge)
    }

    /// What is to be reported of the bridges, but for MACs.
    pub fn watch(&self) -> FdbWatch {
        let bridges: BTreeSet<u32> = self.uplinks.iter().map(|one| one.bridge).collect();
        let outside = self.uplinks.iter().map(|one| one.port.index);
        let outside: BTreeSet<u32> = outside.collect();
        FdbWatch {
            bridges: bridges.into_iter().collect(),
            outside: outside.into_iter().collect(),
            macs: Vec::new(),
        }
    }
}
