//! The capacity of a cluster in words.

use accelnet_model::Capacity;
use accelnet_model::capacity::{Answer, Share};

use super::table::{Table, Tone, painted, pairs};
use super::words::count;

/// The whole of it, of a cluster of so many nodes.
pub fn capacity(capacity: &Capacity, nodes: usize, colour: bool, width: Option<u16>) -> String {
    let nodes = u32::try_from(nodes).unwrap_or(u32::MAX);
    let mut text = match &capacity.problem {
        None => format!(
            "{}.\n",
            painted("Failover capacity is sufficient", Tone::Good, colour)
        ),
        Some(problem) => format!(
            "{} {}\n{}\n",
            painted(&problem.message, Tone::Bad, colour),
            problem.found,
            problem.resolution
        ),
    };
    let more = capacity.additional_vms;
    text.push_str(&pairs(&[
        (
            "node reserve",
            format!(
                "{} %: {} of {} can be down at once",
                capacity.node_reserve_percentage,
                capacity.survives_nodes,
                count(nodes, "node")
            ),
        ),
        (
            "failover",
            match capacity.node_failures_survived {
                Some(failures) => format!("the VMs survive {}", count(failures, "node failure")),
                None => "some VMs have no VF now".to_owned(),
            },
        ),
        (
            "largest reserve",
            match capacity.largest_reserve {
                Some(reserve) => format!("{reserve} %"),
                None => "none".to_owned(),
            },
        ),
        (
            "free capacity",
            format!(
                "{} more Low, or {} Medium, or {} High",
                more.low, more.medium, more.high
            ),
        ),
    ]));
    text.push('\n');
    text.push_str(&table(capacity, colour, width));
    if !capacity.answers.is_empty() {
        text.push('\n');
        for answer in &capacity.answers {
            text.push_str(&answered(answer, colour));
        }
    }
    text
}

fn table(capacity: &Capacity, colour: bool, width: Option<u16>) -> String {
    let heading = [
        "NODE",
        "RESOURCE",
        "TOTAL",
        "IN USE",
        "ALLOCATED",
        "FREE",
        "UNAVAILABLE",
    ];
    let mut table = Table::new(&heading, colour, width);
    for node in &capacity.nodes {
        let name = match node.down {
            true => format!("{} (down)", node.node),
            false => node.node.clone(),
        };
        let mut row = |name: String, what: &str, share: &Share| {
            let or = |number: Option<u32>| {
                number.map_or_else(|| "no limit".to_owned(), |number| number.to_string())
            };
            table.row([
                name,
                what.to_owned(),
                or(share.total),
                share.in_use.to_string(),
                share.allocated.to_string(),
                or(share.free),
                or(share.unavailable),
            ]);
        };
        row(name, "VFs", &node.vfs);
        row(String::new(), "queue pairs", &node.queue_pairs);
    }
    table.text()
}

fn answered(answer: &Answer, colour: bool) -> String {
    match (&answer.node, &answer.adapter) {
        (Some(node), Some(adapter)) => format!(
            "{}: {}, on {adapter} of {node}\n",
            answer.name,
            painted("admitted", Tone::Good, colour)
        ),
        _ => {
            let code = answer
                .code
                .map(|code| format!(" ({code})"))
                .unwrap_or_default();
            format!(
                "{}: {}{code}. {}\n  {}\n",
                answer.name,
                painted("not admitted", Tone::Bad, colour),
                answer.message.as_deref().unwrap_or_default(),
                answer.resolution.as_deref().unwrap_or_default()
            )
        }
    }
}
