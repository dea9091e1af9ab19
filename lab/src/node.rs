//! A running node. It is gone when its value is dropped, and also when the test process is killed.

use std::path::PathBuf;
use std::process::Child;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::artifacts::Artifacts;
use crate::boot::{self, Booted, console, end};
use crate::command::{Output, quote, tail, wait};
use crate::error::{Error, Result, io};
use crate::programs;
use crate::qemu::{Files, Seat};
use crate::qmp::Qmp;
use crate::slots::Slot;
use crate::ssh::Ssh;
use crate::topology::Topology;

const COMMAND: Duration = Duration::from_secs(120);
const POWEROFF: Duration = Duration::from_secs(90);

/// A running node.
#[derive(Debug)]
pub struct Node {
    // Dropped in this order: the connection before the place that another node may take.
    ssh: Ssh,
    qmp: Mutex<Qmp>,
    qemu: Child,
    folder: tempfile::TempDir,
    topology: Topology,
    seat: Seat,
    artifacts: Artifacts,
    /// None where its cluster has it.
    _slot: Option<Slot>,
}

impl Node {
    /// Boots a node where it stands.
    pub(crate) fn boot_at(
        topology: &Topology,
        artifacts: Artifacts,
        seat: Seat,
        slot: Option<Slot>,
        programs: &[PathBuf],
    ) -> Result<Self> {
        let Booted {
            folder,
            qemu,
            qmp,
            ssh,
        } = boot::boot(topology, &artifacts, &seat, programs)?;
        let node = Self {
            ssh,
            qmp: Mutex::new(qmp),
            qemu,
            folder,
            topology: topology.clone(),
            seat,
            artifacts,
            _slot: slot,
        };
        node.prepare_adapters()?;
        if !programs.is_empty() {
            node.check("find its programs", programs::MOUNT)?;
        }
        Ok(node)
    }

    /// The node's name, which it has as its host name, too.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.topology.name
    }

    /// Runs a bash script in the node, for at most two minutes.
    #[must_use]
    pub fn run(&self, script: &str) -> Output {
        self.run_within(script, COMMAND)
    }

    /// Runs a bash script in the node with a deadline of its own.
    #[must_use]
    pub fn run_within(&self, script: &str, deadline: Duration) -> Output {
        self.ssh.run(script, deadline)
    }

    /// Runs a bash script that must succeed, and gives back its standard output without the last
    /// line's end.
    ///
    /// # Panics
    /// When it does not succeed, with all that it printed and the end of the console.
    #[must_use]
    pub fn ok(&self, script: &str) -> String {
        let output = self.run(script);
        assert!(
            output.success(),
            "in node {}: {script}\n{output}\n--- console\n{}",
            self.topology.name,
            tail(&self.console(), 15)
        );
        output.stdout.trim_end().to_owned()
    }

    /// Runs a bash script that should succeed, and gives back its standard output. `what` completes
    /// "failed to".
    ///
    /// # Errors
    /// When it does not succeed, with all that it printed.
    pub fn check(&self, what: &str, script: &str) -> Result<String> {
        let output = self.run(script);
        if output.success() {
            return Ok(output.stdout);
        }
        let what = format!("{what} in node {}", self.topology.name);
        Err(Error::Command {
            what,
            status: output.status,
            output: output.to_string(),
        })
    }

    /// Starts a daemon in the node, as the systemd unit `unit`.
    ///
    /// # Errors
    /// When systemd does not start it.
    pub fn spawn(&self, unit: &str, script: &str) -> Result<()> {
        let script = format!(
            "systemd-run --quiet --collect --unit={unit} bash -c {}",
            quote(script)
        );
        self.check(&format!("start {unit}"), &script).map(drop)
    }

    /// Waits until a bash script succeeds. `what` reports what is waited for, as in "the VM is up".
    ///
    /// # Errors
    /// When it does not in time, with what the script printed last.
    pub fn wait_until(&self, what: &str, script: &str, deadline: Duration) -> Result<String> {
        let begin = Instant::now();
        loop {
            let output = self.run(script);
            if output.success() {
                return Ok(output.stdout);
            }
            self.still_runs()?;
            if begin.elapsed() >= deadline {
                return Err(Error::Deadline {
                    what: what.to_owned(),
                    deadline,
                    detail: output.to_string(),
                });
            }
            thread::sleep(Duration::from_millis(300));
        }
    }

    /// Runs a QMP command. Adapters are `nic0`, `nic1`, ... on the networks `net0`, `net1`, ...; ports
    /// have the names that the topology gives them.
    ///
    /// # Errors
    /// When QEMU refuses it.
    pub fn qmp(&self, command: &str, arguments: &Value) -> Result<Value> {
        self.qmp
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .execute(command, arguments)
    }

    /// Plugs or unplugs the cable of an adapter.
    ///
    /// # Errors
    /// When there is no adapter of this number.
    pub fn set_link(&self, number: usize, up: bool) -> Result<()> {
        self.qmp(
            "set_link",
            &json!({ "name": format!("nic{number}"), "up": up }),
        )
        .map(drop)
    }

    /// Presses the reset button, and waits until the node has booted again. Its disk keeps what was
    /// written to it before; nothing on the node ends in order.
    ///
    /// # Errors
    /// When the node is not up again in time, with the end of its console.
    pub fn reset(&mut self) -> Result<()> {
        self.check("write its disk", "sync")?;
        let before = boot::boots(&self.files());
        // A node that reboots by itself ends: a panic is not to be lost in the next boot.
        self.qmp("set-action", &json!({ "reboot": "reset" }))?;
        self.qmp("system_reset", &json!({}))?;
        let files = Files {
            dir: self.folder.path(),
        };
        boot::again(before, &self.topology.name, &files, &mut self.ssh)?;
        self.qmp("set-action", &json!({ "reboot": "shutdown" }))
            .map(drop)
    }

    /// Pulls the plug: QEMU ends at once, and the node's disk stays as it was at that moment.
    pub(crate) fn kill(&mut self) {
        self.ssh.disconnect();
        boot::kill(&mut self.qemu);
    }

    /// Boots a node that was killed from the disk that it had, and waits until it can be used.
    pub(crate) fn start_again(&mut self) -> Result<()> {
        let files = Files {
            dir: self.folder.path(),
        };
        let (qemu, qmp, ssh) =
            boot::boot_again(&self.topology, &self.artifacts, &files, &self.seat)?;
        self.qemu = qemu;
        self.qmp = Mutex::new(qmp);
        self.ssh = ssh;
        self.prepare_adapters()
    }

    /// The folder on the host that the node sees as `/host`.
    #[must_use]
    pub fn share(&self) -> PathBuf {
        self.files().share()
    }

    /// All that the node wrote to its console.
    #[must_use]
    pub fn console(&self) -> String {
        console(&self.files())
    }

    /// Where the console's text is, and the command for a shell in the node.
    #[must_use]
    pub fn access(&self) -> String {
        format!(
            "console: {}\nshell: {}",
            self.files().console().display(),
            self.ssh.typed()
        )
    }

    /// Gives the developer's terminal a shell in the node until it ends.
    ///
    /// # Errors
    /// When ssh cannot be run.
    pub fn interact(&self) -> Result<()> {
        self.ssh.interact()
    }

    /// Powers the node off in order.
    ///
    /// # Errors
    /// When it does not go down in time; it is gone all the same.
    pub fn shutdown(mut self) -> Result<()> {
        // The connection ends with the node, so the command's own status means nothing.
        let _ = self.run("systemctl poweroff --no-block");
        match wait(&mut self.qemu, POWEROFF).map_err(io("wait for QEMU"))? {
            Some(_) => Ok(()),
            None => Err(Error::Deadline {
                what: format!("the power-off of node {}", self.topology.name),
                deadline: POWEROFF,
                detail: tail(&self.console(), 20),
            }),
        }
    }

    /// That QEMU has not ended, as it does when the node panics or reboots by itself.
    fn still_runs(&self) -> Result<()> {
        match boot::how_it_ended(&self.qemu) {
            None => Ok(()),
            Some(status) => Err(Error::QemuEnded {
                node: self.topology.name.clone(),
                status,
                detail: boot::detail(&self.files()),
            }),
        }
    }

    fn files(&self) -> Files<'_> {
        Files {
            dir: self.folder.path(),
        }
    }

    /// Waits until every adapter has its name, then takes the drivers away that should not be there.
    fn prepare_adapters(&self) -> Result<()> {
        for (number, adapter) in self.topology.adapters().enumerate() {
            let netdev = format!("/sys/class/net/pf{number}");
            self.wait_until(
                &format!("pf{number}"),
                &format!("test -e {netdev}"),
                COMMAND,
            )?;
            if !adapter.bound {
                let script = format!(
                    "device=$(readlink -f {netdev}/device) && basename $device > $device/driver/unbind"
                );
                self.check(&format!("take the driver of pf{number} away"), &script)?;
            }
        }
        Ok(())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if thread::panicking() {
            match self.still_runs() {
                Ok(()) => eprintln!(
                    "--- node {} runs\n{}",
                    self.topology.name,
                    boot::detail(&self.files())
                ),
                Err(error) => eprintln!("--- {error}"),
            }
        }
        end(&mut self.qemu);
    }
}

/// The program under test: beside the running program, or beside its folder if that is a test.
///
/// # Errors
/// When it was not built.
pub fn accelnet_binary() -> Result<PathBuf> {
    let running = std::env::current_exe().map_err(io("find the running program"))?;
    let folders = running.ancestors().skip(1).take(2);
    let mut candidates = folders.map(|folder| folder.join("accelnet"));
    candidates
        .find(|path| path.is_file())
        .ok_or_else(|| Error::NoBinary {
            path: running.with_file_name("accelnet"),
        })
}
