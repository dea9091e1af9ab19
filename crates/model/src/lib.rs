//! The vocabulary of accelnet: plain types that every room shares.
//!
//! Nothing here reads, decides or changes anything. [`node::Node`] is what was seen of a
//! node, [`code::Code`] is the catalogue of everything that can be wrong, and
//! [`problem::Problem`] is one such thing found in one place.

pub mod adapter;
pub mod adapter_summary;
pub mod capacity;
pub mod catalogue;
pub mod check;
pub mod code;
pub mod domain;
pub mod firewall;
pub mod hook_config;
pub mod id;
pub mod intent;
pub mod last_report;
pub mod link;
pub mod mac;
pub mod management;
pub mod memory;
pub mod node;
pub mod node_name;
pub mod observed;
pub mod outside;
pub mod past;
pub mod pci_address;
pub mod performance;
pub mod platform;
pub mod port;
pub mod problem;
#[cfg(feature = "schema")]
mod schema;
pub mod switch;
pub mod vf;
pub mod vf_change;
pub mod vf_evidence;
pub mod vf_plan;
pub mod vf_security;
pub mod vm_setting;

pub use adapter::Adapter;
pub use adapter_summary::AdapterSummary;
pub use capacity::Capacity;
pub use check::Check;
pub use code::Code;
pub use domain::Domain;
pub use hook_config::HookConfig;
pub use id::{IntentName, Uuid, VmName};
pub use intent::Intent;
pub use last_report::LastReport;
pub use mac::Mac;
pub use management::Management;
pub use node::Node;
pub use node_name::NodeName;
pub use observed::Observed;
pub use pci_address::PciAddress;
pub use performance::Performance;
pub use platform::Platform;
pub use problem::Problem;
pub use vf::Vf;
pub use vf_change::VfChange;
pub use vf_evidence::VfEvidence;
pub use vf_security::{VfChoice, VfSecurity, VfSecurityOfVm};
pub use vm_setting::VmSetting;
