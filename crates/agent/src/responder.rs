//! The migration responder: it acts at once, even while the engine is busy, when a guest releases its VF for a live
//! migration and when it arrives.
//!
//! The administrative MAC of the VF stays in the adapter then, which continues to send the VM's traffic to a VF that
//! is not in use. Without the MAC the traffic goes to the bridge, and the vNIC carries it. libvirt clears the MAC only
//! at the end of the migration. On the target libvirt sets the MAC of the new VF before the migration begins, and the
//! adapter withholds from the VM what its neighbours there send. The MAC is therefore off that VF until the VM arrives.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use accelnet_api::types::EventKind;
use accelnet_host::Links;
use accelnet_host::vms::{DomainChange, MigrationChange, VmEvent};
use accelnet_model::hook_config::{VfOutcome, outcome_file};
use accelnet_model::past::past;
use accelnet_model::{Mac, VfChange};

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

/// What the responder did, for an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Kind of the event.
    pub kind: EventKind,
    /// The VM.
    pub subject: String,
    /// In a sentence.
    pub message: String,
}

/// The responder of an agent. Reconciles report to it which VM has which VF. Clones share their state.
#[derive(Clone)]
pub struct Responder {
    links: Arc<dyn Links + Send + Sync>,
    hook_configs: PathBuf,
    ledger: Ledger,
    known: Arc<Mutex<Known>>,
}

/// The state, by the VMs' UUIDs.
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
    /// MACs whose failover bridging began here, until a reconcile takes them over.
    bridged: BTreeSet<Mac>,
}

impl Responder {
    /// A responder that changes `links`, finds the outcomes of libvirt's hook in `hook_configs`, and records filter
    /// entries in `ledger`.
    pub(crate) fn new(
        links: Arc<dyn Links + Send + Sync>,
        hook_configs: PathBuf,
        ledger: Ledger,
    ) -> Self {
        Responder {
            links,
            hook_configs,
            ledger,
            known: Arc::default(),
        }
    }

    /// Sets the VFs of the VMs that run on this node, and the names of all VMs with a setting, by UUID.
    pub(crate) fn update(&self, held: BTreeMap<String, HeldVf>, names: BTreeMap<String, String>) {
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

    /// Acts on an event; returns what it did.
    pub fn respond(&self, event: &VmEvent) -> Option<Response> {
        let (uuid, change) = match event {
            VmEvent::Migration { uuid, change } => (uuid, *change),
            VmEvent::Rebooted { uuid } => {
                // No guest uses the VF until its driver does again.
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
        // An arriving VM is not among them until it has arrived; a leaving one may be paused by now, and is
        // what it was when it began to leave.
        let held = {
            let known = self.known();
            known.left.get(uuid).or(known.held.get(uuid)).cloned()
        };
        match held {
            Some(vf) => self.leaves(uuid, change, vf),
            None => self.arrives(uuid, change),
        }
    }

    /// A VM of this node migrates to another.
    fn leaves(&self, uuid: &str, change: MigrationChange, vf: HeldVf) -> Option<Response> {
        match change {
            MigrationChange::Active => {
                self.known().left.insert(uuid.to_owned(), vf.clone());
                // From now on the bridge sends its traffic to the vNIC.
                drop(self.links.unlearn(vf.link, vf.mac, 0));
                // While it is here, the VFs of this adapter reach it only over the bridge.
                self.bridge(vf.link, vf.mac);
                let why = "released its VF for a live migration";
                Some(self.set_mac(vf, Mac::ZERO, why))
            }
            MigrationChange::Completed => {
                let mut known = self.known();
                known.left.remove(uuid);
                known.gone.insert(uuid.to_owned(), vf.mac);
                known.bridged.remove(&vf.mac);
                drop(known);
                // And from now on over the wire. A reconcile removes what stays.
                let entry = BTreeSet::from([(vf.link, vf.mac)]);
                if !self.ledger.all().is_disjoint(&entry)
                    && self.links.take_in(vf.link, vf.mac, false).is_ok()
                {
                    self.ledger.forget(&entry);
                }
                None
            }
            MigrationChange::Failed => {
                self.known().left.remove(uuid);
                let mac = vf.mac;
                Some(self.set_mac(vf, mac, "did not migrate and gets its VF again"))
            }
            _ => None,
        }
    }

    /// A VM of another node migrates to this one.
    fn arrives(&self, uuid: &str, change: MigrationChange) -> Option<Response> {
        // The hook may have noted it at an earlier stay: the VF must be as this step finds it.
        let vf = self.chosen_for(uuid, |vf| match change {
            MigrationChange::Active => vf.mac,
            _ => Mac::ZERO,
        })?;
        match change {
            MigrationChange::Active => {
                Some(self.set_mac(vf, Mac::ZERO, "is migrating to this node"))
            }
            MigrationChange::Completed => {
                let mac = vf.mac;
                if mac != Mac::ZERO {
                    // It has no driver for its VF yet.
                    self.bridge(vf.link, mac);
                }
                Some(self.set_mac(vf, mac, "has migrated to this node and gets its VF"))
            }
            _ => None,
        }
    }

    fn set_mac(&self, vf: HeldVf, mac: Mac, why: &str) -> Response {
        let change = VfChange::Mac(mac);
        let of = format!("VF {} of {}", vf.index, vf.adapter);
        let (kind, done) = match self.links.set_vf(vf.link, vf.index, change) {
            Ok(_) => (EventKind::Noticed, past(&change.to_string())),
            Err(error) => (EventKind::Failed, format!("Failed to {error}")),
        };
        Response {
            kind,
            message: format!("VM {} {why}. {done} on {of}.", vf.vm),
            subject: vf.vm,
        }
    }

    /// Begins failover bridging. A reconcile repeats what fails here.
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
            crate::files::read_capped(&outcome_file(&self.hook_configs, &uuid.parse().ok()?))
                .ok()?;
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
