//! Netlink messages: the 16-byte header (`struct nlmsghdr`) and what stands after it.

use crate::attr::{Malformed, align};

/// Bytes of `struct nlmsghdr`.
pub const HEADER: usize = 16;

/// One message of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// `nlmsg_type`.
    pub kind: u16,
    /// `nlmsg_flags`.
    pub flags: u16,
    /// `nlmsg_seq`.
    pub sequence: u32,
    /// What stands after the header.
    pub body: &'a [u8],
}

impl Message<'_> {
    /// The message as it goes over the wire, padded.
    pub fn encode(&self) -> Vec<u8> {
        let length = (HEADER + self.body.len()) as u32;
        let mut bytes = Vec::with_capacity(align(HEADER + self.body.len()));
        bytes.extend_from_slice(&length.to_ne_bytes());
        bytes.extend_from_slice(&self.kind.to_ne_bytes());
        bytes.extend_from_slice(&self.flags.to_ne_bytes());
        bytes.extend_from_slice(&self.sequence.to_ne_bytes());
        bytes.extend_from_slice(&[0; 4]); // nlmsg_pid: the kernel fills it
        bytes.extend_from_slice(self.body);
        bytes.resize(align(bytes.len()), 0);
        bytes
    }
}

/// The messages of a datagram. Ends after the first malformed one.
#[derive(Debug, Clone)]
pub struct Messages<'a>(pub &'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let rest = std::mem::take(&mut self.0);
        let Some((header, _)) = rest.split_first_chunk::<HEADER>() else {
            return Some(Err(Malformed(format!(
                "{} bytes are left where a message should begin",
                rest.len()
            ))));
        };
        let [l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3, ..] = *header;
        let length = u32::from_ne_bytes([l0, l1, l2, l3]) as usize;
        let Some(body) = rest.get(HEADER..length) else {
            return Some(Err(Malformed(format!(
                "a message has length {length}, with {} bytes left",
                rest.len()
            ))));
        };
        self.0 = rest.get(align(length)..).unwrap_or_default();
        Some(Ok(Message {
            kind: u16::from_ne_bytes([k0, k1]),
            flags: u16::from_ne_bytes([f0, f1]),
            sequence: u32::from_ne_bytes([s0, s1, s2, s3]),
            body,
        }))
    }
}
