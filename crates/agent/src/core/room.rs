//! What the adapters of the managed intent have to give, and what is promised already.

use std::collections::{BTreeMap, HashMap};

use accelnet_api::types::AdapterUse;
use accelnet_model::intent::BoundAdapter;
use accelnet_model::{Adapter, Domain, Intent, PciAddress, Performance, Uuid, VmSetting};
use accelnet_rules::admission::place_of;
use accelnet_rules::vm::FreeCapacity;

use super::{Core, Seen};
use crate::policy::Policy;

/// VFs and queue pairs of one adapter.
pub(crate) struct Space<'a> {
    pub bound: BoundAdapter,
    pub adapter: &'a Adapter,
    /// VMs that have one of its VFs now.
    held: Vms,
    /// VMs that are promised one.
    waiting: Vms,
    /// VFs that somebody else uses.
    pub foreign: u32,
    /// Queue pairs that those have.
    pub foreign_pairs: u32,
}

/// VMs with their settings.
#[derive(Debug, Default)]
struct Vms {
    all: BTreeMap<Uuid, Performance>,
    /// How many have each setting.
    counts: [u32; 3],
}

impl Vms {
    fn insert(&mut self, vm: &VmSetting) {
        self.remove(&vm.uuid);
        self.all.insert(vm.uuid.clone(), vm.performance);
        self.counts[place_of(vm.performance)] += 1;
    }

    fn remove(&mut self, uuid: &Uuid) -> bool {
        let removed = self.all.remove(uuid);
        if let Some(setting) = removed {
            self.counts[place_of(setting)] -= 1;
        }
        removed.is_some()
    }
}

/// Where the VF of a VM was, or was promised.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    space: usize,
    held: bool,
}

/// Gives back what a VM has or is promised of `spaces`; where that was.
pub(crate) fn give_up(spaces: &mut [Space<'_>], uuid: &Uuid) -> Option<Place> {
    spaces.iter_mut().enumerate().find_map(|(place, space)| {
        let held = space.held.remove(uuid);
        (held || space.waiting.remove(uuid)).then_some(Place { space: place, held })
    })
}

/// Promises a VM a VF: where it had one, else where most are free; the place of that space.
pub(crate) fn promise(
    spaces: &mut [Space<'_>],
    vm: &VmSetting,
    had: Option<Place>,
) -> Option<usize> {
    let roomiest = || {
        let all = spaces.iter().enumerate();
        let roomiest = all.max_by_key(|(_, space)| space.free_vfs());
        roomiest.map(|(place, _)| Place {
            space: place,
            held: false,
        })
    };
    let Place { space: place, held } = had.or_else(roomiest)?;
    let space = spaces.get_mut(place)?;
    match held {
        true => space.held.insert(vm),
        false => space.waiting.insert(vm),
    }
    Some(place)
}

impl Space<'_> {
    pub fn vfs(&self) -> u32 {
        u32::try_from(self.adapter.vfs.len()).unwrap_or(u32::MAX)
    }

    fn free_vfs(&self) -> u32 {
        self.vfs().saturating_sub(self.foreign + self.vms())
    }

    /// VMs that have one of its VFs, or are promised one.
    fn vms(&self) -> u32 {
        self.promised().iter().sum()
    }

    /// How many VMs of each setting have one of its VFs, or are promised one.
    pub fn promised(&self) -> [u32; 3] {
        let mut sums = self.waiting.counts;
        sums.iter_mut()
            .zip(self.held.counts)
            .for_each(|(sum, held)| *sum += held);
        sums
    }

    /// How many VMs of each setting have one of its VFs now.
    pub fn held(&self) -> [u32; 3] {
        self.held.counts
    }

    /// Whether a VM has one of its VFs, or is promised one.
    pub fn is_of(&self, uuid: &Uuid) -> bool {
        self.held.all.contains_key(uuid) || self.waiting.all.contains_key(uuid)
    }

    /// Queue pairs of all its VFs, and of one at most.
    ///
    /// A VF has one MSI-X vector for each queue pair and one for its mailbox. Where the driver
    /// shares vectors out (`sriov_vf_total_msix`), the sum is theirs; where it does not, each
    /// VF has what the device gives it.
    pub fn queue_pairs(&self) -> (Option<u32>, Option<u32>) {
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

    fn held_pairs(&self, policy: &Policy) -> u32 {
        pairs_of(self.held(), policy)
    }

    fn promised_pairs(&self, policy: &Policy) -> u32 {
        pairs_of(self.promised(), policy)
    }

    /// What it has to give.
    pub fn room(&self, policy: &Policy) -> FreeCapacity {
        let (all, most) = self.queue_pairs();
        FreeCapacity {
            free_vfs: self.free_vfs(),
            free_queue_pairs: all
                .unwrap_or(0)
                .saturating_sub(self.foreign_pairs + self.promised_pairs(policy)),
            most_queue_pairs: most.unwrap_or(0),
        }
    }
}

/// Queue pairs of so many VMs of each setting.
fn pairs_of(vms: [u32; 3], policy: &Policy) -> u32 {
    let figures = &policy.management.performance;
    let each = Performance::ALL.into_iter();
    each.map(|setting| vms[place_of(setting)] * figures.of(setting).queue_pairs)
        .sum()
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
                    held: Vms::default(),
                    waiting: Vms::default(),
                    foreign: 0,
                    foreign_pairs: 0,
                })
            })
            .collect();
        let owners = owners(seen.domains());
        let mut unplaced: BTreeMap<&Uuid, &VmSetting> =
            promised.iter().map(|vm| (&vm.uuid, vm)).collect();
        for space in &mut spaces {
            for vf in &space.adapter.vfs {
                let owner = owners.get(&vf.address);
                match owner.and_then(|owner| unplaced.remove(&owner.uuid)) {
                    Some(setting) => space.held.insert(setting),
                    // While libvirt does not tell, the VFs in use are those of the VMs.
                    None if seen.node.domains.known().is_some()
                        && vf.users.known().is_none_or(|users| !users.is_empty()) =>
                    {
                        space.foreign += 1;
                        let vectors = vf.msix_vectors.present().copied().unwrap_or(0);
                        space.foreign_pairs += u32::from(vectors).saturating_sub(1).max(1);
                    }
                    None => {}
                }
            }
        }
        for vm in promised {
            if vm.node == self.name && unplaced.contains_key(&vm.uuid) {
                promise(&mut spaces, vm, None);
            }
        }
        spaces
    }

    /// VFs of the managed intent here that nobody uses; none where that cannot be told.
    pub(crate) fn free_vfs(&self, policy: &Policy, seen: &Seen) -> Option<usize> {
        let intent = policy.managed_intent()?;
        let mut free = 0;
        for space in self.spaces(intent, seen, &[]) {
            for vf in &space.adapter.vfs {
                free += usize::from(vf.users.known()?.is_empty());
            }
        }
        Some(free)
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
                vfs_allocated: space.vms(),
                queue_pairs,
                queue_pairs_allocated: space.promised_pairs(policy),
                queue_pairs_in_use: space.held_pairs(policy),
                vfs_in_use_by_others: space.foreign,
                queue_pairs_in_use_by_others: space.foreign_pairs,
                queue_pairs_per_vf,
            }
        });
        each.collect()
    }
}

/// The running VM that has each device.
fn owners(domains: &[Domain]) -> HashMap<PciAddress, &Domain> {
    let mut owners = HashMap::new();
    for domain in domains.iter().filter(|one| one.state.holds_devices()) {
        for device in &domain.host_devices {
            owners.entry(*device).or_insert(domain);
        }
    }
    owners
}
