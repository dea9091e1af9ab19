//! How things stand, in words.

use accelnet_api::types::{AdapterUse, AgentInfo, Status};
use accelnet_model::performance::{Performance, PerformanceSettings};

use super::table::{Table, Tone, painted, pairs};
use super::words::count;

/// The whole of it.
pub fn status(status: &Status, colour: bool, width: Option<u16>) -> String {
    let intent = match &status.intent {
        Some(intent) => format!(" on intent {intent}"),
        None => String::new(),
    };
    let mut text = match status.enabled {
        true => format!(
            "{}{intent}.\n",
            painted("Accelerated Networking is enabled", Tone::Good, colour)
        ),
        false => {
            painted(
                "Accelerated Networking is not enabled.",
                Tone::Plain,
                colour,
            ) + "\n"
        }
    };
    let vms: Vec<String> = status
        .accelerated_vms
        .iter()
        .filter(|(_, vms)| *vms > 0)
        .map(|(setting, vms)| format!("{vms} {setting}"))
        .collect();
    let mut lines = vec![
        (
            "node reserve",
            format!(
                "{} %: {} of {} may be down at once",
                status.node_reserve_percentage,
                status.reserved_nodes,
                count(status.nodes, "node")
            ),
        ),
        ("promise", promise(status)),
        ("settings", performance_settings(&status.performance)),
        (
            "VMs",
            match vms.as_slice() {
                [] => "none accelerated".to_owned(),
                some => format!("{} accelerated", some.join(", ")),
            },
        ),
        ("agent", agent(&status.agent)),
    ];
    if !status.enabled {
        lines.remove(1);
    }
    if !status.nodes_down.is_empty() {
        lines.push(("down", status.nodes_down.join(", ")));
    }
    if !status.nodes_drained.is_empty() {
        lines.push(("drained", status.nodes_drained.join(", ")));
    }
    if let Some(since) = &status.agent.cut_off_since {
        let because = status.agent.cut_off_reason.as_deref().unwrap_or_default();
        lines.push((
            "store",
            painted(
                &format!("cut off since {since}: {because}; shown is what was read before"),
                Tone::Bad,
                colour,
            ),
        ));
    }
    text.push_str(&pairs(&lines));
    if !status.adapters.is_empty() {
        text.push('\n');
        text.push_str(&adapters(&status.adapters, colour, width));
    }
    if !status.faults.is_empty() {
        let faults = count(
            u32::try_from(status.faults.len()).unwrap_or(u32::MAX),
            "fault",
        );
        text.push_str(&format!(
            "\n{}; 'accelnet faults' lists them.\n",
            painted(&faults, Tone::Bad, colour)
        ));
    }
    text
}

fn promise(status: &Status) -> String {
    match (status.node_failures_survived, status.failover_capacity_ok) {
        (None, _) => "nothing is promised yet".to_owned(),
        (Some(nodes), true) => format!("holds: the VMs survive {}", count(nodes, "node failure")),
        (Some(nodes), false) => format!(
            "does not hold: the VMs survive {} and should survive {}",
            count(nodes, "node failure"),
            status.reserved_nodes
        ),
    }
}

/// What the settings stand for, in one line.
pub fn performance_settings(settings: &PerformanceSettings) -> String {
    let each = Performance::ALL.map(|setting| {
        let values = settings.of(setting);
        format!(
            "{setting} {}, rate limit {} %",
            count(values.queue_pairs, "queue pair"),
            values.rate_limit_percent
        )
    });
    each.join("; ")
}

fn agent(agent: &AgentInfo) -> String {
    let simulated = match agent.simulated {
        true => ", on a simulated host",
        false => "",
    };
    let behind = match agent.policy_revision > agent.applied_revision {
        true => ", is bringing the node to what was last asked for",
        false => "",
    };
    format!(
        "{} (version {}{simulated}), looked {} s ago{behind}",
        agent.node, agent.version, agent.observed_seconds_ago
    )
}

fn adapters(adapters: &[AdapterUse], colour: bool, width: Option<u16>) -> String {
    let heading = [
        "NODE",
        "ADAPTER",
        "ADDRESS",
        "VFS",
        "IN USE",
        "PROMISED",
        "QUEUE PAIRS",
        "PROMISED",
    ];
    let mut table = Table::new(&heading, colour, width);
    for adapter in adapters {
        let pairs = adapter.queue_pairs;
        table.row([
            adapter.node.clone(),
            adapter.adapter.clone(),
            adapter.address.to_string(),
            adapter.vfs.to_string(),
            adapter.vfs_in_use.to_string(),
            adapter.vfs_allocated.to_string(),
            pairs.map_or_else(|| "unknown".to_owned(), |pairs| pairs.to_string()),
            adapter.queue_pairs_allocated.to_string(),
        ]);
    }
    table.text()
}
