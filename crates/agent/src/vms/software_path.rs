//! Whether VMs may be moved to their software path: not while the host's firewall drops what the bridge forwards.

use accelnet_host::firewall::bridge_filter;
use accelnet_model::{Observed, Problem};
use accelnet_rules::software_path::judge;

use crate::context::Context;

/// Evaluates the managed intent's bridge as it is now; a warning where it is unclear.
///
/// # Errors
///
/// The firewall drops everything that the bridge forwards.
pub(crate) fn check(ctx: &Context, bridge: Option<&str>) -> Result<Option<Problem>, Problem> {
    let Some(bridge) = bridge else {
        return Ok(None);
    };
    let host = ctx.edge.host();
    let links = host.links.links();
    let Observed::Known(filter) = bridge_filter(&host, links.as_deref()) else {
        return Ok(None);
    };
    let forwarding = judge(&filter, bridge);
    forwarding.must_pass(&ctx.node, Some(bridge))?;
    Ok(forwarding.warning(&ctx.node, Some(bridge)))
}
