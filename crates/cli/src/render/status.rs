//! The cluster's status as text.

use accelnet_api::types::{AdapterUse, AgentInfo, Status};
use accelnet_model::performance::{Performance, PerformanceSettings};

use super::table::{Table, Tone, painted, pairs};
use super::words::count;

/// The whole of it; `node` is the one whose adapters and faults it has, if it is restricted to one.
pub fn status(status: &Status, node: Option<&str>, colour: bool, width: Option<u16>) -> String {
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
    text.push_str(&pairs(&lines(status, colour)));
    if !status.adapters.is_empty() {
        text.push('\n');
        text.push_str(&adapters(&status.adapters, colour, width));
    }
    if !status.faults.is_empty() {
        let faults = count(
            u32::try_from(status.faults.len()).unwrap_or(u32::MAX),
            "fault",
        );
        let list = match node {
            None => "accelnet faults".to_owned(),
            Some(node) => format!("accelnet faults --node {node}"),
        };
        text.push_str(&format!(
            "\n{}; run '{list}' for details.\n",
            painted(&faults, Tone::Bad, colour)
        ));
    }
    text
}

fn lines(status: &Status, colour: bool) -> Vec<(&'static str, String)> {
    let mut lines = vec![(
        "node reserve",
        format!(
            "{} %: {} of {} can be down at once",
            status.node_reserve_percentage,
            status.reserved_nodes,
            count(status.nodes, "node")
        ),
    )];
    if status.enabled {
        lines.push(("failover", failover(status)));
    }
    lines.extend(performance_settings(&status.performance));
    let vms = status.accelerated_vms.iter().filter(|(_, vms)| *vms > 0);
    let vms: Vec<String> = vms
        .map(|(setting, vms)| format!("{vms} {setting}"))
        .collect();
    lines.push((
        "VMs",
        match vms.as_slice() {
            [] => "none accelerated".to_owned(),
            some => format!("{} accelerated", some.join(", ")),
        },
    ));
    lines.push(("agent", agent(&status.agent)));
    if !status.nodes_down.is_empty() {
        lines.push(("down", status.nodes_down.join(", ")));
    }
    if !status.nodes_drained.is_empty() {
        lines.push(("drained", status.nodes_drained.join(", ")));
    }
    if let Some(since) = &status.agent.cut_off_since {
        let reason = status.agent.cut_off_reason.as_deref().unwrap_or_default();
        let text = format!("cut off since {since}: {reason}; the last known values are shown");
        lines.push(("store", painted(&text, Tone::Bad, colour)));
    }
    lines
}

fn failover(status: &Status) -> String {
    match (status.node_failures_survived, status.failover_capacity_ok) {
        (None, _) => "no accelerated VMs".to_owned(),
        (Some(nodes), true) => format!(
            "capacity ok: the VMs survive {}",
            count(nodes, "node failure")
        ),
        (Some(nodes), false) => format!(
            "capacity not met: the VMs survive {} of {}",
            count(nodes, "node failure"),
            status.reserved_nodes
        ),
    }
}

/// The values of the performance settings, a line each.
pub fn performance_settings(settings: &PerformanceSettings) -> Vec<(&'static str, String)> {
    let line = |(label, setting)| {
        let values = settings.of(setting);
        let limit = match values.rate_limit_percent {
            100 => "no rate limit".to_owned(),
            percent => format!("rate limit {percent} % of the link"),
        };
        let pairs = count(values.queue_pairs, "queue pair");
        (label, format!("{pairs}, {limit}"))
    };
    [
        ("Low", Performance::Low),
        ("Medium", Performance::Medium),
        ("High", Performance::High),
    ]
    .map(line)
    .into()
}

fn agent(agent: &AgentInfo) -> String {
    let simulated = match agent.simulated {
        true => ", on a simulated host",
        false => "",
    };
    let behind = match agent.policy_revision > agent.applied_revision {
        true => ", is applying the last change",
        false => "",
    };
    format!(
        "{} (version {}{simulated}), last refresh {} s ago{behind}",
        agent.node, agent.version, agent.observed_seconds_ago
    )
}

fn adapters(adapters: &[AdapterUse], colour: bool, width: Option<u16>) -> String {
    let heading = [
        "NODE",
        "ADAPTER",
        "ADDRESS",
        "VFS IN USE",
        "VFS ALLOCATED",
        "QUEUE PAIRS ALLOCATED",
    ];
    let mut table = Table::new(&heading, colour, width);
    for adapter in adapters {
        let pairs = adapter.queue_pairs;
        let pairs = pairs.map_or_else(|| "unknown".to_owned(), |pairs| pairs.to_string());
        table.row([
            adapter.node.clone(),
            adapter.adapter.clone(),
            adapter.address.to_string(),
            format!("{} of {}", adapter.vfs_in_use, adapter.vfs),
            format!("{} of {}", adapter.vfs_allocated, adapter.vfs),
            format!("{} of {pairs}", adapter.queue_pairs_allocated),
        ]);
    }
    table.text()
}
