//! The virtual switches of a node: looked at, changed step by step, and handed what the node
//! needs without cutting it off.

mod firewall;
pub mod guard;
pub mod hand_over;
mod keepers;
mod kernel;

use std::net::IpAddr;
use std::time::Duration;

use accelnet_model::switch::{Bridge, Carried, Mention, PortRules, Standing, SwitchStep, Uplink};
use accelnet_netlink::NetlinkError;
use accelnet_pci::Root;

use crate::Links;

pub use kernel::KernelSwitches;

/// The virtual switches of a node.
pub trait Switches: Send + Sync {
    /// All bridges, with their ports and addresses.
    ///
    /// # Errors
    ///
    /// See [`NetlinkError`].
    fn look(&self) -> Result<Vec<Bridge>, NetlinkError>;

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
    /// node: not for every look.
    fn mentions(&self, link: &str) -> Vec<Mention>;

    /// Whether `gateway` answers to a question that is asked now on `link`; waits for no
    /// longer than about `within`. One whose MAC is fixed cannot be asked, and does not.
    fn answers(&self, gateway: IpAddr, link: &str, within: Duration) -> bool;
}

/// Looks at all that a plan for a virtual switch with these adapters is made from. An adapter
/// whose link is not there is left out.
///
/// # Errors
///
/// See [`NetlinkError`].
pub fn standing(
    switches: &dyn Switches,
    links: &dyn Links,
    root: &Root,
    uplinks: &[String],
) -> Result<Standing, NetlinkError> {
    let links = links.links()?;
    let bridges = switches.look()?;
    let clients = keepers::clients(root);
    let mut standing = Standing::default();
    for link in &links {
        let uplink = uplinks.contains(&link.name);
        if uplink {
            standing.uplinks.push(Uplink {
                name: link.name.clone(),
                carried: switches.carried(&link.name)?,
                keepers: keepers::keepers(root, link, &clients),
            });
        }
        if uplink || bridges.iter().any(|bridge| bridge.name == link.name) {
            let renewal = keepers::renewal(root, link, &clients);
            standing.renewals.push(renewal);
        }
    }
    Ok(Standing {
        bridges,
        links,
        ..standing
    })
}
