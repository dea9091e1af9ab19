//! Programs that configure links of their own accord.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A program that configures a link beside accelnet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keeper {
    /// The program.
    pub program: Program,
    /// Files in which it has the link's configuration, as far as they are known.
    pub files: Vec<String>,
    /// Whether it renews a lease of the link.
    pub leases: bool,
    /// Whether its configuration makes the link a port of a bridge or a bond.
    pub as_port: bool,
    /// Whether cloud-init writes these files again at each boot.
    pub cloud_init: bool,
}

/// What a [`Keeper`] is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "program", rename_all = "kebab-case")]
pub enum Program {
    /// systemd-networkd.
    Networkd,
    /// NetworkManager.
    NetworkManager {
        /// The name of the connection that is active on the link.
        connection: Option<String>,
    },
    /// netplan, which writes the configuration of networkd or NetworkManager.
    Netplan {
        /// What the link is called in netplan's files.
        id: String,
    },
    /// ifupdown.
    Ifupdown,
    /// The network scripts of Red Hat systems.
    NetworkScripts,
    /// wicked.
    Wicked,
    /// A DHCP client that runs by itself.
    DhcpClient {
        /// Its name, such as `dhclient`.
        name: String,
        /// Its process.
        process: u32,
    },
}

impl fmt::Display for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.program {
            Program::Networkd => "systemd-networkd",
            Program::NetworkManager { .. } => "NetworkManager",
            Program::Netplan { .. } => "netplan",
            Program::Ifupdown => "ifupdown",
            Program::NetworkScripts => "network-scripts",
            Program::Wicked => "wicked",
            Program::DhcpClient { name, .. } => name,
        })
    }
}

/// What renews addresses of a link that are valid for a time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    /// The link.
    pub link: String,
    /// The programs that configure it.
    pub keepers: Vec<Keeper>,
    /// Whether the kernel takes router advertisements on it.
    pub advertisements: bool,
}
