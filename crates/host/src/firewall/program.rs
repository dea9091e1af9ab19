//! A program that prints something, and may take too long for it.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::{Clock, SystemClock};

/// Runs a program and returns its standard output.
///
/// # Errors
///
/// It cannot be started, has not ended after `within` (and is ended then), or failed; as a fragment.
pub fn run_within(path: &str, arguments: &[&str], within: Duration) -> Result<String, String> {
    let mut child = Command::new(path)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let clock = SystemClock;
    let until = clock.uptime() + within;
    let mut printed = Vec::new();
    let read = match child.stdout.take() {
        Some(mut output) => loop {
            let left = until.saturating_sub(clock.uptime());
            let timeout = Timespec::try_from(left).ok();
            let mut ready = [PollFd::new(&output, PollFlags::IN)];
            match poll(&mut ready, timeout.as_ref()) {
                Ok(0) => break Err(format!("no answer within {} s", within.as_secs())),
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => break Err(error.to_string()),
            }
            let mut bytes = [0; 65536];
            match output.read(&mut bytes) {
                Ok(0) => break Ok(()),
                Ok(read) => printed.extend_from_slice(&bytes[..read]),
                Err(error) => break Err(error.to_string()),
            }
        },
        None => Err("it has no output".to_owned()),
    };
    if let Err(words) = read {
        // One that has ended meanwhile needs no signal.
        drop(child.kill());
        drop(child.wait());
        return Err(words);
    }
    let ended = child.wait_with_output();
    let ended = ended.map_err(|error| error.to_string())?;
    if !ended.status.success() {
        let words = String::from_utf8_lossy(&ended.stderr);
        let first = words.lines().find(|line| !line.trim().is_empty());
        return Err(match first {
            Some(words) => format!("{}: {}", ended.status, words.trim().trim_end_matches('.')),
            None => ended.status.to_string(),
        });
    }
    Ok(String::from_utf8_lossy(&printed).into_owned())
}
