//! The side that libvirt waits for.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// How long the child may take. Setting a VF takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// Has `child` do the work on `xml`. One that takes too long is left behind: it holds nothing
/// that libvirt waits for.
///
/// # Errors
///
/// It cannot be started, or is not done in time, in words.
pub fn run(mut child: Command, xml: &str) -> Result<(), String> {
    let mut child = child
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let data = child.stdin.take();
    let xml = xml.to_owned();
    let (sender, done) = mpsc::channel();
    std::thread::spawn(move || {
        if let Some(mut data) = data {
            // A program that does not read it reports the reason itself.
            drop(data.write_all(xml.as_bytes()));
        }
        drop(sender.send(child.wait()));
    });
    match done.recv_timeout(PATIENCE) {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(format!("the child ended with {status}")),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!(
            "the driver did not answer within {} s",
            PATIENCE.as_secs()
        )),
    }
}
