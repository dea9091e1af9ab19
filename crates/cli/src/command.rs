//! The commands, one file each.

pub mod adapter_disable;
pub mod adapter_enable;
pub mod adapter_list;
pub mod adapter_show;
pub mod explain;
pub mod generate;
pub mod node_show;
pub mod prereq;

use accelnet_model::Problem;

/// An exit status, or what went wrong.
pub type Result = std::result::Result<u8, Problem>;
