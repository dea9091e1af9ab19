//! The report of this node.

use accelnet_api::types::{Fault, VmView};
use accelnet_rules::{adapter_summary, prereq};

use super::vm::macs;
use crate::capacity::adapters;
use crate::intents::Statuses;
use crate::reports::{Hardware, Report};
use crate::world::World;

/// What the report is made from, beside the world.
pub(crate) struct Parts<'a> {
    pub statuses: &'a Statuses,
    pub vms: Vec<VmView>,
    pub faults: Vec<Fault>,
    /// Revision of the settings of Accelerated Networking that the node applied.
    pub settings_revision: Option<u64>,
}

/// Builds the report.
pub(crate) fn report(world: &World, parts: Parts<'_>) -> Report {
    let node = &world.snapshot.node;
    let hardware = adapters::hardware(world).into_iter();
    Report {
        smt: node.platform.smt.known().map(|smt| smt.is_on()),
        adapters: adapters::uses(world),
        all_adapters: adapter_summary::all(node, &world.node),
        intents: parts.statuses.all().to_vec(),
        macs: macs(&world.snapshot),
        faults: parts.faults,
        vms: parts.vms,
        vms_unknown: node.domains.reason().map(str::to_owned),
        settings_revision: parts.settings_revision,
        checks: prereq::own(node),
        hardware: hardware.map(Hardware::of).collect(),
        ..Report::empty(&world.node, &node.observed_at)
    }
}
