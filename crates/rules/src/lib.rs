//! Every decision of accelnet, pure: no clock, no I/O, no threads.
//!
//! [`prereq`] checks nodes, [`vf_count`] plans a change of the number of VFs and explains the kernel's
//! refusals, [`switch`] plans the virtual switch, [`vm`], [`fitness`] and [`vnic_fitness`] check a VM,
//! [`pair`] plans its VF, [`admission`] evaluates the capacity of the cluster, [`migration`] finds
//! targets, [`conditions`] keeps faults, and [`filter`] selects the addresses of an adapter's filter.

pub mod adapter_summary;
pub mod admission;
pub mod conditions;
pub mod drain;
pub mod enable;
pub mod filter;
pub mod fitness;
pub mod guest;
pub mod intent;
pub mod intent_plan;
pub mod management;
pub mod migration;
pub mod naming;
pub mod nearest;
pub mod pair;
pub mod prereq;
#[cfg(test)]
mod sample;
pub mod software_path;
pub mod switch;
pub mod vf_count;
pub mod vf_path;
pub mod vf_settings;
pub mod vm;
pub mod vm_action;
pub mod vm_names;
pub mod vnic_fitness;
pub mod what_if;
