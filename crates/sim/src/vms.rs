//! The libvirt of a node that never existed: domains and networks kept as text, as libvirt
//! would show it, with VFs handed out, hooks run, and faults.

mod calls;
mod definition;
mod fragment;
mod guest;
mod guest_vf;
mod life;
mod memory;
mod migrate;
mod networks;
mod normal;
mod plug;
mod process;
mod reading;
mod state;
mod text;
mod virsh;

pub use definition::{DomainSpec, NicSpec};
pub use guest::Guest;
pub use migrate::Migration;
pub use state::SimVms;
