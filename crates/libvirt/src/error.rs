//! What can come between a caller and libvirt, with libvirt's own words.

use std::time::Duration;

use crate::xml::XmlError;

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
    #[error("libvirt refused: {words} (run as root, or add this user to the group libvirt)")]
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
    /// There is no such domain.
    #[error("libvirt has no such VM: {words}")]
    NoDomain {
        /// libvirt's words.
        words: String,
    },
    /// There is no such network.
    #[error("libvirt has no such network: {words}")]
    NoNetwork {
        /// libvirt's words.
        words: String,
    },
    /// The request needs a running domain.
    #[error("the VM is not running: {words}")]
    DomainNotRunning {
        /// libvirt's words.
        words: String,
    },
    /// The guest has not given a device up.
    #[error("the guest did not release the device: {words}")]
    NotGivenUp {
        /// What was seen.
        words: String,
    },
    /// The domain has no guest agent configured.
    #[error(
        "the VM has no guest agent configured: {words} (add a channel org.qemu.guest_agent.0 to it)"
    )]
    NoAgent {
        /// libvirt's words.
        words: String,
    },
    /// The guest agent does not answer.
    #[error("the guest agent does not answer: {words} (install and start qemu-guest-agent in it)")]
    AgentSilent {
        /// libvirt's words.
        words: String,
    },
    /// No thread could be started to ask on.
    #[error("no thread could be started to ask libvirt: {words}")]
    NoThread {
        /// The system's words.
        words: String,
    },
}
impl From<XmlError> for LibvirtError {
    fn from(error: XmlError) -> Self {
        LibvirtError::Failed {
            doing: "get the definition of the VM",
            words: error.to_string(),
        }
    }
}
