//! The steps that a reconcile would run now.

use accelnet_api::types::PlanAnswer;
use accelnet_model::Problem;
use accelnet_model::vm_setting::Phase;

use crate::intents::reconciler;
use crate::problems::one_line;
use crate::reconcilers::Reconcilers;
use crate::vms::plan::{self, Planner};
use crate::vms::vnics::Vnics;

/// Plans with the functions that a reconcile plans with, and runs nothing.
///
/// # Errors
///
/// The store cannot be read.
pub(crate) fn plan(agent: &mut Reconcilers) -> Result<PlanAnswer, Problem> {
    let world = agent.whole_world()?;
    let ctx = &agent.ctx;
    let mut answer = PlanAnswer {
        observed_at: world.snapshot.node.observed_at.clone(),
        policy_revision: world.policy.revision,
        steps: Vec::new(),
        blocked: Vec::new(),
        warnings: Vec::new(),
    };
    for intent in &world.policy.plain_intents() {
        match agent.intents.observe_and_plan(ctx, &world, intent) {
            Ok(plan) => {
                answer.warnings.extend(plan.warnings);
                let steps = reconciler::planned(&ctx.node, &intent.name, &plan.steps);
                answer.steps.extend(steps);
            }
            Err(problem) => answer.blocked.push(one_line(&problem)),
        }
    }
    let planner = Planner {
        world: &world,
        vnics: &Vnics::read(ctx, &world, world.bridge.as_deref()),
        detached: &agent.vms.detached,
    };
    for setting in world.own_settings() {
        let Some(domain) = world.snapshot.domain(&setting.uuid) else {
            continue;
        };
        if !world.policy.management.enabled && setting.phase == Phase::Enabled {
            continue;
        }
        let plan = plan::definition(ctx, domain).and_then(|definition| {
            let definition = definition.as_ref().map(|defined| &defined.vm);
            match setting.phase {
                Phase::Disabling => Ok(planner.to_software_path(setting, domain, definition)),
                Phase::Enabling => planner.to_vf(setting, domain, definition, false, false),
                Phase::Enabled => {
                    let planned = planner.to_repair(setting, domain, definition);
                    planned.map(|(plan, _)| plan)
                }
            }
        });
        match plan {
            Ok(plan) => {
                let steps = plan::planned(&ctx.node, domain, &plan);
                answer.steps.extend(steps);
            }
            Err(problem) => answer.blocked.push(one_line(&problem)),
        }
    }
    Ok(answer)
}
