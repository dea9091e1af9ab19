//! Programs that configure links of their own accord.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who configures a link beside accelnet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "keeper", rename_all = "kebab-case")]
pub enum Keeper {
    /// systemd-networkd.
    Networkd,
    /// NetworkManager.
    NetworkManager,
    /// A DHCP client that renews a lease for it.
    DhcpClient {
        /// Its name, such as `dhclient`.
        program: String,
    },
}

impl fmt::Display for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Keeper::Networkd => f.write_str("systemd-networkd"),
            Keeper::NetworkManager => f.write_str("NetworkManager"),
            Keeper::DhcpClient { program } => f.write_str(program),
        }
    }
}
