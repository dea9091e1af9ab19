//! A Linux node, observed and changed: the narrow traits at the edge, and the real things
//! behind them.
//!
//! [`Host`] holds the edge: a root folder to read below, links, knobs, a hypervisor and a
//! clock. [`observe`] looks through it and changes nothing; [`execute`] does the steps of a
//! plan and chooses nothing.

pub mod clock;
pub mod execute;
pub mod features;
pub mod firewall;
pub mod hook;
mod host;
pub mod hypervisor;
pub mod kernel_log;
pub mod knobs;
pub mod links;
pub mod observe;
pub mod put;
pub mod qemu_log;
pub mod switch;
pub mod vms;

pub use clock::{Clock, SystemClock, seconds_between};
pub use firewall::{CopiedRulesets, Rulesets, SystemRulesets};
pub use host::Host;
pub use hypervisor::{Hypervisor, LocalHypervisor};
pub use knobs::{Knobs, Lock, SystemKnobs};
pub use links::copied::CopiedLinks;
pub use links::{KernelLinks, Links};
pub use switch::{KernelSwitches, Switches};
pub use vms::{LibvirtVms, Vms};
