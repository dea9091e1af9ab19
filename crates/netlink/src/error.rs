//! What can go wrong between us and the kernel; texts fit after "failed to".

use std::time::Duration;

use crate::ack::Ack;
use crate::attr::Malformed;
use crate::errno;

/// A question to the kernel that did not get its answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetlinkError {
    /// The kernel or a driver refused.
    #[error("{what}: {}", self.reason())]
    Refused {
        /// Error number, positive.
        errno: i32,
        /// Its name, such as `EOPNOTSUPP`; `errno 999` for one without.
        name: String,
        /// The kernel's or driver's own explanation (extended ack).
        words: Option<String>,
        /// What was asked, as in "set trust of VF 3 on link 5".
        what: String,
    },
    /// No answer came in time. What was asked may still happen.
    #[error("{what}: the kernel did not answer within {} s", waited.as_secs_f32())]
    NoAnswer {
        /// What was asked.
        what: String,
        /// How long was waited.
        waited: Duration,
    },
    /// Fewer VFs arrived than the adapter has, or than the answer holds.
    #[error(
        "read the settings of all VFs: the kernel's answer holds {got} of {expected}{}",
        if got < expected { ", it was cut short" } else { ", its counts disagree" }
    )]
    CutShort {
        /// VFs in the answer.
        got: u32,
        /// VFs of the adapter (`IFLA_NUM_VF`).
        expected: u32,
    },
    /// The adapter has VFs, and its driver has no way to show their settings.
    #[error("read the settings of {vfs} VFs: the driver reports none")]
    NoVfSettings {
        /// VFs of the adapter.
        vfs: u32,
    },
    /// Links changed under every try to list them.
    #[error("{what}: the list changed while it was read, {tries} times")]
    Interrupted {
        /// What was asked.
        what: String,
        /// How often it was tried.
        tries: u32,
    },
    /// The answer does not match the kernel's headers.
    #[error("{what}: the answer is invalid: {reason}")]
    Malformed {
        /// What was asked.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A system call failed that only carries the question.
    #[error("{what}: {call}: {reason}")]
    System {
        /// What was asked.
        what: String,
        /// The call, such as `socket`.
        call: &'static str,
        /// What it answered.
        reason: String,
    },
}

impl NetlinkError {
    /// Why, without what was asked: the kernel's words if there are any, and the error's
    /// name.
    pub fn reason(&self) -> String {
        match self {
            NetlinkError::Refused {
                errno, name, words, ..
            } => {
                let words = words.clone();
                format!(
                    "{} ({name})",
                    words.unwrap_or_else(|| errno::sentence(*errno))
                )
            }
            NetlinkError::NoAnswer { waited, .. } => {
                format!("no answer within {} s", waited.as_secs_f32())
            }
            NetlinkError::System { call, reason, .. } => format!("{call}: {reason}"),
            NetlinkError::Malformed { reason, .. } => reason.clone(),
            NetlinkError::CutShort { .. }
            | NetlinkError::NoVfSettings { .. }
            | NetlinkError::Interrupted { .. } => self.to_string(),
        }
    }

    /// The error number, if the kernel refused.
    pub fn errno(&self) -> Option<i32> {
        match self {
            NetlinkError::Refused { errno, .. } => Some(*errno),
            _ => None,
        }
    }

    /// Refused on this side, as the kernel would.
    pub(crate) fn refused_here(what: &str, errno: i32, words: &str) -> Self {
        let words = Some(words.to_owned());
        let ack = Ack {
            errno,
            words,
            ..Ack::default()
        };
        NetlinkError::refused(what, ack)
    }

    pub(crate) fn refused(what: &str, ack: Ack) -> Self {
        let name = errno::name(ack.errno);
        NetlinkError::Refused {
            errno: ack.errno,
            name: name.map_or_else(|| format!("errno {}", ack.errno), str::to_owned),
            words: ack.explanation(),
            what: what.to_owned(),
        }
    }

    pub(crate) fn malformed(what: &str, malformed: Malformed) -> Self {
        NetlinkError::Malformed {
            what: what.to_owned(),
            reason: malformed.0,
        }
    }

    pub(crate) fn system(what: &str, call: &'static str, error: &std::io::Error) -> Self {
        NetlinkError::System {
            what: what.to_owned(),
            call,
            reason: match error.raw_os_error() {
                Some(number) => errno::sentence(number),
                None => error.to_string(),
            },
        }
    }
}
