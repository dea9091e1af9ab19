//! The nodes of a cluster, in words.

use accelnet_api::types::{NodeDrained, NodeView, Standing};

use super::table::{Table, Tone, painted};

/// All nodes.
pub fn nodes(nodes: &[NodeView], colour: bool, width: Option<u16>) -> String {
    let heading = [
        "NODE", "STATE", "SINCE", "VERSION", "REPORTED", "VMS", "DRAINED",
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
            or_none(&node.version),
            or_none(&node.reported_at),
            node.accelerated_vms.to_string(),
            match &node.drained {
                Some(drained) => format!("by {} at {}", drained.by, drained.at),
                None => "no".to_owned(),
            },
        ]);
    }
    table.text()
}

/// What came of draining a node.
pub fn drained(drained: &NodeDrained, colour: bool, width: Option<u16>) -> String {
    let node = &drained.node;
    let mut text = match (drained.drained, drained.done) {
        (true, true) => format!(
            "Node {node} is drained: no VM is accelerated there until 'accelnet node undrain {node}'.\n"
        ),
        (true, false) => {
            format!("Nothing was done; 'accelnet node drain {node} --apply' drains node {node}.\n")
        }
        (false, _) => format!("Node {node} can have VFs for its VMs again.\n"),
    };
    if !drained.drained {
        return text;
    }
    if drained.vms.is_empty() {
        text.push_str("No VM runs there.\n");
        return text;
    }
    let mut table = Table::new(&["VM", "CAN MOVE", "HAS ITS VF", "WHY"], colour, width);
    let yes = |so: bool| if so { "yes" } else { "no" }.to_owned();
    for vm in &drained.vms {
        table.row([
            vm.name.clone(),
            yes(vm.can_move),
            yes(vm.has_vf),
            vm.why.clone(),
        ]);
    }
    text.push('\n');
    text.push_str(&table.text());
    text
}
