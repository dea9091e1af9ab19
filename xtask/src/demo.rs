//! Agents of a demonstration, for what asks them.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::error::Error;

/// The agents of `accelnet demo --serve`; they end with this value.
pub struct Demo {
    process: Child,
    socket: String,
}

impl Demo {
    /// Starts them, and waits until they answer.
    pub fn serve(program: &Path) -> Result<Demo, Error> {
        let mut process = Command::new(program)
            .args(["demo", "--serve"])
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|source| Error::NotStarted {
                program: program.display().to_string(),
                source,
            })?;
        let output = process.stdout.take();
        let lines = output.map(|output| BufReader::new(output).lines().map_while(Result::ok));
        let socket = lines.into_iter().flatten().find_map(|line| {
            let said = line.trim().strip_prefix("export ACCELNET_SOCKET=")?;
            Some(said.to_owned())
        });
        let demo = Demo {
            process,
            socket: socket.unwrap_or_default(),
        };
        match demo.socket.is_empty() {
            true => Err(Error::Demo),
            false => Ok(demo),
        }
    }
}

impl Demo {
    /// The socket of the first node.
    pub fn socket(&self) -> &Path {
        Path::new(&self.socket)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It removes its folder when it is asked to end.
        let pid = rustix::process::Pid::from_child(&self.process);
        let told = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        if told.is_ok() {
            drop(self.process.wait());
        }
    }
}
