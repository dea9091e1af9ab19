//! Reports that are too long for a transaction: separate parts have their VMs, MACs and faults. A part is named
//! after its content, so that a change writes few parts.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use accelnet_api::types::{Fault, VmView};
use accelnet_model::{Mac, NodeName};
use accelnet_store::{
    Document, Entry, MAX_TXN_BYTES, Store, StoreError, Stored, Txn, Unreadable, renamed,
};
use serde::{Deserialize, Serialize};

use super::report::{REPORTS, Report};
use crate::batch::Batch;

pub(crate) const PARTS: &str = "report-parts/";
/// Bytes of a report without parts.
const WITHOUT_PARTS: usize = MAX_TXN_BYTES / 2;
/// Bytes of a part: a longer item has one of its own.
const PART: usize = MAX_TXN_BYTES / 8;

/// A part of a report.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Part {
    vms: Vec<VmView>,
    macs: Vec<(Mac, String)>,
    faults: Vec<Fault>,
}

impl Document for Part {
    const KIND: &'static str = "a part of the report of a node";
    const FORMAT: u32 = 2;
    const MOST_BYTES: usize = MAX_TXN_BYTES;

    fn agrees(&self, key: &str) -> Result<(), String> {
        let rest = key.strip_prefix(PARTS).unwrap_or(key);
        let node = rest.split('/').next().unwrap_or(rest);
        let node: Result<NodeName, _> = node.parse();
        node.map(drop).map_err(|error| error.to_string())
    }

    fn upgrade(format: u32, value: serde_json::Value) -> Option<serde_json::Value> {
        (format == 1).then(|| renamed(value, crate::renamed::REPORT))
    }
}

/// Parts that are being filled.
#[derive(Default)]
struct Filling {
    full: Vec<Part>,
    last: Part,
    bytes: usize,
}

impl Filling {
    /// The part that has space for an item.
    fn part_for(&mut self, item: &impl Serialize) -> Result<&mut Part, serde_json::Error> {
        let bytes = serde_json::to_vec(item)?.len();
        if self.bytes > 0 && self.bytes + bytes > PART {
            self.full.push(std::mem::take(&mut self.last));
            self.bytes = 0;
        }
        self.bytes += bytes;
        Ok(&mut self.last)
    }
}

/// The parts of a report; none of one that fits into a value.
fn split(report: &Report) -> Result<Vec<Part>, serde_json::Error> {
    if serde_json::to_vec(report)?.len() <= WITHOUT_PARTS {
        return Ok(Vec::new());
    }
    let mut filling = Filling::default();
    for vm in &report.vms {
        filling.part_for(vm)?.vms.push(vm.clone());
    }
    for mac in &report.macs {
        filling.part_for(mac)?.macs.push(mac.clone());
    }
    for fault in &report.faults {
        filling.part_for(fault)?.faults.push(fault.clone());
    }
    let Filling { mut full, last, .. } = filling;
    full.push(last);
    Ok(full)
}

/// Prefix of the parts of a node.
pub(crate) fn of_node(node: &str) -> String {
    format!("{PARTS}{node}/")
}

/// Writes a report and its parts, and removes earlier parts, which are `known` or else read. Returns the keys of
/// its parts.
pub(super) fn write(
    store: &dyn Store,
    report: &Report,
    known: Option<BTreeSet<String>>,
) -> Result<BTreeSet<String>, StoreError> {
    let prefix = of_node(&report.node);
    let known = match known {
        Some(known) => known,
        None => keys(store.range(&prefix)?.entries),
    };
    let no_json = |source| StoreError::NoJson {
        kind: Part::KIND,
        source,
    };
    let parts = split(report).map_err(no_json)?;
    let mut head = report.clone();
    if !parts.is_empty() {
        (head.vms, head.macs, head.faults) = Default::default();
    }
    let mut batch = Batch::new(store, Txn::new());
    let mut keys = BTreeSet::new();
    for part in &parts {
        let content = serde_json::to_vec(part).map_err(no_json)?;
        let name = name_of(&content);
        let key = format!("{prefix}{name}");
        head.parts.push(name);
        if keys.insert(key.clone()) && !known.contains(&key) {
            // Nothing is checked, so there is no conflict.
            batch.add(content.len(), |txn| txn.put_json(key, part))?;
        }
    }
    let bytes = serde_json::to_vec(&head).map_err(no_json)?.len();
    let key = format!("{REPORTS}{}", report.node);
    batch.add(bytes, |txn| txn.put_json(key, &head))?;
    for old in known.difference(&keys) {
        batch.add(old.len(), |txn| Ok(txn.delete(old)))?;
    }
    batch.commit()?;
    Ok(keys)
}

fn keys(entries: Vec<Entry>) -> BTreeSet<String> {
    entries.into_iter().map(|entry| entry.key).collect()
}

fn name_of(content: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Removes the parts of the report of a node.
///
/// # Errors
///
/// The store cannot be used.
pub(crate) fn remove(store: &dyn Store, node: &str) -> Result<(), StoreError> {
    let mut batch = Batch::new(store, Txn::new());
    for entry in store.range(&of_node(node))?.entries {
        batch.add(entry.key.len(), |txn| Ok(txn.delete(entry.key)))?;
    }
    batch.commit().map(drop)
}

/// Adds their parts to reports. Returns the parts that are missing or cannot be read; the parts of `own`, which
/// is known from the snapshot, are not parsed.
pub(super) fn complete(
    store: &dyn Store,
    reports: &mut [Report],
    own: Option<&str>,
) -> Result<Vec<Unreadable>, StoreError> {
    if reports.iter().all(|report| report.parts.is_empty()) {
        return Ok(Vec::new());
    }
    let entries = store.range(PARTS)?.entries;
    let entries: BTreeMap<&str, &Entry> = entries
        .iter()
        .map(|entry| (entry.key.as_str(), entry))
        .collect();
    let mut missing = Vec::new();
    for report in reports {
        let prefix = of_node(&report.node);
        let is_own = own == Some(report.node.as_str());
        for name in std::mem::take(&mut report.parts) {
            let key = format!("{prefix}{name}");
            let read = match entries.get(key.as_str()) {
                Some(_) if is_own => continue,
                Some(entry) => Stored::<Part>::read_or_why(entry),
                None => Err(Unreadable {
                    reason: format!("it is missing, and the report of {} has it", report.node),
                    key,
                    mod_revision: 0,
                    newer_format: false,
                }),
            };
            match read {
                Ok(Stored { value: part, .. }) => {
                    report.vms.extend(part.vms);
                    report.macs.extend(part.macs);
                    report.faults.extend(part.faults);
                }
                Err(why) => missing.push(why),
            }
        }
    }
    Ok(missing)
}

#[cfg(test)]
mod tests;
