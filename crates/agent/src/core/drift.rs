//! Intents that stood here and no longer do: told once when that is found, and once when it is
//! mended, whatever fails in between.

use std::time::Duration;

use accelnet_api::types::EventKind;
use accelnet_model::intent::IntentState;
use accelnet_model::{Intent, Problem};

use super::apply::{Needs, Step};
use super::{Core, Seen};

/// What others are in the middle of is looked at again so often,
const LOOKS: u32 = 5;
/// after so long each time.
const PAUSE: Duration = Duration::from_millis(400);

/// An intent that was complete here.
pub(crate) struct Stood {
    /// As it was declared then.
    intent: Intent,
    /// That it no longer is was told.
    drifted: bool,
}

impl Core {
    /// Everything of `intent` is there.
    pub(crate) fn stands(&mut self, intent: &Intent) {
        let before = self.stood.iter().position(|one| one.intent == *intent);
        let drifted = before.is_some_and(|place| self.stood.swap_remove(place).drifted);
        let was = self.status_of(&intent.name).map(|status| status.state);
        if drifted {
            let message = format!("Repaired intent {} on {}.", intent.name, self.name);
            self.tell(EventKind::Repaired, &intent.name, message);
        } else if was != Some(IntentState::Completed) {
            let message = format!("Intent {} is completed on {}.", intent.name, self.name);
            self.tell(EventKind::Noticed, &intent.name, message);
        }
        self.change_begins(&intent.name);
        self.stood.push(Stood {
            intent: intent.clone(),
            drifted: false,
        });
    }

    /// What an administrator changes from now on is no drift.
    pub(crate) fn change_begins(&mut self, intent: &str) {
        self.stood.retain(|one| one.intent.name != intent);
    }

    /// `steps` are needed for `intent`: if it stood as it is declared now, somebody else
    /// undid it.
    pub(crate) fn steps_are_needed(&mut self, intent: &Intent, steps: &[Step]) {
        let stood = self.stood.iter_mut().find(|one| one.intent == *intent);
        let Some(stood) = stood.filter(|one| !one.drifted) else {
            return;
        };
        stood.drifted = true;
        let planned = steps
            .iter()
            .flat_map(|step| step.planned(&self.name, &intent.name));
        for step in planned {
            let message = format!("Drift: {}; repair: {}.", step.reason, step.action);
            self.tell(EventKind::Drift, &intent.name, message);
        }
    }

    /// What `intent` needs. Of one that was complete until now, whoever is in the middle of a
    /// change is given a moment: a look into it finds what is neither so nor so.
    pub(crate) fn needs_now(&mut self, intent: &Intent, seen: &mut Seen) -> Result<Needs, Problem> {
        let mut needs = self.needs(intent, seen);
        let state = self.status_of(&intent.name).map(|status| status.state);
        let stood = self.stood.iter().any(|one| one.intent == *intent);
        if !stood || state != Some(IntentState::Completed) {
            return needs;
        }
        for _ in 0..LOOKS {
            if needs.is_ok() {
                break;
            }
            self.edge.host().clock.sleep(PAUSE);
            *seen = self.look();
            needs = self.needs(intent, seen);
        }
        needs
    }
}
