//! What can go wrong in the lab, each with what was found and what to do about it.

use std::path::PathBuf;
use std::time::Duration;

/// A lab result.
pub type Result<T> = std::result::Result<T, Error>;

/// Why the lab could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or a program could not be used.
    #[error("{what}: {source}")]
    Io {
        /// What was being done, with the path.
        what: String,
        /// The system's own words.
        source: std::io::Error,
    },
    /// Host packages are missing and this user may not install them.
    #[error(
        "the lab needs packages that are not installed: {missing}; install them with\n  {command}"
    )]
    PackagesMissing {
        /// Each package and what for.
        missing: String,
        /// The command to type.
        command: String,
    },
    /// The machine's apt sources are not Debian's.
    #[error(
        "no Debian release with QEMU {wanted} or newer was found in this machine's apt sources ({found}); \
         the lab is built from Debian packages: run it on Debian 12 or newer"
    )]
    NoSuite {
        /// The QEMU version that is needed.
        wanted: String,
        /// What the sources hold.
        found: String,
    },
    /// A program failed.
    #[error("{what}: exit status {status}\n{output}")]
    Command {
        /// What was being done.
        what: String,
        /// Its exit status.
        status: i32,
        /// The end of what it printed.
        output: String,
    },
    /// An ordinary user may not build the image here.
    #[error(
        "the node image could not be built as an ordinary user: {cause}\n\
         this needs user namespaces and a range in /etc/subuid and /etc/subgid (usermod --add-subuids \
         100000-165535 --add-subgids 100000-165535 USER); or build it once as root"
    )]
    Unprivileged {
        /// The failure itself.
        cause: Box<Error>,
    },
    /// Something did not happen in time.
    #[error("{what} did not happen within {} s\n{detail}", deadline.as_secs())]
    Deadline {
        /// What was waited for.
        what: String,
        /// How long.
        deadline: Duration,
        /// The state at that moment.
        detail: String,
    },
    /// QEMU ended while a node booted or ran.
    #[error("QEMU of node {node} ended ({status})\n{detail}")]
    QemuEnded {
        /// The topology's name.
        node: String,
        /// Exit status.
        status: String,
        /// QEMU's messages and the end of the console.
        detail: String,
    },
    /// The kernel in a node lost its timer while it booted.
    #[error("node {node} stalled while it booted: its emulated timer stopped\n{detail}")]
    Stalled {
        /// The topology's name.
        node: String,
        /// QEMU's messages and the end of the console.
        detail: String,
    },
    /// QEMU refused a command.
    #[error("QEMU refused {command}: {answer}")]
    Qmp {
        /// The command.
        command: String,
        /// QEMU's answer.
        answer: String,
    },
    /// Output of a known program that the lab does not understand.
    #[error("{what} not found in: {found}")]
    Unexpected {
        /// What was searched.
        what: String,
        /// Where.
        found: String,
    },
    /// The program under test was not built.
    #[error("{} does not exist; build it first: cargo build --package accelnet", path.display())]
    NoBinary {
        /// Where it should be.
        path: PathBuf,
    },
    /// No topology of this name.
    #[error("no topology named {name}; there are: {known}")]
    UnknownTopology {
        /// What was requested.
        name: String,
        /// All names.
        known: String,
    },
}

/// Turns an I/O error into a lab error that reports what was being done.
pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Error {
    let what = what.into();
    move |source| Error::Io { what, source }
}
