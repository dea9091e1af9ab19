//! The effects on the virtual switches of a node.

use std::net::IpAddr;
use std::time::Duration;

use accelnet_model::switch::{Bridge, Carried, Mention, PortRules, SwitchStep};
use accelnet_netlink::NetlinkError;

/// The virtual switches of a node.
pub trait Switches: Send + Sync {
    /// All bridges, with their ports and addresses.
    ///
    /// # Errors
    ///
    /// See [`NetlinkError`].
    fn list_bridges(&self) -> Result<Vec<Bridge>, NetlinkError>;

    /// What a link carries of the node, and what stands on it.
    ///
    /// # Errors
    ///
    /// See [`NetlinkError`]; `ENODEV` where there is no such link.
    fn carried(&self, link: &str) -> Result<Carried, NetlinkError>;

    /// What the bridge called `bridge` lets through its ports; none where there is no such link.
    ///
    /// # Errors
    ///
    /// See [`NetlinkError`].
    fn port_rules(&self, bridge: &str) -> Result<Option<PortRules>, NetlinkError>;

    /// Does one step. Done twice, it changes nothing the second time.
    ///
    /// # Errors
    ///
    /// See [`NetlinkError`].
    fn apply(&self, step: &SwitchStep) -> Result<(), NetlinkError>;

    /// Where firewalls, policy routing and traffic control name `link`. It takes programs of the
    /// node: not for every read.
    fn mentions(&self, link: &str) -> Vec<Mention>;

    /// Whether `gateway` answers to a question that is asked now on `link`; waits for no
    /// longer than about `within`. One whose MAC is fixed cannot be asked, and does not.
    fn answers(&self, gateway: IpAddr, link: &str, within: Duration) -> bool;
}
