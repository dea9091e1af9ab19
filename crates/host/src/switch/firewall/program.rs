//! Programs of the node that print what they know, and are not waited for for long.

use std::path::{Path, PathBuf};
use std::time::Duration;

use accelnet_pci::Root;

use crate::firewall::run_within;

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
/// It cannot be run, fails, or takes too long, as a fragment.
pub fn answer(program: &Path, args: &[&str]) -> Result<String, String> {
    run_within(&program.to_string_lossy(), args, DEADLINE)
}
