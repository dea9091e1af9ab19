//! The reports of nodes: their adapters, intents, VMs and faults.

pub(crate) mod parts;
mod report;

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use accelnet_model::Problem;
use accelnet_rules::conditions::Conditions;
use accelnet_store::{Entry, Store, StoreError, Stored, Unreadable};

use crate::cluster::nodes::Nodes;
use crate::problems::failed;
use crate::unread::Unread;

pub(crate) use report::REPORTS;
pub use report::{Hardware, Report};

/// The reports of all nodes in the store. The errors are those of the store.
pub struct Reports {
    store: Arc<dyn Store>,
    node: String,
    /// The newest report of this node.
    newest: Mutex<Option<Report>>,
    written: Mutex<Written>,
    unread: Unread,
    /// Parsed reports without parts, by key: an unchanged one is not parsed again.
    parsed: Mutex<HashMap<String, Parsed>>,
    /// Since when the reserve is not met.
    unmet: Mutex<Conditions<(), ()>>,
}

/// A report and the value that it was parsed from.
#[derive(Clone)]
struct Parsed {
    mod_revision: u64,
    hash: u64,
    report: Arc<Report>,
}

/// This node's report in the store, as far as it is known.
#[derive(Default)]
struct Written {
    report: Option<Report>,
    /// Keys of its parts.
    parts: Option<BTreeSet<String>>,
}

/// How often reports are read again because one was written meanwhile.
const ATTEMPTS: u32 = 3;

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
            unmet: Mutex::default(),
        }
    }

    /// The newest report of this node.
    pub fn newest(&self) -> Option<Report> {
        let newest = self.newest.lock();
        newest.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Nodes that are down; none in a store of one machine.
    pub fn nodes_down(&self) -> Result<BTreeSet<String>, Problem> {
        Nodes::new(self.store.clone(), &self.node).down()
    }

    /// Reports that the last reading could not parse.
    pub(crate) fn unreadable(&self) -> Vec<Unreadable> {
        self.unread.get()
    }

    /// Since when the reserve is not met, by the clock of this node; none if it is met. That is `now` if it was
    /// met at the last call.
    pub(crate) fn unmet_since(&self, unmet: bool, now: &str) -> Option<String> {
        let mut condition = self.unmet.lock().unwrap_or_else(PoisonError::into_inner);
        match unmet {
            true => condition.raise((), (), now),
            false => condition.clear(&()),
        };
        condition.since(&()).map(str::to_owned)
    }

    /// Keeps this node's report for the readers of this node.
    pub fn keep(&self, report: Report) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(report);
    }

    /// Writes the kept report for the other nodes, if it changed: an idle node writes nothing.
    pub fn write(&self) {
        let Some(report) = self.newest() else { return };
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let before = written.report.as_ref();
        if before.is_some_and(|before| before.is_same(&report)) {
            return;
        }
        let known = written.parts.take();
        // After a failure, the next call writes it.
        if let Ok(keys) = parts::write(&*self.store, &report, known) {
            *written = Written {
                report: Some(report),
                parts: Some(keys),
            };
        }
    }

    /// The report of this node in the store, which an earlier agent may have written. Those of other nodes are not
    /// read: an agent that starts has no use for them.
    pub(crate) fn stored(&self) -> Option<Report> {
        let entry = self.store.get(&format!("{REPORTS}{}", self.node)).ok()??;
        let mut reports = [Stored::<Report>::read(&entry).ok()?.value];
        parts::complete(&*self.store, &mut reports, None).ok()?;
        let [report] = reports;
        Some(report)
    }

    /// The last report of each node, the newest of this one.
    pub fn all(&self) -> Result<Vec<Report>, Problem> {
        let all = self.shared()?.into_iter();
        Ok(all.map(Arc::unwrap_or_clone).collect())
    }

    /// The same without copies of unchanged reports.
    pub(crate) fn shared(&self) -> Result<Vec<Arc<Report>>, Problem> {
        let newest = self.newest();
        let own = newest.as_ref().map(|newest| newest.node.as_str());
        let (mut all, unreadable) = self.read(own).map_err(failed)?;
        let parts = parts::of_node(&self.node);
        let incomplete = unreadable.iter().any(|one| one.key.starts_with(&parts));
        let key = format!("{REPORTS}{}", self.node);
        let damaged = unreadable.iter().any(|one| one.key == key);
        self.unread.set(unreadable);
        let own = all.iter_mut().find(|report| report.node == self.node);
        if own.is_none() || incomplete {
            // It was lost or overwritten: the next call writes it again.
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

    /// The reports in the store, and what of them cannot be read.
    fn read(&self, own: Option<&str>) -> Result<(Vec<Arc<Report>>, Vec<Unreadable>), StoreError> {
        let mut attempts = 0..ATTEMPTS;
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
            // A missing part may belong to a newer report.
            if missing.is_empty() || attempts.next().is_none() {
                unreadable.extend(missing);
                return Ok((all, unreadable));
            }
        }
    }

    /// The reports of entries; an unchanged one without parts is not parsed again.
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

fn hash_of(value: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(value);
    hasher.finish()
}
