//! VFs and queue pairs of an intent's adapters on this node: total, reserved for VMs, in use by others, free.

use std::collections::{BTreeMap, HashMap};

use accelnet_api::types::AdapterUse;
use accelnet_model::intent::BoundAdapter;
use accelnet_model::{Adapter, Domain, Intent, PciAddress, Performance, Uuid, VmSetting};
use accelnet_rules::admission::place_of;
use accelnet_rules::prereq::IntentAdapter;
use accelnet_rules::vf_settings;
use accelnet_rules::vm::FreeCapacity;

use crate::policy::Policy;
use crate::world::World;

/// VFs and queue pairs of one adapter.
pub(crate) struct AdapterCapacity<'a> {
    pub bound: &'a BoundAdapter,
    pub adapter: &'a Adapter,
    /// VMs that have one of its VFs.
    held: Vms,
    /// VMs for which one is reserved.
    waiting: Vms,
    /// VFs that others use.
    pub foreign: u32,
    /// Queue pairs of those.
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

/// The place of a VM's VF among the adapters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    adapter: usize,
    held: bool,
}

/// Releases the VF of a VM, and returns its place.
pub(crate) fn release(adapters: &mut [AdapterCapacity<'_>], uuid: &Uuid) -> Option<Place> {
    let mut adapters = adapters.iter_mut().enumerate();
    adapters.find_map(|(place, adapter)| {
        let held = adapter.held.remove(uuid);
        let found = held || adapter.waiting.remove(uuid);
        found.then_some(Place {
            adapter: place,
            held,
        })
    })
}

/// Reserves a VF for a VM: at the place that it had, else where most are free. The place of that adapter.
pub(crate) fn reserve(
    adapters: &mut [AdapterCapacity<'_>],
    vm: &VmSetting,
    had: Option<Place>,
) -> Option<usize> {
    let freest = || {
        let all = adapters.iter().enumerate();
        let freest = all.max_by_key(|(_, adapter)| adapter.free_vfs());
        freest.map(|(place, _)| Place {
            adapter: place,
            held: false,
        })
    };
    let Place {
        adapter: place,
        held,
    } = had.or_else(freest)?;
    let adapter = adapters.get_mut(place)?;
    match held {
        true => adapter.held.insert(vm),
        false => adapter.waiting.insert(vm),
    }
    Some(place)
}

impl AdapterCapacity<'_> {
    pub fn vfs(&self) -> u32 {
        u32::try_from(self.adapter.vfs.len()).unwrap_or(u32::MAX)
    }

    fn free_vfs(&self) -> u32 {
        self.vfs().saturating_sub(self.foreign + self.vms())
    }

    /// VMs that have one of its VFs, or have one reserved.
    fn vms(&self) -> u32 {
        self.reserved().iter().sum()
    }

    /// The same by their settings.
    pub fn reserved(&self) -> [u32; 3] {
        let mut sums = self.waiting.counts;
        sums.iter_mut()
            .zip(self.held.counts)
            .for_each(|(sum, held)| *sum += held);
        sums
    }

    /// VMs that have one of its VFs, by their settings.
    pub fn held(&self) -> [u32; 3] {
        self.held.counts
    }

    /// Whether a VM has one of its VFs, or has one reserved.
    pub fn is_of(&self, uuid: &Uuid) -> bool {
        self.held.all.contains_key(uuid) || self.waiting.all.contains_key(uuid)
    }

    fn reserved_pairs(&self, policy: &Policy) -> u32 {
        pairs_of(self.reserved(), policy)
    }

    /// What is free.
    pub fn free(&self, policy: &Policy) -> FreeCapacity {
        let (all, most) = vf_settings::queue_pairs_of(self.adapter);
        FreeCapacity {
            free_vfs: self.free_vfs(),
            free_queue_pairs: all
                .unwrap_or(0)
                .saturating_sub(self.foreign_pairs + self.reserved_pairs(policy)),
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

/// The adapters of `intent` here, with what is reserved of each. A VM that runs has its VF on one of them; a
/// stopped VM gets it where most are free.
pub(crate) fn of<'a>(
    world: &'a World,
    intent: &Intent,
    reserved: &[VmSetting],
) -> Vec<AdapterCapacity<'a>> {
    let bound = world.bindings.of(&intent.name).iter();
    let adapters = bound.filter_map(|bound| Some((bound, world.snapshot.adapter(bound)?)));
    let adapters = adapters.map(|(bound, adapter)| AdapterCapacity {
        bound,
        adapter,
        held: Vms::default(),
        waiting: Vms::default(),
        foreign: 0,
        foreign_pairs: 0,
    });
    let mut adapters: Vec<AdapterCapacity<'a>> = adapters.collect();
    let owners = owners(world.snapshot.domains());
    let mut unplaced: BTreeMap<&Uuid, &VmSetting> =
        reserved.iter().map(|vm| (&vm.uuid, vm)).collect();
    for one in &mut adapters {
        for vf in &one.adapter.vfs {
            let owner = owners.get(&vf.address);
            match owner.and_then(|owner| unplaced.remove(&owner.uuid)) {
                Some(setting) => one.held.insert(setting),
                // While VMs are unknown, the VFs in use are taken for theirs.
                None if world.snapshot.has_domains()
                    && vf.users.known().is_none_or(|users| !users.is_empty()) =>
                {
                    one.foreign += 1;
                    let vectors = vf.msix_vectors.present().copied().unwrap_or(0);
                    one.foreign_pairs += vf_settings::queue_pairs(vectors);
                }
                None => {}
            }
        }
    }
    for vm in reserved {
        if vm.node == world.node && unplaced.contains_key(&vm.uuid) {
            reserve(&mut adapters, vm, None);
        }
    }
    adapters
}

/// VFs of the managed intent here that are not in use; none where that is unknown.
pub(crate) fn free_vfs(world: &World) -> Option<usize> {
    world.policy.managed_intent()?;
    let vfs = world.managed_adapters();
    let vfs = vfs.iter().flat_map(|adapter| &adapter.vfs);
    let free = vfs.map(|vf| Some(usize::from(vf.users.known()?.is_empty())));
    free.sum()
}

/// The use of the adapters of all compute intents, as it is reported: another node may enable an intent before this
/// node receives it.
pub(crate) fn uses(world: &World) -> Vec<AdapterUse> {
    let policy = &world.policy;
    let managed = policy.managed_intent().map(|intent| &intent.name);
    let reserved: Vec<VmSetting> = world.settings().cloned().collect();
    let intents = policy.intents.iter().map(|(intent, _)| intent);
    let adapters = intents.filter(|one| one.is_compute()).flat_map(|intent| {
        let reserved = match Some(&intent.name) == managed {
            true => reserved.as_slice(),
            false => &[],
        };
        of(world, intent, reserved)
    });
    let each = adapters.map(|one| {
        let (queue_pairs, queue_pairs_per_vf) = vf_settings::queue_pairs_of(one.adapter);
        let used = one.adapter.vfs_in_use().count();
        AdapterUse {
            node: world.node.to_string(),
            adapter: one.adapter.name(),
            address: one.adapter.address,
            mac: one.bound.mac,
            vfs: one.vfs(),
            vfs_in_use: u32::try_from(used).unwrap_or(u32::MAX),
            vfs_allocated: one.vms(),
            queue_pairs,
            queue_pairs_allocated: one.reserved_pairs(policy),
            queue_pairs_in_use: pairs_of(one.held(), policy),
            vfs_in_use_by_others: one.foreign,
            queue_pairs_in_use_by_others: one.foreign_pairs,
            queue_pairs_per_vf,
        }
    });
    each.collect()
}

/// The adapters of every intent here, as other nodes compare them with theirs.
pub(crate) fn hardware(world: &World) -> Vec<IntentAdapter> {
    let intents = world.policy.intents.iter().map(|(intent, _)| intent);
    let adapters = intents.flat_map(|intent| {
        let bound = world.bindings.of(&intent.name).iter();
        let adapters = bound.filter_map(|bound| world.snapshot.adapter(bound));
        adapters.map(|adapter| {
            let (_, most) = vf_settings::queue_pairs_of(adapter);
            let most = most.filter(|most| *most > 0);
            IntentAdapter::of(&intent.name, adapter, most)
        })
    });
    adapters.collect()
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
