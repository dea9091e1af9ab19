//! What bridges learn of accelerated VMs.
//!
//! A bridge sends a frame to the one port behind which it learned the receiver, and a guest drops what arrives over
//! the path that it does not use. While either path may be in use, the port of the vNIC learns nothing: the bridge
//! sends the VM's frames to all ports, including that of the vNIC and the uplink. Once the guest drives its VF, its MAC
//! is learned at the uplink, until it ages or the guest sends over its vNIC.

use std::collections::BTreeSet;

use accelnet_host::Links;
use accelnet_model::Mac;
use accelnet_model::switch::PortRules;
use accelnet_rules::vf_path::Path;

use super::filter::Filter;
use super::paths::Paths;

/// A running vNIC of an accelerated VM, and its port.
pub(crate) struct Plugged {
    mac: Mac,
    port: u32,
    learning_off: bool,
    /// Its guest may receive over either path.
    is_bridged: bool,
    /// The VLAN in which its MAC belongs behind the uplink; 0 where the bridge separates none.
    at_uplink: Option<u16>,
}

/// The running vNICs on the bridges of `filter`; `changing` are those whose VMs are being changed.
pub(crate) fn plugged(
    filter: &Filter,
    paths: &Paths,
    rules: Option<&PortRules>,
    changing: &BTreeSet<Mac>,
) -> Vec<Plugged> {
    let vms = filter.ports.vms.iter();
    let plugged = vms.filter_map(|(mac, vm)| {
        let path = paths.of(&vm.uuid).filter(|one| one.mac() == *mac)?;
        let port = vm.port?;
        let name = filter.ports.ports.get(&port);
        let own = rules.zip(name).and_then(|(rules, name)| rules.port(name));
        let vlan = match rules.is_some_and(|rules| rules.vlan_filtering) {
            false => Some(0),
            true => own.and_then(|own| own.vlans.iter().find(|vlan| vlan.pvid).map(|vlan| vlan.id)),
        };
        let is_bridged = filter.bridged.contains(mac) && (path.has_vf() || changing.contains(mac));
        let on_vf = path.verdict.path == Path::Vf && !path.evidence().sends_on_vnic;
        Some(Plugged {
            mac: *mac,
            port,
            learning_off: own.is_some_and(|own| own.learning_off && !own.flood_off),
            is_bridged,
            at_uplink: vlan.filter(|_| on_vf && !is_bridged),
        })
    });
    plugged.collect()
}

/// Ports of vNICs from which their bridge learns nothing for now.
#[derive(Debug, Default)]
pub(crate) struct Learning {
    off: BTreeSet<u32>,
}

impl Learning {
    /// Sets what is learned of running vNICs.
    pub fn reconcile(&mut self, links: &dyn Links, filter: &Filter, plugged: &[Plugged]) {
        let bridged: BTreeSet<u32> = plugged
            .iter()
            .filter(|one| one.is_bridged)
            .map(|one| one.port)
            .collect();
        for one in plugged.iter().filter(|one| one.is_bridged) {
            if !self.off.contains(&one.port) && links.set_learning(one.port, false).is_ok() {
                self.off.insert(one.port);
                filter.unlearn(links, one.mac);
            }
        }
        // An earlier agent may have set it.
        let found = plugged.iter().filter(|one| one.learning_off);
        self.off.extend(found.map(|one| one.port));
        let here = &filter.ports.ports;
        self.off.retain(|port| {
            bridged.contains(port)
                || (here.contains_key(port) && links.set_learning(*port, true).is_err())
        });
        if let [uplink] = &filter.ports.uplinks[..] {
            for one in plugged {
                // Without the entry the bridge sends the VM's frames everywhere.
                if let Some(vlan) = one.at_uplink {
                    drop(links.learn(uplink.port.index, one.mac, vlan));
                }
            }
        }
    }
}
