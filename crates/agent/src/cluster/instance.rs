//! The agent that sends the heartbeats of a node: each name has one live agent, on one machine.

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Mutex, PoisonError};

use accelnet_model::Uuid;
use accelnet_model::outside::short;
use serde::{Deserialize, Serialize};

use crate::files::random_uuid;

/// Live agents of this process.
static LIVE: Mutex<BTreeSet<Uuid>> = Mutex::new(BTreeSet::new());

/// One start of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Instance {
    /// Chosen at its start.
    pub id: Uuid,
    /// The machine's id; a cloned machine may have the same.
    pub machine: String,
    /// The boot's id, which no two machines share.
    pub boot: String,
    /// The process.
    pub process: u32,
    /// When the process began, in the kernel's ticks since the boot.
    pub began: u64,
}

impl Instance {
    /// This process.
    ///
    /// # Errors
    ///
    /// The kernel provides no random number.
    pub fn begin() -> std::io::Result<Self> {
        let process = std::process::id();
        let instance = Instance {
            id: random_uuid()?,
            machine: line("/etc/machine-id"),
            boot: line("/proc/sys/kernel/random/boot_id"),
            process,
            began: began(process).unwrap_or(0),
        };
        live().insert(instance.id.clone());
        Ok(instance)
    }

    /// It sends no more heartbeats.
    pub fn end(&self) {
        live().remove(&self.id);
    }

    /// Whether it is known to have ended: it ran during this boot, and its process is gone.
    pub fn has_ended(&self) -> bool {
        if self.boot != line("/proc/sys/kernel/random/boot_id") {
            return false;
        }
        if self.process == std::process::id() && began(self.process) == Some(self.began) {
            return !live().contains(&self.id);
        }
        began(self.process) != Some(self.began)
    }

    /// Where it runs, a fragment.
    pub fn place(&self) -> String {
        let here = self.boot == line("/proc/sys/kernel/random/boot_id");
        let (machine, boot) = (short(&self.machine, 40), short(&self.boot, 40));
        match here {
            true => format!("process {} of this machine", self.process),
            false if self.machine == line("/etc/machine-id") => {
                format!(
                    "another machine with the same machine id {machine} (boot {boot}): it was cloned"
                )
            }
            false => format!("the machine with the id {machine} (boot {boot})"),
        }
    }
}

fn live() -> std::sync::MutexGuard<'static, BTreeSet<Uuid>> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn line(file: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.trim().chars().take(64).collect()
}

/// Field 22 of `stat` (proc_pid_stat(5)).
fn began(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_ends_by_itself_or_with_its_process() {
        let one = Instance::begin().expect("an id");
        assert!(!one.has_ended());
        one.end();
        assert!(one.has_ended());
        let child = std::process::Command::new("true").spawn();
        let mut child = child.expect("a child");
        let process = child.id();
        child.wait().expect("ended");
        assert!(
            Instance {
                process,
                ..one.clone()
            }
            .has_ended()
        );
        let boot = "another".to_owned();
        let elsewhere = Instance { boot, ..one };
        assert!(!elsewhere.has_ended(), "unknown on this machine");
        assert!(elsewhere.place().contains("cloned"));
    }
}
