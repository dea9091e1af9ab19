//! Intents that were completed here, and their drift: recorded once when it is detected and once when it is
//! repaired, whatever fails in between.

use accelnet_api::types::EventKind;
use accelnet_model::Intent;
use accelnet_rules::intent_plan::Step;

use crate::context::Context;

/// Intents as they were last applied, each with whether its drift is recorded.
#[derive(Debug, Default)]
pub(crate) struct LastApplied(Vec<(Intent, bool)>);

impl LastApplied {
    /// Whether `intent` was completed as it is declared now.
    pub fn has(&self, intent: &Intent) -> bool {
        self.0.iter().any(|(one, _)| one == intent)
    }

    /// `intent` is completed; `was_completed` if its status said so before.
    pub fn complete(&mut self, ctx: &Context, intent: &Intent, was_completed: bool) {
        let (name, node) = (&intent.name, &ctx.node);
        if self
            .0
            .iter()
            .any(|(one, drifted)| one == intent && *drifted)
        {
            let message = format!("Repaired intent {name} on {node}.");
            ctx.record(EventKind::Repaired, name, message);
        } else if !was_completed {
            let message = format!("Intent {name} is completed on {node}.");
            ctx.record(EventKind::Noticed, name, message);
        }
        self.forget(name);
        self.0.push((intent.clone(), false));
    }

    /// What an administrator changes from now on is no drift.
    pub fn forget(&mut self, intent: &str) {
        self.0.retain(|(one, _)| one.name != intent);
    }

    /// `intent` requires `steps`: drift, if it was completed as it is declared now.
    pub fn drift(&mut self, ctx: &Context, intent: &Intent, steps: &[Step]) {
        let mut applied = self.0.iter_mut();
        let Some((_, drifted)) = applied.find(|(one, drifted)| one == intent && !drifted) else {
            return;
        };
        *drifted = true;
        for (_, action, reason) in steps.iter().flat_map(|step| step.actions(&intent.name)) {
            let message = format!("Drift: {reason}; repair: {action}.");
            ctx.record(EventKind::Drift, &intent.name, message);
        }
    }
}
