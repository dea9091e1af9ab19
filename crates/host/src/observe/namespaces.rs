//! The links of the other network namespaces of a node.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use accelnet_model::Observed;
use accelnet_model::link::Link;

use crate::Host;

/// Folders where named namespaces are bound.
const NAMED: [&str; 2] = ["/run/netns", "/run/docker/netns"];

/// A namespace, by what it is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    /// Its name, or a process in it.
    pub name: String,
    /// Its links.
    pub links: Vec<Link>,
}

/// Every network namespace but the observer's own. Unknown where one could not be entered
/// or some process could not be inspected.
pub fn others(host: &Host<'_>) -> Observed<Vec<Namespace>> {
    let mut found: BTreeMap<u64, (String, PathBuf)> = BTreeMap::new();
    let mut hidden: BTreeSet<String> = BTreeSet::new();
    let own = number(host, "self").ok();
    for folder in NAMED {
        for name in host.root.names(folder).unwrap_or_default() {
            let path = host.root.locate(&format!("{folder}/{name}"));
            match std::fs::metadata(&path) {
                Ok(file) => found.entry(file.ino()).or_insert((name, path)),
                Err(error) => {
                    hidden.insert(format!("{folder}/{name}: {error}"));
                    continue;
                }
            };
        }
    }
    let processes = host.root.names("/proc").unwrap_or_default();
    for pid in processes.iter().filter(|name| name.parse::<u32>().is_ok()) {
        match number(host, pid) {
            Ok(number) => {
                found.entry(number).or_insert_with(|| {
                    let comm = host.root.text(&format!("/proc/{pid}/comm"));
                    let comm = comm.unwrap_or_else(|_| "unnamed".to_owned());
                    let path = host.root.locate(&format!("/proc/{pid}/ns/net"));
                    (format!("of process {pid} ({comm})"), path)
                });
            }
            Err(Some(reason)) => {
                hidden.insert(reason);
            }
            Err(None) => {}
        }
    }
    let mut namespaces = Vec::new();
    for (number, (name, path)) in found {
        if Some(number) == own {
            continue;
        }
        match host.links.links_in(&path) {
            Ok(links) => namespaces.push(Namespace { name, links }),
            // It ended meanwhile.
            Err(_) if !path.exists() => {}
            Err(error) => {
                hidden.insert(error.to_string());
            }
        }
    }
    match hidden.into_iter().next() {
        None => Observed::Known(namespaces),
        Some(reason) => Observed::unknown(reason),
    }
}

/// The number of the network namespace of a process, from `net:[4026531840]`; no reason
/// when the process has ended meanwhile.
fn number(host: &Host<'_>, pid: &str) -> Result<u64, Option<String>> {
    let path = format!("/proc/{pid}/ns/net");
    let target = match host.root.link(&path) {
        Ok(Some(target)) => target,
        Ok(None) => return Err(None),
        Err(error) if error.is_missing() => return Err(None),
        Err(error) => return Err(Some(error.to_string())),
    };
    let text = target.to_string_lossy();
    let digits = text.trim_start_matches("net:[").trim_end_matches(']');
    digits.parse().map_err(|_| {
        Some(format!(
            "{text:?} where a namespace should be, reading {path}"
        ))
    })
}
