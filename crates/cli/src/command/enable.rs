//! `accelnet enable`: management on.

use accelnet_api::types;
use accelnet_model::performance::PerformanceSettings;
use accelnet_rules::management;

use super::{Result, ask, wait};
use crate::args::Enable;
use crate::session::Session;

/// Enables management.
pub fn run(args: &Enable, session: &mut Session<'_>) -> Result {
    let reserve = args.node_reserve.as_deref();
    let reserve = reserve.filter(|text| !text.trim().is_empty());
    let request = types::Enable {
        intent: args.intent.clone(),
        node_reserve_percentage: reserve.map(management::reserve).transpose()?.map(i64::from),
        performance: args
            .performance_settings
            .as_deref()
            .map(|text| management::performance_settings(text, PerformanceSettings::default()))
            .transpose()?,
        dry_run: args.how.dry_run,
    };
    let agent = session.agent()?;
    let what = format!("enabling Accelerated Networking on {}", args.intent);
    let changed = ask::waiting(session, &what, || agent.enable(&request))?;
    wait::settings(changed, args.wait, args.how.output, session)
}
