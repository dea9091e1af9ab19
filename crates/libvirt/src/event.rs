//! What happens at a libvirt daemon, as it is handed to those who watch.

/// Something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VmEvent {
    /// The life of a domain changed (`VIR_DOMAIN_EVENT_ID_LIFECYCLE`).
    Domain {
        /// UUID, with hyphens.
        uuid: String,
        /// Name, the new one after a renaming.
        name: String,
        /// How it changed.
        change: DomainChange,
    },
    /// A device was plugged into a running domain.
    DeviceAdded {
        /// UUID of the domain.
        uuid: String,
        /// Alias of the device.
        alias: String,
    },
    /// A running domain's guest gave a device up.
    DeviceRemoved {
        /// UUID of the domain.
        uuid: String,
        /// Alias of the device.
        alias: String,
    },
    /// A running domain's guest refuses to give a device up.
    DeviceRemovalFailed {
        /// UUID of the domain.
        uuid: String,
        /// Alias of the device.
        alias: String,
    },
    /// The guest agent of a running domain came or went.
    Agent {
        /// UUID of the domain.
        uuid: String,
        /// Whether it is there now.
        connected: bool,
    },
    /// The guest of a running domain rebooted, by itself or by a reset (`VIR_DOMAIN_EVENT_ID_REBOOT`).
    Rebooted {
        /// UUID of the domain.
        uuid: String,
    },
    /// The guest of a running domain takes part in failover, so that QEMU plugs its VF (QEMU's event
    /// `FAILOVER_NEGOTIATED`). Reported where libvirt's library for QEMU is installed.
    FailoverNegotiated {
        /// UUID of the domain.
        uuid: String,
        /// Alias of the vNIC.
        alias: String,
    },
    /// A live migration of a running domain got further, on either side of it (QEMU's event
    /// `MIGRATION`). Reported where libvirt's library for QEMU is installed.
    Migration {
        /// UUID of the domain.
        uuid: String,
        /// How far it is.
        change: MigrationChange,
    },
    /// The life of a virtual network changed.
    Network {
        /// UUID, with hyphens.
        uuid: String,
        /// Name.
        name: String,
        /// How it changed.
        change: NetworkChange,
    },
    /// The daemon went away, or was given up; events may be missed until
    /// [`VmEvent::Reconnected`].
    ConnectionLost {
        /// Why, in a few words.
        reason: String,
    },
    /// The daemon is there again. What happened meanwhile was not reported.
    Reconnected,
}

/// How the life of a domain changed (`virDomainEventType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DomainChange {
    /// Its definition is new or has changed.
    Defined,
    /// It has another name.
    Renamed,
    /// Its definition is gone.
    Undefined,
    /// It runs, also after it came from another node.
    Started,
    /// It is paused.
    Suspended,
    /// It goes on.
    Resumed,
    /// It ended.
    Stopped,
    /// Its guest shuts down.
    ShuttingDown,
    /// Its guest sleeps.
    PmSuspended,
    /// It crashed.
    Crashed,
    /// Something that this release does not know.
    Other,
}

/// How far a live migration is (`MigrationStatus` in QEMU's `qapi/migration.json`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MigrationChange {
    /// The guest is asked to give up the devices that cannot move.
    WaitsForGuest,
    /// Memory is on its way: the guest has released what was requested.
    Active,
    /// It is done; the guest goes on at the target.
    Completed,
    /// It failed or was cancelled: the guest gets its devices back, and goes on where it was.
    Failed,
    /// Another step, of no matter here.
    Other,
}

impl MigrationChange {
    /// From the details of QEMU's event, such as `{"status":"active"}`.
    pub(crate) fn from_details(details: &str) -> Self {
        let mut words = details.split('"').skip_while(|word| *word != "status");
        match words.nth(2) {
            Some("wait-unplug") => MigrationChange::WaitsForGuest,
            Some("active") => MigrationChange::Active,
            Some("completed") => MigrationChange::Completed,
            Some("failed" | "cancelled") => MigrationChange::Failed,
            _ => MigrationChange::Other,
        }
    }
}

/// The alias of the vNIC in the details of `FAILOVER_NEGOTIATED`, such as `{"device-id":"ua-nic"}`.
pub(crate) fn negotiated_by(details: &str) -> String {
    let mut words = details.split('"').skip_while(|word| *word != "device-id");
    words.nth(2).unwrap_or_default().to_owned()
}

/// How the life of a virtual network changed (`virNetworkEventLifecycleType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkChange {
    /// Its definition is new or has changed.
    Defined,
    /// Its definition is gone.
    Undefined,
    /// It runs.
    Started,
    /// It ended.
    Stopped,
    /// Something that this release does not know.
    Other,
}

impl DomainChange {
    /// From `virDomainEventType` and, of a definition, its detail.
    pub(crate) fn from_number(event: i32, detail: i32) -> Self {
        // VIR_DOMAIN_EVENT_DEFINED_RENAMED
        const RENAMED: i32 = 2;
        match (event, detail) {
            (0, RENAMED) => DomainChange::Renamed,
            (0, _) => DomainChange::Defined,
            (1, _) => DomainChange::Undefined,
            (2, _) => DomainChange::Started,
            (3, _) => DomainChange::Suspended,
            (4, _) => DomainChange::Resumed,
            (5, _) => DomainChange::Stopped,
            (6, _) => DomainChange::ShuttingDown,
            (7, _) => DomainChange::PmSuspended,
            (8, _) => DomainChange::Crashed,
            _ => DomainChange::Other,
        }
    }
}

impl NetworkChange {
    /// From `virNetworkEventLifecycleType`.
    pub(crate) fn from_number(event: i32) -> Self {
        match event {
            0 => NetworkChange::Defined,
            1 => NetworkChange::Undefined,
            2 => NetworkChange::Started,
            3 => NetworkChange::Stopped,
            _ => NetworkChange::Other,
        }
    }
}

/// A watch under way; it ends when this is dropped.
pub struct WatchHandle {
    stop: Option<Box<dyn FnOnce() + Send>>,
}

impl WatchHandle {
    /// A watch that `stop` ends.
    pub fn new(stop: impl FnOnce() + Send + 'static) -> Self {
        WatchHandle {
            stop: Some(Box::new(stop)),
        }
    }

    /// Ends it. One event may still be on its way.
    pub fn stop(self) {}
}

impl Drop for WatchHandle {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MigrationChange, negotiated_by};

    #[test]
    fn the_vnic_that_takes_part_in_failover_is_read() {
        for (details, alias) in [
            (r#"{"device-id":"ua-accelnet-nic-1"}"#, "ua-accelnet-nic-1"),
            (r#"{"device-id": "net0"}"#, "net0"),
            ("{}", ""),
            ("", ""),
        ] {
            assert_eq!(negotiated_by(details), alias, "{details}");
        }
    }

    #[test]
    fn the_details_of_qemu_are_read() {
        for (details, change) in [
            (
                r#"{"status":"wait-unplug"}"#,
                MigrationChange::WaitsForGuest,
            ),
            (r#"{"status": "active"}"#, MigrationChange::Active),
            (r#"{"status":"completed"}"#, MigrationChange::Completed),
            (r#"{"status":"cancelled"}"#, MigrationChange::Failed),
            (r#"{"status":"cancelling"}"#, MigrationChange::Other),
            (r#"{"status":"failed"}"#, MigrationChange::Failed),
            (r#"{"status":"pre-switchover"}"#, MigrationChange::Other),
            ("{}", MigrationChange::Other),
            ("", MigrationChange::Other),
        ] {
            assert_eq!(MigrationChange::from_details(details), change, "{details}");
        }
    }
}
