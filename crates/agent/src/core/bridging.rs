//! Failover bridging: the software path of a VM receives, too, as long as its guest is not seen to drive
//! its VF.
//!
//! An adapter passes what is sent to a VM's MAC to its VF as soon as the VF has the MAC, long before the
//! guest's driver works it, and still after the guest has let go of it. So each VM with a setting has its
//! MAC in the adapter's filter, before it starts and for however long it takes, except while its guest is
//! seen to drive its VF. A guest that receives a frame over both paths drops one
//! (`net_failover_handle_frame` of Linux).

use std::collections::BTreeSet;
use std::time::Duration;

use accelnet_model::Mac;

use super::Core;
use crate::policy::Policy;

/// How long a guest may take to leave a VF that was detached, or to use the link of one that its driver
/// works; and how long a VM that arrives is bridged before this node has taken it over.
const LINGERS: Duration = Duration::from_secs(15);

/// A MAC that is bridged for a while, with a setting or without.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lingering {
    pub mac: Mac,
    /// On the clock that never goes back; [`Duration::MAX`] while its VM is changed.
    pub until: Duration,
}

impl Core {
    /// A change of the running VM with `mac` begins: it is bridged until [`Core::change_of_vf_ends`].
    pub(crate) fn change_of_vf_begins(&mut self, policy: &Policy, mac: Mac) {
        self.linger(mac, Duration::MAX);
        self.bridge_also(policy, mac);
        self.settle_learning();
    }

    /// What is to be done on the host is done; from now on it is for the guest.
    pub(crate) fn change_of_vf_ends(&mut self, mac: Mac) {
        self.bridge_for_a_while(mac);
    }

    /// Bridges the MACs that need it now, and no others.
    pub(crate) fn settle_bridging(&mut self, policy: &Policy) {
        for mac in self.reflex.take_bridged() {
            self.linger(mac, self.in_a_while());
        }
        let now = self.edge.host().clock.uptime();
        self.lingering.retain(|one| one.until > now);
        let (mut wanted, mut stopped) = (BTreeSet::new(), BTreeSet::new());
        let mut proved = BTreeSet::new();
        let unproved = std::mem::take(&mut self.unproved);
        for (setting, _) in policy.vms.iter().filter(|(vm, _)| vm.node == self.name) {
            let watched = self.path_of(&setting.uuid);
            match watched.map(|watched| watched.verdict.bridge) {
                Some(false) => proved.insert(setting.mac),
                Some(true) => {
                    self.unproved.insert(setting.mac);
                    wanted.insert(setting.mac)
                }
                None => stopped.insert(setting.mac),
            };
        }
        // Its driver works, and the link comes up a moment later.
        for mac in unproved.intersection(&proved) {
            self.bridge_for_a_while(*mac);
        }
        wanted.extend(self.lingering.iter().map(|one| one.mac));
        self.bridge(policy, wanted, stopped);
    }

    /// When a MAC no longer lingers.
    pub(crate) fn next_lingering(&self) -> Option<Duration> {
        self.lingering.iter().map(|one| one.until).min()
    }

    /// The policy cannot be read: lingering MACs linger on.
    pub(crate) fn linger_on(&mut self) {
        let (now, later) = (self.edge.host().clock.uptime(), self.in_a_while());
        let over = self.lingering.iter_mut().filter(|one| one.until <= now);
        over.for_each(|one| one.until = later);
    }

    /// The VM with `mac` is bridged for a while, whatever is seen of it.
    pub(crate) fn bridge_for_a_while(&mut self, mac: Mac) {
        self.linger(mac, self.in_a_while());
    }

    fn linger(&mut self, mac: Mac, until: Duration) {
        self.lingering.retain(|one| one.mac != mac);
        self.lingering.push(Lingering { mac, until });
    }

    fn in_a_while(&self) -> Duration {
        self.edge.host().clock.uptime() + LINGERS
    }
}
