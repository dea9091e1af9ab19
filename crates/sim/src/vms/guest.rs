//! Guests, as far as their agent tells of them.

use accelnet_libvirt::LibvirtError;
use accelnet_libvirt::xml::Definition;

/// A guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// Whether the domain has a channel for an agent.
    pub has_channel: bool,
    /// Whether its agent answers.
    pub answers: bool,
    /// Its kernel, as `uname -r` says.
    pub kernel: String,
    /// Whether it refuses to give devices up.
    pub keeps_devices: bool,
}

impl Default for Guest {
    /// A Linux that answers, with net_failover.
    fn default() -> Self {
        Guest {
            has_channel: true,
            answers: true,
            kernel: "6.12.48-amd64".to_owned(),
            keeps_devices: false,
        }
    }
}

impl Guest {
    /// The answer to `command` of the guest that runs as `live`.
    pub(super) fn answer(&self, command: &str, live: Option<&str>) -> Result<String, LibvirtError> {
        let Some(live) = live else {
            return Err(LibvirtError::DomainNotRunning {
                words: "Requested operation is not valid: domain is not running".to_owned(),
            });
        };
        if !self.has_channel {
            return Err(LibvirtError::NoAgent {
                words: "argument unsupported: QEMU guest agent is not configured".to_owned(),
            });
        }
        if !self.answers {
            return Err(LibvirtError::AgentSilent {
                words: "Guest agent is not responding: QEMU guest agent is not connected"
                    .to_owned(),
            });
        }
        if command.contains("guest-get-osinfo") {
            return Ok(format!(
                r#"{{"return":{{"id":"debian","name":"Debian GNU/Linux","kernel-release":"{}"}}}}"#,
                self.kernel
            ));
        }
        if command.contains("guest-network-get-interfaces") {
            let vnics = Definition::parse(live).unwrap_or_default().vnics;
            let mut interfaces: Vec<String> = vec![r#"{"name":"lo"}"#.to_owned()];
            for (number, vnic) in vnics.iter().enumerate() {
                let mac = vnic.mac.map(|mac| mac.to_string()).unwrap_or_default();
                interfaces.push(format!(
                    r#"{{"name":"enp{}s0","hardware-address":"{mac}"}}"#,
                    number + 1
                ));
            }
            return Ok(format!(r#"{{"return":[{}]}}"#, interfaces.join(",")));
        }
        Err(LibvirtError::Failed {
            doing: "ask the guest",
            words: "internal error: unable to execute QEMU agent command: The command has not been found".to_owned(),
        })
    }
}
