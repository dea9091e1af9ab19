//! The commands, one file each.

mod adapter_change;
pub mod adapter_disable;
pub mod adapter_enable;
pub mod adapter_list;
pub mod adapter_show;
pub mod agent;
mod ask;
pub mod capacity;
mod cluster_file;
pub mod cluster_join;
pub mod cluster_leave;
pub mod cmdlets_install;
pub mod cmdlets_list;
pub mod cmdlets_remove;
pub mod demo;
pub mod disable;
pub mod enable;
mod etcd;
pub mod explain;
pub mod faults;
pub mod generate;
pub mod health;
pub mod intent_add;
pub mod intent_list;
pub mod intent_remove;
pub mod intent_set;
pub mod intent_show;
pub mod intent_status;
pub mod log;
pub mod node_drain;
pub mod node_list;
pub mod node_show;
pub mod plan;
pub mod prereq;
mod service;
pub mod set;
pub mod setup;
mod simulated;
pub mod status;
pub mod store_accept;
pub mod store_backup;
pub mod store_check;
pub mod store_migrate;
pub mod store_opened;
pub mod store_restore;
mod vm_change;
pub mod vm_disable;
pub mod vm_enable;
pub mod vm_list;
pub mod vm_nics;
pub mod vm_set;
pub mod vm_show;
mod wait;

pub use ask::NO_SENSE;

use accelnet_model::Problem;

/// An exit status, or what went wrong.
pub type Result = std::result::Result<u8, Problem>;
