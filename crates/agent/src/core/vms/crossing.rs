//! VMs that are between their two paths.
//!
//! An adapter hands what is sent to a VM's MAC to its VF as soon as the VF has the MAC, long before the
//! guest's driver takes it, and still after the guest has let go of it: what comes in between is lost.
//! So while a VF is plugged or unplugged, its adapter is told to take in the VM's packets itself, too.
//! They go over the bridge to the vNIC; a guest whose VF is up lets those pass unseen
//! (`net_failover_handle_frame` of Linux), and one whose VF is not up misses nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use accelnet_model::Mac;

use super::super::{Core, Seen};
use crate::policy::Policy;

/// How long a guest may take until it uses its VF, or no longer does.
const CROSSES: Duration = Duration::from_secs(15);

/// One adapter that takes in the packets of one VM.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crossing {
    link: u32,
    mac: Mac,
    until: Duration,
}

impl Core {
    /// The adapters of the managed intent take in what is sent to `mac`. One that cannot loses what comes
    /// in while the VM crosses, as without accelnet.
    pub(crate) fn begin_crossing(&mut self, policy: &Policy, mac: Mac) {
        for link in self.uplinks(policy) {
            self.crossings
                .retain(|one| (one.link, one.mac) != (link, mac));
            if self.edge.host().links.take_in(link, mac, true).is_ok() {
                let until = Duration::MAX;
                self.crossings.push(Crossing { link, mac, until });
            }
        }
    }

    /// What is to be done on the host is done; from now on it is for the guest.
    pub(crate) fn crosses_from_now(&mut self, mac: Mac) {
        let until = self.edge.host().clock.uptime() + CROSSES;
        let own = self.crossings.iter_mut().filter(|one| one.mac == mac);
        own.for_each(|one| one.until = until);
    }

    /// When the next VM will have crossed.
    pub(crate) fn next_crossed(&self) -> Option<Duration> {
        self.crossings.iter().map(|one| one.until).min()
    }

    /// VMs that have crossed have one path again.
    pub fn end_crossings(&mut self) {
        let now = self.edge.host().clock.uptime();
        let (over, left) = self.crossings.iter().partition(|one| one.until <= now);
        self.crossings = left;
        let over: Vec<Crossing> = over;
        for one in over {
            // The adapter may be gone.
            drop(self.edge.host().links.take_in(one.link, one.mac, false));
        }
    }

    /// An agent that died may have left VMs between their paths, of which some have no setting any more.
    pub(crate) fn end_crossings_of_before(&mut self, policy: &Policy, seen: &Seen) {
        if std::mem::replace(&mut self.crossings_are_known, true) {
            return;
        }
        let vnics = seen.domains().iter().flat_map(|domain| &domain.vnics);
        let settings = policy.vms.iter().map(|(setting, _)| setting.mac);
        let macs: BTreeSet<Mac> = vnics.filter_map(|vnic| vnic.mac).chain(settings).collect();
        for link in self.uplinks(policy) {
            for &mac in &macs {
                if !self
                    .crossings
                    .iter()
                    .any(|one| (one.link, one.mac) == (link, mac))
                {
                    drop(self.edge.host().links.take_in(link, mac, false));
                }
            }
        }
    }

    /// The links of the managed intent's adapters that are uplinks of a bridge here.
    fn uplinks(&self, policy: &Policy) -> Vec<u32> {
        let intent = policy.managed_intent();
        let bound = intent.and_then(|intent| self.policies.bound(&intent.name).ok().flatten());
        let bound = bound.unwrap_or_default();
        let links = self.edge.host().links.links().unwrap_or_default();
        let uplinks = links.iter().filter(|link| {
            let mut bound = bound.iter();
            link.master.is_some() && bound.any(|one| link.parent == Some(one.address))
        });
        uplinks.map(|link| link.index).collect()
    }
}
