//! The status of each intent on this node.

use accelnet_model::intent::{IntentState, IntentStatus};
use accelnet_model::{Adapter, Code, Intent, NodeName};

use crate::policy::Policy;

/// The statuses of this node.
#[derive(Debug, Clone, Default)]
pub(crate) struct Statuses(Vec<IntentStatus>);

impl Statuses {
    /// All of them.
    pub fn all(&self) -> &[IntentStatus] {
        &self.0
    }

    /// The status of an intent.
    pub fn of(&self, intent: &str) -> Option<&IntentStatus> {
        self.0.iter().find(|status| status.intent == intent)
    }

    /// The bridge of an intent.
    pub fn bridge(&self, intent: &str) -> Option<&str> {
        self.of(intent)?.bridge.as_deref()
    }

    /// The bridge of the managed intent.
    pub fn managed_bridge(&self, policy: &Policy) -> Option<&str> {
        self.bridge(&policy.managed_intent()?.name)
    }

    /// The bridge of an intent, if it has these very adapters.
    pub fn bridge_with(&self, intent: &str, adapters: &[&Adapter]) -> Option<String> {
        let status = self.of(intent)?;
        let mut bound = status.adapters.iter();
        let same = status.adapters.len() == adapters.len()
            && bound.all(|bound| adapters.iter().any(|one| one.address == bound.address));
        status.bridge.clone().filter(|_| same)
    }

    /// Whether an intent failed and is worth another try. What cut the node off is not tried again by itself.
    pub fn have_failures(&self) -> bool {
        let mut problems = self.0.iter().filter_map(|status| status.problem.as_ref());
        problems.any(|problem| problem.code != Code::GatewayLost)
    }

    /// Whether the last change of an intent was reverted because the node was cut off. It is tried again only when
    /// the intent changes.
    pub fn cut_the_node_off(&self, intent: &Intent, policy: &Policy) -> bool {
        self.of(&intent.name).is_some_and(|status| {
            let lost = status.problem.as_ref();
            status.intent_revision == policy.intent_revision(&intent.name)
                && lost.is_some_and(|problem| problem.code == Code::GatewayLost)
        })
    }

    /// Keeps the statuses of intents for which `is_kept` holds.
    pub fn retain(&mut self, is_kept: impl Fn(&str) -> bool) {
        self.0.retain(|status| is_kept(&status.intent));
    }

    /// Enters a state of an intent; an unchanged one keeps its time.
    pub fn enter(
        &mut self,
        (node, now): (&NodeName, &str),
        intent: &Intent,
        policy: &Policy,
        state: IntentState,
    ) -> &mut IntentStatus {
        let known = self.0.iter().position(|one| one.intent == *intent.name);
        let place = known.unwrap_or_else(|| {
            self.0.push(IntentStatus::pending(&intent.name, node, now));
            self.0.len() - 1
        });
        let status = &mut self.0[place];
        if status.state != state {
            status.state = state;
            now.clone_into(&mut status.since);
        }
        status.intent_revision = policy.intent_revision(&intent.name);
        status
    }
}
