//! Summaries of adapters, with the results of the prerequisite checks.

use accelnet_model::adapter_summary::AdapterSummary;
use accelnet_model::{Adapter, Code, Node, Observed, Vf};

use crate::prereq;

/// All adapters of `node`, which is called `name`.
pub fn all(node: &Node, name: &str) -> Observed<Vec<AdapterSummary>> {
    let of = |adapters: &Vec<Adapter>| {
        let summaries = adapters.iter().map(|adapter| summary(node, name, adapter));
        summaries.collect()
    };
    node.adapters.as_ref().map(of)
}

/// One adapter of `node`.
pub fn summary(node: &Node, name: &str, adapter: &Adapter) -> AdapterSummary {
    let sriov = adapter.sriov.present();
    let mut reasons: Vec<Code> = Vec::new();
    for row in prereq::judge_adapter(node, adapter) {
        let reason = row
            .code
            .filter(|code| !row.passed && !reasons.contains(code));
        reasons.extend(reason);
    }
    let channels = match adapter.interfaces.first() {
        Some(interface) => interface.channels.clone(),
        None => Observed::unknown("the adapter has no netdev here to ask"),
    };
    let count = |counts: fn(&Vf) -> bool| {
        u32::try_from(adapter.vfs.iter().filter(|vf| counts(vf)).count()).unwrap_or(u32::MAX)
    };
    AdapterSummary {
        node: name.to_owned(),
        name: adapter.name(),
        address: adapter.address.to_string(),
        model: prereq::describe(adapter),
        driver: adapter
            .driver
            .as_ref()
            .map(|driver| driver.as_ref().map(|driver| driver.name.clone())),
        link: adapter
            .interfaces
            .first()
            .map(|interface| interface.link.up && interface.link.carrier),
        supported: reasons.is_empty(),
        reasons,
        vfs_total: match sriov {
            Some(sriov) => sriov.total_vfs.clone(),
            None => adapter.sriov.as_ref().map(|_| 0),
        },
        vfs: sriov.map_or(0, |sriov| sriov.current_vfs),
        vfs_in_use: count(|vf| vf.users.known().is_some_and(|users| !users.is_empty())),
        vfs_use_unknown: count(|vf| vf.users.known().is_none()),
        queue_pairs: channels.as_ref().map(|all| all.map(|all| all.pairs())),
        queue_pairs_total: channels.as_ref().map(|all| all.map(|all| all.max_pairs())),
        last_report: None,
    }
}
