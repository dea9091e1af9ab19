//! What a bridge lets through its ports (`bridge -d link show`, `bridge vlan show`).

use accelnet_model::switch::PortRules;

use crate::abi::*;
use crate::attr::Writer;
use crate::links::raw_links;
use crate::socket::{Request, ask};
use crate::{NetlinkError, decode};

/// Reads the rules of the bridge called `name` for its ports; none where there is no such link. Needs no
/// rights.
///
/// # Errors
///
/// See [`NetlinkError`].
pub fn port_rules(name: &str) -> Result<Option<PortRules>, NetlinkError> {
    let mut header = [0; IFINFO_LEN];
    header[0] = AF_BRIDGE;
    let mut body = Writer::new(&header);
    body.words(IFLA_EXT_MASK, &[RTEXT_FILTER_BRVLAN]);
    let ports = ask(Request {
        what: "read the ports of bridges".to_owned(),
        protocol: netlink_sys::constants::NETLINK_ROUTE,
        kind: RTM_GETLINK,
        dump: true,
        flags: 0,
        body: body.finish(),
    })?;
    decode::port_rules(&raw_links()?, &ports.messages, name)
}
