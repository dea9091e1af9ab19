//! What has to be done at once, whatever the mind is busy with: the moment a guest gives up its VF
//! for a live migration, and the moment that it arrives.
//!
//! The VF's administrative MAC stays in the adapter then, which goes on sending the VM's traffic to
//! a VF that nobody has. Without the MAC it goes to the bridge, and the vNIC carries it. libvirt
//! clears it at the end of the migration only. On the target it is the other way round: libvirt sets
//! the MAC of the new VF before the migration begins, and the adapter keeps from the VM what its
//! neighbours there send to it. So the MAC is off that VF until the VM is there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use accelnet_api::types::EventKind;
use accelnet_host::Links;
use accelnet_host::vms::{DomainChange, MigrationChange, VmEvent};
use accelnet_model::Mac;
use accelnet_model::hook_config::{VfOutcome, outcome_file};
use accelnet_model::past::past;
use accelnet_netlink::VfChange;

use crate::filter_ledger::Ledger;

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
    wishes: PathBuf,
    ledger: Ledger,
    known: Arc<Mutex<Known>>,
}

/// What the mind told, by the VMs' UUIDs.
#[derive(Default)]
struct Known {
    /// The VFs of the VMs that run on this node.
    held: BTreeMap<String, HeldVf>,
    /// The names of all VMs that have a setting.
    names: BTreeMap<String, String>,
    /// The VFs that were given up here for a migration that is under way.
    left: BTreeMap<String, HeldVf>,
    /// VMs that were migrated away, until they run here again: their MACs.
    gone: BTreeMap<String, Mac>,
    /// MACs whose failover bridging began here, until the mind takes them over.
    bridged: BTreeSet<Mac>,
}

impl Reflex {
    /// Over the links of a node, where libvirt's hook leaves its outcomes in `wishes`. Filter entries that
    /// it makes are in `ledger`.
    pub(crate) fn new(
        links: Arc<dyn Links + Send + Sync>,
        wishes: PathBuf,
        ledger: Ledger,
    ) -> Self {
        Reflex {
            links,
            wishes,
            ledger,
            known: Arc::default(),
        }
    }

    /// The VFs of the VMs that run on this node, and the names of all VMs with a setting, by the
    /// VMs' UUIDs.
    pub(crate) fn learn(&self, held: BTreeMap<String, HeldVf>, names: BTreeMap<String, String>) {
        let mut known = self.known();
        known.held = held;
        known.names = names;
    }

    /// The MACs of the VMs that were migrated away and have not come back: nothing that is sent to them is for
    /// this node, though their new node has not taken them over yet.
    pub(crate) fn gone(&self) -> BTreeSet<Mac> {
        self.known().gone.values().copied().collect()
    }

    /// The MACs whose failover bridging began here since the last call. From now on it is the caller's.
    pub(crate) fn take_bridged(&self) -> BTreeSet<Mac> {
        std::mem::take(&mut self.known().bridged)
    }

    /// Acts on what happened; tells what it did, if it did anything.
    pub fn hear(&self, event: &VmEvent) -> Option<Word> {
        let (uuid, change) = match event {
            VmEvent::Migration { uuid, change } => (uuid, change),
            VmEvent::Rebooted { uuid } => {
                // Nothing of the guest works its VF until its driver does again.
                let held = self.known().held.get(uuid).cloned();
                held.into_iter().for_each(|vf| self.bridge(vf.link, vf.mac));
                return None;
            }
            VmEvent::Domain {
                uuid,
                change: DomainChange::Started | DomainChange::Resumed,
                ..
            } => {
                self.known().gone.remove(uuid);
                return None;
            }
            _ => return None,
        };
        // A VM that comes here is not among them until it has arrived; one that leaves may be paused
        // by now, and is what it was when it began to.
        let held = {
            let known = self.known();
            known.left.get(uuid).or(known.held.get(uuid)).cloned()
        };
        let comes = held.is_none();
        // What a hook noted may be of an earlier stay: the VF must be as this step finds it.
        let expected = |vf: &HeldVf| match change {
            MigrationChange::Active => vf.mac,
            _ => Mac::ZERO,
        };
        let vf = held.or_else(|| self.chosen_for(uuid, expected))?;
        match (change, comes) {
            (MigrationChange::Active, false) => {
                self.known().left.insert(uuid.clone(), vf.clone());
                // The bridge is to send what is for it to its vNIC.
                drop(self.links.unlearn(vf.link, vf.mac, 0));
                // While it is here, the VFs of this adapter reach it over the bridge only.
                self.bridge(vf.link, vf.mac);
            }
            (MigrationChange::Completed, false) => {
                let mut known = self.known();
                known.left.remove(uuid);
                known.gone.insert(uuid.clone(), vf.mac);
                known.bridged.remove(&vf.mac);
                drop(known);
                // And from now on over the wire. What stays for now, the mind removes.
                let entry = BTreeSet::from([(vf.link, vf.mac)]);
                if !self.ledger.all().is_disjoint(&entry)
                    && self.links.take_in(vf.link, vf.mac, false).is_ok()
                {
                    self.ledger.forget(&entry);
                }
            }
            (MigrationChange::Failed, false) => {
                self.known().left.remove(uuid);
            }
            _ => {}
        }
        let (mac, why) = match (change, comes) {
            (MigrationChange::Active, false) => (Mac::ZERO, "released its VF for a live migration"),
            (MigrationChange::Failed, false) => (vf.mac, "did not migrate and gets its VF again"),
            (MigrationChange::Active, true) => (Mac::ZERO, "is migrating to this node"),
            (MigrationChange::Completed, true) => {
                (vf.mac, "has migrated to this node and gets its VF")
            }
            _ => return None,
        };
        if comes && mac != Mac::ZERO {
            // It has no driver for its VF yet.
            self.bridge(vf.link, mac);
        }
        let change = VfChange::Mac(mac);
        let of = format!("VF {} of {}", vf.index, vf.adapter);
        let (kind, message) = match self.links.set_vf(vf.link, vf.index, change) {
            Ok(_) => (
                EventKind::Noticed,
                format!("VM {} {why}. {} on {of}.", vf.vm, past(&change.to_string())),
            ),
            Err(error) => (
                EventKind::Failed,
                format!("VM {} {why}. Failed to {error} on {of}.", vf.vm),
            ),
        };
        Some(Word {
            kind,
            subject: vf.vm,
            message,
        })
    }

    /// Begins failover bridging. What cannot be done here the mind tries again.
    fn bridge(&self, link: u32, mac: Mac) {
        let known = self.ledger.all().contains(&(link, mac));
        if self.ledger.remember([(link, mac)]).is_ok()
            && !matches!(self.links.take_in(link, mac, true), Ok(true))
            && !known
        {
            self.ledger.forget(&BTreeSet::from([(link, mac)]));
        }
        self.known().bridged.insert(mac);
    }

    /// The VF that libvirt chose for a VM that comes, as its hook noted; with the MAC that is
    /// expected of it.
    fn chosen_for(&self, uuid: &str, expected: impl Fn(&HeldVf) -> Mac) -> Option<HeldVf> {
        let vm = self.known().names.get(uuid).cloned()?;
        let text =
            crate::files::read_capped(&outcome_file(&self.wishes, &uuid.parse().ok()?)).ok()?;
        let outcome: VfOutcome = serde_json::from_slice(&text).ok()?;
        let adapter = outcome.pf.filter(|_| outcome.operation == "port-created")?;
        let links = self.links.links().ok()?;
        let link = links.iter().find(|link| link.name == adapter)?;
        let vf = HeldVf {
            vm,
            link: link.index,
            adapter,
            index: outcome.index?,
            mac: outcome.mac?,
        };
        let all = self.links.vf_settings(link).ok()?;
        let now = all.into_iter().find(|one| one.index == vf.index)?;
        (now.mac == expected(&vf)).then_some(vf)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
