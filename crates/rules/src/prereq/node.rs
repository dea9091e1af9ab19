//! The checks of one node.

use accelnet_model::adapter::Identity;
use accelnet_model::check::{CheckName, Row};
use accelnet_model::{Adapter, Check, Code, Intent, Node, Observed, Problem};

use super::{CLUSTER, Scope, adapter};
use crate::{intent, naming};

/// Whether SMT is on.
pub(super) fn smt_of(node: &Node) -> Observed<bool> {
    match &node.platform.smt {
        Observed::Known(smt) => Observed::Known(smt.is_on()),
        Observed::Unknown(reason) => Observed::Unknown(reason.clone()),
    }
}

/// SMT must be the same on all nodes.
pub(super) fn hyperthreading(nodes: &[(&str, Observed<bool>)]) -> Option<Check> {
    let cluster = match nodes {
        [] => return None,
        [(only, _)] => *only,
        _ => CLUSTER,
    };
    let row = Row {
        name: CheckName::Hyperthreading,
        node: cluster,
        subject: cluster,
    };
    let mut with = Vec::new();
    let mut without = Vec::new();
    let mut hidden = None;
    for (name, smt) in nodes {
        match smt {
            Observed::Known(true) => with.push(*name),
            Observed::Known(false) => without.push(*name),
            Observed::Unknown(reason) => {
                hidden = hidden.or(Some((*name, reason)));
            }
        }
    }
    // Nodes that differ for certain differ whatever another one has.
    if let Some((name, reason)) = hidden
        && (with.is_empty() || without.is_empty())
    {
        return Some(row.unknown(&format!("SMT of node {name}"), reason));
    }
    Some(match (with.as_slice(), without.as_slice()) {
        ([_], []) => row.passed("Hyperthreading is on."),
        ([], [_]) => row.passed("Hyperthreading is off."),
        (_, []) => row.passed("Hyperthreading is enabled on all nodes."),
        ([], _) => row.passed("Hyperthreading is disabled on all nodes."),
        (with, without) => row.failed(Problem::new(
            Code::HyperthreadingCheckFailed,
            &[],
            format!("On: {}. Off: {}.", with.join(", "), without.join(", ")),
        )),
    })
}

/// The rows of the adapters of `scope` on one node.
pub(super) fn adapters(node: &Node, intents: &[Intent], scope: &Scope) -> Vec<Check> {
    let name = node.display_name();
    let row = |check, subject| Row {
        name: check,
        node: name,
        subject,
    };
    let mut rows = Vec::new();
    let wanted = match scope {
        Scope::All => None,
        Scope::Adapters(names) => Some(names),
        Scope::Intent(wanted) => match intent::find(wanted, intents) {
            Err(problem) => return vec![row(CheckName::Intent, wanted).failed(problem)],
            Ok(intent) => {
                rows.push(row(CheckName::Intent, wanted).passed("The intent exists."));
                rows.push(match intent::must_be_compute(intent) {
                    Ok(()) => row(CheckName::IntentType, wanted).passed("It has the compute role."),
                    Err(problem) => row(CheckName::IntentType, wanted).failed(problem),
                });
                Some(&intent.adapters)
            }
        },
    };
    let all = match &node.adapters {
        Observed::Known(all) => all,
        Observed::Unknown(reason) => {
            rows.push(row(CheckName::Adapters, name).unknown("the list of adapters", reason));
            return rows;
        }
    };
    let Some(wanted) = wanted else {
        if all.is_empty() {
            rows.push(row(CheckName::Adapters, name).failed(none_at_all()));
        }
        rows.extend(unasked(node, all));
        return rows;
    };
    let identities: Vec<Identity> = all.iter().map(Adapter::identity).collect();
    for wanted in wanted {
        match naming::find(wanted, &identities) {
            Ok(address) => {
                let found = all.iter().filter(|adapter| adapter.address == address);
                rows.extend(found.flat_map(|found| adapter::judge(node, found)));
            }
            Err(problem) => rows.push(row(CheckName::Adapters, wanted).failed(problem)),
        }
    }
    rows
}

/// The rows of all adapters where nothing asks for one of them: one that cannot be used is no failure beside
/// one that can.
fn unasked(node: &Node, all: &[Adapter]) -> Vec<Check> {
    let judged: Vec<Vec<Check>> = all.iter().map(|each| adapter::judge(node, each)).collect();
    let is_usable = |rows: &Vec<Check>| rows.iter().all(|row| row.passed);
    if !judged.iter().any(is_usable) {
        return judged.into_iter().flatten().collect();
    }
    judged
        .into_iter()
        .flatten()
        .map(Check::unless_asked_for)
        .collect()
}

/// A node without any PCI network adapter cannot have one that does SR-IOV.
fn none_at_all() -> Problem {
    Problem::new(
        Code::SriovUnknown,
        &["(none)"],
        "This node has no PCI network adapter.",
    )
}
