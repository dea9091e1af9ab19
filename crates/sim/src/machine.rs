//! A whole node that never existed: kernel, switches and VMs, shared by the process that reads it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use accelnet_host::{Clock, Host};
use accelnet_model::hook_config;

use crate::kernel::SimKernel;
use crate::switches::{SimGuard, SimSwitches};
use crate::tree::Tree;
use crate::vms::SimVms;

/// A node; clones are the same one.
#[derive(Clone)]
pub struct SimMachine {
    /// Its kernel.
    pub kernel: Arc<SimKernel>,
    /// Its bridges.
    pub switches: SimSwitches,
    /// Its libvirt.
    pub vms: SimVms,
    /// Who restores a bridge.
    pub guard: SimGuard,
    hook_configs: PathBuf,
}

impl SimMachine {
    /// Writes `tree` into the empty folder `root`, and boots it.
    ///
    /// # Errors
    ///
    /// When something cannot be written there.
    pub fn boot(tree: Tree, root: &Path) -> io::Result<Self> {
        let kernel = Arc::new(SimKernel::new(tree.write(root)?));
        let switches = SimSwitches::new(kernel.clone());
        let hook_configs = kernel.root().locate(hook_config::FOLDER);
        Ok(SimMachine {
            vms: SimVms::new(kernel.clone(), switches.clone()),
            guard: SimGuard {
                switches: switches.clone(),
            },
            switches,
            kernel,
            hook_configs,
        })
    }

    /// Its edge, with a clock of the caller's: simulated time passes only when a process waits.
    pub fn host<'a>(&'a self, clock: &'a dyn Clock) -> Host<'a> {
        Host {
            root: self.kernel.root(),
            links: &*self.kernel,
            knobs: &*self.kernel,
            hypervisor: &self.vms,
            rulesets: &self.kernel.rulesets,
            clock,
        }
    }

    /// Where hook configs for VFs lie.
    pub fn hook_configs(&self) -> &Path {
        &self.hook_configs
    }

    /// The power fails and comes back: no VM runs, no bridge and no VF is there, `/run` is
    /// empty, and libvirt has not started yet.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn power_cycle(&self) -> io::Result<()> {
        self.vms.power_off();
        self.switches.reboot();
        self.kernel.forget_addresses();
        let adapters = self.kernel.node().adapters();
        for adapter in adapters {
            // An adapter without SR-IOV has no VF to lose.
            drop(self.kernel.echo_numvfs(adapter, 0));
        }
        let run = self.kernel.root().locate("/run");
        match run.exists() {
            true => std::fs::remove_dir_all(run),
            false => Ok(()),
        }
    }
}
