//! The mode of an adapter's embedded switch (devlink over generic netlink).

use accelnet_model::PciAddress;
use accelnet_model::adapter::EswitchMode;

use crate::NetlinkError;
use crate::abi::*;
use crate::attr::{Attrs, Malformed, Writer};
use crate::message::Messages;
use crate::socket::{Answer, Request, ask};

#[cfg(test)]
mod tests;

/// Asks for the eswitch mode of the adapter at `address` (`DEVLINK_CMD_ESWITCH_GET`); none
/// where the kernel has no devlink, the driver does not take part in it, or has no
/// eswitch. Needs `CAP_NET_ADMIN`.
pub fn eswitch_mode(address: PciAddress) -> Result<Option<EswitchMode>, NetlinkError> {
    let Some(family) = family()? else {
        return Ok(None);
    };
    let mut body = header(DEVLINK_CMD_ESWITCH_GET);
    body.text(DEVLINK_ATTR_BUS_NAME, "pci")
        .text(DEVLINK_ATTR_DEV_NAME, &address.to_string());
    let what = format!("read the eswitch mode of {address}");
    match question(&what, family, body) {
        Ok(answer) => mode(&answer).map_err(|reason| NetlinkError::malformed(&what, reason)),
        Err(error) => absent(error, &[libc::ENODEV, libc::EOPNOTSUPP]),
    }
}

/// The number that the kernel gave to devlink; none where it has no devlink.
fn family() -> Result<Option<u16>, NetlinkError> {
    let mut body = header(CTRL_CMD_GETFAMILY);
    body.text(CTRL_ATTR_FAMILY_NAME, "devlink");
    let what = "look for devlink";
    match question(what, GENL_ID_CTRL, body) {
        Ok(answer) => match number(&answer, CTRL_ATTR_FAMILY_ID) {
            Ok(Some(id)) => Ok(Some(id)),
            Ok(None) => Err(Malformed::new("it has no family id")),
            Err(reason) => Err(reason),
        }
        .map_err(|reason| NetlinkError::malformed(what, reason)),
        Err(error) => absent(error, &[libc::ENOENT]),
    }
}

/// None where the error number is one of those that mean "there is none".
fn absent<T>(error: NetlinkError, numbers: &[i32]) -> Result<Option<T>, NetlinkError> {
    match error.errno() {
        Some(errno) if numbers.contains(&errno) => Ok(None),
        _ => Err(error),
    }
}

/// `struct genlmsghdr`: the command, and version 1.
fn header(command: u8) -> Writer {
    Writer::new(&[command, 1, 0, 0])
}

fn question(what: &str, kind: u16, body: Writer) -> Result<Answer, NetlinkError> {
    ask(Request {
        what: what.to_owned(),
        protocol: netlink_sys::constants::NETLINK_GENERIC,
        kind,
        dump: false,
        flags: 0,
        body: body.finish(),
    })
}

fn mode(answer: &Answer) -> Result<Option<EswitchMode>, Malformed> {
    match number(answer, DEVLINK_ATTR_ESWITCH_MODE)? {
        None => Ok(None),
        Some(0) => Ok(Some(EswitchMode::Legacy)),
        // 2 is switchdev that does not yet forward (Linux 6.19).
        Some(1 | 2) => Ok(Some(EswitchMode::Switchdev)),
        Some(mode) => Err(Malformed(format!("eswitch mode {mode} is not known"))),
    }
}

/// The 16-bit number in the first attribute of type `kind` in the answer.
fn number(answer: &Answer, kind: u16) -> Result<Option<u16>, Malformed> {
    for message in Messages(&answer.messages) {
        let attrs = message?.body.get(GENL_LEN..);
        for attr in Attrs(attrs.ok_or_else(|| Malformed::new("a message is short"))?) {
            let attr = attr?;
            if attr.kind == kind {
                return attr.u16().map(Some);
            }
        }
    }
    Ok(None)
}
