//! Admission under node failures: whether every accelerated VM still gets its VF and its queue
//! pairs, on one adapter, with any `k` nodes down and the VMs of the others where they are.
//!
//! [`Ledger`] holds a cluster as sums that make one more VM cheap to judge. A set of nodes that
//! is down needs room for its VMs on the others, which is a packing with two measures (one VF
//! each, and queue pairs). `measure` shows for which settings that packing comes down to a
//! few sums, each of which has a worst set that can be named at once; `search` reads every
//! set where it does not, and gives up where there are too many, which then counts as a
//! refusal with that reason.

mod capacity;
mod cluster;
mod column;
mod largest;
mod ledger;
mod measure;
mod pack;
mod refusal;
mod remedy;
mod search;
mod verdict;
mod words;

pub use capacity::{Headroom, headroom};
pub use cluster::{Adapter, Cluster, Counts, Node, place_of, reserved_nodes, sizes_of};
pub use ledger::Ledger;
pub use remedy::{Remedy, remedies};
pub use verdict::{Binding, Refusal, Verdict};
pub use words::explain;

use accelnet_model::{Code, Performance, Problem};

/// Checks that one of `adapters` can give a VF the queue pairs of the setting.
///
/// # Errors
///
/// `cannot_provision_performance`, with the most queue pairs of one VF.
pub fn provisionable<'a>(
    setting: Performance,
    cluster: &Cluster,
    adapters: impl Iterator<Item = &'a Adapter> + Clone,
) -> Result<(), Problem> {
    let pairs = cluster.sizes[place_of(setting)];
    if adapters.clone().any(|adapter| adapter.can_give(pairs)) {
        return Ok(());
    }
    let most = adapters
        .map(|adapter| adapter.whole())
        .map(|whole| whole.pairs.min(whole.most));
    let of = |number: u64| match number {
        1 => "1 queue pair".to_owned(),
        number => format!("{number} queue pairs"),
    };
    let found = format!(
        "A VF here can have {} at most.",
        of(most.max().unwrap_or(0))
    );
    let problem = Problem::new(
        Code::CannotProvisionPerformance,
        &[&setting.to_string()],
        found,
    );
    Err(problem.needed(format!("{} for one VF.", of(pairs))))
}

#[cfg(test)]
mod tests;
