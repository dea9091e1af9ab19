//! What has to be done at once, whatever the mind is busy with: the moment a guest gives up its VF
//! for a live migration.
//!
//! The VF's administrative MAC stays in the adapter then, which goes on sending the VM's traffic to
//! a VF that nobody has. Without the MAC it goes to the bridge, and the vNIC carries it. libvirt
//! clears it at the end of the migration only.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use accelnet_api::types::EventKind;
use accelnet_host::Links;
use accelnet_host::vms::{MigrationChange, VmEvent};
use accelnet_model::Mac;
use accelnet_netlink::VfChange;

/// The VF of a running VM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeldVf {
    /// Name of the VM.
    pub vm: String,
    /// Index of the PF's netdev.
    pub link: u32,
    /// The adapter.
    pub adapter: String,
    /// Number of the VF on it.
    pub index: u32,
    /// The VM's MAC.
    pub mac: Mac,
}

/// What was done, for the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Of what kind.
    pub kind: EventKind,
    /// The VM.
    pub subject: String,
    /// In a sentence.
    pub message: String,
}

/// An agent's reflex: the mind tells it who has which VF, and the ear what happens. Clones are the
/// same.
#[derive(Clone)]
pub struct Reflex {
    links: Arc<dyn Links + Send + Sync>,
    held: Arc<Mutex<BTreeMap<String, HeldVf>>>,
}

impl Reflex {
    /// Over the links of a node.
    pub(crate) fn new(links: Arc<dyn Links + Send + Sync>) -> Self {
        Reflex {
            links,
            held: Arc::default(),
        }
    }

    /// The VFs of the VMs that run on this node, by the VMs' UUIDs.
    pub(crate) fn learn(&self, held: BTreeMap<String, HeldVf>) {
        *self.held() = held;
    }

    /// Acts on what happened; tells what it did, if it did anything.
    pub fn hear(&self, event: &VmEvent) -> Option<Word> {
        let VmEvent::Migration { uuid, change } = event else {
            return None;
        };
        // A VM that comes here is not among them until it has arrived.
        let vf = self.held().get(uuid).cloned()?;
        let (mac, why) = match change {
            MigrationChange::Active => (Mac::ZERO, "gave up its VF for a live migration"),
            MigrationChange::Failed => (vf.mac, "stays, and gets its VF back"),
            MigrationChange::WaitsForGuest
            | MigrationChange::Completed
            | MigrationChange::Other => return None,
        };
        let change = VfChange::Mac(mac);
        let of = format!("VF {} of {}", vf.index, vf.adapter);
        let (kind, message) = match self.links.set_vf(vf.link, vf.index, change) {
            Ok(_) => (
                EventKind::Noticed,
                format!("VM {} {why}. Done: {change} of {of}.", vf.vm),
            ),
            Err(error) => (
                EventKind::Failed,
                format!("VM {} {why}. Of {of}, it failed to {error}.", vf.vm),
            ),
        };
        Some(Word {
            kind,
            subject: vf.vm,
            message,
        })
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<String, HeldVf>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
