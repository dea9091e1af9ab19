//! The VLAN of a vNIC on the wire, which its VF needs.

use accelnet_model::Problem;
use accelnet_model::port::VnicVlan;
use accelnet_model::switch::{BridgePort, PortRules};

use super::layers::Layer;
use super::{Vlan, Way, refusing, unfit};

/// The VLAN that a VF needs to be in the network of its vNIC.
pub fn carried(way: &Way<'_>, layers: &[Layer<'_>]) -> Result<Vlan, Problem> {
    let asked = layers
        .iter()
        .find_map(|layer| layer.vlan.map(|vlan| (layer, vlan)));
    if let Some((layer, vlan)) = asked {
        single(way.vm, layer, vlan)?;
    }
    let tag = asked.and_then(|(_, vlan)| vlan.tags.first().copied());
    let Some((bridge, rules)) = way.bridge else {
        return Ok(Vlan::Unknown);
    };
    if !rules.vlan_filtering {
        return match (asked, tag) {
            (Some((layer, _)), Some(tag)) => Err(unfit(
                way.vm,
                format!(
                    "{} is to be in VLAN {tag}, and bridge {bridge} does not filter VLANs: the vNIC is in no VLAN, and its VF would be in one.",
                    layer.what
                ),
                "A bridge that puts the vNIC into its VLAN, or a vNIC without one.",
                &format!(
                    "Have the bridge filter VLANs ('ip link set {bridge} type bridge vlan_filtering 1', with VLAN {tag} on its uplink), or take <vlan> out with 'virsh edit' or 'virsh net-edit'."
                ),
            )),
            _ => Ok(Vlan::Is(0)),
        };
    }
    let port = way.port.and_then(|port| rules.port(port));
    let vlan = match port {
        Some(port) => of_port(way, bridge, port)?,
        None => of_new_port(way, bridge, rules, tag)?,
    };
    let Some(uplink) = way.uplink.and_then(|name| rules.port(name)) else {
        return Ok(Vlan::Unknown);
    };
    let wire = on_the_wire(way, bridge, rules, uplink, vlan)?;
    if wire != 0
        && let Some((pf, reason)) = refusing(way.pfs, |pf| pf.no_vlan.as_ref())
    {
        return Err(unfit(
            way.vm,
            format!("It is in VLAN {wire}, and adapter {pf} cannot put a VF into a VLAN."),
            "An adapter that puts its VFs into VLANs.",
            "Leave the VM on its software path.",
        )
        .cause(reason));
    }
    Ok(match port.is_some() || tag.is_some() {
        true => Vlan::Is(wire),
        false => Vlan::WouldBe(wire),
    })
}

/// One VLAN, whose tags the guest does not see.
fn single(vm: &str, layer: &Layer<'_>, vlan: &VnicVlan) -> Result<(), Problem> {
    let what = &layer.what;
    let ids: Vec<String> = vlan.tags.iter().map(u16::to_string).collect();
    let ids = ids.join(", ");
    let found = match (vlan.tags.len(), vlan.trunk, vlan.native) {
        (1, false, false) => return Ok(()),
        (_, _, true) => format!("{what} is a trunk of VLANs {ids} with a native one."),
        (0, ..) => format!("{what} has a <vlan> without tags."),
        _ => format!("{what} is a trunk of VLANs {ids}."),
    };
    Err(unfit(
        vm,
        format!("{found} A VF is in one VLAN."),
        "One VLAN, whose tags the guest does not see, or none.",
        "Leave the VM on its software path, or give each VLAN a vNIC of its own.",
    ))
}

/// The VLAN of what a vNIC sends that is not plugged.
fn of_new_port(
    way: &Way<'_>,
    bridge: &str,
    rules: &PortRules,
    tag: Option<u16>,
) -> Result<u16, Problem> {
    tag.or(rules.default_pvid).ok_or_else(|| {
        unfit(
            way.vm,
            format!(
                "Bridge {bridge} filters VLANs and gives a new port none (vlan_default_pvid 0), and the vNIC names none."
            ),
            "One VLAN for the vNIC.",
            "Give the vNIC a <vlan> with one <tag> with 'virsh edit', then run the same command again.",
        )
    })
}

/// The VLAN of what a vNIC sends, by what its port has.
fn of_port(way: &Way<'_>, bridge: &str, port: &BridgePort) -> Result<u16, Problem> {
    let refuse = |found: String| {
        Err(unfit(
            way.vm,
            format!("Port {} of bridge {bridge} {found}", port.name),
            "A port with one VLAN, its PVID, that leaves it without a tag: it becomes the VLAN of the VF.",
            &format!(
                "Leave the VM on its software path, or correct its port with 'bridge vlan' ('bridge vlan show dev {}').",
                port.name
            ),
        ))
    };
    let Some(pvid) = port.vlans.iter().find(|vlan| vlan.pvid) else {
        return refuse("has no PVID: its guest has to tag, and a VF is in one VLAN.".to_owned());
    };
    let others: Vec<String> = port
        .vlans
        .iter()
        .filter(|vlan| vlan.id != pvid.id)
        .map(|vlan| vlan.id.to_string())
        .collect();
    if !others.is_empty() {
        return refuse(format!(
            "is a trunk: beside its PVID {} it has VLAN {}. A VF is in one VLAN.",
            pvid.id,
            others.join(", ")
        ));
    }
    match pvid.untagged {
        true => Ok(pvid.id),
        false => refuse(format!(
            "hands VLAN {} to its guest with tags. A VF removes the tags.",
            pvid.id
        )),
    }
}

/// How that VLAN leaves the node: 0 without a tag.
fn on_the_wire(
    way: &Way<'_>,
    bridge: &str,
    rules: &PortRules,
    uplink: &BridgePort,
    vlan: u16,
) -> Result<u16, Problem> {
    let refuse = |found: String, what_to_do: String| {
        let needed =
            "An uplink that carries the VLAN of the vNIC, with its tag, or without one as its own.";
        Err(unfit(way.vm, found, needed, &what_to_do))
    };
    let name = &uplink.name;
    match uplink.vlans.iter().find(|one| one.id == vlan) {
        None => refuse(
            format!(
                "The VM is in VLAN {vlan}, which uplink {name} of bridge {bridge} does not carry."
            ),
            format!(
                "Let it pass with 'bridge vlan add dev {name} vid {vlan}', or leave the VM on its software path."
            ),
        ),
        Some(found) if !found.untagged && rules.service_tags => refuse(
            format!("Bridge {bridge} tags VLAN {vlan} as 802.1ad, and a VF gets tags of 802.1Q."),
            "Leave the VM on its software path.".to_owned(),
        ),
        Some(found) if !found.untagged => Ok(vlan),
        Some(found) if found.pvid => Ok(0),
        Some(_) => refuse(
            format!(
                "Uplink {name} of bridge {bridge} sends VLAN {vlan} without a tag, and assigns untagged frames to another VLAN."
            ),
            format!(
                "Make VLAN {vlan} the PVID of {name}, or let it leave with its tag: 'bridge vlan add dev {name} vid {vlan}'."
            ),
        ),
    }
}
