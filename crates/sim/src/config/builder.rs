//! A configuration space that grows.

const STATUS: usize = 0x06;

const CLASS: usize = 0x09;

const HEADER_TYPE: usize = 0x0e;

const CAPABILITIES: usize = 0x34;

const EXTENDED: usize = 0x100;

const SIZE: usize = 0x1000;

/// A configuration space that grows.
///
/// Capabilities are chained in the order in which they are added. Bytes that would lie
/// past the end of the space are dropped.
#[derive(Debug, Clone)]
pub struct ConfigBuilder {
    pub(super) bytes: Vec<u8>,
    /// Where the pointer to the next capability goes.
    next: usize,
    /// The last extended capability.
    last_extended: Option<usize>,
}

impl ConfigBuilder {
    /// A function of `vendor` and `device` with the 24-bit `class` code.
    pub fn function(vendor: u16, device: u16, class: u32) -> Self {
        let mut builder = ConfigBuilder {
            bytes: vec![0; SIZE],
            next: CAPABILITIES,
            last_extended: None,
        };
        builder.put(0, &vendor.to_le_bytes());
        builder.put(2, &device.to_le_bytes());
        let [interface, subclass, class, _] = class.to_le_bytes();
        builder.put(CLASS, &[interface, subclass, class]);
        builder
    }

    /// A virtual function: its vendor and device read as all ones (section 9.3.4.1).
    pub fn virtual_function() -> Self {
        ConfigBuilder::function(u16::MAX, u16::MAX, 0x02_0000)
    }

    /// A PCI-to-PCI bridge with its primary, secondary and subordinate bus.
    pub fn bridge(vendor: u16, device: u16, buses: [u8; 3]) -> Self {
        let mut builder = ConfigBuilder::function(vendor, device, 0x06_0400);
        builder.put(HEADER_TYPE, &[1]);
        builder.put(0x18, &buses);
        builder
    }

    /// Marks a device with several functions.
    #[must_use]
    pub fn multifunction(mut self) -> Self {
        self.bytes[HEADER_TYPE] |= 0x80;
        self
    }

    /// Adds a capability whose registers after its header of two bytes are `body`.
    #[must_use]
    pub fn capability(mut self, offset: u8, id: u8, body: &[u8]) -> Self {
        self.bytes[STATUS] |= 1 << 4;
        self.put(self.next, &[offset]);
        let offset = usize::from(offset);
        self.put(offset, &[id, 0]);
        self.put(offset + 2, body);
        self.next = offset + 1;
        self
    }

    /// Adds an extended capability whose registers after its header of four bytes are
    /// `body`. When the first is not at 0x100, an empty one that leads there is.
    #[must_use]
    pub fn extended(mut self, offset: u16, id: u16, version: u8, body: &[u8]) -> Self {
        let at = usize::from(offset);
        let last = self.last_extended.unwrap_or(EXTENDED);
        if at != last {
            let [low, high] = (offset << 4).to_le_bytes();
            let version = self.bytes[last + 2] & 0xf;
            self.put(last + 2, &[low | version, high]);
        }
        let [low, high] = id.to_le_bytes();
        self.put(at, &[low, high, version & 0xf, 0]);
        self.put(at + 4, body);
        self.last_extended = Some(at);
        self
    }

    /// Overwrites what is at `offset`.
    #[must_use]
    pub fn overwrite(mut self, offset: u16, bytes: &[u8]) -> Self {
        self.put(offset.into(), bytes);
        self
    }

    /// The 4096 bytes.
    pub fn build(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn put(&mut self, at: usize, bytes: &[u8]) {
        let space = self.bytes.get_mut(at..).unwrap_or_default();
        for (place, byte) in space.iter_mut().zip(bytes) {
            *place = *byte;
        }
    }
}
