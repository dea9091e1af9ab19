//! Talking to a node: one connection for all commands, because handshakes are slow under emulation.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::command::{Output, output, quote, wait};
use crate::error::{Result, io};

const CHECK: Duration = Duration::from_secs(10);
/// What ssh may take beyond the command's own deadline.
const GRACE: Duration = Duration::from_secs(20);

/// The connection to one node.
#[derive(Debug)]
pub(crate) struct Ssh {
    key: PathBuf,
    socket: PathBuf,
    port: u16,
    master: Option<Child>,
}

impl Ssh {
    pub fn new(key: &Path, socket: &Path, port: u16) -> Self {
        Self {
            key: key.to_owned(),
            socket: socket.to_owned(),
            port,
            master: None,
        }
    }

    /// Lets go of the connection: the other side is gone.
    pub fn disconnect(&mut self) {
        if let Some(mut master) = self.master.take() {
            // It may have ended with its node.
            let _ = master.kill();
            let _ = master.wait();
        }
        // A client that finds it takes it for a connection.
        let _ = std::fs::remove_file(&self.socket);
    }

    /// Tries to connect for some seconds, and reports whether it did.
    pub fn connect(&mut self) -> Result<bool> {
        let mut command = self.client();
        command
            .args(["-M", "-N"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut master = command.spawn().map_err(io("start ssh"))?;
        while wait(&mut master, Duration::from_millis(100))
            .map_err(io("wait for ssh"))?
            .is_none()
        {
            let mut check = self.client();
            if self.socket.exists() && output(check.args(["-O", "check"]), CHECK)?.success() {
                self.master = Some(master);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Runs a bash script in the node.
    pub fn run(&self, script: &str, deadline: Duration) -> Output {
        let remote = format!(
            "timeout -k 5 {} bash -c {}",
            deadline.as_secs().max(1),
            quote(script)
        );
        output(self.client().arg(remote), deadline + GRACE).unwrap_or_else(|error| Output {
            status: 255,
            stdout: String::new(),
            stderr: error.to_string(),
        })
    }

    /// Runs a shell at the developer's terminal.
    pub fn interact(&self) -> Result<()> {
        self.client()
            .arg("-t")
            .status()
            .map(drop)
            .map_err(io("run ssh"))
    }

    /// The command to type for another shell.
    pub fn typed(&self) -> String {
        let client = self.client();
        let words = client
            .get_args()
            .map(|word| word.to_string_lossy().into_owned());
        std::iter::once("ssh".to_owned())
            .chain(words)
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn client(&self) -> Command {
        let mut command = Command::new("ssh");
        command
            .args(["-q", "-F", "none", "-i"])
            .arg(&self.key)
            .arg("-S")
            .arg(&self.socket);
        for option in [
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "IdentitiesOnly=yes",
            "ConnectTimeout=10",
        ] {
            command.args(["-o", option]);
        }
        command.args(["-p", &self.port.to_string(), "root@127.0.0.1"]);
        command
    }
}

impl Drop for Ssh {
    fn drop(&mut self) {
        self.disconnect();
    }
}
