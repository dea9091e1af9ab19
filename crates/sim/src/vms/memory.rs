//! Memory of running domains: a VF has all of it locked, and where the node has not that much left,
//! the kernel ends the process.

use accelnet_host::observe::memory;
use accelnet_libvirt::LibvirtError;
use accelnet_libvirt::xml::Definition;
use accelnet_model::Observed;

use super::SimVms;
use super::state::{PlugKind, State};
use crate::kernel::SimKernel;
use crate::mutex::held;

/// What a guest touched when it booted.
const BOOTED_MIB: u64 = 256;

impl SimVms {
    /// The memory of a domain that starts. False where the kernel ended it.
    pub(super) fn begin_memory(&self, state: &mut State, uuid: &str) -> bool {
        let Ok(domain) = state.domain(uuid) else {
            return false;
        };
        domain.resident_mib = 0;
        let memory = memory_of(domain.shown());
        self.touch(state, uuid, memory.min(BOOTED_MIB)) && self.lock_memory(state, uuid)
    }

    /// A domain with a VF has all of its memory resident. False where the kernel ended it.
    pub(super) fn lock_memory(&self, state: &mut State, uuid: &str) -> bool {
        let Ok(domain) = state.domain(uuid) else {
            return false;
        };
        let mut plugs = domain.plugs.iter();
        let has_vf = plugs.any(|plug| matches!(plug.kind, PlugKind::Vf { .. }));
        let memory = memory_of(domain.shown());
        !has_vf || self.touch(state, uuid, memory)
    }

    /// The memory of a domain that ends goes back.
    pub(super) fn end_memory(&self, state: &mut State, uuid: &str) {
        self.touch(state, uuid, 0);
    }

    fn touch(&self, state: &mut State, uuid: &str, resident_mib: u64) -> bool {
        let Ok(domain) = state.domain(uuid) else {
            return false;
        };
        let Observed::Known(node) = memory::node(self.kernel.root()) else {
            return true;
        };
        let available = node.available_mib + domain.resident_mib;
        let Some(left) = available.checked_sub(resident_mib) else {
            return false;
        };
        self.kernel.set_memory(node.total_mib, left);
        domain.resident_mib = resident_mib;
        if let Some(process) = domain.process {
            let status = format!("/proc/{process}/status");
            let status = self.kernel.root().locate(&status);
            // A tree that cannot be written shows in what is read of it.
            drop(std::fs::write(
                status,
                format!("VmRSS:\t{} kB\n", resident_mib << 10),
            ));
        }
        true
    }

    /// The guest touched that much of its memory.
    ///
    /// # Errors
    ///
    /// There is no such domain.
    pub fn set_resident(&self, name: &str, resident_mib: u64) -> Result<(), LibvirtError> {
        let uuid = self.named(name)?;
        self.touch(&mut held(&self.state), &uuid, resident_mib);
        Ok(())
    }
}

impl SimKernel {
    /// Memory of the node from now on, in MiB.
    pub fn set_memory(&self, total_mib: u64, available_mib: u64) {
        let text = format!(
            "MemTotal:       {} kB\nMemAvailable:   {} kB\nHugepagesize:       2048 kB\n",
            total_mib << 10,
            available_mib << 10
        );
        // A tree that cannot be written shows in what is read of it.
        drop(std::fs::write(self.root().locate("/proc/meminfo"), text));
    }
}

fn memory_of(xml: &str) -> u64 {
    let definition = Definition::parse(xml).unwrap_or_default();
    definition.memory_mib.unwrap_or(0)
}
