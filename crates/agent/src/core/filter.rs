//! The addresses that accelnet adds to the filters of adapters (`bridge fdb show dev PF self`).
//!
//! An adapter forwards a frame of a VF to its PF only when the PF's filter has the destination. All
//! such entries are added and removed here; other modules say which addresses they need.

use std::collections::BTreeSet;

use accelnet_model::{Mac, PciAddress};
use accelnet_rules::switch::uplink_ports;

use super::Core;
use crate::policy::Policy;

/// What the adapters' filters have from accelnet.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// MACs in failover bridging: the bridge receives their frames although a VF has the MAC.
    bridged: BTreeSet<Mac>,
    /// The entries, by the index of the adapter's link.
    added: BTreeSet<(u32, Mac)>,
}

impl Core {
    /// Begins failover bridging of `mac`: the adapters of the managed intent pass its frames to the bridge,
    /// too. An adapter that refuses passes them to the VF alone.
    pub(crate) fn bridge(&mut self, policy: &Policy, mac: Mac) {
        self.filter.bridged.insert(mac);
        for link in self.uplinks(policy) {
            self.add_to_filter(link, mac);
        }
    }

    /// Ends failover bridging of `mac`.
    pub(crate) fn unbridge(&mut self, mac: Mac) {
        self.filter.bridged.remove(&mac);
        let of_mac = |(_, one): &(u32, Mac)| *one == mac;
        let entries: Vec<(u32, Mac)> = self.filter.added.iter().copied().filter(of_mac).collect();
        for (link, mac) in entries {
            self.remove_from_filter(link, mac);
        }
    }

    /// Takes over the entries that the reflex added. Their MACs are in failover bridging from now on.
    pub(crate) fn take_over_filter_of_reflex(&mut self) -> BTreeSet<Mac> {
        let added = self.reflex.take_bridged();
        let macs: BTreeSet<Mac> = added.iter().map(|(_, mac)| *mac).collect();
        self.filter.bridged.extend(&macs);
        self.filter.added.extend(added);
        macs
    }

    /// An agent that died may have left entries for `macs`: they are removed, unless this one added them.
    pub(crate) fn remove_stale_entries(&mut self, policy: &Policy, macs: &BTreeSet<Mac>) {
        for link in self.uplinks(policy) {
            for &mac in macs {
                if !self.filter.added.contains(&(link, mac)) {
                    self.remove_from_filter(link, mac);
                }
            }
        }
    }

    fn add_to_filter(&mut self, link: u32, mac: Mac) {
        if self.edge.host().links.take_in(link, mac, true).is_ok() {
            self.filter.added.insert((link, mac));
        }
    }

    fn remove_from_filter(&mut self, link: u32, mac: Mac) {
        // The adapter may be gone.
        drop(self.edge.host().links.take_in(link, mac, false));
        self.filter.added.remove(&(link, mac));
    }

    /// The ports of bridges that lead to the managed intent's adapters.
    fn uplinks(&self, policy: &Policy) -> Vec<u32> {
        let intent = policy.managed_intent();
        let bound = intent.and_then(|intent| self.policies.bound(&intent.name).ok().flatten());
        let bound = bound.unwrap_or_default().into_iter();
        let addresses: Vec<PciAddress> = bound.map(|one| one.address).collect();
        let links = self.edge.host().links.links().unwrap_or_default();
        uplink_ports(&links, &addresses)
    }
}
