//! What the adapters of the managed intent have to give, and what is promised already.

use accelnet_api::types::AdapterUse;
use accelnet_model::intent::BoundAdapter;
use accelnet_model::{Adapter, Intent, VmSetting};
use accelnet_rules::vm::Room;

use super::{Core, Seen};
use crate::policy::Policy;

/// VFs and queue pairs of one adapter.
pub(crate) struct Space<'a> {
    pub bound: BoundAdapter,
    pub adapter: &'a Adapter,
    /// VFs that an accelerated VM has or is promised.
    pub promised: Vec<VmSetting>,
    /// VFs that somebody else uses.
    pub foreign: u32,
}

impl Space<'_> {
    fn vfs(&self) -> u32 {
        u32::try_from(self.adapter.vfs.len()).unwrap_or(u32::MAX)
    }

    fn free_vfs(&self) -> u32 {
        let promised = u32::try_from(self.promised.len()).unwrap_or(u32::MAX);
        self.vfs().saturating_sub(self.foreign + promised)
    }

    /// Queue pairs of all its VFs, and of one at most.
    ///
    /// A VF has one MSI-X vector for each queue pair and one for its mailbox. Where the driver
    /// shares vectors out (`sriov_vf_total_msix`), the sum is theirs; where it does not, each
    /// VF has what the device gives it.
    fn queue_pairs(&self) -> (Option<u32>, Option<u32>) {
        let shared = self.adapter.sriov.present();
        let shared = shared.and_then(|sriov| sriov.vf_total_msix.present());
        if let Some(total) = shared.filter(|total| **total > 0) {
            let all = total.saturating_sub(self.vfs());
            return (Some(all), Some(total.saturating_sub(1)));
        }
        let mut least: Option<u32> = None;
        for vf in &self.adapter.vfs {
            let Some(vectors) = vf.msix_vectors.present() else {
                return (None, None);
            };
            let pairs = crate::view::queue_pairs(*vectors);
            least = Some(least.map_or(pairs, |least| least.min(pairs)));
        }
        (least.map(|pairs| pairs * self.vfs()), least)
    }

    fn promised_pairs(&self, policy: &Policy) -> u32 {
        let figures = &policy.management.performance;
        let each = self.promised.iter();
        each.map(|vm| figures.of(vm.performance).queue_pairs).sum()
    }

    /// What it has to give.
    pub fn room(&self, policy: &Policy) -> Room {
        let (all, most) = self.queue_pairs();
        Room {
            free_vfs: self.free_vfs(),
            free_queue_pairs: all.unwrap_or(0).saturating_sub(self.promised_pairs(policy)),
            most_queue_pairs: most.unwrap_or(0),
        }
    }
}

impl Core {
    /// The adapters of `intent` here, with what is promised of each. A VM that runs has its VF
    /// on one of them; one that does not will get it where most is free.
    pub(crate) fn spaces<'a>(
        &self,
        intent: &Intent,
        seen: &'a Seen,
        promised: &[VmSetting],
    ) -> Vec<Space<'a>> {
        let bound = self.policies.bound(&intent.name).ok().flatten();
        let mut spaces: Vec<Space<'a>> = bound
            .unwrap_or_default()
            .into_iter()
            .filter_map(|bound| {
                let adapter = seen.adapter(&bound)?;
                Some(Space {
                    bound,
                    adapter,
                    promised: Vec::new(),
                    foreign: 0,
                })
            })
            .collect();
        let mut placed: Vec<&str> = Vec::new();
        for space in &mut spaces {
            for vf in &space.adapter.vfs {
                let owner = seen.domains().iter().find(|domain| {
                    domain.state.holds_devices() && domain.host_devices.contains(&vf.address)
                });
                let setting = owner.and_then(|owner| {
                    let mut all = promised.iter();
                    all.find(|vm| vm.uuid == owner.uuid && !placed.contains(&vm.uuid.as_str()))
                });
                match setting {
                    Some(setting) => {
                        placed.push(&setting.uuid);
                        space.promised.push(setting.clone());
                    }
                    None if vf.users.known().is_none_or(|users| !users.is_empty()) => {
                        space.foreign += 1;
                    }
                    None => {}
                }
            }
        }
        for vm in promised {
            let here = vm.node == self.name && !placed.contains(&vm.uuid.as_str());
            let roomiest = spaces.iter_mut().max_by_key(|space| space.free_vfs());
            if let (true, Some(space)) = (here, roomiest) {
                space.promised.push(vm.clone());
            }
        }
        spaces
    }

    /// The same as it is reported.
    pub(crate) fn adapter_uses(&self, seen: &Seen, policy: &Policy) -> Vec<AdapterUse> {
        let managed = policy.managed_intent().map(|intent| &intent.name);
        let promised: Vec<VmSetting> = policy.vms.iter().map(|(vm, _)| vm.clone()).collect();
        let mut spaces = Vec::new();
        // Of every compute intent: another node may enable one before this one hears of it.
        for (intent, _) in policy.intents.iter().filter(|(one, _)| one.is_compute()) {
            let promised = match Some(&intent.name) == managed {
                true => promised.as_slice(),
                false => &[],
            };
            spaces.extend(self.spaces(intent, seen, promised));
        }
        let each = spaces.iter().map(|space| {
            let (queue_pairs, queue_pairs_per_vf) = space.queue_pairs();
            let used = space.adapter.vfs_in_use().count();
            AdapterUse {
                node: self.name.clone(),
                adapter: space.adapter.name(),
                address: space.adapter.address,
                mac: space.bound.mac,
                vfs: space.vfs(),
                vfs_in_use: u32::try_from(used).unwrap_or(u32::MAX),
                vfs_promised: u32::try_from(space.promised.len()).unwrap_or(u32::MAX),
                queue_pairs,
                queue_pairs_promised: space.promised_pairs(policy),
                queue_pairs_per_vf,
            }
        });
        each.collect()
    }
}
