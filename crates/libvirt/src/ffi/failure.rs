//! The error that libvirt keeps for the calling thread.

use std::ffi::NulError;

use super::table::Table;
use super::text;
use crate::LibvirtError;

// virErrorNumber, libvirt/virterror.h
const OPERATION_DENIED: i32 = 29;
const SYSTEM_ERROR: i32 = 38;
const NO_DOMAIN: i32 = 42;
const NO_NETWORK: i32 = 43;
const AUTH_FAILED: i32 = 45;
const OPERATION_INVALID: i32 = 55;
const ARGUMENT_UNSUPPORTED: i32 = 74;
const AUTH_CANCELLED: i32 = 79;
const AGENT_UNRESPONSIVE: i32 = 86;
const ACCESS_DENIED: i32 = 88;
const AGENT_UNSYNCED: i32 = 97;
const AUTH_UNAVAILABLE: i32 = 94;

/// A call that failed, in libvirt's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// `virErrorNumber`.
    pub code: i32,
    /// `errno` where `code` is the one for system errors.
    pub errno: i32,
    /// libvirt's sentence.
    pub words: String,
}

impl From<NulError> for Failure {
    fn from(error: NulError) -> Self {
        Failure {
            code: 0,
            errno: 0,
            words: error.to_string(),
        }
    }
}

impl Failure {
    /// Takes the error that the last call on this thread left.
    pub(super) fn take(table: &Table) -> Self {
        // SAFETY: no preconditions. The error belongs to this thread, and stays until the
        // next call into libvirt on it.
        let raw = unsafe { (table.last_error)().as_ref() };
        let failure = match raw {
            None => Failure {
                code: 0,
                errno: 0,
                words: "no reason given".to_owned(),
            },
            Some(raw) => Failure {
                code: raw.code,
                errno: raw.int1,
                // SAFETY: null or a C string of the error just looked at.
                words: unsafe { text::lent(raw.message) }
                    .unwrap_or_else(|| format!("error {} without a message", raw.code)),
            },
        };
        // SAFETY: no preconditions.
        unsafe { (table.reset_last_error)() };
        failure
    }

    /// Whether the domain asked about is gone.
    pub fn is_gone(&self) -> bool {
        self.code == NO_DOMAIN
    }

    /// Whether there is no such network.
    pub fn is_no_network(&self) -> bool {
        self.code == NO_NETWORK
    }

    /// The error of a question to a guest agent.
    pub fn asking_guest(self) -> LibvirtError {
        match self.code {
            OPERATION_INVALID => LibvirtError::DomainNotRunning { words: self.words },
            ARGUMENT_UNSUPPORTED => LibvirtError::NoAgent { words: self.words },
            AGENT_UNRESPONSIVE | AGENT_UNSYNCED => LibvirtError::AgentSilent { words: self.words },
            _ => self.doing("ask the guest agent"),
        }
    }

    /// The error of a connection that could not be opened.
    pub fn connecting(self) -> LibvirtError {
        let words = self.words;
        match (self.code, self.errno) {
            (SYSTEM_ERROR, libc::EACCES | libc::EPERM) => LibvirtError::Refused { words },
            (SYSTEM_ERROR, libc::ENOENT | libc::ECONNREFUSED) => LibvirtError::NotRunning { words },
            (OPERATION_DENIED | ACCESS_DENIED, _)
            | (AUTH_FAILED | AUTH_CANCELLED | AUTH_UNAVAILABLE, _) => {
                LibvirtError::Refused { words }
            }
            _ => LibvirtError::Failed {
                doing: "open a connection",
                words,
            },
        }
    }

    /// The error of a call on an open connection.
    pub fn doing(self, doing: &'static str) -> LibvirtError {
        let words = self.words;
        match self.code {
            OPERATION_DENIED | ACCESS_DENIED => LibvirtError::Refused { words },
            NO_DOMAIN => LibvirtError::NoDomain { words },
            NO_NETWORK => LibvirtError::NoNetwork { words },
            _ => LibvirtError::Failed { doing, words },
        }
    }
}

#[cfg(test)]
mod tests;
