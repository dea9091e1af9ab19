//! All problems of an intent that failed.

use accelnet_model::intent::BoundAdapter;
use accelnet_model::vf_plan::Ask;
use accelnet_model::{Intent, Problem};

use super::apply::{adapter_of, vf_plan};
use super::{Core, Seen};

impl Core {
    /// What else keeps `intent` from being applied: the problem of each of its adapters, other than `first`.
    pub(super) fn other_problems(
        &self,
        intent: &Intent,
        seen: &Seen,
        first: &Problem,
    ) -> Vec<Problem> {
        // A store that cannot be read says nothing about the adapters.
        let Ok(bound) = self.bound_as_declared(intent) else {
            return Vec::new();
        };
        let bound = bound.unwrap_or_default();
        let mut problems: Vec<Problem> = Vec::new();
        for (place, called) in intent.adapters.iter().enumerate() {
            let only = Intent {
                adapters: vec![called.clone()],
                ..intent.clone()
            };
            if let Err(problem) = self.only_adapter(&only, bound.get(place), seen)
                && problem != *first
                && !problems.contains(&problem)
            {
                problems.push(problem);
            }
        }
        problems
    }

    /// Whether the only adapter of `intent` can have its VFs.
    fn only_adapter(
        &self,
        intent: &Intent,
        bound: Option<&BoundAdapter>,
        seen: &Seen,
    ) -> Result<(), Problem> {
        let bound = match bound {
            Some(bound) => vec![bound.clone()],
            None => self.resolve(intent, seen)?,
        };
        for bound in &bound {
            let adapter = adapter_of(bound, seen)?;
            if intent.is_compute() {
                accelnet_rules::intent::is_settable(intent.security, [adapter])?;
                vf_plan(adapter, intent.vfs.map_or(Ask::All, Ask::Exactly), seen)?;
            }
        }
        Ok(())
    }
}
