//! Intents that were completed here, and their drift: recorded once when it is detected and once when it is
//! repaired, whatever fails in between.

use accelnet_api::types::EventKind;
use accelnet_model::{Intent, IntentName};
use accelnet_rules::conditions::Conditions;
use accelnet_rules::intent_plan::Step;

use crate::context::Context;

/// Intents as they were last applied.
#[derive(Debug, Default)]
pub(crate) struct LastApplied {
    intents: Vec<Intent>,
    /// Those whose drift is recorded.
    drifted: Conditions<IntentName, ()>,
}

impl LastApplied {
    /// Whether `intent` was completed as it is declared now.
    pub fn has(&self, intent: &Intent) -> bool {
        self.intents.contains(intent)
    }

    /// `intent` is completed; `was_completed` if its status said so before.
    pub fn complete(&mut self, ctx: &Context, intent: &Intent, was_completed: bool) {
        let (name, node) = (&intent.name, &ctx.node);
        if self.has(intent) && self.drifted.since(name).is_some() {
            let message = format!("Repaired intent {name} on {node}.");
            ctx.record(EventKind::Repaired, name, message);
        } else if !was_completed {
            let message = format!("Intent {name} is completed on {node}.");
            ctx.record(EventKind::Noticed, name, message);
        }
        self.forget(name);
        self.intents.push(intent.clone());
    }

    /// What an administrator changes from now on is no drift.
    pub fn forget(&mut self, intent: &str) {
        self.intents.retain(|one| one.name != intent);
        self.drifted.clear(intent);
    }

    /// `intent` requires `steps`: drift, if it was completed as it is declared now.
    pub fn drift(&mut self, ctx: &Context, intent: &Intent, steps: &[Step]) {
        let name = &intent.name;
        if !self.has(intent) || !self.drifted.raise(name.clone(), (), &ctx.now()) {
            return;
        }
        for (_, action, reason) in steps.iter().flat_map(|step| step.actions(name)) {
            let message = format!("Drift: {reason}; repair: {action}.");
            ctx.record(EventKind::Drift, name, message);
        }
    }
}
