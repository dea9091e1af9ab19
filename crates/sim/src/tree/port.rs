//! What a port of a tree is like: a bridge with adapters and further ports below it.

use accelnet_model::PciAddress;

use super::AdapterSpec;
use crate::config::{ConfigBuilder, Express};

/// Source validation, request and completion redirect, upstream forwarding.
const ISOLATION: u16 = 0b1_1101;

/// A root port, or an upstream or downstream port of a switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    pub(super) address: PciAddress,
    kind: Kind,
    pub(super) buses: (u8, u8),
    acs: bool,
    ari_forwarding: bool,
    pub(super) ports: Vec<Port>,
    pub(super) adapters: Vec<AdapterSpec>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Root,
    Upstream,
    Downstream,
}

impl Port {
    fn new(address: PciAddress, kind: Kind, secondary: u8, subordinate: u8) -> Self {
        Port {
            address,
            kind,
            buses: (secondary, subordinate),
            acs: kind == Kind::Root,
            ari_forwarding: true,
            ports: Vec::new(),
            adapters: Vec::new(),
        }
    }

    /// A root port with ACS, and the first and last bus below it.
    pub fn root(address: PciAddress, secondary: u8, subordinate: u8) -> Self {
        Port::new(address, Kind::Root, secondary, subordinate)
    }

    /// The upstream port of a switch.
    pub fn upstream(address: PciAddress, secondary: u8, subordinate: u8) -> Self {
        Port::new(address, Kind::Upstream, secondary, subordinate)
    }

    /// A downstream port of a switch, without ACS.
    pub fn downstream(address: PciAddress, secondary: u8, subordinate: u8) -> Self {
        Port::new(address, Kind::Downstream, secondary, subordinate)
    }

    /// With or without ACS.
    #[must_use]
    pub fn acs(mut self, acs: bool) -> Self {
        self.acs = acs;
        self
    }

    /// With or without ARI forwarding.
    #[must_use]
    pub fn ari_forwarding(mut self, on: bool) -> Self {
        self.ari_forwarding = on;
        self
    }

    /// With a further port below.
    #[must_use]
    pub fn port(mut self, port: Port) -> Self {
        self.ports.push(port);
        self
    }

    /// With an adapter below.
    #[must_use]
    pub fn adapter(mut self, adapter: AdapterSpec) -> Self {
        self.adapters.push(adapter);
        self
    }

    /// Whether it keeps apart what lies below it (`pci_acs_enabled`: upstream ports of one
    /// function always do).
    pub(super) fn isolates(&self) -> bool {
        self.acs || self.kind == Kind::Upstream
    }

    pub(super) fn ids(&self) -> (u16, u16) {
        match self.kind {
            Kind::Root => (0x1b36, 0x000c),
            Kind::Upstream => (0x104c, 0x8232),
            Kind::Downstream => (0x104c, 0x8233),
        }
    }

    pub(super) fn config(&self) -> Vec<u8> {
        let (vendor, device) = self.ids();
        let (secondary, subordinate) = self.buses;
        let buses = [self.address.bus, secondary, subordinate];
        let express = Express {
            port_type: match self.kind {
                Kind::Root => 4,
                Kind::Upstream => 5,
                Kind::Downstream => 6,
            },
            speed: 4,
            lanes: 16,
            slot: (self.kind != Kind::Upstream).then_some(secondary.into()),
            ari_forwarding: self.ari_forwarding && self.kind != Kind::Upstream,
        };
        let config = ConfigBuilder::bridge(vendor, device, buses)
            .express(0x54, &express)
            .aer(0x100);
        match self.acs {
            true => config.acs(0x148, ISOLATION, ISOLATION),
            false => config,
        }
        .build()
    }
}
