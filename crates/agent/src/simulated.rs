//! The edge of a node that never existed, for tests and the demonstration.

pub mod served;

use std::path::Path;
use std::sync::Arc;

use accelnet_host::switch::Switches;
use accelnet_host::switch::guard::Guard;
use accelnet_host::{Clock, Host, Links, SystemClock, Vms};
use accelnet_sim::SimMachine;

use crate::edge::Edge;
use crate::journald::Journald;

/// What is called before each step of a change.
pub type Passing = Arc<dyn Fn(&str) + Send + Sync>;

/// A simulated node, as an agent has it.
#[derive(Clone)]
pub struct Simulated {
    machine: SimMachine,
    real_time: bool,
    passing: Option<Passing>,
    taken_for_real: bool,
    journald: Option<Journald>,
}

impl Simulated {
    /// That machine, on which time passes only when somebody waits.
    pub fn new(machine: SimMachine) -> Self {
        Simulated {
            machine,
            real_time: false,
            passing: None,
            taken_for_real: false,
            journald: None,
        }
    }

    /// With the system's clock, as an agent that is asked over a socket needs it.
    #[must_use]
    pub fn in_real_time(mut self) -> Self {
        self.real_time = true;
        self
    }

    /// As an agent of a real node has it.
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

    /// With something that is called before each step of a change, with its name.
    #[must_use]
    pub fn passing(mut self, passing: Passing) -> Self {
        self.passing = Some(passing);
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

    fn reflex_links(&self) -> Arc<dyn Links + Send + Sync> {
        self.machine.kernel.clone()
    }

    fn guard(&self) -> &dyn Guard {
        &self.machine.guard
    }

    fn wishes(&self) -> &Path {
        self.machine.hook_configs()
    }

    fn journald(&self) -> Option<Journald> {
        self.journald.clone()
    }

    fn is_simulated(&self) -> bool {
        !self.taken_for_real
    }

    fn passing(&self, step: &str) {
        if let Some(passing) = &self.passing {
            passing(step);
        }
    }
}
