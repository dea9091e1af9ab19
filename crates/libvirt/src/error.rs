//! What can come between a caller and libvirt, with libvirt's own words.

use std::time::Duration;

/// Why libvirt did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LibvirtError {
    /// There is no libvirt library on this machine.
    #[error(
        "libvirt is not installed: {words} (install the package libvirt-daemon-system, or your distribution's libvirt)"
    )]
    NotInstalled {
        /// The dynamic linker's words.
        words: String,
    },
    /// There is a library, and it cannot be used.
    #[error(
        "libvirt's library cannot be used: {words} (install libvirt again, from the distribution)"
    )]
    Unusable {
        /// The dynamic linker's or the library's words.
        words: String,
    },
    /// The library is there; no daemon answers.
    #[error(
        "libvirt's daemon is not running: {words} (start it: systemctl start libvirtd.socket or virtqemud-ro.socket)"
    )]
    NotRunning {
        /// libvirt's words.
        words: String,
    },
    /// The daemon does not let this user in.
    #[error("libvirt refused: {words} (run as root, or let this user into the group libvirt)")]
    Refused {
        /// libvirt's words.
        words: String,
    },
    /// The daemon answered with an error.
    #[error("libvirt could not {doing}: {words}")]
    Failed {
        /// What it was asked to do, as an imperative fragment.
        doing: &'static str,
        /// libvirt's words.
        words: String,
    },
    /// The daemon did not answer in time.
    #[error("libvirt's daemon did not answer within {} s (see: systemctl status libvirtd virtqemud)", .after.as_secs_f32())]
    TimedOut {
        /// How long it was waited for.
        after: Duration,
    },
    /// No thread could be started to ask on.
    #[error("no thread could be started to ask libvirt: {words}")]
    NoThread {
        /// The system's words.
        words: String,
    },
}
