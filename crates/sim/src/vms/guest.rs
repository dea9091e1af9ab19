//! Guests, as far as their agent reports them.

use accelnet_libvirt::LibvirtError;
use accelnet_libvirt::xml::Definition;
use accelnet_model::domain::Teaming;

use super::fragment::is_vf;

/// A guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// Whether the domain has a channel for an agent.
    pub has_channel: bool,
    /// Whether its agent answers.
    pub answers: bool,
    /// Its system: `ID` in os-release.
    pub id: String,
    /// Its kernel: `uname -r`.
    pub kernel: String,
    /// Whether it refuses to give devices up.
    pub keeps_devices: bool,
    /// Whether its virtio driver takes part in failover (`VIRTIO_NET_F_STANDBY`).
    pub standby: bool,
    /// Whether it has a driver for VFs.
    pub vf_driver: bool,
    /// Whether that driver works a VF only after [`super::SimVms::guest_binds`], not at once.
    pub slow: bool,
}

impl Default for Guest {
    /// A Linux that answers, with net_failover.
    fn default() -> Self {
        Guest {
            has_channel: true,
            answers: true,
            id: "debian".to_owned(),
            kernel: "6.12.48-amd64".to_owned(),
            keeps_devices: false,
            standby: true,
            vf_driver: true,
            slow: false,
        }
    }
}

impl Guest {
    /// The answer to `command` of the guest that runs as `live`; `negotiated` while it takes part in
    /// failover, `drives` while its driver works a VF.
    pub(super) fn answer(
        &self,
        command: &str,
        live: Option<&str>,
        negotiated: bool,
        drives: bool,
    ) -> Result<String, LibvirtError> {
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
                r#"{{"return":{{"id":"{}","kernel-release":"{}","kernel-version":"{}"}}}}"#,
                self.id,
                self.kernel,
                match self.id.ends_with("bsd") {
                    true => "FreeBSD 14.1-RELEASE",
                    false => "#1 SMP PREEMPT_DYNAMIC",
                }
            ));
        }
        if command.contains("guest-network-get-interfaces") {
            let vnics = Definition::parse(live).unwrap_or_default().vnics;
            let mut interfaces: Vec<String> = vec![r#"{"name":"lo"}"#.to_owned()];
            for (number, vnic) in vnics.iter().enumerate() {
                if is_vf(vnic) && !drives {
                    continue;
                }
                let mac = vnic.mac.map(|mac| mac.to_string()).unwrap_or_default();
                // net_failover gives the vNIC a master, which has its MAC, too.
                let standby = negotiated && vnic.teaming == Some(Teaming::Persistent);
                for end in ["", "nsby"].into_iter().take(1 + usize::from(standby)) {
                    interfaces.push(format!(
                        r#"{{"name":"enp{}s0{end}","hardware-address":"{mac}"}}"#,
                        number + 1
                    ));
                }
            }
            return Ok(format!(r#"{{"return":[{}]}}"#, interfaces.join(",")));
        }
        Err(LibvirtError::Failed {
            doing: "ask the guest",
            words: "internal error: unable to execute QEMU agent command: The command has not been found".to_owned(),
        })
    }
}
