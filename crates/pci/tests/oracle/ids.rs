//! Ids of capabilities, from what `pcics` makes of them.

use pcics::capabilities::CapabilityKind as Kind;

/// The id of a capability.
pub fn of(kind: &Kind<'_>) -> u8 {
    match kind {
        Kind::NullCapability => 0x00,
        Kind::PowerManagementInterface(_) => 0x01,
        Kind::AcceleratedGraphicsPort(_) => 0x02,
        Kind::VitalProductData(_) => 0x03,
        Kind::SlotIdentification(_) => 0x04,
        Kind::MessageSignaledInterrups(_) => 0x05,
        Kind::CompactPciHotSwap(_) => 0x06,
        Kind::PciX(_) | Kind::PciXBridge(_) => 0x07,
        Kind::Hypertransport(_) => 0x08,
        Kind::VendorSpecific(_) => 0x09,
        Kind::DebugPort(_) => 0x0a,
        Kind::CompactPciResourceControl(_) => 0x0b,
        Kind::PciHotPlug(_) => 0x0c,
        Kind::BridgeSubsystemVendorId(_) => 0x0d,
        Kind::Agp8x(_) => 0x0e,
        Kind::SecureDevice(_) => 0x0f,
        Kind::PciExpress(_) => 0x10,
        Kind::MsiX(_) => 0x11,
        Kind::Sata(_) => 0x12,
        Kind::AdvancedFeatures(_) => 0x13,
        Kind::EnhancedAllocation(_) => 0x14,
        Kind::FlatteningPortalBridge(_) => 0x15,
        Kind::Reserved(id) => *id,
    }
}
