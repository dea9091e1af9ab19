//! The virtual switches of a node: looked at, changed step by step, and handed what the node
//! needs without cutting it off.

pub mod guard;
pub mod hand_over;
mod keepers;
mod kernel;

use std::net::IpAddr;
use std::time::Duration;

use accelnet_model::switch::{Bridge, Carried, Standing, SwitchStep, Uplink};
use accelnet_netlink::NetlinkError;
use accelnet_pci::Root;

use crate::Links;

pub use keepers::keepers;
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

    /// Does one step. Done twice, it changes nothing the second time.
    ///
    /// # Errors
    ///
    /// See [`NetlinkError`].
    fn apply(&self, step: &SwitchStep) -> Result<(), NetlinkError>;

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
    let mut seen = Vec::new();
    for link in &links {
        if uplinks.contains(&link.name) {
            seen.push(Uplink {
                name: link.name.clone(),
                carried: switches.carried(&link.name)?,
                keepers: keepers(root, link),
            });
        }
    }
    Ok(Standing {
        bridges: switches.look()?,
        uplinks: seen,
        links,
    })
}
