//! What other nodes would do for a change of an intent, as far as their reports allow.

use std::collections::BTreeSet;

use accelnet_api::types::{AdapterUse, PlannedStep};
use accelnet_model::Intent;
use accelnet_model::intent::IntentStatus;

use crate::reports::Report;

/// The other nodes of a cluster.
pub(super) struct Elsewhere<'a> {
    reports: Vec<&'a Report>,
    down: &'a BTreeSet<String>,
}

impl<'a> Elsewhere<'a> {
    /// All nodes but the one called `own`, by name.
    pub(super) fn of(reports: &'a [Report], own: &str, down: &'a BTreeSet<String>) -> Self {
        let others = reports.iter().filter(|report| report.node != own);
        let mut reports: Vec<&Report> = others.collect();
        reports.sort_by(|one, other| one.node.cmp(&other.node));
        Elsewhere { reports, down }
    }

    /// The steps for an intent that is declared, or was `old` before.
    pub(super) fn apply(&self, old: Option<&Intent>, new: &Intent) -> Vec<PlannedStep> {
        if old == Some(new) {
            return Vec::new();
        }
        let mut steps = Vec::new();
        for report in &self.reports {
            let status = status_of(report, new);
            let bound = status.map_or_else(Vec::new, |status| bound(report, status));
            let same = old.is_some_and(|old| {
                old.adapters == new.adapters && old.roles == new.roles && new.is_compute()
            });
            if !same || bound.is_empty() {
                let action = format!("apply the intent: {}", in_words(new));
                steps.push(self.step(report, new, action, Vec::new()));
                continue;
            }
            steps.extend(self.differences(report, &bound, old, new));
        }
        steps
    }

    /// The steps for an intent that is removed.
    pub(super) fn remove(&self, intent: &Intent) -> Vec<PlannedStep> {
        let mut steps = Vec::new();
        for report in &self.reports {
            let Some(status) = status_of(report, intent) else {
                continue;
            };
            let action = removal(intent, Some(status));
            steps.push(self.step(report, intent, action, Vec::new()));
        }
        steps
    }

    /// What differs on a node that has applied `old`.
    fn differences(
        &self,
        report: &Report,
        bound: &[&AdapterUse],
        old: Option<&Intent>,
        new: &Intent,
    ) -> Vec<PlannedStep> {
        let mut steps = Vec::new();
        for adapter in bound {
            let name = &adapter.adapter;
            let action = match new.vfs {
                Some(vfs) if vfs != adapter.vfs => {
                    format!(
                        "change the number of VFs of {name} from {} to {vfs}",
                        adapter.vfs
                    )
                }
                None if old.is_some_and(|old| old.vfs.is_some()) => {
                    format!("create all VFs that {name} supports (now {})", adapter.vfs)
                }
                _ => continue,
            };
            let on_it = report.vms.iter().filter(|vm| vm.vf.is_some());
            let on_it = on_it.filter(|vm| vm.adapter.as_ref() == Some(name));
            let touched = on_it.map(|vm| vm.name.clone()).collect();
            steps.push(self.step(report, new, action, touched));
        }
        if old.is_some_and(|old| old.security != new.security) {
            let action = "set trust and spoof check of the VFs of VMs".to_owned();
            steps.push(self.step(report, new, action, Vec::new()));
        }
        steps
    }

    fn step(
        &self,
        report: &Report,
        intent: &Intent,
        action: String,
        touches: Vec<String>,
    ) -> PlannedStep {
        let why = match self.down.contains(&report.node) {
            true => "the node is down; its agent does this when the node is up",
            false => "its agent follows the policy",
        };
        PlannedStep {
            node: report.node.clone(),
            subject: intent.name.to_string(),
            action,
            reason: why.to_owned(),
            affected_vms: touches,
            restarts: None,
        }
    }
}

/// What the policy says after the change, as its first step.
pub(super) fn policy_step(node: &str, intent: &Intent, action: String) -> PlannedStep {
    PlannedStep {
        node: node.to_owned(),
        subject: intent.name.to_string(),
        action,
        reason: "every node of the cluster follows the policy".to_owned(),
        affected_vms: Vec::new(),
        restarts: None,
    }
}

/// What a node does for an intent that is removed.
pub(super) fn removal(intent: &Intent, status: Option<&IntentStatus>) -> String {
    if !intent.is_compute() {
        return "release the adapters of the intent".to_owned();
    }
    let bridge = status.and_then(|status| status.bridge.as_ref());
    let bridge = bridge.map_or_else(String::new, |bridge| format!(", bridge {bridge}"));
    let vfs = match status.map_or(0, |status| status.vfs) {
        0 => String::new(),
        1 => " and 1 VF".to_owned(),
        vfs => format!(" and {vfs} VFs"),
    };
    let (switch, pool) = (intent.switch_network(), intent.pool_network());
    format!("remove libvirt networks {switch} and {pool}{bridge}{vfs}")
}

/// "compute on ens1, 7 VFs of each".
pub(super) fn in_words(intent: &Intent) -> String {
    let roles: Vec<String> = intent.roles.iter().map(ToString::to_string).collect();
    let vfs = match (intent.is_compute(), intent.vfs) {
        (false, _) => String::new(),
        (true, None) => ", all VFs of each".to_owned(),
        (true, Some(1)) => ", 1 VF of each".to_owned(),
        (true, Some(vfs)) => format!(", {vfs} VFs of each"),
    };
    let trust = if intent.security.trust {
        ", trust on"
    } else {
        ""
    };
    let spoof_check = match intent.security.spoof_check {
        true => "",
        false => ", spoof check off",
    };
    let (roles, adapters) = (roles.join(", "), intent.adapters.join(", "));
    format!("{roles} on {adapters}{vfs}{trust}{spoof_check}")
}

fn status_of<'a>(report: &'a Report, intent: &Intent) -> Option<&'a IntentStatus> {
    let mut all = report.intents.iter();
    all.find(|status| status.intent == *intent.name)
}

/// The adapters of an intent in a report.
fn bound<'a>(report: &'a Report, status: &IntentStatus) -> Vec<&'a AdapterUse> {
    let is_bound = |one: &&AdapterUse| {
        let mut bound = status.adapters.iter();
        bound.any(|bound| {
            bound.address == one.address || (bound.mac.is_some() && bound.mac == one.mac)
        })
    };
    report.adapters.iter().filter(is_bound).collect()
}

#[cfg(test)]
mod tests;
