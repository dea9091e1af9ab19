//! VMs that are between their two paths.
//!
//! An adapter hands what is sent to a VM's MAC to its VF as soon as the VF has the MAC, long before the
//! guest's driver takes it, and still after the guest has let go of it: what comes in between is lost.
//! So while a VF is plugged or unplugged, its adapter is told to take in the VM's packets itself, too.
//! They go over the bridge to the vNIC; a guest whose VF is up lets those pass unseen
//! (`net_failover_handle_frame` of Linux), and one whose VF is not up misses nothing.

use std::time::Duration;

use accelnet_model::Mac;

use super::super::Core;
use crate::policy::Policy;

/// How long a guest may take until it uses its VF, or no longer does.
const CROSSES: Duration = Duration::from_secs(15);

/// One VM that crosses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crossing {
    mac: Mac,
    until: Duration,
}

impl Core {
    /// The adapters of the managed intent take in what is sent to `mac`. One that cannot loses what comes
    /// in while the VM crosses, as without accelnet.
    pub(crate) fn begin_crossing(&mut self, policy: &Policy, mac: Mac) {
        self.bridge(policy, mac);
        self.crossings.retain(|one| one.mac != mac);
        let until = Duration::MAX;
        self.crossings.push(Crossing { mac, until });
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
            self.unbridge(one.mac);
        }
    }

    /// The VMs that the reflex let cross are counted with the others.
    pub(crate) fn take_over_crossings_of_reflex(&mut self) {
        let macs = self.take_over_filter_of_reflex();
        let until = self.edge.host().clock.uptime() + CROSSES;
        self.crossings.retain(|one| !macs.contains(&one.mac));
        let taken = macs.iter().map(|&mac| Crossing { mac, until });
        self.crossings.extend(taken);
    }
}
