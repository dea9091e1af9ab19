//! A program of the node that prints what it knows, and is not waited for for long.

use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use accelnet_pci::Root;

/// How long a program may take: a ruleset can have a hundred thousand rules.
const DEADLINE: Duration = Duration::from_secs(10);

/// Where programs of an administrator lie.
const PLACES: [&str; 4] = ["/usr/sbin", "/sbin", "/usr/bin", "/usr/local/sbin"];

/// The program called `name`, if it is installed.
pub fn find(root: &Root, name: &str) -> Option<PathBuf> {
    let places = PLACES.iter().map(|place| format!("{place}/{name}"));
    let place = places.into_iter().find(|place| root.exists(place))?;
    Some(root.locate(&place))
}

/// What it prints.
///
/// # Errors
///
/// It cannot be run, fails, or takes too long: a fragment that says so.
pub fn answer(program: &PathBuf, args: &[&str]) -> Result<String, String> {
    let child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.map_err(|error| error.to_string())?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (sender, printed) = channel();
    let reader = thread::Builder::new()
        .name("program".to_owned())
        .spawn(move || {
            let mut text = Vec::new();
            let read = out.map_or(Ok(0), |mut out| out.read_to_end(&mut text));
            drop(sender.send(read.map(|_| text)));
        });
    let text = match reader {
        Ok(_) => printed.recv_timeout(DEADLINE),
        Err(error) => {
            drop(child.kill());
            drop(child.wait());
            return Err(error.to_string());
        }
    };
    let Ok(text) = text else {
        drop(child.kill());
        drop(child.wait());
        return Err(format!("it did not end within {} s", DEADLINE.as_secs()));
    };
    let text = text.map_err(|error| error.to_string())?;
    let status = child.wait().map_err(|error| error.to_string())?;
    if !status.success() {
        let mut words = String::new();
        // Without words its status has to do.
        drop(err.map(|mut err| err.read_to_string(&mut words)));
        let words = words.lines().next().unwrap_or_default();
        return Err(format!("{status}: {words}"));
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}
