//! Acknowledgements (`NLMSG_ERROR`, `NLMSG_DONE`) and the extended ack at their tail: the
//! words in which the kernel or a driver gives the reason, which no crate we know reads.

use crate::abi::{
    NLM_F_ACK_TLVS, NLM_F_CAPPED, NLMSG_DONE, NLMSG_ERROR, NLMSGERR_ATTR_MISS_TYPE,
    NLMSGERR_ATTR_MSG, NLMSGERR_ATTR_OFFS,
};
use crate::attr::{Attrs, align};
use crate::message::{HEADER, Message, Messages};

#[cfg(test)]
mod tests;

/// The content of an acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ack {
    /// Error number, positive; 0 for success.
    pub errno: i32,
    /// The kernel's or driver's words; a warning where `errno` is 0.
    pub words: Option<String>,
    /// Byte of the request at which it took offence, from the start of its header.
    pub offset: Option<u32>,
    /// Type of an attribute that was missed in the request.
    pub missing: Option<u32>,
}

impl Ack {
    /// The first acknowledgement in a datagram; none without one.
    pub fn find(datagram: &[u8]) -> Option<Ack> {
        Messages(datagram)
            .map_while(Result::ok)
            .find_map(|message| Ack::of(&message))
    }

    /// What `message` acknowledges; none if it is no acknowledgement, or too short for one.
    pub(crate) fn of(message: &Message<'_>) -> Option<Ack> {
        let (code, rest) = message.body.split_first_chunk::<4>()?;
        let tail = match message.kind {
            NLMSG_ERROR => after_request(message, rest),
            NLMSG_DONE => rest,
            _ => return None,
        };
        let mut ack = Ack {
            errno: i32::from_ne_bytes(*code).saturating_abs(),
            ..Ack::default()
        };
        if message.flags & NLM_F_ACK_TLVS != 0 {
            // The error number counts more than its explanation: what cannot be read of
            // the latter is left out.
            for attr in Attrs(tail).map_while(Result::ok) {
                match attr.kind {
                    NLMSGERR_ATTR_MSG => ack.words = Some(attr.text()).filter(|w| !w.is_empty()),
                    NLMSGERR_ATTR_OFFS => ack.offset = attr.u32().ok(),
                    NLMSGERR_ATTR_MISS_TYPE => ack.missing = attr.u32().ok(),
                    _ => {}
                }
            }
        }
        Some(ack)
    }

    /// The words, or else what the other parts amount to.
    pub(crate) fn explanation(&self) -> Option<String> {
        match (&self.words, self.missing, self.offset) {
            (Some(words), Some(kind), _) => Some(format!("{words} (attribute {kind} is missing)")),
            (Some(words), None, _) => Some(words.clone()),
            (None, Some(kind), _) => Some(format!("attribute {kind} is missing")),
            (None, None, Some(offset)) => Some(format!("it objects to byte {offset}")),
            (None, None, None) => None,
        }
    }
}

/// What follows the copy of the request, which is its header alone where the message is
/// capped, and all of it otherwise.
fn after_request<'a>(message: &Message<'a>, rest: &'a [u8]) -> &'a [u8] {
    let length = match rest.first_chunk::<4>() {
        Some(length) if message.flags & NLM_F_CAPPED == 0 => u32::from_ne_bytes(*length) as usize,
        _ => HEADER,
    };
    let start = rest.len().min(length.max(HEADER));
    rest.get(align(start)..).unwrap_or_default()
}
