//! VFs that were detached from running VMs whose guests did not use them, or whose adapter has no link. Each is
//! recorded below `/run/accelnet/taken-back` before it is detached, so that the next agent completes it and does not
//! attach the VF again. The record ends when the guest has another chance: the VM is started, its guest reboots, an
//! administrator requests the VF, or all adapters of the pool have link again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use accelnet_host::observe;
use accelnet_model::{Code, Problem, Uuid};
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::files;
use crate::world::World;

/// How long all adapters of the pool have link before VMs get VFs again that had none: libvirt chooses the adapter.
const LINKED: Duration = Duration::from_secs(10);

/// A VF that was detached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The QEMU process of the VM; none where it was not known.
    #[serde(default)]
    pub process: Option<u32>,
    /// What was observed of the guest.
    pub found: String,
    /// The adapter without link; none where the guest did not use the VF.
    #[serde(default)]
    pub without_link: Option<String>,
    /// Whether it was detached: a VF that is there later was attached by another program.
    #[serde(default)]
    pub detached: bool,
}

/// The records of this node, by the VMs' UUIDs.
#[derive(Debug)]
pub(crate) struct DetachedVfs {
    folder: PathBuf,
    records: BTreeMap<Uuid, Record>,
    /// Since when all adapters of the pool have link, on the clock that never goes back.
    linked: Option<Duration>,
}

impl DetachedVfs {
    /// Reads those of an earlier agent, beside the folder `hook_configs`.
    pub fn read(hook_configs: &Path) -> Self {
        let folder = hook_configs.with_file_name("taken-back");
        let mut records = BTreeMap::new();
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let uuid = name.to_str().and_then(|name| name.strip_suffix(".json"));
            let uuid = uuid.and_then(|uuid| uuid.parse().ok());
            let text = files::read_capped(&entry.path()).ok();
            let record = text.and_then(|text| serde_json::from_slice(&text).ok());
            if let (Some(uuid), Some(record)) = (uuid, record) {
                records.insert(uuid, record);
            }
        }
        DetachedVfs {
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

    /// The record of a VM.
    pub fn of(&self, uuid: &str) -> Option<&Record> {
        self.records.get(uuid)
    }

    /// Keeps a record.
    pub fn keep(&mut self, uuid: &Uuid, record: Record) {
        if let Ok(text) = serde_json::to_vec(&record) {
            // An agent that dies now attaches the VF once more, and detaches it again.
            drop(files::replace(&self.file(uuid), &text));
        }
        self.records.insert(uuid.clone(), record);
    }

    /// The guest of a VM has another chance.
    pub fn forget(&mut self, uuid: &Uuid) {
        if self.records.remove(uuid).is_some() {
            drop(std::fs::remove_file(self.file(uuid)));
        }
    }

    /// Why the VF of a VM was detached.
    pub fn reason(&self, uuid: &str) -> Option<String> {
        let record = self.records.get(uuid)?;
        Some(format!("{} Its VF was detached.", record.found))
    }

    /// Forgets VMs that were stopped or started again, or have no setting any more.
    pub fn reconcile(&mut self, ctx: &Context, world: &World) {
        let now = ctx.uptime();
        self.linked = match have_link(world) {
            true => self.linked.or(Some(now)),
            false => None,
        };
        let linked = self.due().is_some_and(|due| due <= now);
        let root = ctx.edge.host().root;
        let is_over = |uuid: &Uuid, record: &Record| {
            if linked && record.without_link.is_some() {
                return true;
            }
            let domain = world.snapshot.running(uuid);
            let Some(domain) = domain.filter(|_| !world.policy.has_no(uuid)) else {
                return true;
            };
            let process = observe::qemu_process(root, &domain.name).known().copied();
            matches!((record.process, process), (Some(was), Some(is)) if was != is)
        };
        let records = self.records.iter();
        let over = records.filter(|(uuid, record)| is_over(uuid, record));
        let over: Vec<Uuid> = over.map(|(uuid, _)| uuid.clone()).collect();
        over.iter().for_each(|uuid| self.forget(uuid));
    }

    /// The guest of a VM is not observed to use its VF, or did not; `why` is what was observed of it.
    pub fn problem(&self, uuid: &str, name: &str, why: impl FnOnce() -> String) -> Problem {
        let found = self.reason(uuid).unwrap_or_else(why);
        let problem = Problem::new(Code::VfNotUsed, &[name], found);
        let record = self.records.get(uuid);
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

/// Whether all adapters of the managed intent have link.
pub(crate) fn have_link(world: &World) -> bool {
    let adapters = world.managed_adapters();
    let mut links = adapters.iter().flat_map(|adapter| &adapter.interfaces);
    links.all(|one| one.link.carrier)
}
