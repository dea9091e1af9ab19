//! What a node reports to the others: its adapters, its intents, its VMs.

pub(crate) mod parts;

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use accelnet_api::types::{AdapterUse, Fault, VmView};
use accelnet_model::intent::IntentStatus;
use accelnet_model::{AdapterSummary, Check, Mac, NodeName, Observed, Problem};
use accelnet_rules::adapter_summary;
use accelnet_rules::prereq::{self, IntentAdapter, PeerIntent, PeerReport};
use accelnet_store::{
    Document, Entry, MAX_TXN_BYTES, Store, StoreError, Stored, Unreadable, renamed,
};
use serde::{Deserialize, Serialize};

use crate::cluster::nodes::Nodes;
use crate::core::{Core, Seen};
use crate::faults;
use crate::policy::{Policy, store_failed};
use crate::unread::Unread;
use crate::view::{self, Views};

/// What one node reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Which node.
    pub node: String,
    /// When it was seen, RFC 3339, UTC.
    pub observed_at: String,
    /// Whether hyperthreading is on; none where that cannot be told.
    pub smt: Option<bool>,
    /// VFs and queue pairs of the compute intents' adapters.
    pub adapters: Vec<AdapterUse>,
    /// All network adapters here, in brief.
    #[serde(default = "not_reported")]
    pub all_adapters: Observed<Vec<AdapterSummary>>,
    /// Intents here.
    pub intents: Vec<IntentStatus>,
    /// VMs here.
    pub vms: Vec<VmView>,
    /// Why the VMs here are unknown, a fragment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vms_unknown: Option<String>,
    /// MACs in use here, each with who has it.
    pub macs: Vec<(Mac, String)>,
    /// What is wrong here.
    pub faults: Vec<Fault>,
    /// Revision of the settings of Accelerated Networking that the node applied; none from an earlier release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings_revision: Option<u64>,
    /// The prerequisite checks of this machine and its adapters.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// What the adapters of intents are, for other nodes to compare.
    #[serde(default)]
    pub hardware: Vec<Hardware>,
    /// Names of its parts, which have its VMs, MACs and faults where it is too long.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<String>,
}

/// Of a report of an earlier release.
fn not_reported() -> Observed<Vec<AdapterSummary>> {
    Observed::unknown("its agent is of an earlier release, which does not report them")
}

/// An adapter of an intent, as other nodes compare it with theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hardware {
    /// The intent.
    pub intent: String,
    /// Name of the adapter.
    pub adapter: String,
    /// Maker and model.
    pub model: String,
    /// Speed of its link, in Mb/s; none without link.
    pub speed_mbps: Option<u32>,
    /// Queue pairs that one VF can have at most; none where that cannot be told.
    pub most_queue_pairs: Option<u32>,
}

impl Hardware {
    fn of(adapter: IntentAdapter) -> Self {
        Hardware {
            intent: adapter.intent,
            adapter: adapter.adapter,
            model: adapter.model,
            speed_mbps: adapter.speed_mbps,
            most_queue_pairs: adapter.most_queue_pairs,
        }
    }

    fn as_rule(&self) -> IntentAdapter {
        IntentAdapter {
            intent: self.intent.clone(),
            adapter: self.adapter.clone(),
            model: self.model.clone(),
            speed_mbps: self.speed_mbps,
            most_queue_pairs: self.most_queue_pairs,
        }
    }
}

impl Document for Report {
    const KIND: &'static str = "the report of a node";
    const FORMAT: u32 = 2;
    const MOST_BYTES: usize = MAX_TXN_BYTES;

    fn agrees(&self, key: &str) -> Result<(), String> {
        let name = key.strip_prefix(REPORTS).unwrap_or(key);
        let name: NodeName = name.parse().map_err(|error| format!("{error}"))?;
        match name == self.node {
            true => Ok(()),
            false => Err(format!("it is about {:?}", self.node)),
        }
    }

    fn upgrade(format: u32, value: serde_json::Value) -> Option<serde_json::Value> {
        (format == 1).then(|| renamed(value, crate::renamed::REPORT))
    }
}

impl Report {
    /// A node of which nothing was seen yet.
    pub fn empty(node: &str, now: &str) -> Self {
        Report {
            node: node.to_owned(),
            observed_at: now.to_owned(),
            smt: None,
            adapters: Vec::new(),
            all_adapters: Observed::unknown("the node has not reported them"),
            intents: Vec::new(),
            vms: Vec::new(),
            vms_unknown: None,
            macs: Vec::new(),
            faults: Vec::new(),
            settings_revision: None,
            checks: Vec::new(),
            hardware: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// The report of a node whose VMs are unknown, because of `reason`.
    pub(crate) fn unseen(node: &str, now: &str, reason: &str) -> Self {
        let mut report = Report::empty(node, now);
        report.vms_unknown = Some(reason.to_owned());
        report
    }

    /// What `core` has to report.
    pub(crate) fn of(core: &Core, seen: &Seen, policy: &Policy) -> Self {
        let vms = Views::of(core, seen, policy).all();
        let before = core.reports.newest();
        Report {
            node: core.name.clone(),
            observed_at: seen.node.observed_at.clone(),
            smt: seen.node.platform.smt.known().map(|smt| smt.is_on()),
            adapters: core.adapter_uses(seen, policy),
            all_adapters: adapter_summary::all(&seen.node, &core.name),
            intents: core.statuses.clone(),
            macs: view::macs(seen),
            faults: faults::of(core, seen, policy, &vms, before.as_ref()),
            vms,
            vms_unknown: seen.node.domains.reason().map(str::to_owned),
            settings_revision: match policy.management_revision <= core.applied_revision {
                true => Some(policy.management_revision),
                false => before.and_then(|before| before.settings_revision),
            },
            checks: prereq::own(&seen.node),
            hardware: core
                .intent_adapters(seen, policy)
                .into_iter()
                .map(Hardware::of)
                .collect(),
            parts: Vec::new(),
        }
    }

    /// What the prerequisite checks of another node need of it.
    pub(crate) fn as_peer(&self) -> PeerReport {
        PeerReport {
            smt: self.smt,
            checks: self.checks.clone(),
            intents: self.intents.iter().map(as_peer_intent).collect(),
            adapters: self.hardware.iter().map(Hardware::as_rule).collect(),
        }
    }

    /// Whether two reports say the same, whenever that was seen.
    fn says_the_same(&self, other: &Report) -> bool {
        let timeless = |report: &Report| {
            let mut report = report.clone();
            report.observed_at.clear();
            for status in &mut report.intents {
                status.verified_at = None;
            }
            report
        };
        timeless(self) == timeless(other)
    }
}

fn hash_of(value: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(value);
    hasher.finish()
}

fn as_peer_intent(status: &IntentStatus) -> PeerIntent {
    PeerIntent {
        name: status.intent.clone(),
        problem: status.problem.clone(),
    }
}

/// The reports of all nodes, in the store.
pub struct Reports {
    store: Arc<dyn Store>,
    node: String,
    /// What this node saw last.
    newest: Mutex<Option<Report>>,
    written: Mutex<Written>,
    unread: Unread,
    /// Reports that stand alone as they were read last, by key: what did not change is not parsed again.
    parsed: Mutex<HashMap<String, Parsed>>,
    /// Since when the reserve was seen not to be met.
    unmet: Mutex<Option<String>>,
}

/// A report and the value that it was parsed from.
#[derive(Clone)]
struct Parsed {
    mod_revision: u64,
    hash: u64,
    report: Arc<Report>,
}

/// What of this node's report is in the store, as far as that is known.
#[derive(Default)]
struct Written {
    report: Option<Report>,
    /// Keys of its parts.
    parts: Option<BTreeSet<String>>,
}

/// How often reports are read anew because one was written meanwhile.
const TURNS: u32 = 3;

pub(crate) const REPORTS: &str = "reports/";

impl Reports {
    /// The reports in `store`; this node is `node`.
    pub fn new(store: Arc<dyn Store>, node: &str) -> Self {
        Reports {
            store,
            node: node.to_owned(),
            newest: Mutex::new(None),
            written: Mutex::default(),
            unread: Unread::default(),
            parsed: Mutex::default(),
            unmet: Mutex::new(None),
        }
    }

    /// What this node saw last.
    pub fn newest(&self) -> Option<Report> {
        let newest = self.newest.lock();
        newest.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Nodes that send no heartbeats. A store on one machine has none: when the
    /// machine is down, nobody asks.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn nodes_down(&self) -> Result<BTreeSet<String>, Problem> {
        Nodes::new(self.store.clone(), &self.node).down()
    }

    /// Reports that could not be read the last time.
    pub(crate) fn unreadable(&self) -> Vec<Unreadable> {
        self.unread.get()
    }

    /// Since when the reserve is not met, by the clock of this node; none if it is met (`unmet`). That is `now`, if it was
    /// met at the last call.
    pub fn unmet_since(&self, unmet: bool, now: &str) -> Option<String> {
        let mut since = self.unmet.lock().unwrap_or_else(PoisonError::into_inner);
        match unmet {
            false => *since = None,
            true if since.is_none() => *since = Some(now.to_owned()),
            true => {}
        }
        since.clone()
    }

    /// Keeps this node's report: from now on those who ask here are told this one.
    pub fn keep(&self, report: Report) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(report);
    }

    /// Writes the report that was kept for the other nodes, if it says anything new: an idle node
    /// writes nothing.
    pub fn write(&self) {
        let Some(report) = self.newest() else { return };
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let before = written.report.as_ref();
        if before.is_some_and(|before| before.says_the_same(&report)) {
            return;
        }
        let known = written.parts.take();
        // A report that cannot be written is written with the next look.
        if let Ok(keys) = parts::write(&*self.store, &report, known) {
            *written = Written {
                report: Some(report),
                parts: Some(keys),
            };
        }
    }

    /// What every node reported last; of this one, what it saw last.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn all(&self) -> Result<Vec<Report>, Problem> {
        let all = self.shared()?.into_iter();
        Ok(all.map(Arc::unwrap_or_clone).collect())
    }

    /// The same, where a report that did not change since the last time is the same one.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) fn shared(&self) -> Result<Vec<Arc<Report>>, Problem> {
        let newest = self.newest();
        let own = newest.as_ref().map(|newest| newest.node.as_str());
        let (mut all, unreadable) = self.read(own).map_err(|error| store_failed(&error))?;
        let parts = parts::of_node(&self.node);
        let incomplete = unreadable.iter().any(|one| one.key.starts_with(&parts));
        let key = format!("{REPORTS}{}", self.node);
        let damaged = unreadable.iter().any(|one| one.key == key);
        self.unread.set(unreadable);
        let own = all.iter_mut().find(|report| report.node == self.node);
        if own.is_none() || incomplete {
            // It was lost, or written over: the next look writes it again.
            *self.written.lock().unwrap_or_else(PoisonError::into_inner) = Written::default();
        }
        match (own, newest) {
            (Some(own), Some(newest)) => *own = Arc::new(newest),
            (None, Some(newest)) if damaged => {
                all.push(Arc::new(newest));
                all.sort_by(|one, other| one.node.cmp(&other.node));
            }
            _ => {}
        }
        Ok(all)
    }

    /// The reports as they are in the store, and what of them cannot be read.
    fn read(&self, own: Option<&str>) -> Result<(Vec<Arc<Report>>, Vec<Unreadable>), StoreError> {
        let mut turns = 0..TURNS;
        loop {
            let entries = self.store.range(REPORTS)?.entries;
            let mut unreadable = Vec::new();
            let mut all = self.parse(&entries, &mut unreadable);
            let in_parts = |report: &&mut Arc<Report>| !report.parts.is_empty();
            let (mut places, mut divided): (Vec<&mut Arc<Report>>, Vec<Report>) = all
                .iter_mut()
                .filter(in_parts)
                .map(|report| {
                    let whole = Report::clone(report);
                    (report, whole)
                })
                .unzip();
            let missing = parts::complete(&*self.store, &mut divided, own)?;
            for (place, report) in places.iter_mut().zip(divided) {
                **place = Arc::new(report);
            }
            // One may have been written in between.
            if missing.is_empty() || turns.next().is_none() {
                unreadable.extend(missing);
                return Ok((all, unreadable));
            }
        }
    }

    /// The reports of entries; one that stands alone and was parsed before is taken as it was.
    fn parse(&self, entries: &[Entry], unreadable: &mut Vec<Unreadable>) -> Vec<Arc<Report>> {
        let mut known = self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut *known);
        let mut all = Vec::with_capacity(entries.len());
        for entry in entries {
            let hash = hash_of(&entry.value);
            let same = |one: &Parsed| one.mod_revision == entry.mod_revision && one.hash == hash;
            let parsed = match before.remove(&entry.key).filter(same) {
                Some(parsed) => parsed,
                None => match Stored::<Report>::read_or_why(entry) {
                    Ok(stored) => Parsed {
                        mod_revision: entry.mod_revision,
                        hash,
                        report: Arc::new(stored.value),
                    },
                    Err(why) => {
                        unreadable.push(why);
                        continue;
                    }
                },
            };
            all.push(parsed.report.clone());
            if parsed.report.parts.is_empty() {
                known.insert(entry.key.clone(), parsed);
            }
        }
        all
    }
}
