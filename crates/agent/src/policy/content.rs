//! The policy at one moment, parsed from the keys of the store.

use std::collections::BTreeSet;

use accelnet_api::types::Drained;
use accelnet_model::{Intent, IntentName, Management, Uuid, VmSetting};
use accelnet_store::{Entry, Range, Unreadable};

use super::documents::{
    DrainedDocument, IntentDocument, ManagementDocument, RemovedDocument, VmDocument, read, uuid_of,
};
use super::keys::{DRAINED, INTENTS, MANAGEMENT, REMOVED, VMS};
use crate::cluster::identity::{IDENTITY, Identity};

/// The policy at one moment.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Revision of its last change.
    pub revision: u64,
    /// Management settings.
    pub management: Management,
    /// Revision of the management settings; 0 when there are none yet.
    pub management_revision: u64,
    /// Intents, by name, each with its revision.
    pub intents: Vec<(Intent, u64)>,
    /// Settings of VMs, in the order of their UUIDs, each with its revision.
    pub vms: Vec<(VmSetting, u64)>,
    /// Nodes that are drained, each with its revision.
    pub drained: Vec<(String, Drained, u64)>,
    /// Intents that were removed, and not added again.
    pub removed: BTreeSet<IntentName>,
    /// Values that cannot be read. The other fields have their last readable values, if there are any.
    pub unreadable: Vec<Unreadable>,
    /// Values that were never readable: nothing is decided about them.
    pub(crate) held: Held,
}

/// Values of the policy that this agent could never read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// The management settings.
    pub management: bool,
    /// The settings of these VMs.
    pub vms: BTreeSet<Uuid>,
}

impl Policy {
    /// The policy in `range`; for a value that cannot be read, that of `last`.
    pub(super) fn of(range: &Range, last: &Policy) -> Policy {
        let mut policy = Policy::default();
        let mut unreadable = Vec::new();
        for entry in &range.entries {
            policy.revision = policy.revision.max(entry.mod_revision);
            let (key, revision) = (entry.key.as_str(), entry.mod_revision);
            if key == MANAGEMENT {
                let read = read::<ManagementDocument>(entry, &mut unreadable);
                let was_read = last.management_revision > 0 && !last.held.management;
                let known = || was_read.then(|| last.management.clone());
                let management = read.map(|read| read.0).or_else(known);
                policy.held.management = management.is_none();
                policy.management = management.unwrap_or_default();
                policy.management_revision = revision;
            } else if let Some(name) = key.strip_prefix(INTENTS) {
                let read = read::<IntentDocument>(entry, &mut unreadable);
                let intent = read.map(|read| read.0);
                let intent = intent.or_else(|| last.intent(name).cloned());
                policy
                    .intents
                    .extend(intent.map(|intent| (intent, revision)));
            } else if key.starts_with(VMS) {
                let read = read::<VmDocument>(entry, &mut unreadable);
                let uuid = uuid_of(key);
                let known = || last.vm(uuid.as_deref()?).cloned();
                match read.map(|read| read.0).or_else(known) {
                    Some(vm) => policy.vms.push((vm, revision)),
                    None => policy.held.vms.extend(uuid),
                }
            } else if let Some(node) = key.strip_prefix(DRAINED) {
                let read = read::<DrainedDocument>(entry, &mut unreadable);
                let known = || last.drained(node).cloned();
                let drained = read.map(|read| read.0).or_else(known);
                let drained = drained.map(|drained| (node.to_owned(), drained, revision));
                policy.drained.extend(drained);
            } else if key == IDENTITY {
                // `Linked` compares it.
                read::<Identity>(entry, &mut unreadable);
            } else if key.starts_with(REMOVED) {
                let read = read::<RemovedDocument>(entry, &mut unreadable);
                policy.removed.extend(read.map(|read| read.0));
            }
        }
        policy.unreadable = unreadable;
        policy
    }

    pub(super) fn of_entries(entries: &[Entry]) -> Policy {
        let range = Range {
            entries: entries.to_vec(),
            revision: 0,
        };
        Policy::of(&range, &Policy::default())
    }

    /// Replaces values by those that `earlier` has of the same keys.
    pub(super) fn replace_by(&mut self, earlier: Policy) {
        if earlier.management_revision > 0 && !earlier.held.management {
            self.management = earlier.management.clone();
            self.management_revision = earlier.management_revision;
            self.held.management = false;
        }
        self.intents
            .retain(|(old, _)| earlier.intent(&old.name).is_none());
        self.intents.extend(earlier.intents);
        self.vms.retain(|(old, _)| {
            let mut others = earlier.vms.iter();
            others.all(|(vm, _)| vm.uuid != old.uuid)
        });
        self.vms.extend(earlier.vms);
        self.drained.retain(|(old, ..)| {
            let mut others = earlier.drained.iter();
            others.all(|(node, ..)| node != old)
        });
        self.drained.extend(earlier.drained);
    }

    /// The intents without their revisions.
    pub(crate) fn plain_intents(&self) -> Vec<Intent> {
        self.intents
            .iter()
            .map(|(intent, _)| intent.clone())
            .collect()
    }

    /// The intent called `name`.
    pub fn intent(&self, name: &str) -> Option<&Intent> {
        self.intent_entry(name).map(|(intent, _)| intent)
    }

    /// Revision of the intent called `name`; 0 without one.
    pub fn intent_revision(&self, name: &str) -> u64 {
        self.intent_entry(name).map_or(0, |(_, revision)| *revision)
    }

    fn intent_entry(&self, name: &str) -> Option<&(Intent, u64)> {
        self.intents.iter().find(|(intent, _)| intent.name == name)
    }

    /// The intent of the cluster settings.
    pub(crate) fn managed_intent(&self) -> Option<&Intent> {
        self.intent(self.management.intent.as_deref()?)
    }

    /// The setting of the VM with `uuid`.
    pub fn vm(&self, uuid: &str) -> Option<&VmSetting> {
        self.entry_of(uuid).map(|(vm, _)| vm)
    }

    fn entry_of(&self, uuid: &str) -> Option<&(VmSetting, u64)> {
        let found = self
            .vms
            .binary_search_by(|(vm, _)| vm.uuid.as_str().cmp(uuid));
        self.vms.get(found.ok()?)
    }

    /// Whether the intent called `name` exists and cannot be read.
    pub(crate) fn has_unreadable_intent(&self, name: &str) -> bool {
        let mut keys = self.unreadable.iter().map(|one| one.key.as_str());
        keys.any(|key| key.strip_prefix(INTENTS) == Some(name))
    }

    /// The value that management depends on and that was never readable.
    pub(crate) fn unreadable_of_management(&self) -> Option<&Unreadable> {
        let intent = self.management.intent.as_deref();
        let lost = intent.filter(|name| self.intent(name).is_none());
        let lost = lost.map(|name| format!("{INTENTS}{name}"));
        self.unreadable.iter().find(|one| match one.key.as_str() {
            MANAGEMENT => self.held.management,
            key => lost.as_deref() == Some(key),
        })
    }

    /// Whether the VM with `uuid` has no setting, not even an unreadable one.
    pub(crate) fn has_no(&self, uuid: &str) -> bool {
        !self.held.management && !self.held.vms.contains(uuid) && self.vm(uuid).is_none()
    }

    /// When and by whom the node called `name` was drained; none if it is not drained.
    pub fn drained(&self, name: &str) -> Option<&Drained> {
        self.drained_entry(name).map(|(_, drained, _)| drained)
    }

    /// Revision of the entry of a drained node; 0 without one.
    pub(super) fn drained_revision(&self, name: &str) -> u64 {
        self.drained_entry(name).map_or(0, |entry| entry.2)
    }

    fn drained_entry(&self, name: &str) -> Option<&(String, Drained, u64)> {
        self.drained.iter().find(|(node, ..)| node == name)
    }

    /// Revision of a VM's setting; 0 without one.
    pub(super) fn vm_revision(&self, uuid: &str) -> u64 {
        self.entry_of(uuid).map_or(0, |(_, revision)| *revision)
    }
}
