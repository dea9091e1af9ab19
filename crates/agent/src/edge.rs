//! All access of an agent to its node, behind one trait.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use accelnet_host::switch::guard::{ChildGuard, FOLDER, Guard};
use accelnet_host::switch::{KernelSwitches, Switches};
use accelnet_host::{
    Host, KernelLinks, LibvirtVms, Links, SystemClock, SystemKnobs, SystemRulesets, Vms,
};
use accelnet_model::hook_config;
use accelnet_pci::Root;
use accelnet_rules::vf_path::Limits;

use crate::journald::Journald;

/// One node, as its agent observes and changes it.
pub trait Edge: Send {
    /// What is observed, and the knobs of adapters.
    fn host(&self) -> Host<'_>;
    /// Changes VMs.
    fn vms(&self) -> &dyn Vms;
    /// Changes bridges.
    fn switches(&self) -> &dyn Switches;
    /// The links, for the migration responder on its own thread.
    fn responder_links(&self) -> Arc<dyn Links + Send + Sync>;
    /// Restores a switch when the agent dies during its change.
    fn guard(&self) -> &dyn Guard;
    /// The folder with the hook config of each VM ([`accelnet_model::HookConfig`]).
    fn hook_configs(&self) -> &Path;
    /// The time that guests have to drive their VFs.
    fn limits(&self) -> Limits {
        Limits::default()
    }
    /// The journal of the node; none where it is not written.
    fn journald(&self) -> Option<Journald> {
        None
    }
    /// Whether the node is simulated.
    fn is_simulated(&self) -> bool {
        false
    }
    /// Called before each step of a change, with its name: tests kill the agent there.
    fn failpoint(&self, _step: &str) {}
}

/// The running system.
pub struct System {
    root: Root,
    links: KernelLinks,
    knobs: SystemKnobs,
    clock: SystemClock,
    vms: LibvirtVms,
    switches: KernelSwitches,
    guard: ChildGuard,
    hook_configs: PathBuf,
    limits: Limits,
    kill_at: Option<(String, std::cell::Cell<u32>)>,
}

impl System {
    /// This machine. `kill_at` is for the lab: the name of a failpoint, and how often it is passed before
    /// this process kills itself there.
    pub fn new(kill_at: Option<(String, u32)>, limits: Limits) -> Self {
        System {
            root: Root::system(),
            links: KernelLinks,
            knobs: SystemKnobs::default(),
            clock: SystemClock,
            vms: LibvirtVms::new(),
            switches: KernelSwitches,
            guard: ChildGuard {
                program: PathBuf::from("/proc/self/exe"),
                folder: PathBuf::from(FOLDER),
            },
            hook_configs: PathBuf::from(hook_config::FOLDER),
            limits,
            kill_at: kill_at.map(|(step, times)| (step, std::cell::Cell::new(times))),
        }
    }
}

impl Edge for System {
    fn host(&self) -> Host<'_> {
        Host {
            root: &self.root,
            links: &self.links,
            knobs: &self.knobs,
            hypervisor: &self.vms,
            rulesets: &SystemRulesets,
            clock: &self.clock,
        }
    }

    fn vms(&self) -> &dyn Vms {
        &self.vms
    }

    fn switches(&self) -> &dyn Switches {
        &self.switches
    }

    fn responder_links(&self) -> Arc<dyn Links + Send + Sync> {
        Arc::new(KernelLinks)
    }

    fn guard(&self) -> &dyn Guard {
        &self.guard
    }

    fn hook_configs(&self) -> &Path {
        &self.hook_configs
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn journald(&self) -> Option<Journald> {
        Some(Journald::system())
    }

    fn failpoint(&self, step: &str) {
        let Some((at, times)) = &self.kill_at else {
            return;
        };
        if at != step {
            return;
        }
        match times.get() {
            0 => {
                let own = rustix::process::getpid();
                // The lab detects an agent that survives.
                let _ = rustix::process::kill_process(own, rustix::process::Signal::KILL);
            }
            left => times.set(left - 1),
        }
    }
}
