//! The bridges between an adapter and the root.

use std::path::{Component, Path};

use accelnet_model::adapter::{Bridge, BridgeKind};
use accelnet_model::{Observed, PciAddress};

use crate::config::{ConfigFile, ConfigSpace, Incomplete, PortType};
use crate::devices::device_folder;
use crate::read_error::{ReadError, Why};
use crate::root::Root;

/// Reads the bridges above the function at `address`, nearest first.
///
/// # Errors
///
/// When the function's place cannot be determined, or the header of a bridge cannot be read.
pub fn above(root: &Root, address: PciAddress) -> Result<Vec<Bridge>, Incomplete> {
    let link = device_folder(address);
    let place = root.link(&link)?;
    let place = place.ok_or_else(|| ReadError::new(&link, Why::Missing))?;
    path_to_root(&place)
        .into_iter()
        .map(|bridge| read(root, bridge))
        .collect()
}

/// The addresses that `place`, a path like
/// `../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0`, names above its last part,
/// from the back. They begin after the last host bridge, which is no PCI function: below
/// a VMD controller there is one inside another.
fn path_to_root(place: &Path) -> Vec<PciAddress> {
    let names = place.components().rev().skip(1);
    names
        .filter_map(|name| match name {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .map_while(|name| name.parse().ok())
        .collect()
}

fn read(root: &Root, address: PciAddress) -> Result<Bridge, Incomplete> {
    let folder = device_folder(address);
    let config = ConfigSpace::new(ConfigFile::open(root, &folder)?);
    let numbers = config.bridge_numbers()?;
    let numbers = numbers.ok_or_else(|| {
        ReadError::unexpected(&format!("{folder}/config"), "a function", "a bridge")
    })?;
    let express = Observed::from(config.pci_express());
    Ok(Bridge {
        address,
        kind: express.as_ref().map(|express| match express {
            Some(express) => kind(express.port_type),
            None => BridgeKind::Conventional,
        }),
        multifunction: config.multifunction().into(),
        acs: config.acs().into(),
        secondary_bus: numbers.secondary,
        subordinate_bus: numbers.subordinate,
        ari_forwarding: express
            .map(|express| express.is_some_and(|express| express.ari_forwarding_enabled)),
    })
}

fn kind(port: PortType) -> BridgeKind {
    match port {
        PortType::RootPort => BridgeKind::RootPort,
        PortType::Upstream => BridgeKind::SwitchUpstream,
        PortType::Downstream => BridgeKind::SwitchDownstream,
        PortType::Endpoint
        | PortType::LegacyEndpoint
        | PortType::ToConventional
        | PortType::FromConventional
        | PortType::Integrated
        | PortType::EventCollector
        | PortType::Reserved(_) => BridgeKind::Conventional,
    }
}
