//! Several nodes: this one as observed, the others as reported, and what must be the same
//! on all of them.

use std::collections::BTreeSet;

use accelnet_model::check::{CheckName, Row};
use accelnet_model::{Check, Code, Intent, Node, Observed, Problem};

use super::node::{adapters, hyperthreading, smt_of};
use super::{CLUSTER, Scope, describe, platform};

/// An adapter of an intent on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntentAdapter {
    /// The intent.
    pub intent: String,
    /// Name of the adapter.
    pub adapter: String,
    /// Maker and model.
    pub model: String,
    /// Speed of its link, in Mb/s; none without link.
    pub speed_mbps: Option<u32>,
    /// Queue pairs that one VF can have at most; none where that cannot be determined.
    pub most_queue_pairs: Option<u32>,
}

/// Another node.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Its name.
    pub node: String,
    /// Since when it is down; none while it is up.
    pub down_since: Option<String>,
    /// Its report; none if it never reported.
    pub report: Option<PeerReport>,
}

/// The report of another node.
#[derive(Debug, Clone)]
pub struct PeerReport {
    /// Whether SMT is on; none if it is unknown.
    pub smt: Option<bool>,
    /// Its own rows.
    pub checks: Vec<Check>,
    /// Its intents.
    pub intents: Vec<PeerIntent>,
    /// Adapters of its intents.
    pub adapters: Vec<IntentAdapter>,
}

/// An intent as another node has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerIntent {
    /// Its name.
    pub name: String,
    /// Why it failed there; none where it did not.
    pub problem: Option<Problem>,
}

/// The rows that a node reports of itself: its machine and all its adapters.
pub fn own(node: &Node) -> Vec<Check> {
    let mut rows = platform::judge(node);
    rows.extend(adapters(node, &[], &Scope::All));
    rows
}

/// Checks `node` as observed and `peers` as reported, then what must be the same on all.
/// `own_adapters` are those of `node`'s intents; `needed_pairs` is the most queue pairs that a VM
/// needs.
pub fn judge_cluster(
    node: &Node,
    own_adapters: &[IntentAdapter],
    peers: &[Peer],
    intents: &[Intent],
    scope: &Scope,
    needed_pairs: u32,
) -> Vec<Check> {
    let mut rows = platform::judge(node);
    let mut smt = vec![(node.display_name(), smt_of(node))];
    for peer in peers {
        let row = Row {
            name: CheckName::Node,
            node: &peer.node,
            subject: &peer.node,
        };
        match (&peer.down_since, &peer.report) {
            (Some(since), _) => {
                let found = format!("No heartbeat since {since}.");
                rows.push(row.failed(Problem::new(Code::NodeDown, &[&peer.node], found)));
            }
            (None, None) => rows.push(row.unknown("its report", "it has not reported yet")),
            (None, Some(report)) => {
                rows.push(row.passed("The node is up and has reported."));
                let machine = report.checks.iter().filter(|check| of_machine(check));
                rows.extend(machine.cloned());
                smt.push((
                    &peer.node,
                    match report.smt {
                        Some(on) => Observed::Known(on),
                        None => Observed::unknown("the node reported no SMT state"),
                    },
                ));
            }
        }
    }
    rows.extend(hyperthreading(&smt));
    rows.extend(adapters(node, intents, scope));
    for (peer, report) in reported(peers) {
        rows.extend(of_adapters(&peer.node, report, intents, scope));
    }
    if reported(peers).next().is_some() {
        let all = alike(node, own_adapters, peers, intents, scope, needed_pairs);
        rows.extend(all);
    }
    rows
}

/// Those that are up and have reported.
fn reported(peers: &[Peer]) -> impl Iterator<Item = (&Peer, &PeerReport)> {
    let up = peers.iter().filter(|peer| peer.down_since.is_none());
    up.filter_map(|peer| Some((peer, peer.report.as_ref()?)))
}

/// Whether a row is of the machine, not of an adapter.
fn of_machine(check: &Check) -> bool {
    check.subject == check.node && check.name != CheckName::Adapters
}

/// The rows of a peer's adapters: all, or those of the intent, which it must know.
fn of_adapters(node: &str, report: &PeerReport, intents: &[Intent], scope: &Scope) -> Vec<Check> {
    let of_adapter = report.checks.iter().filter(|check| !of_machine(check));
    let wanted = match scope {
        Scope::All => return of_adapter.cloned().collect(),
        Scope::Adapters(names) => {
            let named = of_adapter.filter(|check| names.contains(&check.subject));
            return named.cloned().collect();
        }
        Scope::Intent(wanted) => wanted,
    };
    // An undeclared one is reported once.
    if !intents.iter().any(|intent| intent.name == *wanted) {
        return Vec::new();
    }
    let row = Row {
        name: CheckName::Intent,
        node,
        subject: wanted,
    };
    let Some(intent) = report.intents.iter().find(|one| one.name == *wanted) else {
        let found = format!("Node {node} has not applied it.");
        return vec![row.failed(Problem::new(Code::IntentNotFound, &[wanted], found))];
    };
    let mut rows = vec![match &intent.problem {
        None => row.passed("The intent exists."),
        // Where it is refused by this, the row's node is not reported.
        Some(problem) => row.failed(Problem {
            found: format!("On node {node}: {}", problem.found),
            ..problem.clone()
        }),
    }];
    let own: Vec<&str> = report
        .adapters
        .iter()
        .filter(|adapter| adapter.intent == *wanted)
        .map(|adapter| adapter.adapter.as_str())
        .collect();
    let of_intent = of_adapter.filter(|check| own.contains(&check.subject.as_str()));
    rows.extend(of_intent.cloned());
    rows
}

/// An intent's adapters must be alike on all nodes, and must be able to give what is promised.
fn alike(
    node: &Node,
    own_adapters: &[IntentAdapter],
    peers: &[Peer],
    intents: &[Intent],
    scope: &Scope,
    needed_pairs: u32,
) -> Vec<Check> {
    let in_scope = |intent: &&Intent| match scope {
        Scope::All => intent.is_compute(),
        Scope::Intent(wanted) => intent.name == *wanted,
        Scope::Adapters(_) => false,
    };
    let mut rows = Vec::new();
    for intent in intents.iter().filter(in_scope) {
        let row = Row {
            name: CheckName::AdaptersAlike,
            node: CLUSTER,
            subject: &intent.name,
        };
        let of_intent = |all: &[IntentAdapter]| -> Vec<IntentAdapter> {
            let mut own = all.to_vec();
            own.retain(|adapter| adapter.intent == intent.name);
            own
        };
        let mut nodes = vec![(node.display_name(), of_intent(own_adapters))];
        nodes.extend(
            reported(peers).map(|(peer, report)| (peer.node.as_str(), of_intent(&report.adapters))),
        );
        // A node without one has a row of its own for that.
        nodes.retain(|(_, adapters)| !adapters.is_empty());
        let Some((first, _)) = nodes.first() else {
            continue;
        };
        let kinds: BTreeSet<String> = nodes.iter().map(|(_, all)| kind(all)).collect();
        if kinds.len() == 1 {
            rows.push(row.passed("The adapters are the same on all nodes."));
            continue;
        }
        let each: Vec<String> = nodes
            .iter()
            .map(|(name, adapters)| format!("{name}: {}", kind(adapters)))
            .collect();
        let other = nodes
            .iter()
            .find(|(_, adapters)| kind(adapters) != kind(&nodes[0].1))
            .map_or(*first, |(name, _)| *name);
        let found = format!("{}.", each.join("; "));
        let weak = nodes.iter().find(|(_, adapters)| {
            let most = adapters.iter().filter_map(|one| one.most_queue_pairs).max();
            most.is_some_and(|most| most < needed_pairs)
        });
        rows.push(match weak {
            Some((weak, _)) => row.failed(
                Problem::new(Code::AdaptersDiffer, &[&intent.name, weak], found).needed(format!(
                    "VFs with {needed_pairs} queue pairs on every node, as the performance settings in use require."
                )),
            ),
            None => row.warned(Problem::new(
                Code::AdaptersDiffer,
                &[&intent.name, other],
                found,
            )),
        });
    }
    rows
}

/// Maker, model and speed of a node's adapters.
fn kind(adapters: &[IntentAdapter]) -> String {
    let mut each: Vec<String> = adapters
        .iter()
        .map(|adapter| match adapter.speed_mbps {
            Some(speed) => format!("{} at {speed} Mb/s", adapter.model),
            None => format!("{} without link", adapter.model),
        })
        .collect();
    each.sort();
    each.join(", ")
}

/// What an adapter of an intent is, for others to compare.
impl IntentAdapter {
    /// From an observed adapter.
    pub fn of(intent: &str, adapter: &accelnet_model::Adapter, most: Option<u32>) -> Self {
        let mut links = adapter.interfaces.iter();
        IntentAdapter {
            intent: intent.to_owned(),
            adapter: adapter.name(),
            model: describe(adapter),
            speed_mbps: links.find_map(|one| one.speed_mbps.present().copied()),
            most_queue_pairs: most,
        }
    }
}
