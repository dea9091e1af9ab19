//! Compares our walker with crate `pcics`, which shares no code with it.
//!
//! Where the two cannot be compared, or `pcics` is wrong, the reason is here. The fuzz target
//! includes this file as well.

mod ids;

use accelnet_pci::ConfigSpace;
use accelnet_pci::config::{ExpressLink, PortType};
use pcics::capabilities::pci_express::{DeviceType, Link, LinkSpeed, LinkWidth};
use pcics::capabilities::{CapabilityKind, MsiX, PciExpress};
use pcics::extended_capabilities::{
    AccessControlServices, ExtendedCapabilityKind, SingleRootIoVirtualization,
};
use pcics::{Capabilities, DDR_OFFSET, ECS_OFFSET, ExtendedCapabilities, Header};

/// How much could be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compared {
    /// Capabilities of both lists.
    pub capabilities: usize,
    /// Capabilities whose fields were compared.
    pub decoded: usize,
}

/// Compares the two on a configuration space.
///
/// # Panics
///
/// When they differ.
pub fn compare(bytes: &[u8]) -> Compared {
    let mut compared = Compared::default();
    compare_capabilities(bytes, &mut compared);
    compare_extended(bytes, &mut compared);
    compared
}

fn compare_capabilities(bytes: &[u8], compared: &mut Compared) {
    let config = ConfigSpace::new(bytes);
    let ours = config.capabilities();
    let (Some(region), Ok(header)) = (
        bytes.get(DDR_OFFSET..ECS_OFFSET),
        Header::try_from(&bytes[..DDR_OFFSET.min(bytes.len())]),
    ) else {
        return;
    };
    // pcics goes round in a loop for ever, does not ask the status register whether there
    // is a list, and takes the reserved low bits of pointers for a part of them.
    let has_list = header.status.capabilities_list;
    let aligned = ours.found.iter().all(|found| {
        let next = bytes[usize::from(found.offset) + 1];
        next & 3 == 0
    });
    let aligned = aligned && header.capabilities_pointer & 3 == 0;
    if ours.end.is_err() || !has_list || !aligned {
        return;
    }
    let theirs: Vec<_> = Capabilities::new(region, &header).collect();
    assert_eq!(
        ours.found.len(),
        theirs.len(),
        "{:?} and {theirs:?}",
        ours.found
    );
    let (mut msix, mut express) = (None, None);
    for (ours, theirs) in ours.found.iter().zip(&theirs) {
        compared.capabilities += 1;
        // What pcics cannot decode it gives without its id.
        let Ok(theirs) = theirs else { continue };
        let id = ids::of(&theirs.kind);
        assert_eq!((ours.id, ours.offset), (id, theirs.pointer));
        match &theirs.kind {
            CapabilityKind::MsiX(found) => msix = msix.or(Some(found)),
            CapabilityKind::PciExpress(found) => express = express.or(Some(found)),
            _ => {}
        }
    }
    if let (Some(theirs), Ok(Some(_))) = (msix, config.msix()) {
        compare_msix(&config, theirs);
        compared.decoded += 1;
    }
    if let (Some(theirs), Ok(Some(_))) = (express, config.pci_express()) {
        compare_express(&config, theirs);
        compared.decoded += 1;
    }
}

fn compare_msix(config: &ConfigSpace<&[u8]>, theirs: &MsiX) {
    let ours = config.msix().expect("readable").expect("there");
    let control = &theirs.message_control;
    assert_eq!(ours.vectors, control.table_size + 1);
    assert_eq!(ours.enabled, control.msi_x_enable);
}

fn compare_express(config: &ConfigSpace<&[u8]>, theirs: &PciExpress) {
    let ours = config.pci_express().expect("readable").expect("there");
    assert_eq!(ours.version, theirs.version);
    assert_eq!(ours.slot.is_some(), theirs.slot_implemented);
    let (port_type, link, slot) = match &theirs.device_type {
        DeviceType::Endpoint { link, .. } => (PortType::Endpoint, Some(link), None),
        DeviceType::LegacyEndpoint { link, .. } => (PortType::LegacyEndpoint, Some(link), None),
        DeviceType::RootComplexIntegratedEndpoint => (PortType::Integrated, None, None),
        DeviceType::RootComplexEventCollector { .. } => (PortType::EventCollector, None, None),
        DeviceType::RootPort { link, slot, .. } => (PortType::RootPort, Some(link), Some(slot)),
        DeviceType::UpstreamPort { link, .. } => (PortType::Upstream, Some(link), None),
        DeviceType::DownstreamPort { link, slot, .. } => {
            (PortType::Downstream, Some(link), Some(slot))
        }
        DeviceType::PcieToPciBridge { link, .. } => (PortType::ToConventional, Some(link), None),
        DeviceType::PciToPcieBridge { link, slot, .. } => {
            (PortType::FromConventional, Some(link), Some(slot))
        }
        DeviceType::Reserved { id, link, slot, .. } => {
            (PortType::Reserved(*id), Some(link), Some(slot))
        }
    };
    assert_eq!(ours.port_type, port_type);
    assert_eq!(ours.link.is_some(), link.is_some());
    if let (Some(ours), Some(theirs)) = (ours.link, link) {
        compare_link(ours, theirs);
    }
    if let (Some(ours), Some(theirs)) = (ours.slot, slot) {
        assert_eq!(ours.number, theirs.capabilities.physical_slot_number);
    }
    if let Some(theirs) = &theirs.device_2 {
        let (capabilities, control) = (&theirs.capabilities, &theirs.control);
        assert_eq!(
            ours.ari_forwarding_capable,
            capabilities.ari_forwarding_supported
        );
        assert_eq!(ours.ari_forwarding_enabled, control.ari_forwarding_enable);
    }
}

fn compare_link(ours: ExpressLink, theirs: &Link) {
    let (max, now) = (&theirs.capabilities, &theirs.status);
    let max = rate(max.max_link_speed, &max.maximum_link_width);
    let now = rate(now.current_link_speed, &now.negotiated_link_width);
    let ours = [ours.max, ours.current].map(|rate| rate.map(|r| (r.megatransfers, r.lanes)));
    assert_eq!(ours, [max, now]);
}

fn rate(speed: LinkSpeed, width: &LinkWidth) -> Option<(u32, u8)> {
    let speed = match speed {
        LinkSpeed::Rate2GTps => 2_500,
        LinkSpeed::Rate5GTps => 5_000,
        LinkSpeed::Rate8GTps => 8_000,
        LinkSpeed::Rate16GTps => 16_000,
        LinkSpeed::Rate32GTps => 32_000,
        LinkSpeed::Rate64GTps => 64_000,
        LinkSpeed::RateRsvdp | LinkSpeed::Reserved(_) => return None,
    };
    match width {
        LinkWidth::Reserved(_) => None,
        width => Some((speed, width.clone().into())),
    }
}

fn compare_extended(bytes: &[u8], compared: &mut Compared) {
    let config = ConfigSpace::new(bytes);
    let ours = config.extended_capabilities();
    let Some(region) = bytes.get(ECS_OFFSET..4096) else {
        return;
    };
    let aligned = ours.found.iter().all(|found| {
        let next = bytes[usize::from(found.offset) + 2] >> 4;
        next & 3 == 0
    });
    if ours.end.is_err() || !aligned {
        return;
    }
    let theirs: Vec<_> = ExtendedCapabilities::new(region).collect();
    assert_eq!(
        ours.found.len(),
        theirs.len(),
        "{:?} and {theirs:?}",
        ours.found
    );
    let (mut sriov, mut acs) = (None, None);
    for (ours, theirs) in ours.found.iter().zip(&theirs) {
        compared.capabilities += 1;
        let Ok(theirs) = theirs else { continue };
        assert_eq!(
            (ours.id, ours.version, ours.offset),
            (theirs.id(), theirs.version, theirs.offset)
        );
        match &theirs.kind {
            ExtendedCapabilityKind::SingleRootIoVirtualization(found) => {
                sriov = sriov.or(Some(found));
            }
            ExtendedCapabilityKind::AccessControlServices(found) => acs = acs.or(Some(found)),
            _ => {}
        }
    }
    if let (Some(theirs), Ok(Some(_))) = (sriov, config.sriov()) {
        compare_sriov(&config, theirs);
        compared.decoded += 1;
    }
    if let (Some(theirs), Ok(Some(_))) = (acs, config.acs()) {
        compare_acs(&config, theirs);
        compared.decoded += 1;
    }
}

fn compare_sriov(config: &ConfigSpace<&[u8]>, theirs: &SingleRootIoVirtualization) {
    let ours = config.sriov().expect("readable").expect("there");
    let control = &theirs.sriov_control;
    assert_eq!(ours.enabled, control.vf_enable);
    assert_eq!(ours.memory_enabled, control.vf_mse);
    assert_eq!(ours.ari_hierarchy, control.ari_capable_hierarchy);
    assert_eq!(ours.initial_vfs, theirs.initial_vfs);
    assert_eq!(ours.total_vfs, theirs.total_vfs);
    assert_eq!(ours.num_vfs, theirs.num_vfs);
    assert_eq!(ours.offset, theirs.first_vf_offset);
    assert_eq!(ours.stride, theirs.vf_stride);
    assert_eq!(ours.vf_device, theirs.vf_device_id);
    assert_eq!(ours.page_sizes, theirs.page_sizes.supported);
    assert_eq!(ours.bars, theirs.base_addresses.orig());
}

fn compare_acs(config: &ConfigSpace<&[u8]>, theirs: &AccessControlServices<'_>) {
    let ours = config.acs().expect("readable").expect("there");
    let capability = &theirs.acs_capability;
    let capable = [
        capability.acs_source_validation,
        capability.acs_translation_blocking,
        capability.acs_p2p_request_redirect,
        capability.acs_p2p_completion_redirect,
        capability.acs_upstream_forwarding,
        capability.acs_p2p_egress_control,
        capability.acs_direct_translated_p2p,
    ];
    let control = &theirs.acs_control;
    let enabled = [
        control.acs_source_validation_enable,
        control.acs_translation_blocking_enable,
        control.acs_p2p_request_redirect_enable,
        control.acs_p2p_completion_redirect_enable,
        control.acs_upstream_forwarding_enable,
        control.acs_p2p_egress_control_enable,
        control.acs_direct_translated_p2p_enable,
    ];
    assert_eq!((ours.capable, ours.enabled), (bits(capable), bits(enabled)));
}

/// Bit n of the result is flag n.
fn bits(flags: [bool; 7]) -> u16 {
    let flags = flags.into_iter().rev();
    flags.fold(0, |bits, flag| bits << 1 | u16::from(flag))
}
