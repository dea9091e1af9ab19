//! What the bridge learns of accelerated VMs.
//!
//! A bridge sends a frame to the one port behind which it learned the receiver, and a guest drops what comes
//! over the path that it does not use. While either path may be in use, the port of the vNIC learns nothing:
//! the bridge sends the VM's frames to all ports, that of the vNIC and the uplink included. Once the guest
//! drives its VF, its MAC is learned at the uplink, until it ages or the guest sends over its vNIC.

use std::collections::BTreeSet;
use std::time::Duration;

use accelnet_model::Mac;
use accelnet_netlink::FdbEntry;
use accelnet_rules::vf_path::Path;

use super::super::bridging::Lingering;
use super::Core;
use super::scene::OfVm;
use crate::policy::Policy;

/// A running vNIC of an accelerated VM, and its port.
struct Plugged {
    mac: Mac,
    port: u32,
    learning_off: bool,
    /// Its guest may receive over either path.
    crosses: bool,
    /// The VLAN in which its MAC belongs behind the uplink; 0 where the bridge separates none.
    at_uplink: Option<u16>,
}

impl Core {
    /// Sets what the bridge learns of each accelerated VM that runs here.
    pub(crate) fn settle_learning(&mut self) {
        let vms = self.filter.scene.vms.iter();
        let plugged = vms.filter_map(|(mac, vm)| self.plugged(*mac, vm));
        let plugged: Vec<Plugged> = plugged.collect();
        let links = self.edge.host().links;
        let crossing = plugged.iter().filter(|one| one.crosses);
        let ports: BTreeSet<u32> = crossing.clone().map(|one| one.port).collect();
        let mut off = std::mem::take(&mut self.filter.learning_off);
        for one in crossing {
            if !off.contains(&one.port) && links.set_learning(one.port, false).is_ok() {
                off.insert(one.port);
                self.unlearn(one.mac);
            }
        }
        // An agent before this one may have set it.
        let found = plugged.iter().filter(|one| one.learning_off);
        off.extend(found.map(|one| one.port));
        let here = &self.filter.scene.ports;
        off.retain(|port| {
            ports.contains(port)
                || (here.contains_key(port) && links.set_learning(*port, true).is_err())
        });
        self.filter.learning_off = off;
        if let [uplink] = &self.filter.scene.uplinks[..] {
            for one in &plugged {
                // Without the entry the bridge sends the VM's frames everywhere.
                if let Some(vlan) = one.at_uplink {
                    drop(links.learn(uplink.port.index, one.mac, vlan));
                }
            }
        }
    }

    /// Removes entries at the uplink of this node's VMs that do not send over a VF: such a VM is stopped, or
    /// has not sent over its vNIC yet.
    pub(super) fn unlearn_stale(&self, policy: &Policy, entries: &[FdbEntry]) {
        let scene = &self.filter.scene;
        let at_uplink = entries
            .iter()
            .filter(|one| scene.is_learned(one) && scene.is_outside(one.link));
        for entry in at_uplink {
            let mut own = policy.vms.iter().map(|(setting, _)| setting);
            let own = own.find(|one| one.mac == entry.mac && one.node == self.name);
            let path = own.map(|one| self.path_of(&one.uuid).map(|watched| watched.verdict.path));
            if path.is_some_and(|path| path != Some(Path::Vf)) {
                // It may have aged.
                let links = self.edge.host().links;
                drop(links.unlearn(entry.link, entry.mac, entry.vlan));
            }
        }
    }

    fn plugged(&self, mac: Mac, vm: &OfVm) -> Option<Plugged> {
        let watched = self.path_of(&vm.uuid).filter(|one| one.mac() == mac)?;
        let port = vm.port?;
        let rules = self.ways.port_rules();
        let name = self.filter.scene.ports.get(&port);
        let own = rules.zip(name).and_then(|(rules, name)| rules.port(name));
        let vlan = match rules.is_some_and(|rules| rules.vlan_filtering) {
            false => Some(0),
            true => own.and_then(|own| own.vlans.iter().find(|vlan| vlan.pvid).map(|vlan| vlan.id)),
        };
        let changes = |one: &Lingering| one.mac == mac && one.until == Duration::MAX;
        let crosses = self.filter.bridged.contains(&mac)
            && (watched.has_vf() || self.lingering.iter().any(changes));
        let on_vf = watched.verdict.path == Path::Vf && !watched.seen().sends_on_vnic;
        Some(Plugged {
            mac,
            port,
            learning_off: own.is_some_and(|own| own.learning_off && !own.flood_off),
            crosses,
            at_uplink: vlan.filter(|_| on_vf && !crosses),
        })
    }
}
