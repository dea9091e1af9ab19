//! Whether the settings of a vNIC hold over a VF. The host enforces them on its own end of the vNIC,
//! which a VF bypasses: each is applied to the VF, or excludes a VF.

mod layers;
mod vlan;
mod way;

use accelnet_model::domain::Vnic;
use accelnet_model::port::{Bandwidth, NetworkSettings};
use accelnet_model::{Code, Problem};

use layers::Layer;
use way::{name, refusing, unfit};

pub use way::{Pf, Vlan, Way};

/// Settings that a VF needs in place of its vNIC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// VLAN of its traffic.
    pub vlan: Vlan,
    /// Transmit rate at most, in Mb/s.
    pub max_tx_mbps: Option<u32>,
    /// How each setting is carried, one line each.
    pub lines: Vec<String>,
    /// What is lost of them.
    pub costs: Vec<Problem>,
}

/// Judges the settings of a vNIC that protect the VM's neighbours: its own, those of its network and port
/// group, and those of its port. Gives back the VLAN of a VF.
///
/// # Errors
///
/// The setting that a VF would bypass, and the remedy.
pub fn holds(way: &Way<'_>) -> Result<Vlan, Problem> {
    let layers = layers::of(way);
    for layer in &layers {
        layer.holds(way.vm)?;
    }
    bridge_learns(way)?;
    port_is_open(way)?;
    vlan::carried(way, &layers)
}

/// Judges all settings of a vNIC.
///
/// # Errors
///
/// As [`holds`]; or a setting that no VF here can have.
pub fn judge(way: &Way<'_>) -> Result<Carried, Problem> {
    let layers = layers::of(way);
    let mut carried = Carried {
        vlan: holds(way)?,
        max_tx_mbps: None,
        lines: Vec::new(),
        costs: Vec::new(),
    };
    if let Vlan::Is(vlan @ 1..) | Vlan::WouldBe(vlan @ 1..) = carried.vlan {
        let line = format!("VLAN {vlan}: the adapter puts the VF into it");
        carried.lines.push(line);
    }
    outbound(way, &layers, &mut carried)?;
    mtu(way, &layers, &mut carried)?;
    if layers.iter().any(|layer| layer.port.trust_guest_rx_filters) {
        let found = format!(
            "{} has trustGuestRxFilters='yes', which means nothing for a VF.",
            name(way.vnic)
        );
        let to_do = "Where its guest has addresses of its own (VRRP, a bridge or a bond in the guest), use '--trust on'.";
        let cost = Problem::new(Code::VmCosts, &[way.vm], found).resolution(to_do);
        carried.costs.push(cost);
    }
    Ok(carried)
}

/// Whether the vNIC, its port group or its network names a VLAN.
pub fn names_vlan(way: &Way<'_>) -> bool {
    layers::of(way).iter().any(|layer| layer.vlan.is_some())
}

/// The transmit limit of a vNIC in Mb/s, rounded as a VF needs it.
pub fn transmit_limit(vnic: &Vnic, network: Option<&NetworkSettings>) -> Option<u32> {
    let way = Way {
        vm: "",
        vnic,
        port: None,
        network,
        bridge: None,
        uplink: None,
        pfs: &[],
    };
    let layers = layers::of(&way);
    let outbound = layers.iter().find_map(|layer| layer.port.outbound);
    Some(mbps(outbound?.average?))
}

/// The bridge finds a VM by what it receives from it. One with fixed entries sends the VM's frames to its
/// vNIC while the guest uses its VF.
fn bridge_learns(way: &Way<'_>) -> Result<(), Problem> {
    let fixed = way.network.filter(|network| network.libvirt_keeps_macs);
    if fixed.is_none() {
        return Ok(());
    }
    Err(unfit(
        way.vm,
        format!(
            "Network {} has macTableManager='libvirt': its bridge sends the VM's frames to its vNIC while its guest uses a VF.",
            way.vnic.source.as_deref().unwrap_or_default()
        ),
        "A network whose bridge learns MAC addresses.",
        "Leave the VM on its software path, or remove macTableManager='libvirt' with 'virsh net-edit' and restart the network and its VMs.",
    ))
}

/// What is set on the port itself, past libvirt.
fn port_is_open(way: &Way<'_>) -> Result<(), Problem> {
    let Some((bridge, rules)) = way.bridge else {
        return Ok(());
    };
    let Some(port) = way.port.and_then(|port| rules.port(port)) else {
        return Ok(());
    };
    if port.flood_off {
        return Err(unfit(
            way.vm,
            format!(
                "Port {} of bridge {bridge} has unicast flooding off: the VM would miss frames while it changes between its paths.",
                port.name
            ),
            "A port with unicast flooding on.",
            &format!("Run 'bridge link set dev {} flood on'.", port.name),
        ));
    }
    let closed = match (port.isolated, port.locked) {
        (true, _) => "isolated",
        (_, true) => "locked",
        _ => return Ok(()),
    };
    Err(unfit(
        way.vm,
        format!(
            "Port {} of bridge {bridge} is {closed}: the bridge separates the VM from others, and a VF bypasses the bridge.",
            port.name
        ),
        "A port that is neither isolated nor locked.",
        &format!(
            "Leave the VM on its software path, or run 'bridge link set dev {} {closed} off', if others may reach it.",
            port.name
        ),
    ))
}

/// The transmit limit of the vNIC becomes one of the VF.
fn outbound(way: &Way<'_>, layers: &[Layer<'_>], carried: &mut Carried) -> Result<(), Problem> {
    let limited = layers
        .iter()
        .find_map(|layer| layer.port.outbound.map(|outbound| (layer, outbound)));
    let Some((layer, outbound)) = limited else {
        return Ok(());
    };
    let Some(average) = outbound.average else {
        return Err(unfit(
            way.vm,
            format!(
                "{} has an outbound <bandwidth> without an average.",
                layer.what
            ),
            "An average, which becomes the transmit rate of the VF.",
            "Give <outbound> an average, with 'virsh edit' or 'virsh net-edit'.",
        ));
    };
    if let Some((pf, reason)) = refusing(way.pfs, |pf| pf.no_rate.as_ref()) {
        return Err(unfit(
            way.vm,
            format!(
                "{} may send {average} KiB/s, and adapter {pf} cannot limit the transmit rate of a VF.",
                layer.what
            ),
            "An adapter that limits the transmit rate of its VFs.",
            "Leave the VM on its software path, or remove <outbound>.",
        )
        .cause(reason));
    }
    let rate = mbps(average);
    carried.max_tx_mbps = Some(rate);
    carried.lines.push(format!(
        "outbound {average} KiB/s: at most {rate} Mb/s on the VF"
    ));
    let Bandwidth { peak, burst, .. } = outbound;
    let extra = match (peak, burst) {
        (Some(_), Some(_)) => "a peak and a burst",
        (Some(_), None) => "a peak",
        (None, Some(_)) => "a burst",
        (None, None) => return Ok(()),
    };
    carried.costs.push(
        Problem::new(
            Code::VmCosts,
            &[way.vm],
            format!(
                "{} may send {extra} beyond its average; an adapter knows the average only: at most {rate} Mb/s.",
                layer.what
            ),
        )
        .resolution("Raise the average if the VM needs more."),
    );
    Ok(())
}

/// KiB/s as Mb/s, rounded down, and never 0, which would be no limit.
fn mbps(kib: u64) -> u32 {
    let mbps = u128::from(kib) * 1024 * 8 / 1_000_000;
    u32::try_from(mbps).unwrap_or(u32::MAX).max(1)
}

/// A VF carries no larger packets than its PF.
fn mtu(way: &Way<'_>, layers: &[Layer<'_>], carried: &mut Carried) -> Result<(), Problem> {
    let own = layers
        .iter()
        .find_map(|layer| layer.port.mtu.map(|mtu| (layer.what.clone(), mtu)));
    // Without a setting, libvirt gives a vNIC the MTU of its bridge.
    let bridge = way
        .bridge
        .map(|(name, rules)| (format!("Bridge {name}"), rules.mtu));
    let explicit = own.is_some();
    let Some((who, mtu)) = own.or(bridge) else {
        return Ok(());
    };
    let mut pfs = way.pfs.iter();
    let smaller = pfs.find_map(|pf| pf.mtu.filter(|own| *own < mtu).map(|own| (&pf.name, own)));
    if let Some((pf, own)) = smaller {
        return Err(unfit(
            way.vm,
            format!(
                "{who} has an MTU of {mtu}, and the MTU of adapter {pf} is {own}: its VFs drop what is larger."
            ),
            "An adapter whose MTU is not less than that of the vNIC.",
            &format!(
                "Raise it with 'ip link set {pf} mtu {mtu}' (and where it is configured for the next boot), or lower the MTU of the vNIC."
            ),
        ));
    }
    if explicit {
        carried.lines.push(format!(
            "MTU {mtu}: the adapter's is not less, and the guest gives it to its VF"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
