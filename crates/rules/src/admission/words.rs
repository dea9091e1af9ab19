//! A refusal in words.

use accelnet_model::{Code, Performance, Problem};

use super::remedy::names;
use super::{Cluster, Refusal, Remedy};

/// Why `vm` is not admitted, or without a VM why failover capacity does not suffice: the VMs that it would
/// hit, and the remedies.
pub fn explain(
    cluster: &Cluster,
    asked: Option<(&str, usize, Performance)>,
    refusal: &Refusal,
    losers: &[&str],
    remedies: &[Remedy],
) -> Problem {
    let problem = match asked {
        Some((vm, ..)) => Problem::new(
            Code::ClusterNotEnoughResources,
            &[vm],
            found(cluster, asked, refusal, losers),
        ),
        None => Problem::new(
            Code::ReserveNotMet,
            &[],
            found(cluster, asked, refusal, losers),
        ),
    };
    let each: Vec<String> = remedies.iter().map(Remedy::to_string).collect();
    let purpose = match asked {
        Some(_) => "To admit it",
        None => "To meet the reserve",
    };
    let resolution = match each.is_empty() {
        true => "No other reserve, setting or node is sufficient, nor are more VFs and queue pairs on the existing adapters.".to_owned(),
        false => format!("{purpose}, {}.", each.join(", or ")),
    };
    problem.needed(needed(cluster)).resolution(resolution)
}

fn needed(cluster: &Cluster) -> String {
    format!(
        "A VF with its queue pairs on one adapter for every accelerated VM, with any {} of {} nodes down (a reserve of {} %).",
        cluster.reserved(),
        cluster.nodes.len(),
        cluster.reserve_percentage
    )
}

fn found(
    cluster: &Cluster,
    asked: Option<(&str, usize, Performance)>,
    refusal: &Refusal,
    losers: &[&str],
) -> String {
    let worst: Vec<&str> = refusal
        .worst
        .iter()
        .map(|place| cluster.nodes[*place].name.as_str())
        .collect();
    let bind = format!("{} bind", refusal.binding);
    match (asked, worst.is_empty()) {
        (Some((_, node, _)), true) => {
            let node = &cluster.nodes[node];
            let free = free_on(cluster, node);
            let down = match node.down {
                true => "is down",
                false => "has no adapter with enough free capacity",
            };
            format!("Node {} {down}: free are {free}; {bind}.", node.name)
        }
        (None, true) => format!("Now {}; {bind}.", lost(losers, refusal)),
        (_, false) if refusal.proved => {
            format!(
                "With {} down, {}; {bind}.",
                names(&worst),
                lost(losers, refusal)
            )
        }
        (_, false) => format!(
            "It could not be proved within the bound that every VM fits with {} down, so it counts as not fitting; {bind}.",
            names(&worst)
        ),
    }
}

/// "2 VMs would be left without a VF (web1, db1)".
fn lost(losers: &[&str], refusal: &Refusal) -> String {
    let many: u64 = refusal.lose.iter().sum();
    let what = match many {
        1 => "1 VM would be left without a VF".to_owned(),
        many => format!("{many} VMs would be left without a VF"),
    };
    match losers.is_empty() {
        true => what,
        false => format!("{what} ({})", names(losers)),
    }
}

/// What the adapters of a node have free.
fn free_on(cluster: &Cluster, node: &super::Node) -> String {
    let each = node.adapters.iter().map(|adapter| {
        let free = adapter.free(&cluster.sizes);
        let (vfs, pairs) = free.map_or((0, 0), |free| (free.vfs, free.pairs));
        let pairs = match pairs {
            u64::MAX => "queue pairs without limit".to_owned(),
            1 => "1 queue pair".to_owned(),
            pairs => format!("{pairs} queue pairs"),
        };
        let vfs = if vfs == 1 {
            "1 VF".to_owned()
        } else {
            format!("{vfs} VFs")
        };
        format!("{vfs} and {pairs} on {}", adapter.name)
    });
    let each: Vec<String> = each.collect();
    match each.is_empty() {
        true => "no VFs at all".to_owned(),
        false => names(&each),
    }
}
