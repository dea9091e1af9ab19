//! A simulated node behind [`Edge`], for tests and the demonstration.

mod direct;
pub mod served;

pub use direct::DirectAgent;

use std::path::Path;
use std::sync::Arc;

use accelnet_host::switch::Switches;
use accelnet_host::switch::guard::Guard;
use accelnet_host::{Clock, Host, Links, SystemClock, Vms};
use accelnet_sim::SimMachine;

use crate::edge::Edge;
use crate::journald::Journald;

/// Called before each step of a change, with its name.
pub type Failpoint = Arc<dyn Fn(&str) + Send + Sync>;

/// A simulated node.
#[derive(Clone)]
pub struct Simulated {
    machine: SimMachine,
    real_time: bool,
    failpoint: Option<Failpoint>,
    taken_for_real: bool,
    journald: Option<Journald>,
}

impl Simulated {
    /// That machine. Its time passes only while a caller waits.
    pub fn new(machine: SimMachine) -> Self {
        Simulated {
            machine,
            real_time: false,
            failpoint: None,
            taken_for_real: false,
            journald: None,
        }
    }

    /// With the system's clock, which an agent behind a socket needs.
    #[must_use]
    pub fn in_real_time(mut self) -> Self {
        self.real_time = true;
        self
    }

    /// Treated as a real node.
    #[must_use]
    pub fn taken_for_real(mut self) -> Self {
        self.taken_for_real = true;
        self
    }

    /// With a journal.
    #[must_use]
    pub fn journald(mut self, journald: Journald) -> Self {
        self.journald = Some(journald);
        self
    }

    /// With a failpoint.
    #[must_use]
    pub fn failpoint(mut self, failpoint: Failpoint) -> Self {
        self.failpoint = Some(failpoint);
        self
    }
}

impl Edge for Simulated {
    fn host(&self) -> Host<'_> {
        let clock: &dyn Clock = match self.real_time {
            true => &SystemClock,
            false => &*self.machine.kernel,
        };
        self.machine.host(clock)
    }

    fn vms(&self) -> &dyn Vms {
        &self.machine.vms
    }

    fn switches(&self) -> &dyn Switches {
        &self.machine.switches
    }

    fn responder_links(&self) -> Arc<dyn Links + Send + Sync> {
        self.machine.kernel.clone()
    }

    fn guard(&self) -> &dyn Guard {
        &self.machine.guard
    }

    fn hook_configs(&self) -> &Path {
        self.machine.hook_configs()
    }

    fn journald(&self) -> Option<Journald> {
        self.journald.clone()
    }

    fn is_simulated(&self) -> bool {
        !self.taken_for_real
    }

    fn failpoint(&self, step: &str) {
        if let Some(failpoint) = &self.failpoint {
            failpoint(step);
        }
    }
}
