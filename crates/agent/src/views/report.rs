//! The report of this node.

use accelnet_rules::{adapter_summary, prereq};

use crate::core::{Core, Seen};
use crate::faults;
use crate::policy::Policy;
use crate::reports::{Hardware, Report};
use crate::view::{Views, macs};

impl Report {
    /// The report of this node.
    pub(crate) fn of(core: &Core, seen: &Seen, policy: &Policy) -> Self {
        let vms = Views::of(core, seen, policy).all();
        let before = core.reports.newest();
        let hardware = core.intent_adapters(seen, policy).into_iter();
        Report {
            node: core.name.clone(),
            observed_at: seen.node.observed_at.clone(),
            smt: seen.node.platform.smt.known().map(|smt| smt.is_on()),
            adapters: core.adapter_uses(seen, policy),
            all_adapters: adapter_summary::all(&seen.node, &core.name),
            intents: core.statuses.clone(),
            macs: macs(seen),
            faults: faults::of(core, seen, policy, &vms, before.as_ref()),
            vms,
            vms_unknown: seen.node.domains.reason().map(str::to_owned),
            settings_revision: match policy.management_revision <= core.applied_revision {
                true => Some(policy.management_revision),
                false => before.and_then(|before| before.settings_revision),
            },
            checks: prereq::own(&seen.node),
            hardware: hardware.map(Hardware::of).collect(),
            ..Report::empty(&core.name, "")
        }
    }
}
