//! The software path of a vNIC: VM, vNIC, port, network, bridge and uplink.

use accelnet_model::domain::Vnic;
use accelnet_model::port::NetworkSettings;
use accelnet_model::switch::PortRules;
use accelnet_model::{Code, Problem};

/// An adapter that a VF may be of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pf {
    /// Its name.
    pub name: String,
    /// Bytes of its largest payload.
    pub mtu: Option<u32>,
    /// Why its driver cannot limit a VF's transmit rate; none where it can, or that is not known.
    pub no_rate: Option<String>,
    /// Why its driver cannot put a VF into a VLAN; none where it can, or that is not known.
    pub no_vlan: Option<String>,
}

/// The parts of the software path of a vNIC.
#[derive(Debug, Clone, Copy)]
pub struct Way<'a> {
    /// Name of the VM.
    pub vm: &'a str,
    /// The vNIC.
    pub vnic: &'a Vnic,
    /// Its end on the host, where it is plugged.
    pub port: Option<&'a str>,
    /// Its libvirt network, where it is on one.
    pub network: Option<&'a NetworkSettings>,
    /// The bridge of the virtual switch, and its rules; none where they cannot be read now.
    pub bridge: Option<(&'a str, &'a PortRules)>,
    /// The port of that bridge that leads out of the node; none where there is none now.
    pub uplink: Option<&'a str>,
    /// The adapters that a VF may be of.
    pub pfs: &'a [Pf],
}

/// The VLAN that a VF needs to be in the network of its vNIC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vlan {
    /// This one, 0 for none.
    Is(u16),
    /// This one if its port gets what a new port gets.
    WouldBe(u16),
    /// It cannot be determined now.
    Unknown,
}

/// A vNIC as a sentence begins with it.
pub(super) fn name(vnic: &Vnic) -> String {
    match vnic.mac {
        Some(mac) => format!("Its vNIC {mac}"),
        None => "Its vNIC".to_owned(),
    }
}

pub(super) fn unfit(vm: &str, found: String, needed: &str, what_to_do: &str) -> Problem {
    Problem::new(Code::VmUnfit, &[vm], found)
        .needed(needed)
        .resolution(what_to_do)
}

/// The first adapter whose driver refuses something, and its words.
pub(super) fn refusing(pfs: &[Pf], why: impl Fn(&Pf) -> Option<&String>) -> Option<(&str, &str)> {
    let mut pfs = pfs.iter();
    pfs.find_map(|pf| Some((pf.name.as_str(), why(pf)?.as_str())))
}
