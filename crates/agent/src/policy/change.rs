//! Changes of the policy, as operations of transactions.

use accelnet_api::types::Drained;
use accelnet_model::{Intent, IntentName, Management, Uuid, VmSetting};
use accelnet_store::{StoreError, Txn};

use super::content::Policy;
use super::documents::{
    DrainedDocument, IntentDocument, ManagementDocument, RemovedDocument, VmDocument,
};
use super::keys::{INTENTS, MANAGEMENT, VMS, drained_key, removed_key};

/// A change of the policy, based on the policy that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// Sets management.
    Management(Management),
    /// Sets an intent.
    Intent(Intent),
    /// Removes an intent.
    NoIntent(IntentName),
    /// Sets the setting of a VM.
    Vm(VmSetting),
    /// Removes the setting of the VM with that UUID.
    NoVm(Uuid),
    /// Drains a node; with none, undrains it.
    Drained(String, Option<Drained>),
}

impl Change {
    /// The highest number of its operations.
    fn ops(&self) -> usize {
        match self {
            Change::Intent(_) | Change::NoIntent(_) => 2,
            _ => 1,
        }
    }

    /// Adds its operations to `txn`, and checks that the keys are as in `policy`; the caller checks
    /// management.
    pub(super) fn add_to(&self, txn: Txn, policy: &Policy) -> Result<Txn, StoreError> {
        match self {
            Change::Management(management) => {
                txn.put_json(MANAGEMENT, &ManagementDocument(management.clone()))
            }
            Change::Intent(intent) => {
                let key = format!("{INTENTS}{}", intent.name);
                let txn = match policy.removed.contains(&intent.name) {
                    true => txn.delete(removed_key(&intent.name)),
                    false => txn,
                };
                txn.check(&key, policy.intent_revision(&intent.name))
                    .put_json(key, &IntentDocument(intent.clone()))
            }
            Change::NoIntent(name) => {
                let key = format!("{INTENTS}{name}");
                txn.check(&key, policy.intent_revision(name))
                    .delete(key)
                    .put_json(removed_key(name), &RemovedDocument(name.clone()))
            }
            Change::Vm(vm) => {
                let key = format!("{VMS}{}", vm.uuid);
                txn.check(&key, policy.vm_revision(&vm.uuid))
                    .put_json(key, &VmDocument(vm.clone()))
            }
            Change::NoVm(uuid) => {
                let key = format!("{VMS}{uuid}");
                Ok(txn.check(&key, policy.vm_revision(uuid)).delete(key))
            }
            Change::Drained(node, drained) => {
                let key = drained_key(node);
                let txn = txn.check(&key, policy.drained_revision(node));
                match drained {
                    Some(drained) => txn.put_json(key, &DrainedDocument(drained.clone())),
                    None => Ok(txn.delete(key)),
                }
            }
        }
    }
}

/// How many of the first changes have `limit` operations at most, and the number of these operations.
pub(super) fn fitting(changes: &[Change], limit: usize) -> (usize, usize) {
    let mut taken = 0;
    let fits = changes.iter().take_while(|change| {
        let fits = taken + change.ops() <= limit;
        taken += if fits { change.ops() } else { 0 };
        fits
    });
    (fits.count(), taken)
}
