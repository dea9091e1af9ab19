//! A guard in the same process: one that is dropped restores.

use std::io;
use std::time::Duration;

use accelnet_host::Switches;
use accelnet_host::switch::guard::{Dismissed, Guard, Watch};
use accelnet_model::switch::SwitchStep;

use super::SimSwitches;

/// Guards of a node that never existed.
#[derive(Debug, Clone)]
pub struct SimGuard {
    /// What is restored.
    pub switches: SimSwitches,
}

struct SimWatch {
    switches: SimSwitches,
    undo: Vec<SwitchStep>,
}

impl Guard for SimGuard {
    fn watch(
        &self,
        _bridge: &str,
        undo: &[SwitchStep],
        _within: Duration,
    ) -> io::Result<Box<dyn Watch>> {
        Ok(Box::new(SimWatch {
            switches: self.switches.clone(),
            undo: undo.to_vec(),
        }))
    }
}

impl Watch for SimWatch {
    fn dismiss(mut self: Box<Self>) -> Dismissed {
        self.undo.clear();
        Dismissed::Untouched
    }
}

impl Drop for SimWatch {
    fn drop(&mut self) {
        for step in &self.undo {
            // As much of it as can be.
            drop(self.switches.apply(step));
        }
    }
}
