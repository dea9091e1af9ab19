//! QEMU's version from the emulator itself, for where libvirt does not show it.

use std::env::consts::ARCH;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use accelnet_model::platform::Version;

/// Where distributions put emulators, below the root; this machine's own comes first.
const PLACES: [&str; 4] = [
    "usr/bin/qemu-system-x86_64",
    "usr/bin/qemu-system-aarch64",
    "usr/libexec/qemu-kvm",
    "usr/bin/qemu-kvm",
];

/// Why an emulator that is installed did not show its version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QemuError {
    /// It could not be run, or failed.
    #[error("{} --version failed: {words}", .path.display())]
    Failed {
        /// The emulator.
        path: PathBuf,
        /// The system's or its own words.
        words: String,
    },
    /// Its output is not as expected.
    #[error("{} --version said {output:?}, not \"QEMU emulator version ...\"", .path.display())]
    NotUnderstood {
        /// The emulator.
        path: PathBuf,
        /// Its first line.
        output: String,
    },
}

/// The version of the emulator installed under `root`; none when none is installed.
pub fn qemu_version(root: &Path) -> Result<Option<Version>, QemuError> {
    let own = format!("usr/bin/qemu-system-{ARCH}");
    let places = std::iter::once(own.as_str()).chain(PLACES);
    let found = places.map(|place| root.join(place)).find(|p| p.exists());
    found.map(|path| ask(&path)).transpose()
}

fn ask(path: &Path) -> Result<Version, QemuError> {
    let failed = |words: String| QemuError::Failed {
        path: path.to_owned(),
        words,
    };
    let output = Command::new(path)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(failed(format!("{}: {}", output.status, words.trim())));
    }
    let output = String::from_utf8_lossy(&output.stdout);
    parse(&output).ok_or_else(|| QemuError::NotUnderstood {
        path: path.to_owned(),
        output: output.lines().next().unwrap_or_default().to_owned(),
    })
}

/// Reads `QEMU emulator version 10.0.2 (Debian ...)`.
fn parse(output: &str) -> Option<Version> {
    let (_, version) = output.split_once("QEMU emulator version ")?;
    version.parse().ok()
}

#[cfg(test)]
mod tests;
