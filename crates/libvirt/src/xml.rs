//! The definition of a domain, read from libvirt's XML (formatdomain), and the fragments of
//! it that accelnet changes.
//!
//! Only what names a device or a size is looked at; everything else is passed over. A whole
//! domain is never written: what accelnet does not know must not be lost.

mod address;
mod definition;
mod device;
mod document;
mod domain;
mod fragment;
mod interface;
mod memory;
mod network;
mod places;
mod port;
mod port_settings;
mod root_port;
mod settings;
mod write;

pub use definition::Definition;
pub use device::Device;
pub use document::XmlError;
pub use domain::{DomainXml, Part};
pub use fragment::{InterfaceXml, persistent_alias, vf_alias};
pub use network::{NetworkFacts, NetworkXml, network};
pub use port::Port;
pub use write::{PoolOf, bridge_interface, bridge_network, hostdev_network, vf_interface};

#[cfg(test)]
mod tests;
