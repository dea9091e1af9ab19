//! Intents with their status on every node.

use accelnet_api::types::IntentView;
use accelnet_model::Intent;
use accelnet_model::intent::{IntentState, IntentStatus};

use crate::policy::Policy;
use crate::reports::Report;

/// Every intent, by name.
pub(crate) fn intents(policy: &Policy, reports: &[Report]) -> Vec<IntentView> {
    let view = |(intent, revision): &(Intent, u64)| IntentView {
        revision: *revision,
        switch_network: intent.switch_network(),
        pool_network: intent.pool_network(),
        status: reports
            .iter()
            .map(|report| status_in(report, &intent.name, *revision))
            .collect(),
        intent: intent.clone(),
    };
    let mut views: Vec<IntentView> = policy.intents.iter().map(view).collect();
    views.sort_by(|a, b| a.intent.name.cmp(&b.intent.name));
    views
}

/// The status of an intent in a report; pending where the report has none, or none since the intent was changed at
/// `revision`.
fn status_in(report: &Report, intent: &str, revision: u64) -> IntentStatus {
    let pending = || IntentStatus::pending(intent, &report.node, &report.observed_at);
    let mut all = report.intents.iter();
    let mut status = match all.find(|status| status.intent == intent) {
        Some(status) => status.clone(),
        None => return pending(),
    };
    if status.intent_revision < revision && status.state != IntentState::Pending {
        status.state = IntentState::Pending;
        status.since.clone_from(&report.observed_at);
        status.problem = None;
        status.other_problems.clear();
    }
    status
}
