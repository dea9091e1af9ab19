//! The nodes of a cluster, in words.

use accelnet_api::types::{Drained, NodeDrained, NodeReport, NodeView, Standing};

use super::last_reports;
use super::problem::problem;
use super::table::{Table, Tone, painted};

/// All nodes.
pub fn nodes(nodes: &[NodeView], colour: bool, width: Option<u16>) -> String {
    let heading = [
        "NODE",
        "STATE",
        "SINCE",
        "LAST REPORT",
        "VERSION",
        "ACCELERATED VMS",
        "DRAINED",
    ];
    let mut table = Table::new(&heading, colour, width);
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    for node in nodes {
        let state = match node.state {
            Standing::Up => painted("up", Tone::Good, colour),
            Standing::Down => painted("down", Tone::Bad, colour),
        };
        table.row([
            node.name.clone(),
            state,
            or_none(&node.since),
            or_none(&node.reported_at),
            or_none(&node.version),
            node.accelerated_vms.to_string(),
            match &node.drained {
                Some(drained) => format!("by {}, {}", drained.by, drained.at),
                None => "no".to_owned(),
            },
        ]);
    }
    table.text()
}

/// One node with its last report.
pub fn node_report(report: &NodeReport, colour: bool, width: Option<u16>) -> String {
    let mut text = nodes(std::slice::from_ref(&report.node), colour, width);
    if let Some(last) = &report.last_report {
        text.push_str(&last_reports::note(&report.node.name, last));
    }
    text.push_str("\nAdapters\n");
    match &report.node.adapters_unknown {
        Some(unknown) => text.push_str(&problem(unknown, colour)),
        None => text.push_str(&super::adapters(&report.adapters, colour, width)),
    }
    if !report.intents.is_empty() {
        let intents = super::intent_status(&report.intents, colour, width);
        text.push_str(&format!("\nIntents\n{intents}"));
    }
    let vms: Vec<_> = report.vms.iter().collect();
    text.push_str("\nVMs\n");
    match &report.node.vms_unknown {
        Some(unknown) => text.push_str(&problem(unknown, colour)),
        None => text.push_str(&super::vms(&vms, colour, width)),
    }
    if !report.faults.is_empty() {
        let faults = super::faults(&report.faults, colour);
        text.push_str(&format!("\nFaults\n{faults}"));
    }
    text
}

/// That the node that is shown is drained.
pub fn is_drained(drained: &Drained) -> String {
    format!(
        "\nDrained by {}, {}: no VM gets a VF here until 'accelnet node undrain'.\n",
        drained.by, drained.at
    )
}

/// What came of draining a node.
pub fn drained(drained: &NodeDrained, colour: bool, width: Option<u16>) -> String {
    let node = &drained.node;
    let mut text = match (drained.drained, drained.applied) {
        (true, _) if drained.unchanged => {
            format!("Node {node} is already drained. Nothing changed.\n")
        }
        (false, _) if drained.unchanged => {
            format!("Node {node} is not drained. Nothing changed.\n")
        }
        (true, true) => format!(
            "Node {node} is drained: no VM is accelerated there until 'accelnet node undrain {node}'.\n"
        ),
        (true, false) => {
            format!("Dry run: node {node} would be drained.\n")
        }
        (false, false) => {
            format!("Dry run: node {node} would provide VFs again.\n")
        }
        (false, true) => format!("Node {node} provides VFs to its VMs again.\n"),
    };
    if !drained.drained {
        return text;
    }
    if drained.vms.is_empty() {
        text.push_str("No VM runs there.\n");
        return text;
    }
    let mut table = Table::new(&["VM", "CAN MIGRATE", "HAS VF", "REASON"], colour, width);
    let yes = |so: bool| if so { "yes" } else { "no" }.to_owned();
    for vm in &drained.vms {
        table.row([
            vm.name.clone(),
            yes(vm.can_migrate),
            yes(vm.has_vf),
            vm.reason.clone(),
        ]);
    }
    text.push('\n');
    text.push_str(&table.text());
    text
}
