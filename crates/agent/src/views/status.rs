//! The status and the capacity of the cluster, from the policy, the reports of all nodes, and this node's state.

use accelnet_api::types::{AgentInfo, Fault, Severity, Status};
use accelnet_model::{Capacity, Performance, Problem, VmSetting};
use accelnet_rules::admission;

use super::Published;
use crate::capacity::cluster::managed_adapters;
use crate::capacity::{ClusterState, Inputs};
use crate::cluster::last_reports::Standpoint;
use crate::policy::Policy;
use crate::reports::Reports;

/// The status of the cluster.
///
/// # Errors
///
/// The store cannot be read.
pub(crate) fn status(
    policy: &Policy,
    reports: &Reports,
    published: &Published,
    from: &Standpoint<'_>,
) -> Result<Status, Problem> {
    let all = reports.shared()?;
    let last_reports = from.all(all.iter().map(|report| &**report));
    let state = cluster(policy, reports)?;
    let unmet = state.failover_problem();
    let management = &policy.management;
    let mut faults: Vec<Fault> = all.iter().flat_map(|one| one.faults.clone()).collect();
    for fault in &mut faults {
        fault.last_report = last_reports.get(&fault.node).cloned();
    }
    if management.enabled {
        let since = reports.unmet_since(unmet.is_some(), &from.clock.now());
        let names = (&*published.report.node, "cluster");
        let unmet = unmet.as_ref().zip(since);
        faults.extend(
            unmet.map(|(problem, since)| Fault::new(Severity::Error, names, problem, since)),
        );
    }
    let count = state.ledger.cluster().nodes.len().max(1);
    let reserved = admission::reserved_nodes(count, management.node_reserve_percentage);
    let survives = state.ledger.survives().unwrap_or(0);
    let vms_with = |performance| {
        let vms = policy.vms.iter();
        let vms = vms.filter(|(vm, _)| vm.performance == performance);
        (performance, number(vms.count()))
    };
    Ok(Status {
        enabled: management.enabled,
        intent: management.intent.clone(),
        node_reserve_percentage: management.node_reserve_percentage,
        performance: management.performance,
        nodes: number(count),
        reserved_nodes: number(reserved),
        node_failures_survived: state.has_vms().then(|| number(survives)),
        failover_capacity_ok: unmet.is_none(),
        adapters: all
            .iter()
            .flat_map(|one| managed_adapters(one, policy).cloned())
            .collect(),
        accelerated_vms: Performance::ALL.into_iter().map(vms_with).collect(),
        faults,
        agent: agent(policy, published, from),
        nodes_down: Vec::new(),
        nodes_drained: Vec::new(),
    })
}

fn agent(policy: &Policy, published: &Published, from: &Standpoint<'_>) -> AgentInfo {
    let snapshot = &published.snapshot;
    let age = from.clock.uptime().saturating_sub(snapshot.observed_at);
    AgentInfo {
        node: published.report.node.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        simulated: published.simulated,
        observed_at: snapshot.node.observed_at.clone(),
        observed_seconds_ago: age.as_secs(),
        policy_revision: policy.revision,
        applied_revision: published.applied_revision,
        cut_off_since: None,
        cut_off_reason: None,
    }
}

/// The capacity of the cluster.
///
/// # Errors
///
/// The store cannot be read.
pub(crate) fn capacity(policy: &Policy, reports: &Reports) -> Result<Capacity, Problem> {
    Ok(cluster(policy, reports)?.capacity())
}

fn cluster(policy: &Policy, reports: &Reports) -> Result<ClusterState, Problem> {
    let settings: Vec<VmSetting> = policy.vms.iter().map(|(vm, _)| vm.clone()).collect();
    Ok(ClusterState::of(&Inputs {
        policy,
        management: &policy.management,
        settings: &settings,
        reports: &reports.shared()?,
        down: &reports.nodes_down()?,
        own: None,
    }))
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
