//! A change of the number of VFs as plain data: what was asked, the steps, and how a step
//! can end badly.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// "1 VF", "7 VFs".
pub fn vfs_in_words(vfs: u32) -> String {
    match vfs {
        1 => "1 VF".to_owned(),
        vfs => format!("{vfs} VFs"),
    }
}

/// What an administrator requested.
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
#[serde(tag = "step")]
pub enum Step {
    /// Keep the host's drivers off VFs that appear (`sriov_drivers_autoprobe` to 0).
    #[serde(rename = "disable-autoprobe")]
    KeepDriversOff,
    /// Destroy the VFs (`sriov_numvfs` to 0).
    #[serde(rename = "remove-vfs")]
    Destroy {
        /// How many there are.
        vfs: u32,
    },
    /// Create VFs (`sriov_numvfs` to that number).
    #[serde(rename = "create-vfs")]
    Create {
        /// How many.
        vfs: u32,
    },
    /// Wait for all of them at once.
    #[serde(rename = "wait-ready")]
    AwaitReady {
        /// How many.
        vfs: u32,
    },
    /// Let the host's drivers have VFs again (`sriov_drivers_autoprobe` to 1).
    #[serde(rename = "enable-autoprobe")]
    LetDriversOn,
}

impl Step {
    /// The attribute of the adapter that it writes, and what; none for a step that waits.
    pub fn write(&self) -> Option<(&'static str, u32)> {
        match self {
            Step::KeepDriversOff => Some(("sriov_drivers_autoprobe", 0)),
            Step::LetDriversOn => Some(("sriov_drivers_autoprobe", 1)),
            Step::Destroy { .. } => Some(("sriov_numvfs", 0)),
            Step::Create { vfs } => Some(("sriov_numvfs", *vfs)),
            Step::AwaitReady { .. } => None,
        }
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Step::KeepDriversOff => f.write_str("disable driver autoprobe for new VFs"),
            Step::Destroy { vfs: 1 } => f.write_str("remove 1 VF"),
            Step::Destroy { vfs } => write!(f, "remove {vfs} VFs"),
            Step::Create { vfs } => write!(f, "create {}", vfs_in_words(*vfs)),
            Step::AwaitReady { vfs: 1 } => f.write_str("wait for the VF"),
            Step::AwaitReady { vfs } => write!(f, "wait for all {vfs} VFs"),
            Step::LetDriversOn => f.write_str("enable driver autoprobe for new VFs"),
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
    /// The reason for these steps.
    pub reason: String,
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
