//! Reads raw route netlink answers. Any bytes end in a value or an error; nothing that is
//! cut, contradictory or unknown is passed over in silence.

use accelnet_model::link::Link;
use accelnet_model::vf::VfSettings;

use crate::NetlinkError;
use crate::abi::{IFINFO_LEN, NLMSG_DONE, NLMSG_ERROR, RTM_NEWLINK};
use crate::ack::Ack;
use crate::attr::{Attrs, Malformed};
use crate::message::Messages;

mod link;
mod vf;

#[cfg(test)]
mod tests;

/// Reads the links of one or more `RTM_NEWLINK` messages. Masters are named by the links
/// of the same answer; one that is not among them is called `link N`.
pub fn links(bytes: &[u8]) -> Result<Vec<Link>, NetlinkError> {
    let what = "read the links";
    let mut found = Vec::new();
    for body in link_messages(what, bytes)? {
        found.push(link::decode(body).map_err(|e| NetlinkError::malformed(what, e))?);
    }
    Ok(link::name_masters(found))
}

/// Reads the VF settings of an answer about one link.
///
/// # Errors
///
/// [`NetlinkError::CutShort`] where the VFs in the list are not as many as the adapter
/// has, which also shows the overflow of the list's 16-bit length;
/// [`NetlinkError::NoVfSettings`] where there are VFs and no list; and
/// [`NetlinkError::Malformed`] for everything else, an answer of no or two links included.
pub fn vf_settings(bytes: &[u8]) -> Result<Vec<VfSettings>, NetlinkError> {
    let what = "read the VF settings";
    let bodies = link_messages(what, bytes)?;
    let [body] = bodies[..] else {
        let reason = format!("it is about {} links instead of one", bodies.len());
        return Err(NetlinkError::malformed(what, Malformed(reason)));
    };
    vf::decode(what, body)
}

/// The bodies of all `RTM_NEWLINK` messages in `bytes`.
fn link_messages<'a>(what: &str, bytes: &'a [u8]) -> Result<Vec<&'a [u8]>, NetlinkError> {
    let mut bodies = Vec::new();
    for message in Messages(bytes) {
        let message = message.map_err(|reason| NetlinkError::malformed(what, reason))?;
        match message.kind {
            RTM_NEWLINK => bodies.push(message.body),
            NLMSG_ERROR | NLMSG_DONE => match Ack::of(&message) {
                Some(ack) if ack.errno == 0 => {}
                Some(ack) => return Err(NetlinkError::refused(what, ack)),
                None => {
                    let reason = Malformed::new("an acknowledgement is short");
                    return Err(NetlinkError::malformed(what, reason));
                }
            },
            kind => {
                let reason = Malformed(format!("message type {kind} is not about links"));
                return Err(NetlinkError::malformed(what, reason));
            }
        }
    }
    Ok(bodies)
}

/// `struct ifinfomsg` for a question about link `index`: everything else zero, as strict
/// checking wants it.
pub(crate) fn ifinfo(index: u32) -> [u8; IFINFO_LEN] {
    let mut header = [0; IFINFO_LEN];
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    header
}

/// The fixed part of a link message, and its attributes.
struct LinkBody<'a> {
    index: u32,
    flags: u32,
    attrs: Attrs<'a>,
}

impl<'a> LinkBody<'a> {
    fn read(body: &'a [u8]) -> Result<Self, Malformed> {
        let Some((header, attrs)) = body.split_first_chunk::<IFINFO_LEN>() else {
            return Err(Malformed(format!(
                "a link has {} bytes, fewer than {IFINFO_LEN}",
                body.len()
            )));
        };
        let [_, _, _, _, i0, i1, i2, i3, f0, f1, f2, f3, ..] = *header;
        Ok(LinkBody {
            index: u32::from_ne_bytes([i0, i1, i2, i3]),
            flags: u32::from_ne_bytes([f0, f1, f2, f3]),
            attrs: Attrs(attrs),
        })
    }
}
