//! What is observed once for all adapters.

use accelnet_model::{Domain, Observed};
use accelnet_netlink::NetlinkError;

use super::placed::Placed;

/// What is read once and needed by several.
pub(super) struct Snapshot {
    pub(super) links: Result<Placed, NetlinkError>,
    pub(super) domains: Observed<Vec<Domain>>,
    /// Ask the kernel no more than a change needs.
    pub(super) brief: bool,
}
