//! Rules of policy routing.

use crate::abi::*;
use crate::socket::{Request, ask};
use crate::{NetlinkError, decode};

/// Reads the rules that name the link called `name` (`iif`, `oif`), IPv4 and IPv6, as `ip rule`
/// shows them. Needs no rights.
///
/// # Errors
///
/// See [`NetlinkError`].
pub fn rules_of(name: &str) -> Result<Vec<String>, NetlinkError> {
    let mut rules = Vec::new();
    for family in [AF_INET, AF_INET6] {
        let mut header = [0; FIB_RULE_LEN];
        header[0] = family;
        let answer = ask(Request {
            what: "read the rules".to_owned(),
            protocol: netlink_sys::constants::NETLINK_ROUTE,
            kind: RTM_GETRULE,
            dump: true,
            flags: 0,
            body: header.to_vec(),
        })?;
        rules.extend(decode::rules_of(&answer.messages, name)?);
    }
    Ok(rules)
}
