//! Netlink attributes: a reader that checks every bound and drops nothing in silence, and
//! the writer that is its counterpart.

use crate::abi::{NLA_F_NESTED, NLA_FLAGS};

#[cfg(test)]
mod tests;

/// Bytes of `struct nlattr`.
pub(crate) const HEADER: usize = 4;

/// Rounds up to the alignment of netlink (`NLMSG_ALIGN`, `NLA_ALIGN`: four bytes).
pub fn align(length: usize) -> usize {
    length.next_multiple_of(4)
}

/// Why bytes are not what they should be, as a fragment like "an attribute of 3 bytes".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed(pub String);

impl Malformed {
    /// A reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Malformed(reason.into())
    }
}

/// One attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attr<'a> {
    /// `nla_type` without its flag bits.
    pub kind: u16,
    /// What stands after the header.
    pub value: &'a [u8],
}

impl<'a> Attr<'a> {
    /// The attributes within.
    pub fn nested(self) -> Attrs<'a> {
        Attrs(self.value)
    }

    /// A number in the machine's byte order, alone in the attribute.
    pub fn u32(self) -> Result<u32, Malformed> {
        match self.value.try_into() {
            Ok(bytes) => Ok(u32::from_ne_bytes(bytes)),
            Err(_) => Err(self.wrong_size(4)),
        }
    }

    /// A 16-bit number in the machine's byte order.
    pub fn u16(self) -> Result<u16, Malformed> {
        match self.value.try_into() {
            Ok(bytes) => Ok(u16::from_ne_bytes(bytes)),
            Err(_) => Err(self.wrong_size(2)),
        }
    }

    /// One byte.
    pub fn u8(self) -> Result<u8, Malformed> {
        match self.value {
            [byte] => Ok(*byte),
            _ => Err(self.wrong_size(1)),
        }
    }

    /// The first `N` numbers of a kernel struct of `__u32`s; newer kernels may add more.
    pub fn words<const N: usize>(self) -> Result<[u32; N], Malformed> {
        let mut words = [0; N];
        for (index, word) in words.iter_mut().enumerate() {
            let bytes = self.value.get(4 * index..4 * index + 4);
            *word = match bytes.map(TryInto::try_into) {
                Some(Ok(bytes)) => u32::from_ne_bytes(bytes),
                _ => return Err(self.wrong_size(4 * N)),
            };
        }
        Ok(words)
    }

    /// Text up to its NUL. Names may be any bytes: what is not UTF-8 is replaced.
    pub fn text(self) -> String {
        let end = self.value.iter().position(|byte| *byte == 0);
        let bytes = &self.value[..end.unwrap_or(self.value.len())];
        String::from_utf8_lossy(bytes).into_owned()
    }

    fn wrong_size(self, expected: usize) -> Malformed {
        Malformed(format!(
            "attribute {} has {} bytes instead of {expected}",
            self.kind,
            self.value.len()
        ))
    }
}

/// Attributes one after the other. Ends after the first malformed one.
#[derive(Debug, Clone)]
pub struct Attrs<'a>(pub &'a [u8]);

impl<'a> Iterator for Attrs<'a> {
    type Item = Result<Attr<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let rest = std::mem::take(&mut self.0);
        let [l0, l1, k0, k1, ..] = *rest else {
            return Some(Err(Malformed(format!(
                "{} bytes are left where an attribute should begin",
                rest.len()
            ))));
        };
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        let kind = u16::from_ne_bytes([k0, k1]) & !NLA_FLAGS;
        let Some(value) = rest.get(HEADER..length) else {
            return Some(Err(Malformed(format!(
                "attribute {kind} has length {length}, with {} bytes left",
                rest.len()
            ))));
        };
        self.0 = rest.get(align(length)..).unwrap_or_default();
        Some(Ok(Attr { kind, value }))
    }
}

/// Writes attributes, padded as the kernel pads them.
#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Begins with `header`: the fixed part of the message.
    pub fn new(header: &[u8]) -> Self {
        let mut writer = Writer(header.to_vec());
        writer.pad();
        writer
    }

    /// An attribute of bytes. The length field wraps past 64 KiB, as the kernel's does.
    pub fn bytes(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        self.head(kind, HEADER + value.len());
        self.0.extend_from_slice(value);
        self.pad();
        self
    }

    /// A number, or a kernel struct of numbers.
    pub fn words(&mut self, kind: u16, words: &[u32]) -> &mut Self {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        self.bytes(kind, &bytes)
    }

    /// Text with its NUL.
    pub fn text(&mut self, kind: u16, text: &str) -> &mut Self {
        self.bytes(kind, &[text.as_bytes(), &[0]].concat())
    }

    /// An attribute of attributes, without `NLA_F_NESTED`, as route netlink has most.
    pub fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) -> &mut Self {
        let start = self.0.len();
        self.head(kind, 0);
        fill(self);
        let length = (self.0.len() - start) as u16;
        self.0[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        self
    }

    /// An attribute of attributes with `NLA_F_NESTED`.
    pub fn flagged_nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) -> &mut Self {
        self.nest(kind | NLA_F_NESTED, fill)
    }

    /// What was written.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }

    fn head(&mut self, kind: u16, length: usize) {
        self.0.extend_from_slice(&(length as u16).to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
    }

    fn pad(&mut self) {
        self.0.resize(align(self.0.len()), 0);
    }
}
