//! SR-IOV of single adapters, switched on and off through the agent.

use std::time::Duration;

use accelnet_api::types::{AdapterResult, AdaptersChange, AdaptersChanged, PlannedStep};
use accelnet_model::vf_plan::{Ask, vfs_in_words};
use accelnet_model::{Code, Problem};

use super::asked::Came;
use super::{Core, VF_DEADLINE};
use crate::vf_change::{self, Changed, Request};

impl Core {
    /// Switches SR-IOV of adapters on or off.
    ///
    /// # Errors
    ///
    /// There is no adapter to do it for; what stands in the way of one is its result.
    pub fn change_adapters(
        &mut self,
        who: &str,
        change: &AdaptersChange,
    ) -> Result<AdaptersChanged, Problem> {
        if !self.edge.is_simulated() {
            let refused = Err(accelnet_api::service::adapters_are_not_changed());
            if !change.dry_run {
                self.tell_asked(who, "cluster", "change SR-IOV of adapters", &refused);
            }
            return refused;
        }
        let seen = self.look();
        let names: Vec<String> = match change.names.is_empty() {
            false => change.names.clone(),
            true => seen
                .adapters()
                .iter()
                .filter(|adapter| adapter.sriov.known().is_some_and(Option::is_some))
                .map(|adapter| adapter.name())
                .collect(),
        };
        if names.is_empty() {
            let found = "No adapter of this node has the SR-IOV capability.";
            return Err(Problem::new(Code::SriovUnknown, &["(any)"], found));
        }
        let ask = match change.vfs {
            None => Ask::All,
            Some(0) => Ask::Off,
            Some(vfs) => Ask::Exactly(vfs),
        };
        let mut results = Vec::new();
        let mut came = Vec::new();
        for name in &names {
            let request = Request {
                name,
                ask,
                within: change
                    .timeout_seconds
                    .map_or(VF_DEADLINE, Duration::from_secs),
                dry_run: change.dry_run,
            };
            let host = self.edge.host();
            let changed = vf_change::run(&host, request, None);
            let is_unchanged = |one: &Changed| one.plan.steps.is_empty();
            if !changed.as_ref().is_ok_and(is_unchanged) {
                came.push(Came {
                    subject: name.clone(),
                    what: format!("change the number of VFs of adapter {name}"),
                    problem: changed.as_ref().err().cloned(),
                });
            }
            results.push(match changed {
                Err(problem) => AdapterResult {
                    name: name.clone(),
                    ok: false,
                    message: problem.message.clone(),
                    problem: Some(problem),
                    steps: Vec::new(),
                },
                Ok(changed) => AdapterResult {
                    name: changed.adapter.clone(),
                    ok: true,
                    message: match (changed.applied, changed.plan.steps.is_empty()) {
                        (_, true) => format!(
                            "{} has {} already.",
                            changed.adapter,
                            vfs_in_words(changed.plan.to)
                        ),
                        (true, false) => format!(
                            "{} has {} now.",
                            changed.adapter,
                            vfs_in_words(changed.plan.to)
                        ),
                        (false, false) => format!(
                            "{} would have {}.",
                            changed.adapter,
                            vfs_in_words(changed.plan.to)
                        ),
                    },
                    problem: None,
                    steps: changed
                        .plan
                        .steps
                        .iter()
                        .map(|step| PlannedStep {
                            node: self.name.clone(),
                            subject: changed.adapter.clone(),
                            action: step.to_string(),
                            reason: changed.plan.reason.clone(),
                            affected_vms: Vec::new(),
                            restarts: None,
                        })
                        .collect(),
                },
            });
        }
        if !change.dry_run {
            let outcomes = came.iter().map(Came::outcome).collect();
            let word = self.asked_for_all(
                who,
                ("change the number of VFs of", "adapters"),
                outcomes,
                0,
            );
            word.into_iter()
                .for_each(|word| self.journal.record(&self.now(), word));
            self.pass()?;
        }
        Ok(AdaptersChanged {
            ok: results.iter().all(|result| result.ok),
            results,
        })
    }
}
