//! QEMU's control socket: faults are made through it.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::error::{Error, Result, io};

const ANSWER: Duration = Duration::from_secs(60);

/// A connection to one QEMU.
#[derive(Debug)]
pub(crate) struct Qmp {
    stream: BufReader<UnixStream>,
}

impl Qmp {
    pub fn connect(socket: &Path) -> std::io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(ANSWER))?;
        let mut qmp = Self {
            stream: BufReader::new(stream),
        };
        qmp.read()?;
        qmp.write("qmp_capabilities", &json!({}))?;
        qmp.read()?;
        Ok(qmp)
    }

    /// Runs one command; events that arrive meanwhile are skipped.
    pub fn execute(&mut self, command: &str, arguments: &Value) -> Result<Value> {
        let talk = || io(format!("talk to QEMU about {command}"));
        self.write(command, arguments).map_err(talk())?;
        loop {
            let mut answer = self.read().map_err(talk())?;
            if let Some(value) = answer.get_mut("return") {
                return Ok(value.take());
            }
            if let Some(error) = answer.get("error") {
                return Err(Error::Qmp {
                    command: command.to_owned(),
                    answer: error.to_string(),
                });
            }
        }
    }

    /// The host's port that leads to the node's ssh.
    pub fn ssh_port(&mut self) -> Result<u16> {
        let answer = self.execute(
            "human-monitor-command",
            &json!({ "command-line": "info usernet" }),
        )?;
        let table = answer.as_str().unwrap_or_default();
        table
            .lines()
            .find_map(|line| {
                let mut words = line
                    .split_whitespace()
                    .skip_while(|word| !word.contains("HOST_FORWARD"));
                words.nth(3)?.parse().ok()
            })
            .ok_or_else(|| Error::Unexpected {
                what: "the forwarded ssh port".to_owned(),
                found: table.to_owned(),
            })
    }

    fn write(&mut self, command: &str, arguments: &Value) -> std::io::Result<()> {
        let request = json!({ "execute": command, "arguments": arguments });
        self.stream
            .get_mut()
            .write_all(format!("{request}\n").as_bytes())
    }

    fn read(&mut self) -> std::io::Result<Value> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(serde_json::from_str(&line)?)
    }
}
