//! VFs that were taken back from running VMs whose guests did not use them, or whose adapter has no link. Each is recorded before it is
//! detached, below `/run/accelnet`, so that an agent that dies goes on with it and the next one does not
//! attach the VF again. The record ends when the guest has another chance: the VM is started, its guest
//! reboots, an administrator asks for the VF, or all adapters of the pool have link again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use accelnet_api::types::EventKind;
use accelnet_host::observe;
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Code, Domain, PciAddress, Problem, Uuid, VmSetting};
use accelnet_rules::pair::{Pair, Step};
use serde::{Deserialize, Serialize};

use super::{Core, Seen};
use crate::policy::Policy;
use crate::view;

/// For how long all adapters of the pool have link before VMs that had none get VFs again: libvirt chooses
/// the adapter.
const LINKED: Duration = Duration::from_secs(10);

/// A VF that was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    /// The QEMU process that the VM had; none where it was not known.
    #[serde(default)]
    process: Option<u32>,
    /// What was seen of the guest.
    found: String,
    /// The adapter without link; none where the guest did not use the VF.
    #[serde(default)]
    without_link: Option<String>,
    /// Whether it was detached: a VF that is there later was attached by somebody else.
    #[serde(default)]
    detached: bool,
}

/// The records of this node, by the VMs' UUIDs.
#[derive(Debug)]
pub(crate) struct TakenBack {
    folder: PathBuf,
    records: BTreeMap<Uuid, Record>,
    /// Since when all adapters of the pool have link, on the clock that never goes back.
    linked: Option<Duration>,
}

impl TakenBack {
    /// Those that an agent before this one left beside the folder `wishes`.
    pub fn read(wishes: &Path) -> Self {
        let folder = wishes.with_file_name("taken-back");
        let mut records = BTreeMap::new();
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let uuid = name.to_str().and_then(|name| name.strip_suffix(".json"));
            let uuid = uuid.and_then(|uuid| uuid.parse().ok());
            let text = crate::files::read_capped(&entry.path()).ok();
            let record = text.and_then(|text| serde_json::from_slice(&text).ok());
            if let (Some(uuid), Some(record)) = (uuid, record) {
                records.insert(uuid, record);
            }
        }
        TakenBack {
            folder,
            records,
            linked: None,
        }
    }

    /// When VMs get VFs again because all adapters have had link for long enough.
    pub fn due(&self) -> Option<Duration> {
        let mut records = self.records.values();
        let waits = records.any(|record| record.without_link.is_some());
        self.linked.filter(|_| waits).map(|since| since + LINKED)
    }

    fn file(&self, uuid: &Uuid) -> PathBuf {
        self.folder.join(format!("{uuid}.json"))
    }

    fn keep(&mut self, uuid: &Uuid, record: Record) {
        if let Ok(text) = serde_json::to_vec(&record) {
            // An agent that dies now attaches the VF once more, and takes it back again.
            drop(crate::files::replace(&self.file(uuid), &text));
        }
        self.records.insert(uuid.clone(), record);
    }

    fn forget(&mut self, uuid: &Uuid) {
        if self.records.remove(uuid).is_some() {
            drop(std::fs::remove_file(self.file(uuid)));
        }
    }
}

impl Core {
    /// Whether the VF of a VM was taken back, so that it gets none for now.
    pub(crate) fn is_taken_back(&self, uuid: &str) -> bool {
        self.taken_back.records.contains_key(uuid)
    }

    /// Why the VF of a VM was taken back.
    pub(crate) fn why_taken_back(&self, uuid: &str) -> Option<String> {
        let record = self.taken_back.records.get(uuid)?;
        Some(format!("{} Its VF was detached.", record.found))
    }

    /// The guest of a VM has another chance.
    pub(crate) fn forgive_guest(&mut self, uuid: &Uuid) {
        self.taken_back.forget(uuid);
    }

    /// Forgets the VFs of VMs that were stopped, or started again, or have no setting any more.
    pub(crate) fn settle_taken_back(&mut self, policy: &Policy, seen: &Seen) {
        let now = self.edge.host().clock.uptime();
        let adapters = self.managed_adapters(policy, seen);
        let mut links = adapters.iter().flat_map(|adapter| &adapter.interfaces);
        self.taken_back.linked = match links.all(|one| one.link.carrier) {
            true => self.taken_back.linked.or(Some(now)),
            false => None,
        };
        let linked = self.taken_back.due().is_some_and(|due| due <= now);
        let root = self.edge.host().root;
        let over = |uuid: &Uuid, record: &Record| {
            if linked && record.without_link.is_some() {
                return true;
            }
            let domain = seen.domain(uuid);
            let domain = domain.filter(|one| one.state.holds_devices());
            let Some(domain) = domain.filter(|_| !policy.has_no(uuid)) else {
                return true;
            };
            let process = observe::qemu_process(root, &domain.name).known().copied();
            matches!((record.process, process), (Some(was), Some(is)) if was != is)
        };
        let records = self.taken_back.records.iter();
        let over = records.filter(|(uuid, record)| over(uuid, record));
        let over: Vec<Uuid> = over.map(|(uuid, _)| uuid.clone()).collect();
        for uuid in over {
            self.taken_back.forget(&uuid);
        }
    }

    /// Takes the VF from a running VM whose guest had its time and does not drive it; whether anything was
    /// done. The VM goes on over its software path.
    pub(crate) fn take_back(
        &mut self,
        policy: &Policy,
        seen: &Seen,
        setting: &VmSetting,
        domain: &Domain,
    ) -> bool {
        let uuid = &setting.uuid;
        let record = self.taken_back.records.get(uuid);
        let begun = record.is_some_and(|record| !record.detached);
        let attached_again = record.is_some_and(|record| record.detached);
        let due = self.path_of(uuid).is_some_and(|one| one.verdict.take_back);
        let pool = policy.managed_intent().map(|intent| intent.pool_network());
        let vf = Pair::of(&domain.vnics, setting.mac, &pool.unwrap_or_default()).vf;
        let has_vf = vf.is_some();
        let vf = vf.and_then(|vf| vf.host_device);
        if has_vf && attached_again {
            self.forgive_guest(uuid);
            return false;
        }
        if !(begun || due) || !has_vf || !domain.state.holds_devices() {
            return false;
        }
        // A guest that leaves for another node has given its VF up, and gets another one there.
        if self.edge.vms().is_busy(uuid).unwrap_or(true) {
            return false;
        }
        if !begun {
            let problem = self.not_used(uuid, &domain.name);
            let process = observe::qemu_process(self.edge.host().root, &domain.name);
            let record = Record {
                process: process.known().copied(),
                found: problem.found.clone(),
                without_link: self.without_link(seen, domain, vf),
                detached: false,
            };
            self.tell_problem(EventKind::Failed, &domain.name, &problem);
            self.taken_back.keep(uuid, record);
        }
        self.edge.failpoint("take-back");
        match self.only(policy, setting, domain, Step::DetachVf) {
            Ok(()) => {
                if let Some(record) = self.taken_back.records.get(uuid).cloned() {
                    let detached = true;
                    self.taken_back.keep(uuid, Record { detached, ..record });
                }
                let record = self.taken_back.records.get(uuid);
                let why = match record.and_then(|record| record.without_link.as_ref()) {
                    Some(adapter) => format!("{adapter} has no link"),
                    None => "its guest does not use it".to_owned(),
                };
                let message = format!(
                    "The VF of VM {} was detached: {why}. The software path carries its traffic.",
                    domain.name
                );
                self.tell(EventKind::Changed, &domain.name, message);
                true
            }
            Err(problem) => {
                if self.reason_of(uuid).is_none() {
                    self.tell_problem(EventKind::Failed, &domain.name, &problem);
                }
                self.blame(uuid, &problem);
                false
            }
        }
    }

    /// Takes back the VFs of running VMs that are due where an adapter has no link; whether anything was done.
    pub(crate) fn take_back_without_link(&mut self, policy: &Policy, seen: &Seen) -> bool {
        let adapters = self.managed_adapters(policy, seen);
        let mut links = adapters.iter().flat_map(|adapter| &adapter.interfaces);
        let decided = policy.management.enabled && !policy.held.management;
        if !decided || links.all(|one| one.link.carrier) {
            return false;
        }
        self.watch_paths(policy, seen);
        let mut acted = false;
        for (setting, _) in &policy.vms {
            let own = setting.node == self.name && setting.phase == Phase::Enabled;
            if let Some(domain) = seen.domain(&setting.uuid).filter(|_| own) {
                acted |= self.take_back(policy, seen, setting, domain);
            }
        }
        acted
    }

    /// The adapter of a VM's VF, if it has no link and the VF is taken back because of that.
    fn without_link(&self, seen: &Seen, domain: &Domain, vf: Option<PciAddress>) -> Option<String> {
        let watched = self.path_of(&domain.uuid)?;
        if watched.seen().link != Some(false) {
            return None;
        }
        let vf = domain
            .vnics
            .iter()
            .find(|one| one.host_device.is_some() && one.host_device == vf)?;
        let (adapter, _) = view::find_vf(seen, vf)?;
        Some(adapter.name())
    }

    /// The guest of a VM is not seen to use its VF.
    pub(crate) fn not_used(&self, uuid: &str, name: &str) -> Problem {
        let found = match self.why_taken_back(uuid) {
            Some(found) => found,
            None => self.why_not_used(uuid),
        };
        let record = self.taken_back.records.get(uuid);
        let problem = Problem::new(Code::VfNotUsed, &[name], found);
        match record.and_then(|record| record.without_link.as_ref()) {
            None => problem,
            Some(adapter) => problem
                .needed("An adapter with link.")
                .resolution(format!(
                    "Restore the link of {adapter}: the VM gets a VF again once all adapters of the intent have link. Until then the software path carries its traffic."
                )),
        }
    }
}
