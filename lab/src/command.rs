//! Running a program on the host with a deadline, keeping all that it prints.

use std::fmt;
use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, Result, io};

/// What a command did.
#[derive(Debug, Clone)]
pub struct Output {
    /// Exit status; 124 when the deadline passed (as `timeout` reports it), 255 when ssh itself failed.
    pub status: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// Whether the exit status was 0.
    #[must_use]
    pub fn success(&self) -> bool {
        self.status == 0
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "exit status {}\n--- stdout\n{}\n--- stderr\n{}",
            self.status,
            self.stdout.trim_end(),
            self.stderr.trim_end()
        )
    }
}

/// Runs `command` without input and gives back what it did, whatever its exit status.
pub(crate) fn output(command: &mut Command, deadline: Duration) -> Result<Output> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(io(format!("start {}", name(command))))?;
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    let status = wait(&mut child, deadline).map_err(io(format!("wait for {}", name(command))))?;
    if status.is_none() {
        child
            .kill()
            .map_err(io(format!("stop {}", name(command))))?;
        child
            .wait()
            .map_err(io(format!("wait for {}", name(command))))?;
    }
    Ok(Output {
        status: status.map_or(124, |status| status.code().unwrap_or(255)),
        stdout: stdout.join().unwrap_or_default(),
        stderr: stderr.join().unwrap_or_default(),
    })
}

/// Runs `command` and gives back its standard output; anything but exit status 0 is an error.
pub(crate) fn check(what: &str, command: &mut Command, deadline: Duration) -> Result<String> {
    let output = output(command, deadline)?;
    if output.success() {
        return Ok(output.stdout);
    }
    let said = format!("{}{}", output.stdout, output.stderr);
    Err(Error::Command {
        what: what.to_owned(),
        status: output.status,
        output: tail(&said, 40),
    })
}

/// The exit status, or none when the deadline passed.
pub(crate) fn wait(child: &mut Child, deadline: Duration) -> std::io::Result<Option<ExitStatus>> {
    let end = Instant::now() + deadline;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// The last lines of a text.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// A word as a shell reads it back.
pub(crate) fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before an error still counts.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
