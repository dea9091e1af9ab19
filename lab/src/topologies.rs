//! The topologies that have a name.

use crate::error::{Error, Result};
use crate::topology::{Cpus, Nic, Port, Topology};

/// An igb behind a root port with ACS, and an empty port to plug another into.
#[must_use]
pub fn igb_acs() -> Topology {
    Topology::new(
        "igb-acs",
        "an igb behind a root port with ACS, and an empty port",
    )
    .port(Port::new("rp1").nic(Nic::Igb))
    .port(Port::new("spare"))
}

/// An igb behind a root port without ACS.
#[must_use]
pub fn igb_no_acs() -> Topology {
    Topology::new("igb-no-acs", "an igb behind a root port without ACS")
        .port(Port::new("rp1").without_acs().nic(Nic::Igb))
}

/// An adapter without SR-IOV.
#[must_use]
pub fn e1000e() -> Topology {
    Topology::new("e1000e", "an adapter without SR-IOV").port(Port::new("rp1").nic(Nic::E1000e))
}

/// An igb that no driver is bound to.
#[must_use]
pub fn igb_no_driver() -> Topology {
    Topology::new("igb-no-driver", "an igb that no driver is bound to")
        .port(Port::new("rp1").nic_without_driver(Nic::Igb))
}

/// An igb in a machine without an IOMMU.
#[must_use]
pub fn no_iommu() -> Topology {
    Topology::new("no-iommu", "an igb in a machine without an IOMMU")
        .without_iommu()
        .port(Port::new("rp1").nic(Nic::Igb))
}

/// Two igbs below a PCIe switch without ACS.
#[must_use]
pub fn switch() -> Topology {
    Topology::new("switch", "two igbs below a PCIe switch without ACS")
        .port(Port::new("rp1").switch(&[Nic::Igb, Nic::Igb]))
}

/// An igb behind a port with ACS (`pf0`) and one behind a port without (`pf1`).
#[must_use]
pub fn two_adapters() -> Topology {
    Topology::new(
        "two-adapters",
        "pf0 behind a port with ACS, pf1 behind a port without",
    )
    .port(Port::new("rp1").nic(Nic::Igb))
    .port(Port::new("rp2").without_acs().nic(Nic::Igb))
}

/// Two igbs, each behind a port with ACS, on one wire: what a bond is made of.
#[must_use]
pub fn two_uplinks() -> Topology {
    Topology::new(
        "two-uplinks",
        "two igbs on one wire, each behind a root port with ACS",
    )
    .on_one_wire()
    .port(Port::new("rp1").nic(Nic::Igb))
    .port(Port::new("rp2").nic(Nic::Igb))
}

/// An igb in a machine with two sockets and SMT.
#[must_use]
pub fn smt() -> Topology {
    Topology::new(
        "smt",
        "an igb in a machine with two sockets of one core with two threads",
    )
    .cpus(Cpus {
        sockets: 2,
        cores: 1,
        threads: 2,
    })
    .port(Port::new("rp1").nic(Nic::Igb))
}

/// One of everything, for looking at it and for capturing fixtures.
#[must_use]
pub fn zoo() -> Topology {
    Topology::new(
        "zoo",
        "pf0 with ACS, pf1 without, pf2 below a switch, pf3 an e1000e",
    )
    .port(Port::new("rp1").nic(Nic::Igb))
    .port(Port::new("rp2").without_acs().nic(Nic::Igb))
    .port(Port::new("rp3").switch(&[Nic::Igb]))
    .port(Port::new("rp4").nic(Nic::E1000e))
}

/// A node of a cluster: small, so that several run on one machine.
#[must_use]
pub fn member() -> Topology {
    Topology::new(
        "member",
        "a node of a cluster: an igb behind a root port with ACS",
    )
    .memory_mib(1536)
    .port(Port::new("rp1").nic(Nic::Igb))
}

/// A node of a cluster whose VMs have an adapter of their own, beside the one on the wire.
#[must_use]
pub fn member_with_two() -> Topology {
    Topology::new(
        "member-with-two",
        "a node of a cluster: two igbs, each behind a root port with ACS",
    )
    .memory_mib(1536)
    .port(Port::new("rp1").nic(Nic::Igb))
    .port(Port::new("rp2").nic(Nic::Igb))
}

/// All topologies that have a name.
#[must_use]
pub fn list() -> Vec<Topology> {
    vec![
        igb_acs(),
        igb_no_acs(),
        e1000e(),
        igb_no_driver(),
        no_iommu(),
        switch(),
        two_adapters(),
        two_uplinks(),
        smt(),
        zoo(),
        member(),
        member_with_two(),
    ]
}

/// The topology of this name.
///
/// # Errors
/// Names all topologies when there is none.
pub fn named(name: &str) -> Result<Topology> {
    let all = list();
    let known: Vec<&str> = all.iter().map(Topology::name).collect();
    let known = known.join(", ");
    all.into_iter()
        .find(|topology| topology.name() == name)
        .ok_or_else(|| Error::UnknownTopology {
            name: name.to_owned(),
            known,
        })
}
