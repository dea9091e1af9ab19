//! What can go wrong with a node that never existed.

use std::time::Duration;

/// A fault. It lasts until it is repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The write of `sriov_numvfs` ends with this error number, and nothing has changed.
    Errno(i32),
    /// The same, and the driver gives the reason in the kernel log.
    Refuses {
        /// Error number.
        errno: i32,
        /// What the driver logs.
        words: &'static str,
    },
    /// The driver takes every number of VFs but this one.
    RefusesNumber {
        /// The number.
        vfs: u16,
        /// Error number.
        errno: i32,
    },
    /// `/sys` is mounted read-only, as in a container: no knob opens (EROFS).
    ReadOnlySys,
    /// The user is not root: neither the lock nor a knob opens (EACCES).
    NotRoot,
    /// The driver does not come back from the write, which holds the device lock meanwhile.
    Hang,
    /// The driver makes so many VFs and no more, and reports success. The kernel reports the
    /// same number.
    FewerThanAsked(u16),
    /// The write comes back at once, and the VFs from this one on appear later.
    Late {
        /// VFs that are there at once.
        at_once: u16,
        /// When the others come.
        after: Duration,
    },
    /// Something on the host (a udev rule, driverctl) binds this VF to its network driver.
    HostDriver {
        /// VF that it happens to.
        vf: u16,
    },
    /// The same, and something (NetworkManager) brings its netdev up.
    HostNetdevUp {
        /// VF that it happens to.
        vf: u16,
    },
    /// After so many VFs the driver gives up (EIO) and is unbound; the VFs stay.
    DriverDies {
        /// VFs that came to be.
        after_vfs: u16,
    },
    /// After so many VFs the driver oopses: the process that writes is killed, and the device lock
    /// is never given back.
    DriverOopses {
        /// VFs that came to be.
        after_vfs: u16,
    },
    /// The adapter is gone when the write comes back (EIO).
    AdapterVanishes,
    /// The adapter goes after the write has come back, while its last VF is waited for.
    AdapterVanishesLater,
    /// A process opens the vfio groups between the look and the act.
    GroupsTaken,
    /// The kernel's answer about VF settings holds so many and is cut short.
    SettingsCutShort {
        /// VFs in the answer.
        got: u32,
    },
    /// The driver answers for all VFs but this one, which the kernel's answer then leaves out.
    SettingsLeftOut {
        /// Index of the VF.
        vf: u32,
    },
}
