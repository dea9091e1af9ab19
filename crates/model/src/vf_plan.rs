//! A change of the number of VFs as plain data: what was asked, the steps, and how a step
//! can end badly.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What an administrator asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// As many VFs as the adapter can give.
    All,
    /// This many, at least 1.
    Exactly(u32),
    /// None: SR-IOV off.
    Off,
}

/// One step; each can be done twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    /// Keep the host's drivers off VFs that appear (`sriov_drivers_autoprobe` to 0).
    KeepDriversOff,
    /// Destroy the VFs (`sriov_numvfs` to 0).
    Destroy {
        /// How many there are.
        vfs: u32,
    },
    /// Create VFs (`sriov_numvfs` to that number).
    Create {
        /// How many.
        vfs: u32,
    },
    /// Wait for all of them at once.
    AwaitReady {
        /// How many.
        vfs: u32,
    },
    /// Let the host's drivers have VFs again (`sriov_drivers_autoprobe` to 1).
    LetDriversOn,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Step::KeepDriversOff => f.write_str("keep the host's drivers off new VFs"),
            Step::Destroy { vfs } => write!(f, "remove the {vfs} VFs that are there"),
            Step::Create { vfs } => write!(f, "create {vfs} VFs"),
            Step::AwaitReady { vfs } => write!(f, "wait until all {vfs} are ready"),
            Step::LetDriversOn => f.write_str("let the host's drivers have VFs again"),
        }
    }
}

/// The steps, and why these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// VFs there now.
    pub from: u32,
    /// VFs there afterwards.
    pub to: u32,
    /// In this order; none when there is nothing to do.
    pub steps: Vec<Step>,
    /// Why these.
    pub why: String,
}

/// How a write of `sriov_numvfs` ended badly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The kernel answered with an error number.
    Errno {
        /// The number, as in `errno.h`.
        number: i32,
        /// Its text.
        text: String,
    },
    /// The kernel had not answered after so long.
    TimedOut(Duration),
}

impl Refusal {
    /// What a system call answered.
    pub fn from_io(error: &std::io::Error) -> Self {
        let text = error.to_string();
        let text = text.split(" (os error").next().unwrap_or(&text).to_owned();
        Refusal::Errno {
            number: error.raw_os_error().unwrap_or(0),
            text,
        }
    }
}
