//! The edge of a node, owned: what an agent looks through and acts by.

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

/// One node, as an agent has it.
pub trait Edge: Send {
    /// What is looked at, and the knobs of adapters.
    fn host(&self) -> Host<'_>;
    /// What VMs are changed by.
    fn vms(&self) -> &dyn Vms;
    /// What bridges are changed by.
    fn switches(&self) -> &dyn Switches;
    /// The links again, for what acts beside the mind.
    fn reflex_links(&self) -> Arc<dyn Links + Send + Sync>;
    /// Who restores a switch when the agent dies in the middle of its change.
    fn guard(&self) -> &dyn Guard;
    /// The folder where each VM's [`accelnet_model::HookConfig`] lies for the hook.
    fn wishes(&self) -> &Path;
    /// How long guests may take to drive their VFs.
    fn limits(&self) -> Limits {
        Limits::default()
    }
    /// The journal of the node; none where it is not to be written.
    fn journald(&self) -> Option<Journald> {
        None
    }
    /// Whether the node never existed.
    fn is_simulated(&self) -> bool {
        false
    }
    /// Passed before each step of a change, with its name: where tests kill the agent.
    fn passing(&self, _step: &str) {}
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
    wishes: PathBuf,
    limits: Limits,
    kill_at: Option<(String, std::cell::Cell<u32>)>,
}

impl System {
    /// This machine. `kill_at` is for the lab: the name of a step, and how often it is passed
    /// before this process kills itself there.
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
            wishes: PathBuf::from(hook_config::FOLDER),
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

    fn reflex_links(&self) -> Arc<dyn Links + Send + Sync> {
        Arc::new(KernelLinks)
    }

    fn guard(&self) -> &dyn Guard {
        &self.guard
    }

    fn wishes(&self) -> &Path {
        &self.wishes
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn journald(&self) -> Option<Journald> {
        Some(Journald::system())
    }

    fn passing(&self, step: &str) {
        let Some((at, times)) = &self.kill_at else {
            return;
        };
        if at != step {
            return;
        }
        match times.get() {
            0 => {
                let own = rustix::process::getpid();
                // What comes after a failure to kill oneself is what comes without.
                let _ = rustix::process::kill_process(own, rustix::process::Signal::KILL);
            }
            left => times.set(left - 1),
        }
    }
}
