//! The machine that commands without an agent change: its files, its programs, who asks, and its journal.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use accelnet_agent::journald::Journald;
use accelnet_api::Caller;
use accelnet_api::server::own_caller;
use accelnet_pci::Root;

/// The machine of a command.
pub trait System {
    /// The folder that its files are below.
    fn root(&self) -> &Root;

    /// Its user ids: those that may own a program that root runs.
    fn owners(&self) -> &[u32] {
        &[0]
    }

    /// Effective user id of the command.
    fn user(&self) -> u32;

    /// The path of this program, without symbolic links.
    ///
    /// # Errors
    ///
    /// Unknown to the kernel.
    fn program(&self) -> io::Result<PathBuf>;

    /// Runs a program to its end, and keeps what it reports.
    ///
    /// # Errors
    ///
    /// It cannot be started.
    fn run(&self, program: &str, words: &[&str]) -> io::Result<Output>;

    /// Called before each effect on the machine: tests end the command here.
    ///
    /// # Errors
    ///
    /// The effect fails.
    fn before(&self, _effect: &str) -> io::Result<()> {
        Ok(())
    }

    /// Who asks.
    fn caller(&self) -> Caller;

    /// Who asks, as sudo reports; root can set it to anything.
    fn claimed(&self) -> Option<&str>;

    /// The journal of the machine, if it has one.
    fn journald(&self) -> Option<&Journald>;
}

/// The machine that this program runs on.
#[derive(Debug)]
pub struct ThisMachine {
    root: Root,
    sudo_user: Option<String>,
    journald: Journald,
}

impl ThisMachine {
    /// It, with the user that sudo names.
    pub fn new(sudo_user: Option<OsString>) -> Self {
        ThisMachine {
            root: Root::system(),
            sudo_user: sudo_user.map(|user| user.to_string_lossy().into_owned()),
            journald: Journald::system(),
        }
    }
}

impl System for ThisMachine {
    fn root(&self) -> &Root {
        &self.root
    }

    fn user(&self) -> u32 {
        rustix::process::geteuid().as_raw()
    }

    fn program(&self) -> io::Result<PathBuf> {
        fs::canonicalize(std::env::current_exe()?)
    }

    fn run(&self, program: &str, words: &[&str]) -> io::Result<Output> {
        Command::new(program)
            .args(words)
            .stdin(Stdio::null())
            .output()
    }

    fn caller(&self) -> Caller {
        own_caller()
    }

    fn claimed(&self) -> Option<&str> {
        self.sudo_user.as_deref()
    }

    fn journald(&self) -> Option<&Journald> {
        Some(&self.journald)
    }
}

/// A path of a system, where it is on this machine.
pub fn at(system: &dyn System, path: &str) -> PathBuf {
    system.root().locate(path)
}

/// Removes a file; one that is not there is no error.
///
/// # Errors
///
/// What the kernel answered.
pub fn remove(system: &dyn System, path: &str) -> io::Result<()> {
    system.before(&format!("remove {path}"))?;
    match fs::remove_file(at(system, path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Puts `text` into the file at `path`, by way of `new`.
///
/// # Errors
///
/// What the kernel answered.
pub fn put(system: &dyn System, path: &str, new: &Path, text: &str, mode: u32) -> io::Result<()> {
    system.before(&format!("write {path}"))?;
    accelnet_host::put::put(&at(system, path), new, text, mode).map(drop)
}
